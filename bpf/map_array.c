/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF_MAP_TYPE_ARRAY and BPF_MAP_TYPE_PERCPU_ARRAY (Linux: kernel/bpf/arraymap.c): all entries always exist, the key is the
 * index. Workers share values without a lock; an update is a plain copy that another worker may see half done, as in Linux,
 * and programs that care use atomic instructions or a spin lock.
 */
#include "bpf/map_type.h"
#include "bpf/timer.h"

static void *array_lookup(struct bpf_map *map, const void *key) {
  uint32_t index = load_le32(key);
  return index < map->def.max_entries ? map->values + (size_t)index * map->value_stride : NULL;
}

static long array_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags, uint32_t processor) {
  if (!bpf_map_good_flags(map, flags)) return -BPF_EINVAL;
  void *to = array_lookup(map, key);
  if (to == NULL) return -BPF_E2BIG;
  if (flags & BPF_NOEXIST) return -BPF_EEXIST;
  if (map->processor_stride != 0) {
    bpf_map_store_processors(map, to, value, processor);
  } else {
    bpf_map_store_locked(map, to, value, flags);
    bpf_timers_cancel(map, load_le32(key));
  }
  return 0;
}

long bpf_map_array_next_key(struct bpf_map *map, const void *key, void *next) {
  uint32_t index = 0;
  if (key != NULL && load_le32(key) < map->def.max_entries) index = load_le32(key) + 1;
  if (index == map->def.max_entries) return -BPF_ENOENT;
  store_le32(next, index);
  return 0;
}

static bool array_key_at(const struct bpf_map *map, uint32_t slot, void *key) {
  store_le32(key, slot);
  return true;
}

static struct bpf_map_layout array_layout(const struct bpf_map_def *def) {
  return (struct bpf_map_layout){
      .stride = (uint32_t)align_up(def->value_size, 8), /* so that atomics reach aligned fields */
      .slot_count = def->max_entries,
  };
}

static struct bpf_map_layout per_cpu_array_layout(const struct bpf_map_def *def) {
  return (struct bpf_map_layout){
      .value_stride = (uint32_t)align_up(def->value_size, 8),
      .slot_count = def->max_entries,
  };
}

static void array_init(struct bpf_map *map) { map->count = map->def.max_entries; }

const struct bpf_map_kind bpf_map_array = {
    .ops = {array_lookup, array_update, bpf_map_no_remove, bpf_map_array_next_key, BPF_MAP_NO_QUEUE,
            .key_at = array_key_at},
    .flags = BPF_ONE_WAY_FLAGS | BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_INNER_MAP,
    .key_size_min = 4,
    .key_size_max = 4,
    .value_size_min = 1,
    .value_size_max = BPF_MAP_MAX_VALUE,
    .special_fields = true,
    .layout = array_layout,
    .init = array_init,
};

const struct bpf_map_kind bpf_map_per_cpu_array = {
    .ops = {array_lookup, array_update, bpf_map_no_remove, bpf_map_array_next_key, BPF_MAP_NO_QUEUE,
            .key_at = array_key_at},
    .flags = BPF_ONE_WAY_FLAGS,
    .key_size_min = 4,
    .key_size_max = 4,
    .value_size_min = 1,
    .value_size_max = 32768, /* Linux's PCPU_MIN_UNIT_SIZE */
    .layout = per_cpu_array_layout,
    .init = array_init,
};
