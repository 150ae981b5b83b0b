/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers that call back: bpf_loop and bpf_for_each_map_elem (Linux: kernel/bpf/bpf_iter.c, helpers.c). What the callback runs
 * counts against the budget of the program, so these end too.
 */
#include "bpf/helper_list.h"

enum { LOOPS_MAX = 1 << 23 };

uint64_t bpf_helper_loop(uint64_t loops, uint64_t function, uint64_t argument, uint64_t flags, uint64_t r5,
                         struct bpf_machine *m) {
  const uint32_t count = (uint32_t)loops;
  if (flags != 0) return (uint64_t)-BPF_EINVAL;
  if (count > LOOPS_MAX) return (uint64_t)-BPF_E2BIG;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t stop = m->call(m, function, i, argument, 0, 0);
    if (m->fault != BPF_FAULT_NONE) return 0;
    if (stop != 0) return (uint64_t)i + 1;
  }
  return count;
}

/* Entries that come and go meanwhile may be visited or not; the others are, once each. */
uint64_t bpf_helper_for_each_map_elem(uint64_t handle, uint64_t function, uint64_t argument, uint64_t flags,
                                      uint64_t r5, struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  uint8_t key[BPF_MAP_MAX_KEY] __attribute__((aligned(8))) = {0};
  struct bpf_map *none;
  uint64_t visited = 0;
  if (flags != 0) return (uint64_t)-BPF_EINVAL;
  if (!bpf_machine_hold(m, key, map->def.key_size, NULL)) return (uint64_t)-BPF_EBUSY;
  for (uint32_t slot = 0; slot < map->slot_count; slot++) {
    /* An empty map of a million entries is a long walk, too. */
    if (--m->budget <= 0) {
      m->fault = BPF_FAULT_BUDGET;
      break;
    }
    if (!map->ops->key_at(map, slot, key)) continue;
    const uint8_t *value = map->values + (size_t)slot * map->value_stride + m->processor * map->processor_stride;
    visited++;
    bpf_machine_note_value(m, map, (uint64_t)(uintptr_t)value);
    uint64_t stop = m->call(m, function, handle, (uint64_t)(uintptr_t)key, (uint64_t)(uintptr_t)value, argument);
    if (m->fault != BPF_FAULT_NONE || stop != 0) break;
  }
  bpf_machine_take_back(m, (uint64_t)(uintptr_t)key, &none);
  return visited;
}
