/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrays of what is no plain value: BPF_MAP_TYPE_ARRAY_OF_MAPS and BPF_MAP_TYPE_PROG_ARRAY (Linux: kernel/bpf/arraymap.c,
 * map_in_map.c), and the functions that put objects into maps. An entry is a pointer, exchanged whole, so that programs see the
 * old object or the new one. Programs never see these pointers as memory.
 */
#include "bpf/map_type.h"

static void **cell_at(const struct bpf_map *map, uint32_t index) {
  return (void **)(void *)bpf_map_slot_value(map, index);
}

/* The address of the pointer; NULL when there is no object. */
static void *objects_lookup(struct bpf_map *map, const void *key) {
  uint32_t index = load_le32(key);
  if (index >= map->def.max_entries) return NULL;
  void **cell = cell_at(map, index);
  return __atomic_load_n(cell, __ATOMIC_ACQUIRE) != NULL ? cell : NULL;
}

/* `value` is the address of a pointer. */
static long objects_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags,
                           uint32_t processor) {
  if (flags != BPF_ANY) return -BPF_EINVAL;
  uint32_t index = load_le32(key);
  if (index >= map->def.max_entries) return -BPF_E2BIG;
  void *object;
  memcpy(&object, value, sizeof object);
  void *old = __atomic_exchange_n(cell_at(map, index), object, __ATOMIC_ACQ_REL);
  __atomic_fetch_add(&map->count, (uint32_t)(object != NULL) - (uint32_t)(old != NULL), __ATOMIC_RELAXED);
  return 0;
}

static struct bpf_map_layout objects_layout(const struct bpf_map_def *def) {
  return (struct bpf_map_layout){.stride = sizeof(void *), .slot_count = def->max_entries, .hidden = true};
}

static void release_maps(struct bpf_map *map) {
  for (uint32_t i = 0; i < map->def.max_entries; i++) {
    bpf_map_release(*cell_at(map, i));
  }
}

static long cells_next_key(struct bpf_map *map, const void *key, void *next) {
  uint32_t index = 0;
  if (key != NULL && load_le32(key) < map->def.max_entries) index = load_le32(key) + 1;
  for (; index < map->def.max_entries; index++) {
    if (__atomic_load_n(cell_at(map, index), __ATOMIC_RELAXED) == NULL) continue;
    store_le32(next, index);
    return 0;
  }
  return -BPF_ENOENT;
}

const char *bpf_map_judge_inner(const struct bpf_map_def *def) {
  if (def->inner.type == 0) return "map of maps says nothing about its inner map; declare it with __array(values, ...)";
  if (bpf_map_is_of_maps(def->inner.type)) return "inner map must not be a map of maps itself";
  if (def->inner.type == BPF_MAP_TYPE_PROG_ARRAY) return "inner map must not be a program array";
  return NULL;
}

const struct bpf_map_kind bpf_map_array_of_objects = {
    .ops = {objects_lookup, objects_update, bpf_map_no_remove, cells_next_key, BPF_MAP_NO_QUEUE},
    .flags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY,
    .key_size_min = 4,
    .key_size_max = 4,
    .value_size_min = 4,
    .value_size_max = 4,
    .judge = bpf_map_judge_inner,
    .layout = objects_layout,
    .clear = release_maps,
};

const struct bpf_map_kind bpf_map_prog_array = {
    .ops = {bpf_map_no_lookup, objects_update, bpf_map_no_remove, cells_next_key, BPF_MAP_NO_QUEUE},
    .flags = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG,
    .key_size_min = 4,
    .key_size_max = 4,
    .value_size_min = 4,
    .value_size_max = 4,
    .layout = objects_layout,
};

/* --- putting objects in --- */

/* As Linux's bpf_map_meta_equal: values without locks and timers, as proofs take them to be; the capacity of an inner array is fixed (a proof may stand on it) unless BPF_F_INNER_MAP says
 * otherwise; that of others is free. */
static bool is_shaped(const struct bpf_map *map, const struct bpf_map_shape *shape) {
  const struct bpf_map_def *def = &map->def;
  if (def->type != shape->type || def->key_size != shape->key_size || def->value_size != shape->value_size)
    return false;
  if (def->flags != shape->flags || def->spin_lock != 0 || def->timer != 0) return false;
  bool fixed =
      (def->type == BPF_MAP_TYPE_ARRAY || def->type == BPF_MAP_TYPE_PERCPU_ARRAY) && !(def->flags & BPF_F_INNER_MAP);
  return !fixed || def->max_entries == shape->max_entries;
}

long bpf_map_put_map(struct bpf_map *map, const void *key, struct bpf_map *inner, uint64_t flags,
                     struct bpf_map **old) {
  *old = NULL;
  if (!bpf_map_is_of_maps(map->def.type)) return -BPF_EINVAL;
  if (inner != NULL && (inner == map || !is_shaped(inner, &map->def.inner))) return -BPF_EINVAL;
  struct bpf_map *before = bpf_map_inner(map, key);
  long result;
  if (inner == NULL && map->def.type == BPF_MAP_TYPE_HASH_OF_MAPS) {
    result = map->ops->remove(map, key);
  } else if (inner == NULL && before == NULL) {
    result = load_le32(key) < map->def.max_entries ? -BPF_ENOENT : -BPF_E2BIG;
  } else {
    result = map->ops->update(map, key, &inner, flags, 0);
  }
  if (result == 0) *old = before;
  return result;
}

struct bpf_map *bpf_map_inner(struct bpf_map *map, const void *key) {
  struct bpf_map *const *cell = map->ops->lookup(map, key);
  return cell != NULL ? __atomic_load_n(cell, __ATOMIC_ACQUIRE) : NULL;
}

long bpf_map_put_program(struct bpf_map *map, uint32_t index, const struct bpf_program *program,
                         const struct bpf_program **old) {
  *old = NULL;
  if (map->def.type != BPF_MAP_TYPE_PROG_ARRAY) return -BPF_EINVAL;
  if (index >= map->def.max_entries) return -BPF_E2BIG;
  *old = bpf_map_program(map, index);
  return objects_update(map, &index, &program, BPF_ANY, 0);
}

const struct bpf_program *bpf_map_program(const struct bpf_map *map, uint32_t index) {
  return index < map->def.max_entries ? __atomic_load_n(cell_at(map, index), __ATOMIC_ACQUIRE) : NULL;
}
