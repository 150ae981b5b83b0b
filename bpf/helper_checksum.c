/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Internet checksums and their update in place (RFC 1071, RFC 1624; Linux: net/core/filter.c, net/core/utils.c).
 */
#include "bpf/helper_list.h"
#include "bpf/window.h"
#include "lib/bytes.h"
#include "lib/checksum.h"

enum {
  F_FIELD_SIZE = 0x0f,
  F_PSEUDO_HEADER = 0x10, /* matters only for checksums that an interface completes */
  F_MARK_MANGLED_0 = 0x20,
  F_MARK_ENFORCE = 0x40,
  F_IPV6 = 0x80,
  REACH_MAX = 0xffff,
  MANGLED_0 = 0xffff, /* UDP: 0 would mean that there is no checksum */
};

static uint32_t add(uint32_t a, uint32_t b) {
  uint32_t sum = a + b;
  return sum + (sum < b);
}

/* To 16 bits, one's complement. */
static uint16_t fold(uint32_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* A sum of any size, folded to 32 bits. */
static uint32_t partial(uint64_t address, uint32_t size, uint32_t seed) {
  uint64_t sum = checksum_add(seed, (const void *)(uintptr_t)address, size);
  sum = (sum >> 32) + (uint32_t)sum;
  return (uint32_t)((sum >> 32) + (uint32_t)sum);
}

/* As Linux since 6.13: the result has 16 bits. */
uint64_t bpf_helper_csum_diff(uint64_t from, uint64_t from_size, uint64_t to, uint64_t to_size, uint64_t seed,
                              struct bpf_machine *m) {
  const uint32_t removed = (uint32_t)from_size, added = (uint32_t)to_size;
  uint32_t sum = (uint32_t)seed;
  if ((removed | added) % 4 != 0) return (uint64_t)-BPF_EINVAL;
  if (added != 0) sum = partial(to, added, sum);
  if (removed != 0 && added != 0) sum = add(sum, ~partial(from, removed, 0));
  if (removed != 0 && added == 0) sum = ~partial(from, removed, ~sum);
  return fold(sum);
}

/* The field's new checksum when `from` becomes `to`, of size bytes; size 0: `to` is the difference. False: no such size. */
static bool replace(uint16_t *checksum, uint64_t from, uint64_t to, uint64_t size) {
  const uint32_t old = (uint16_t) ~*checksum;
  switch (size) {
    case 0:
      if (from != 0) return false;
      *checksum = (uint16_t)~fold(add(old, (uint32_t)to));
      return true;
    case 2:
      *checksum = (uint16_t)~fold(add(add(old, (uint16_t)~from), (uint16_t)to));
      return true;
    case 4:
      *checksum = (uint16_t)~fold(add(add(old, ~(uint32_t)from), (uint32_t)to));
      return true;
    default:
      return false;
  }
}

static uint8_t *field_at(const struct bpf_machine *m, uint64_t offset) {
  const uint32_t at = (uint32_t)offset;
  return at > REACH_MAX || at % 2 != 0 ? NULL : bpf_window_bytes(m, at, sizeof(uint16_t));
}

uint64_t bpf_helper_l3_csum_replace(uint64_t context, uint64_t offset, uint64_t from, uint64_t to, uint64_t flags,
                                    struct bpf_machine *m) {
  if (flags & ~(uint64_t)F_FIELD_SIZE) return (uint64_t)-BPF_EINVAL;
  uint8_t *field = field_at(m, offset);
  if (field == NULL) return (uint64_t)-BPF_EFAULT;
  uint16_t checksum = load_le16(field);
  if (!replace(&checksum, from, to, flags)) return (uint64_t)-BPF_EINVAL;
  store_le16(field, checksum);
  return 0;
}

uint64_t bpf_helper_l4_csum_replace(uint64_t context, uint64_t offset, uint64_t from, uint64_t to, uint64_t flags,
                                    struct bpf_machine *m) {
  if (flags & ~(uint64_t)(F_FIELD_SIZE | F_PSEUDO_HEADER | F_MARK_MANGLED_0 | F_MARK_ENFORCE | F_IPV6)) {
    return (uint64_t)-BPF_EINVAL;
  }
  uint8_t *field = field_at(m, offset);
  if (field == NULL) return (uint64_t)-BPF_EFAULT;
  uint16_t checksum = load_le16(field);
  /* No checksum stays none. */
  if ((flags & F_MARK_MANGLED_0) && !(flags & F_MARK_ENFORCE) && checksum == 0) return 0;
  if (!replace(&checksum, from, to, flags & F_FIELD_SIZE)) return (uint64_t)-BPF_EINVAL;
  if ((flags & F_MARK_MANGLED_0) && checksum == 0) checksum = MANGLED_0;
  store_le16(field, checksum);
  return 0;
}
