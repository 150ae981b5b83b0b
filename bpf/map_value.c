/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing values: around the spin lock and timer that only helpers touch, and per processor.
 */
#include "bpf/map_type.h"

/* Writes value[from..to). */
static void store_part(void *to, const void *from, uint32_t begin, uint32_t end) {
  uint8_t *t = (uint8_t *)to + begin;
  const uint8_t *f = (const uint8_t *)from + begin;
  uint32_t size = end - begin;
  /* Up to a multiple of 8: behind a lock of 4 bytes. */
  for (; size > 0 && (uintptr_t)t % 8 != 0; size--) {
    __atomic_store_n(t++, *f++, __ATOMIC_RELAXED);
  }
  bpf_store_words(t, f, size);
}

void bpf_map_store_value(const struct bpf_map *map, void *to, const void *from) {
  const uint32_t lock = map->def.spin_lock, timer = map->def.timer;
  uint32_t begin = 0;
  /* At most two fields, in either order. */
  for (unsigned i = 0; i < 2; i++) {
    bool lock_next = lock != 0 && lock > begin && (timer == 0 || timer <= begin || lock < timer);
    bool timer_next = !lock_next && timer != 0 && timer > begin;
    if (!lock_next && !timer_next) break;
    uint32_t field = (lock_next ? lock : timer) - 1;
    store_part(to, from, begin, field);
    begin = field + (lock_next ? BPF_SPIN_LOCK_SIZE : BPF_TIMER_SIZE);
  }
  store_part(to, from, begin, map->stored_size);
}

void bpf_map_store_locked(const struct bpf_map *map, void *to, const void *from, uint64_t flags) {
  uint32_t *lock = NULL;
  if (flags & BPF_F_LOCK) lock = (uint32_t *)(void *)((uint8_t *)to + map->def.spin_lock - 1);
  if (lock != NULL) bpf_lock(lock);
  bpf_map_store_value(map, to, from);
  if (lock != NULL) bpf_unlock(lock);
}

void bpf_map_store_processors(const struct bpf_map *map, void *to, const void *from, uint32_t processor) {
  if (processor != BPF_ALL_PROCESSORS) {
    bpf_store_words((uint8_t *)to + processor * map->processor_stride, from, map->stored_size);
    return;
  }
  const size_t step = align_up(map->stored_size, 8);
  for (uint32_t p = 0; p < map->processors; p++) {
    bpf_store_words((uint8_t *)to + p * map->processor_stride, (const uint8_t *)from + p * step, map->stored_size);
  }
}

static void store_zeros(void *to, uint32_t size) {
  static const uint64_t zero = 0;
  uint8_t *t = to;
  for (; size > 8; size -= 8, t += 8) {
    bpf_store_words(t, &zero, 8);
  }
  bpf_store_words(t, &zero, size);
}

void bpf_map_store_new(const struct bpf_map *map, void *to, const void *from, uint32_t processor) {
  uint8_t *value = to;
  if (map->processor_stride != 0) {
    for (uint32_t p = 0; p < map->processors && processor != BPF_ALL_PROCESSORS; p++) {
      if (p != processor) store_zeros(value + p * map->processor_stride, map->stored_size);
    }
    bpf_map_store_processors(map, to, from, processor);
    return;
  }
  if (map->def.spin_lock != 0) store_zeros(value + map->def.spin_lock - 1, BPF_SPIN_LOCK_SIZE);
  if (map->def.timer != 0) store_zeros(value + map->def.timer - 1, BPF_TIMER_SIZE);
  bpf_map_store_value(map, to, from);
}
