/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrays that bpf_redirect_map takes its target from: BPF_MAP_TYPE_DEVMAP and BPF_MAP_TYPE_CPUMAP (Linux: kernel/bpf/devmap.c,
 * cpumap.c). An entry is 4 bytes (interface number; queue length of the processor) and may have 4 more for a program, which is
 * not offered and must be 0. Entries with 0 in front are not there. Programs may read device maps, not write them.
 */
#include "bpf/map_type.h"

enum { CPU_QUEUE_MAX = 16384 }; /* as in Linux */

static uint8_t *entry_at(const struct bpf_map *map, uint32_t index) { return bpf_map_slot_value(map, index); }

static uint32_t target_of(const uint8_t *entry) {
  return __atomic_load_n((const uint32_t *)(const void *)entry, __ATOMIC_RELAXED);
}

static void *redirect_lookup(struct bpf_map *map, const void *key) {
  uint32_t index = load_le32(key);
  if (index >= map->def.max_entries || target_of(entry_at(map, index)) == 0) return NULL;
  return entry_at(map, index);
}

static void put(struct bpf_map *map, uint32_t index, uint32_t target) {
  uint32_t old = __atomic_exchange_n((uint32_t *)(void *)entry_at(map, index), target, __ATOMIC_RELAXED);
  __atomic_fetch_add(&map->count, (uint32_t)(target != 0) - (uint32_t)(old != 0), __ATOMIC_RELAXED);
}

static long judge_entry(const struct bpf_map *map, const void *value) {
  /* A program on the entry would be its file descriptor. */
  if (map->def.value_size == 8 && load_le32((const uint8_t *)value + 4) != 0) return -BPF_EINVAL;
  return 0;
}

static long redirect_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags,
                            uint32_t processor) {
  uint32_t index = load_le32(key), target = load_le32(value);
  if (flags > BPF_EXIST) return -BPF_EINVAL;
  if (index >= map->def.max_entries) return -BPF_E2BIG;
  if (flags == BPF_NOEXIST) return -BPF_EEXIST;
  if (judge_entry(map, value) != 0) return -BPF_EINVAL;
  if (map->def.type == BPF_MAP_TYPE_CPUMAP) {
    if (target > CPU_QUEUE_MAX) return -BPF_EOVERFLOW;
    if (index >= map->processors) return -BPF_ENODEV;
  }
  put(map, index, target);
  return 0;
}

static long redirect_remove(struct bpf_map *map, const void *key) {
  uint32_t index = load_le32(key);
  if (index >= map->def.max_entries) return -BPF_EINVAL;
  put(map, index, 0);
  return 0;
}

static struct bpf_map_layout redirect_layout(const struct bpf_map_def *def) {
  return (struct bpf_map_layout){.stride = 8, .slot_count = def->max_entries};
}

const char *bpf_map_judge_redirect(const struct bpf_map_def *def) {
  return def->value_size == 4 || def->value_size == 8 ? NULL : "value of a device or CPU map must be 4 or 8 bytes";
}

#define REDIRECT_SIZES .key_size_min = 4, .key_size_max = 4, .value_size_min = 4, .value_size_max = 8

const struct bpf_map_kind bpf_map_device = {
    .ops = {redirect_lookup, redirect_update, redirect_remove, bpf_map_array_next_key, BPF_MAP_NO_QUEUE},
    .flags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG,
    REDIRECT_SIZES,
    .judge = bpf_map_judge_redirect,
    .layout = redirect_layout,
};

const struct bpf_map_kind bpf_map_cpu = {
    .ops = {redirect_lookup, redirect_update, redirect_remove, bpf_map_array_next_key, BPF_MAP_NO_QUEUE},
    .flags = BPF_F_NUMA_NODE,
    REDIRECT_SIZES,
    .judge = bpf_map_judge_redirect,
    .layout = redirect_layout,
};
