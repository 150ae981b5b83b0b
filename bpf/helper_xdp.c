/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers on the packet of SEC("xdp") programs (Linux: net/core/filter.c, bpf_xdp_*).
 */
#include "bpf/helper_list.h"
#include "bpf/window.h"
#include "lib/string.h"

enum {
  METADATA_MAX = 252, /* bytes, a multiple of 4: Linux's limit since 6.5 */
  REACH_MAX = 0xffff, /* largest offset and length of load_bytes and store_bytes */
  EACCES = 13,
};

/* Offsets are int in Linux's prototypes. */
static int64_t as_int(uint64_t v) { return (int32_t)(uint32_t)v; }

/* Metadata moves along with the start of the packet. */
uint64_t bpf_helper_xdp_adjust_head(uint64_t context, uint64_t offset, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  const int64_t delta = as_int(offset);
  const int64_t front = (int64_t)(m->data_meta - m->buffer_start);
  if (delta < -front || delta > (int64_t)m->data_length - BPF_LINK_HEADER) return (uint64_t)-BPF_EINVAL;
  const uint64_t metadata = m->data - m->data_meta, end = m->data + m->data_length;
  const uint64_t data_meta = m->data_meta + (uint64_t)delta;
  memmove((void *)(uintptr_t)data_meta, (const void *)(uintptr_t)m->data_meta, metadata);
  bpf_window_set(m, data_meta, data_meta + metadata, end);
  return 0;
}

uint64_t bpf_helper_xdp_adjust_tail(uint64_t context, uint64_t offset, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  const int64_t length = (int64_t)m->data_length + as_int(offset);
  return length >= 0 && bpf_window_set_length(m, (uint64_t)length) ? 0 : (uint64_t)-BPF_EINVAL;
}

uint64_t bpf_helper_xdp_adjust_meta(uint64_t context, uint64_t offset, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  const int64_t delta = as_int(offset);
  if (delta < -(int64_t)(m->data_meta - m->buffer_start) || delta > (int64_t)(m->data - m->data_meta)) {
    return (uint64_t)-BPF_EINVAL;
  }
  const uint64_t data_meta = m->data_meta + (uint64_t)delta, length = m->data - data_meta;
  if (length % 4 != 0 || length > METADATA_MAX) return (uint64_t)-EACCES;
  bpf_window_set(m, data_meta, m->data, m->data + m->data_length);
  return 0;
}

uint64_t bpf_helper_xdp_get_buff_len(uint64_t context, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                     struct bpf_machine *m) {
  return m->data_length;
}

/* 0 and the bytes, or Linux's error. */
static uint64_t find_bytes(const struct bpf_machine *m, uint64_t offset, uint64_t length, uint8_t **bytes) {
  if ((uint32_t)offset > REACH_MAX || (uint32_t)length > REACH_MAX) return (uint64_t)-BPF_EFAULT;
  *bytes = bpf_window_bytes(m, (uint32_t)offset, (uint32_t)length);
  return *bytes != NULL ? 0 : (uint64_t)-BPF_EINVAL;
}

/* The memory may be in the packet itself. What cannot be loaded is zeros: the program may read it. */
uint64_t bpf_helper_xdp_load_bytes(uint64_t context, uint64_t offset, uint64_t to, uint64_t length, uint64_t r5,
                                   struct bpf_machine *m) {
  uint8_t *bytes;
  uint64_t error = find_bytes(m, offset, length, &bytes);
  if (error == 0) {
    memmove((void *)(uintptr_t)to, bytes, length);
  } else {
    memset((void *)(uintptr_t)to, 0, length);
  }
  return error;
}

uint64_t bpf_helper_xdp_store_bytes(uint64_t context, uint64_t offset, uint64_t from, uint64_t length, uint64_t r5,
                                    struct bpf_machine *m) {
  uint8_t *bytes;
  uint64_t error = find_bytes(m, offset, length, &bytes);
  if (error == 0) memmove(bytes, (const void *)(uintptr_t)from, length);
  return error;
}
