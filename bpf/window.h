/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The packet as helpers see it: bytes at an offset, and moving the window within its buffer. Private to bpf/.
 */
#ifndef IMAGO_BPF_WINDOW_H
#define IMAGO_BPF_WINDOW_H

#include "bpf/machine.h"

enum { BPF_LINK_HEADER = 14 }; /* Ethernet; a packet is never made shorter */

/* The length bytes at this offset of the packet; NULL unless all are in it. */
static inline uint8_t *bpf_window_bytes(const struct bpf_machine *m, uint64_t offset, uint64_t length) {
  if (offset > m->data_length || length > m->data_length - offset) return NULL;
  return (uint8_t *)(uintptr_t)(m->data + offset);
}

/* Makes data_meta..data..end the window, which the caller knows to lie in the buffer, and tells the context. */
void bpf_window_set(struct bpf_machine *m, uint64_t data_meta, uint64_t data, uint64_t end);
/* Moves the end; new bytes are 0. False: outside of the buffer, or the packet would be shorter than its link header. */
bool bpf_window_set_length(struct bpf_machine *m, uint64_t length);

#endif
