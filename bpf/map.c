/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all map types share: acceptance of definitions (as Linux's *_map_alloc_check), memory, references.
 */
#include "bpf/map.h"

#include "bpf/map_type.h"
#include "lib/bytes.h"
#include "lib/error.h"
#include "lib/memory.h"

static const struct bpf_map_kind *kind_of(uint32_t type) {
  switch (type) {
    case BPF_MAP_TYPE_ARRAY:
      return &bpf_map_array;
    case BPF_MAP_TYPE_HASH:
      return &bpf_map_hash;
    default:
      return NULL;
  }
}

/* 0, or the error with a sentence. */
static int judge(const struct bpf_map_def *def, const char **why) {
  const struct bpf_map_kind *kind = kind_of(def->type);
  const uint32_t one_way = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
  if (kind == NULL) {
    *why = "map type is not offered; use BPF_MAP_TYPE_ARRAY or BPF_MAP_TYPE_HASH";
    return -ERROR_UNSUPPORTED;
  }
  if (memchr(def->name, 0, sizeof def->name) == NULL) {
    *why = "map name is too long; use at most 63 bytes";
    return -ERROR_INVALID;
  }
  if (def->key_size == 0 || def->value_size == 0 || def->max_entries == 0) {
    *why = "key size, value size and max_entries of a map must not be 0";
    return -ERROR_INVALID;
  }
  if (kind->key_size != 0 && def->key_size != kind->key_size) {
    *why = "key of an array map must be 4 bytes";
    return -ERROR_INVALID;
  }
  if (def->key_size > BPF_MAP_MAX_KEY || def->value_size > BPF_MAP_MAX_VALUE ||
      def->max_entries > BPF_MAP_MAX_ENTRIES) {
    *why = "key, value or max_entries of a map is over the limit (512 bytes, 64 KiB, 16777216)";
    return -ERROR_TOO_BIG;
  }
  if (def->flags & ~kind->flags) {
    *why = "map has a flag that is not offered for its type";
    return -ERROR_UNSUPPORTED;
  }
  if ((def->flags & one_way) == one_way) {
    *why = "map is both read-only and write-only for programs; drop one of the flags";
    return -ERROR_INVALID;
  }
  return 0;
}

/* Limits keep this far below 2^64: 2^24 entries of less than 2^17 bytes each. */
static size_t memory_of(const struct bpf_map_layout *layout) {
  return sizeof(struct bpf_map) + (size_t)layout->slot_count * layout->stride +
         (size_t)layout->bucket_count * sizeof(uint32_t);
}

size_t bpf_map_memory(const struct bpf_map_def *def) {
  const char *why;
  if (judge(def, &why) != 0) return 0;
  struct bpf_map_layout layout = kind_of(def->type)->layout(def);
  return memory_of(&layout);
}

int bpf_map_create(const struct bpf_map_def *def, const struct hash_key *seed, struct bpf_map **map, const char **why) {
  const char *reason = NULL;
  int error = judge(def, &reason);
  if (why != NULL) *why = reason;
  if (error != 0) return error;

  const struct bpf_map_kind *kind = kind_of(def->type);
  struct bpf_map_layout layout = kind->layout(def);
  struct bpf_map *m = memory_alloc(sizeof *m);
  if (m == NULL) goto out_of_memory;
  m->slots = memory_alloc((size_t)layout.slot_count * layout.stride);
  if (m->slots == NULL) goto out_of_memory;
  if (layout.bucket_count != 0) {
    m->buckets = memory_alloc((size_t)layout.bucket_count * sizeof m->buckets[0]);
    if (m->buckets == NULL) goto out_of_memory;
    m->bucket_mask = layout.bucket_count - 1;
  }
  m->ops = &kind->ops;
  m->def = *def;
  m->references = 1;
  m->memory = memory_of(&layout);
  m->stride = layout.stride;
  m->value_offset = layout.value_offset;
  m->slot_count = layout.slot_count;
  m->values = m->slots + layout.value_offset;
  m->value_stride = layout.stride;
  m->processors = 1;
  m->hash_key = *seed;
  kind->init(m);
  *map = m;
  return 0;

out_of_memory:
  if (m != NULL) memory_free(m->slots);
  memory_free(m);
  if (why != NULL) *why = "no memory for the map; lower its max_entries or give the system more";
  return -ERROR_NO_MEMORY;
}

void bpf_map_hold(struct bpf_map *map) { __atomic_fetch_add(&map->references, 1, __ATOMIC_RELAXED); }

void bpf_map_release(struct bpf_map *map) {
  if (map == NULL || __atomic_sub_fetch(&map->references, 1, __ATOMIC_ACQ_REL) != 0) return;
  memory_free(map->buckets);
  memory_free(map->slots);
  memory_free(map);
}

uint64_t bpf_map_value_at(const struct bpf_map *map, uint64_t address) {
  uint64_t offset = address - (uint64_t)(uintptr_t)map->slots;
  if (offset >= (uint64_t)map->slot_count * map->stride) return 0;
  uint64_t in_slot = offset % map->stride;
  if (in_slot < map->value_offset || in_slot - map->value_offset >= map->def.value_size) return 0;
  return address - (in_slot - map->value_offset);
}

bool bpf_map_contains(const struct bpf_map *map, uint64_t address, uint32_t size) {
  uint64_t value = bpf_map_value_at(map, address);
  return value != 0 && size <= map->def.value_size - (address - value);
}

bool bpf_map_same_layout(const struct bpf_map_def *a, const struct bpf_map_def *b) {
  return a->type == b->type && a->key_size == b->key_size && a->value_size == b->value_size &&
         a->max_entries == b->max_entries && a->flags == b->flags;
}
