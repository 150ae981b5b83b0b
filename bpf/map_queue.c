/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF_MAP_TYPE_QUEUE and BPF_MAP_TYPE_STACK (Linux: kernel/bpf/queue_stack_maps.c): values without keys, first in first out
 * and last in first out. `hand` is the index of the oldest. Everything happens under the lock, and copies.
 */
#include "bpf/map_type.h"

static uint8_t *element(const struct bpf_map *map, uint32_t age) {
  uint64_t index = ((uint64_t)map->hand + age) % map->def.max_entries;
  return bpf_map_slot_value(map, (uint32_t)index);
}

static void drop_oldest(struct bpf_map *map) {
  map->hand = (uint32_t)(((uint64_t)map->hand + 1) % map->def.max_entries);
  map->count--;
}

/* BPF_EXIST: the oldest makes room. */
static long queue_push(struct bpf_map *map, const void *value, uint64_t flags) {
  long result = 0;
  if (flags == BPF_NOEXIST || flags > BPF_EXIST) return -BPF_EINVAL;
  bpf_lock(&map->lock);
  if (map->count == map->def.max_entries && flags == BPF_EXIST) drop_oldest(map);
  if (map->count == map->def.max_entries) {
    result = -BPF_E2BIG;
  } else {
    memcpy(element(map, map->count), value, map->def.value_size);
    map->count++;
  }
  bpf_unlock(&map->lock);
  return result;
}

/* An empty map gives zeros. */
static long take(struct bpf_map *map, void *value, bool remove) {
  const bool stack = map->def.type == BPF_MAP_TYPE_STACK;
  bpf_lock(&map->lock);
  const bool empty = map->count == 0;
  if (empty) {
    memset(value, 0, map->def.value_size);
  } else {
    memcpy(value, element(map, stack ? map->count - 1 : 0), map->def.value_size);
    if (remove && stack) map->count--;
    if (remove && !stack) drop_oldest(map);
  }
  bpf_unlock(&map->lock);
  return empty ? -BPF_ENOENT : 0;
}

static long queue_pop(struct bpf_map *map, void *value) { return take(map, value, true); }
static long queue_peek(struct bpf_map *map, void *value) { return take(map, value, false); }

static struct bpf_map_layout queue_layout(const struct bpf_map_def *def) {
  return (struct bpf_map_layout){
      .stride = (uint32_t)align_up(def->value_size, 8), .slot_count = def->max_entries, .hidden = true};
}

#define QUEUE_KIND                                                                                          \
  {                                                                                                         \
    .ops = {bpf_map_no_lookup, bpf_map_no_update, bpf_map_no_remove, bpf_map_no_next_key,                   \
            queue_push,        queue_pop,         queue_peek},                                              \
    .flags = BPF_F_NUMA_NODE | BPF_ONE_WAY_FLAGS, .value_size_min = 1, .value_size_max = BPF_MAP_MAX_VALUE, \
    .layout = queue_layout,                                                                                 \
  }

const struct bpf_map_kind bpf_map_queue = QUEUE_KIND;
const struct bpf_map_kind bpf_map_stack = QUEUE_KIND;
