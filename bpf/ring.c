/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ring of records. A record's header is its length, with a bit while it is being filled and one when it was discarded.
 * Programs reach the bytes behind the header only.
 */
#include "bpf/ring.h"

#include "bpf/lock.h"
#include "lib/bytes.h"
#include "lib/memory.h"

#define BUSY 0x80000000u
#define DISCARDED 0x40000000u

size_t bpf_ring_memory(uint32_t size) { return size == 0 ? 0 : sizeof(struct bpf_ring) + 2 * (size_t)size; }

bool bpf_ring_init(struct bpf_ring *ring, uint32_t size) {
  ring->bytes = memory_alloc(2 * (size_t)size);
  ring->size = size;
  return ring->bytes != NULL;
}

void bpf_ring_destroy(struct bpf_ring *ring) { memory_free(ring->bytes); }

static uint32_t *header_at(const struct bpf_ring *ring, uint64_t position) {
  return (uint32_t *)(void *)(ring->bytes + (position & (ring->size - 1)));
}

static uint64_t room_for(uint64_t size) { return align_up(size + BPF_RING_HEADER, 8); }

void *bpf_ring_reserve(struct bpf_ring *ring, uint64_t size) {
  uint8_t *record = NULL;
  if (size < ring->size) {
    bpf_lock(&ring->lock);
    uint64_t produced = ring->produced, end = produced + room_for(size);
    if (end - __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE) < ring->size) {
      uint32_t *header = header_at(ring, produced);
      __atomic_store_n(header, (uint32_t)size | BUSY, __ATOMIC_RELAXED);
      __atomic_store_n(&ring->produced, end, __ATOMIC_RELEASE);
      record = (uint8_t *)header + BPF_RING_HEADER;
    }
    bpf_unlock(&ring->lock);
  }
  if (record == NULL) __atomic_fetch_add(&ring->lost, 1, __ATOMIC_RELAXED);
  return record;
}

void bpf_ring_submit(void *record, bool discard) {
  uint32_t *header = (uint32_t *)(void *)((uint8_t *)record - BPF_RING_HEADER);
  uint32_t size = __atomic_load_n(header, __ATOMIC_RELAXED) & ~BUSY;
  __atomic_store_n(header, discard ? size | DISCARDED : size, __ATOMIC_RELEASE);
}

bool bpf_ring_write(struct bpf_ring *ring, const void *data, size_t size, const void *more, size_t more_size) {
  uint8_t *record = bpf_ring_reserve(ring, size + more_size);
  if (record == NULL) return false;
  memcpy(record, data, size);
  if (more_size != 0) memcpy(record + size, more, more_size);
  bpf_ring_submit(record, false);
  return true;
}

uint64_t bpf_ring_pending(const struct bpf_ring *ring) {
  uint64_t consumed = __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE);
  return __atomic_load_n(&ring->produced, __ATOMIC_ACQUIRE) - consumed;
}

int64_t bpf_ring_read(struct bpf_ring *ring, void *to, size_t room) {
  int64_t length = -1;
  if (__atomic_exchange_n(&ring->reading, 1, __ATOMIC_ACQUIRE)) return -1;
  while (length < 0 && ring->consumed != __atomic_load_n(&ring->produced, __ATOMIC_ACQUIRE)) {
    uint32_t *header = header_at(ring, ring->consumed);
    uint32_t state = __atomic_load_n(header, __ATOMIC_ACQUIRE);
    if (state & BUSY) break;
    uint32_t size = state & ~DISCARDED;
    if (!(state & DISCARDED)) {
      memcpy(to, (uint8_t *)header + BPF_RING_HEADER, size < room ? size : room);
      length = size;
    }
    __atomic_store_n(&ring->consumed, ring->consumed + room_for(size), __ATOMIC_RELEASE);
  }
  __atomic_store_n(&ring->reading, 0, __ATOMIC_RELEASE);
  return length;
}
