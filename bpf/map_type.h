/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a map type supplies to map.c. Private to bpf/.
 */
#ifndef IMAGO_BPF_MAP_TYPE_H
#define IMAGO_BPF_MAP_TYPE_H

#include "bpf/map.h"

struct bpf_map_layout {
  uint32_t stride, value_offset, slot_count; /* as in struct bpf_map */
  uint32_t bucket_count;                     /* 0: no buckets */
};

struct bpf_map_kind {
  struct bpf_map_ops ops;
  uint32_t flags;    /* flags of the definition that make sense for it */
  uint32_t key_size; /* the one it must have, 0: any */
  /* The definition is known to be acceptable. */
  struct bpf_map_layout (*layout)(const struct bpf_map_def *def);
  /* Slots and buckets are there and zero, and so is the rest. */
  void (*init)(struct bpf_map *map);
};

extern const struct bpf_map_kind bpf_map_array, bpf_map_hash;

static inline uint8_t *bpf_map_slot_value(const struct bpf_map *map, uint32_t slot) {
  return map->slots + (size_t)slot * map->stride + map->value_offset;
}

#endif
