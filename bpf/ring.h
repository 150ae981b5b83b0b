/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A ring of records between programs and a reader (Linux: kernel/bpf/ringbuf.c): any worker reserves room, fills it, and submits or
 * discards it; one reader at a time takes records in the order in which they were reserved, and waits for none. Ring buffer maps
 * have one, perf event arrays one for each processor. Private to bpf/.
 */
#ifndef IMAGO_BPF_RING_H
#define IMAGO_BPF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BPF_RING_HEADER = 8 };

struct bpf_ring {
  /* Twice `size`: a record is in one piece at its position modulo size, also where it runs over the end. */
  uint8_t *bytes;                                 /* owned */
  uint32_t size;                                  /* a power of two */
  uint32_t lock;                                  /* of those who reserve */
  uint32_t reading;                               /* a reader is at work */
  uint64_t lost;                                  /* records for which there was no room */
  uint64_t produced __attribute__((aligned(64))); /* bytes ever reserved */
  uint64_t consumed __attribute__((aligned(64))); /* bytes ever taken */
};

size_t bpf_ring_memory(uint32_t size);
/* False: no memory; nothing needs destroying. */
bool bpf_ring_init(struct bpf_ring *ring, uint32_t size) __attribute__((warn_unused_result));
void bpf_ring_destroy(struct bpf_ring *ring);

/* Room for `size` bytes, aligned to 8; NULL when there is none. To be submitted. */
void *bpf_ring_reserve(struct bpf_ring *ring, uint64_t size);
/* Gives a reserved record to the reader, or takes it back. */
void bpf_ring_submit(void *record, bool discard);
/* Reserves, copies both pieces one after the other, submits. False: no room. */
bool bpf_ring_write(struct bpf_ring *ring, const void *data, size_t size, const void *more, size_t more_size);

/* Bytes that are reserved and not yet taken, headers included. */
uint64_t bpf_ring_pending(const struct bpf_ring *ring);
/* Copies the next submitted record, at most `room` bytes of it, and takes it. Gives its whole length; -1 when there is none, or
 * another reader is at work. */
int64_t bpf_ring_read(struct bpf_ring *ring, void *to, size_t room);

#endif
