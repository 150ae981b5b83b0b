/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Records for readers outside: ring buffers and perf events (Linux: kernel/bpf/ringbuf.c, kernel/trace/bpf_trace.c).
 */
#include "bpf/helper_list.h"
#include "bpf/ring.h"

enum { RB_NO_WAKEUP = 1, RB_FORCE_WAKEUP = 2 };
enum { RB_AVAIL_DATA, RB_RING_SIZE, RB_CONS_POS, RB_PROD_POS };

#define F_INDEX_MASK 0xffffffffu
#define F_CURRENT_CPU 0xffffffffu
#define F_CTXLEN_MASK (0xfffffull << 32)

static void wake(struct bpf_machine *m, struct bpf_map *map, uint64_t flags) {
  if ((flags & RB_NO_WAKEUP) || m->environment->wake_readers == NULL) return;
  m->environment->wake_readers(m->environment->context, map);
}

uint64_t bpf_helper_ringbuf_output(uint64_t handle, uint64_t data, uint64_t size, uint64_t flags, uint64_t r5,
                                   struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  if (flags & ~(uint64_t)(RB_NO_WAKEUP | RB_FORCE_WAKEUP)) return (uint64_t)-BPF_EINVAL;
  if (!bpf_ring_write(map->rings, (const void *)(uintptr_t)data, size, NULL, 0)) return (uint64_t)-BPF_EAGAIN;
  wake(m, map, flags);
  return 0;
}

uint64_t bpf_helper_ringbuf_reserve(uint64_t handle, uint64_t size, uint64_t flags, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  if (flags != 0) return 0;
  void *record = bpf_ring_reserve(map->rings, size);
  if (record == NULL) return 0;
  if (!bpf_machine_hold(m, record, size, map)) {
    bpf_ring_submit(record, true);
    return 0;
  }
  return (uint64_t)(uintptr_t)record;
}

static void give_back(struct bpf_machine *m, uint64_t record, uint64_t flags, bool discard) {
  struct bpf_map *map;
  if (!bpf_machine_take_back(m, record, &map)) return;
  bpf_ring_submit((void *)(uintptr_t)record, discard);
  wake(m, map, flags);
}

uint64_t bpf_helper_ringbuf_submit(uint64_t record, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5,
                                   struct bpf_machine *m) {
  give_back(m, record, flags, false);
  return 0;
}

uint64_t bpf_helper_ringbuf_discard(uint64_t record, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  give_back(m, record, flags, true);
  return 0;
}

uint64_t bpf_helper_ringbuf_query(uint64_t handle, uint64_t what, uint64_t r3, uint64_t r4, uint64_t r5,
                                  struct bpf_machine *m) {
  const struct bpf_ring *ring = bpf_machine_known_map(handle)->rings;
  switch (what) {
    case RB_AVAIL_DATA:
      return bpf_ring_pending(ring);
    case RB_RING_SIZE:
      return ring->size;
    case RB_CONS_POS:
      return __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE);
    case RB_PROD_POS:
      return __atomic_load_n(&ring->produced, __ATOMIC_ACQUIRE);
    default:
      return 0;
  }
}

/* The record is the data, and behind it as many bytes of the packet as the flags ask for. */
uint64_t bpf_helper_perf_event_output(uint64_t context, uint64_t handle, uint64_t flags, uint64_t data, uint64_t size,
                                      struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  const uint64_t packet_size = (flags & F_CTXLEN_MASK) >> 32;
  uint32_t index = flags & F_INDEX_MASK;
  if (flags & ~(F_CTXLEN_MASK | F_INDEX_MASK)) return (uint64_t)-BPF_EINVAL;
  if (packet_size > m->data_length) return (uint64_t)-BPF_EFAULT;
  if (index == F_CURRENT_CPU) index = m->processor;
  if (map->def.max_entries != 0 ? index >= map->def.max_entries : index >= map->ring_count) {
    return (uint64_t)-BPF_E2BIG;
  }
  if (index >= map->ring_count) return (uint64_t)-BPF_ENOENT;
  if (index != m->processor) return (uint64_t)-BPF_EOPNOTSUPP;
  if (!bpf_ring_write(&map->rings[index], (const void *)(uintptr_t)data, size, (const void *)(uintptr_t)m->data,
                      packet_size)) {
    return (uint64_t)-BPF_ENOSPC;
  }
  wake(m, map, 0);
  return 0;
}
