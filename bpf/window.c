/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moving the packet window.
 */
#include "bpf/window.h"

#include "lib/string.h"

void bpf_window_set(struct bpf_machine *m, uint64_t data_meta, uint64_t data, uint64_t end) {
  m->data_meta = data_meta;
  m->data = data;
  m->data_length = end - data;
  if (!m->has_context) return;
  if (m->kind == BPF_PROGRAM_XDP) {
    m->context.xdp.data = (uint32_t)data;
    m->context.xdp.data_end = (uint32_t)end;
    m->context.xdp.data_meta = (uint32_t)data_meta;
  } else {
    m->context.skb.data = (uint32_t)data;
    m->context.skb.data_end = (uint32_t)end;
    m->context.skb.data_meta = (uint32_t)data_meta;
    m->context.skb.len = (uint32_t)(end - data);
  }
}

bool bpf_window_set_length(struct bpf_machine *m, uint64_t length) {
  if (length < BPF_LINK_HEADER || length > m->buffer_end - m->data) return false;
  if (length > m->data_length) {
    memset((void *)(uintptr_t)(m->data + m->data_length), 0, length - m->data_length);
  }
  bpf_window_set(m, m->data_meta, m->data, m->data + length);
  return true;
}
