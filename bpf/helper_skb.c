/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers on the packet of SEC("tc") programs (Linux: net/core/filter.c, bpf_skb_*).
 */
#include "bpf/helper_list.h"
#include "bpf/window.h"
#include "lib/string.h"

/* Checksums that an interface would keep don't exist here, so there is nothing to recompute. */
enum { F_RECOMPUTE_CSUM = 1, F_INVALIDATE_HASH = 2 };

uint64_t bpf_helper_skb_store_bytes(uint64_t context, uint64_t offset, uint64_t from, uint64_t length, uint64_t flags,
                                    struct bpf_machine *m) {
  if (flags & ~(uint64_t)(F_RECOMPUTE_CSUM | F_INVALIDATE_HASH)) return (uint64_t)-BPF_EINVAL;
  uint8_t *bytes = bpf_window_bytes(m, (uint32_t)offset, (uint32_t)length);
  if (bytes == NULL) return (uint64_t)-BPF_EFAULT;
  memmove(bytes, (const void *)(uintptr_t)from, (uint32_t)length);
  if (flags & F_INVALIDATE_HASH) m->context.skb.hash = 0;
  return 0;
}

/* What cannot be loaded is zeros. */
uint64_t bpf_helper_skb_load_bytes(uint64_t context, uint64_t offset, uint64_t to, uint64_t length, uint64_t r5,
                                   struct bpf_machine *m) {
  const uint8_t *bytes = bpf_window_bytes(m, (uint32_t)offset, (uint32_t)length);
  if (bytes == NULL) {
    memset((void *)(uintptr_t)to, 0, (uint32_t)length);
    return (uint64_t)-BPF_EFAULT;
  }
  memmove((void *)(uintptr_t)to, bytes, (uint32_t)length);
  return 0;
}

uint64_t bpf_helper_skb_change_tail(uint64_t context, uint64_t length, uint64_t flags, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  return flags == 0 && bpf_window_set_length(m, (uint32_t)length) ? 0 : (uint64_t)-BPF_EINVAL;
}

/* Room in front of the packet, zeroed; metadata lapses. */
uint64_t bpf_helper_skb_change_head(uint64_t context, uint64_t room, uint64_t flags, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  const uint32_t length = (uint32_t)room;
  if (flags != 0) return (uint64_t)-BPF_EINVAL;
  if (length > m->data - m->buffer_start) return (uint64_t)-BPF_ENOMEM;
  const uint64_t data = m->data - length, end = m->data + m->data_length;
  memset((void *)(uintptr_t)data, 0, length);
  bpf_window_set(m, data, data, end);
  return 0;
}

/* A packet is always in one piece. */
uint64_t bpf_helper_skb_pull_data(uint64_t context, uint64_t length, uint64_t r3, uint64_t r4, uint64_t r5,
                                  struct bpf_machine *m) {
  return (uint32_t)length <= m->data_length ? 0 : (uint64_t)-BPF_ENOMEM;
}

uint64_t bpf_helper_get_hash_recalc(uint64_t context, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  return m->context.skb.hash;
}

uint64_t bpf_helper_set_hash_invalid(uint64_t context, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                     struct bpf_machine *m) {
  m->context.skb.hash = 0;
  return 0;
}

uint64_t bpf_helper_set_hash(uint64_t context, uint64_t hash, uint64_t r3, uint64_t r4, uint64_t r5,
                             struct bpf_machine *m) {
  m->context.skb.hash = (uint32_t)hash;
  return 0;
}
