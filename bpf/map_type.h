/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a map type supplies to map.c, and what types share. Private to bpf/.
 */
#ifndef IMAGO_BPF_MAP_TYPE_H
#define IMAGO_BPF_MAP_TYPE_H

#include "bpf/lock.h"
#include "bpf/map.h"
#include "lib/bytes.h"

/* Blocks of memory that a map is made of. Limits keep every product far below 2^64. */
struct bpf_map_layout {
  uint32_t stride, value_offset, slot_count; /* as in struct bpf_map */
  uint32_t bucket_count;                     /* 0: no buckets */
  uint32_t
      value_stride; /* per-CPU: values stand apart, for each processor slot_count of them. 0: they are in the slots */
  bool hidden;      /* programs get no address of values */
  uint32_t ring_count, ring_size;
};

struct bpf_map_kind {
  struct bpf_map_ops ops;
  uint32_t flags; /* flags of the definition that make sense for it */
  uint32_t key_size_min, key_size_max;
  uint32_t value_size_min, value_size_max;
  bool special_fields; /* values may have a spin lock and a timer */
  bool any_entries;    /* max_entries means something of its own: `judge` looks at it */
  /* What else the definition must satisfy: NULL or a sentence. May be NULL. */
  const char *(*judge)(const struct bpf_map_def *def);
  /* The definition is known to be acceptable. */
  struct bpf_map_layout (*layout)(const struct bpf_map_def *def);
  /* Memory is there and zero, and the fields of the layout are filled in. May be NULL. */
  void (*init)(struct bpf_map *map);
  /* Before the memory goes. May be NULL. */
  void (*clear)(struct bpf_map *map);
};

extern const struct bpf_map_kind bpf_map_array, bpf_map_array_of_objects, bpf_map_prog_array, bpf_map_per_cpu_array,
    bpf_map_hash, bpf_map_hash_of_maps, bpf_map_lru_hash, bpf_map_per_cpu_hash, bpf_map_lru_per_cpu_hash, bpf_map_trie,
    bpf_map_queue, bpf_map_stack, bpf_map_bloom, bpf_map_ring, bpf_map_perf, bpf_map_device, bpf_map_device_hash,
    bpf_map_cpu;

enum { BPF_ONE_WAY_FLAGS = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG };

/* Operations that a type doesn't have. */
void *bpf_map_no_lookup(struct bpf_map *map, const void *key); /* NULL */
long bpf_map_no_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags, uint32_t processor);
long bpf_map_no_remove(struct bpf_map *map, const void *key);
long bpf_map_no_next_key(struct bpf_map *map, const void *key, void *next);
long bpf_map_no_push(struct bpf_map *map, const void *value, uint64_t flags);
long bpf_map_no_pop(struct bpf_map *map, void *value);
#define BPF_MAP_NO_QUEUE .push = bpf_map_no_push, .pop = bpf_map_no_pop, .peek = bpf_map_no_pop

/* For `judge` of several kinds: the inner map's shape; the size of a redirect map's value. */
const char *bpf_map_judge_inner(const struct bpf_map_def *def);
const char *bpf_map_judge_redirect(const struct bpf_map_def *def);

/* Iteration over all indices. */
long bpf_map_array_next_key(struct bpf_map *map, const void *key, void *next);

static inline uint8_t *bpf_map_slot_value(const struct bpf_map *map, uint32_t slot) {
  return map->slots + (size_t)slot * map->stride + map->value_offset;
}

/* --- memory that others read meanwhile: whole words, so that nobody sees half a word, and no order --- */

/* `to` is aligned to 8. The ranges are the same or disjoint. */
static inline void bpf_store_words(void *to, const void *from, size_t size) {
  uint8_t *t = to;
  const uint8_t *f = from;
  for (; size >= 8; size -= 8, t += 8, f += 8) {
    __atomic_store_n((uint64_t *)(void *)t, load_le64(f), __ATOMIC_RELAXED);
  }
  for (; size > 0; size--) {
    __atomic_store_n(t++, *f++, __ATOMIC_RELAXED);
  }
}

/* `from` is aligned to 8. */
static inline void bpf_load_words(void *to, const void *from, size_t size) {
  uint8_t *t = to;
  const uint8_t *f = from;
  for (; size >= 8; size -= 8, t += 8, f += 8) {
    store_le64(t, __atomic_load_n((const uint64_t *)(const void *)f, __ATOMIC_RELAXED));
  }
  for (; size > 0; size--) {
    *t++ = __atomic_load_n(f++, __ATOMIC_RELAXED);
  }
}

/* `shared` is aligned to 8. */
static inline bool bpf_words_equal(const void *shared, const void *mine, size_t size) {
  const uint8_t *s = shared, *m = mine;
  for (; size >= 8; size -= 8, s += 8, m += 8) {
    if (__atomic_load_n((const uint64_t *)(const void *)s, __ATOMIC_RELAXED) != load_le64(m)) return false;
  }
  if (size >= 4) {
    if (__atomic_load_n((const uint32_t *)(const void *)s, __ATOMIC_RELAXED) != load_le32(m)) return false;
    size -= 4, s += 4, m += 4;
  }
  for (; size > 0; size--) {
    if (__atomic_load_n(s++, __ATOMIC_RELAXED) != *m++) return false;
  }
  return true;
}

/* Writes a value of the program's over one in the map (at `to`), but not over its lock and timer. */
void bpf_map_store_value(const struct bpf_map *map, void *to, const void *from);
/* The same under the value's spin lock when flags have BPF_F_LOCK. */
void bpf_map_store_locked(const struct bpf_map *map, void *to, const void *from, uint64_t flags);
/* Fills a new entry: value for `processor` (BPF_ALL_PROCESSORS as in ops->update), zero for the others; lock and timer are zero. */
void bpf_map_store_new(const struct bpf_map *map, void *to, const void *from, uint32_t processor);
/* Writes the value of an entry that is there, of a per-CPU map. */
void bpf_map_store_processors(const struct bpf_map *map, void *to, const void *from, uint32_t processor);
/* Whether flags of an update are Linux's, and BPF_F_LOCK is for a map with locks. */
static inline bool bpf_map_good_flags(const struct bpf_map *map, uint64_t flags) {
  return (flags & ~(uint64_t)BPF_F_LOCK) <= BPF_EXIST && (!(flags & BPF_F_LOCK) || map->def.spin_lock != 0);
}

#endif
