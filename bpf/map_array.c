/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF_MAP_TYPE_ARRAY: all entries always exist, the key is the index. Workers share values without a lock; an update is a
 * plain copy that another worker may see half done, as in Linux, and programs that care use atomic instructions.
 */
#include "bpf/map_type.h"
#include "lib/bytes.h"

static void *array_lookup(struct bpf_map *map, const void *key) {
  uint32_t index = load_le32(key);
  return index < map->def.max_entries ? bpf_map_slot_value(map, index) : NULL;
}

static long array_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags) {
  uint32_t index = load_le32(key);
  if (flags > BPF_EXIST) return -BPF_EINVAL;
  if (index >= map->def.max_entries) return -BPF_E2BIG;
  if (flags == BPF_NOEXIST) return -BPF_EEXIST;
  /* The value may come from this map. */
  memmove(bpf_map_slot_value(map, index), value, map->def.value_size);
  return 0;
}

static long array_remove(struct bpf_map *map, const void *key) { return -BPF_EINVAL; }

static long array_next_key(struct bpf_map *map, const void *key, void *next) {
  uint32_t index = 0;
  if (key != NULL && load_le32(key) < map->def.max_entries) index = load_le32(key) + 1;
  if (index == map->def.max_entries) return -BPF_ENOENT;
  store_le32(next, index);
  return 0;
}

static struct bpf_map_layout array_layout(const struct bpf_map_def *def) {
  return (struct bpf_map_layout){
      .stride = (uint32_t)align_up(def->value_size, 8), /* so that atomics reach aligned fields */
      .slot_count = def->max_entries,
  };
}

static void array_init(struct bpf_map *map) { map->count = map->def.max_entries; }

const struct bpf_map_kind bpf_map_array = {
    .ops = {array_lookup, array_update, array_remove, array_next_key},
    .flags = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
    .key_size = 4,
    .layout = array_layout,
    .init = array_init,
};
