/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF maps with Linux's types, flags and error numbers. A map is made from a definition, shared by reference count between
 * programs, and lives as long as its last user. Lookups return a pointer to the value in the map; programs write through
 * it. Lookups, updates and deletes never allocate: everything is laid out when the map is made.
 */
#ifndef IMAGO_BPF_MAP_H
#define IMAGO_BPF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hash.h"

enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PROG_ARRAY = 3,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
  BPF_MAP_TYPE_PERCPU_HASH = 5,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_LRU_PERCPU_HASH = 10,
  BPF_MAP_TYPE_LPM_TRIE = 11,
  BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
  BPF_MAP_TYPE_HASH_OF_MAPS = 13,
  BPF_MAP_TYPE_DEVMAP = 14,
  BPF_MAP_TYPE_CPUMAP = 16,
  BPF_MAP_TYPE_QUEUE = 22,
  BPF_MAP_TYPE_STACK = 23,
  BPF_MAP_TYPE_DEVMAP_HASH = 25,
  BPF_MAP_TYPE_RINGBUF = 27,
  BPF_MAP_TYPE_BLOOM_FILTER = 30,
}; /* Linux's numbers */
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
/* Map flags of Linux that are understood. Others are refused. */
enum { BPF_F_NO_PREALLOC = 1, BPF_F_RDONLY_PROG = 1 << 7, BPF_F_WRONLY_PROG = 1 << 8 };

/* Linux errno values that programs see, negated. */
enum { BPF_E2BIG = 7, BPF_ENOENT = 2, BPF_EEXIST = 17, BPF_EINVAL = 22, BPF_ENOMEM = 12, BPF_EPERM = 1 };

enum {
  BPF_MAP_NAME_MAX = 64,
  BPF_MAP_MAX_KEY = 512,
  BPF_MAP_MAX_VALUE = 65536,
  BPF_MAP_MAX_ENTRIES = 16777216,
};

struct bpf_map_shape {
  uint32_t type, key_size, value_size, max_entries, flags;
};

struct bpf_map_def {
  char name[BPF_MAP_NAME_MAX];
  uint32_t type, key_size, value_size, max_entries, flags;
  /* Where the value has a struct bpf_spin_lock (4 bytes) and a struct bpf_timer (16 bytes): 1 + offset, 0: it has none. The
   * linker takes them from BTF. Programs reach these bytes through the helpers only. */
  uint32_t spin_lock, timer;
  uint32_t extra;             /* Linux's map_extra: for a bloom filter the number of hash functions, 0 to 15 (0: 5) */
  struct bpf_map_shape inner; /* map of maps: what every inner map must be; the max_entries of a hash may differ */
};

struct bpf_map;

/* Keys passed in must not change meanwhile, so they must not be in memory that programs write; values may be. */
struct bpf_map_ops {
  void *(*lookup)(struct bpf_map *map, const void *key);
  long (*update)(struct bpf_map *map, const void *key, const void *value, uint64_t flags);
  long (*remove)(struct bpf_map *map, const void *key);
  /* Iteration: key after `key` (NULL: the first) into next; 0 or -BPF_ENOENT. */
  long (*next_key)(struct bpf_map *map, const void *key, void *next);
};

struct bpf_map {
  const struct bpf_map_ops *ops;
  struct bpf_map_def def;
  uint32_t references;
  uint32_t count; /* entries in use; max_entries for an array */
  size_t memory;  /* bytes this map takes */
  uint8_t *slots; /* slot i at slots + i * stride, for i < slot_count */
  uint32_t stride, value_offset, slot_count;
  /* Values that programs may touch: slot i's for processor c is at values + c * processor_stride + i * value_stride. What
   * ops->lookup gives is processor 0's. processor_stride is 0 unless the map is per-CPU. */
  uint8_t *values;
  uint64_t processor_stride;
  uint32_t value_stride, processors;
  struct hash_key hash_key;
  uint32_t *buckets, bucket_mask; /* hash: 1 + index of first slot, 0: empty */
  uint32_t free_head;             /* hash: 1 + index of first free slot */
  uint32_t lock, version;         /* hash: writers' spinlock; odd version: a writer is at work (map_hash.c) */
};

/* Bytes that a map of this definition takes, or 0 when the definition is not acceptable. */
size_t bpf_map_memory(const struct bpf_map_def *def);
/* Makes a map with one reference. `seed` keys the hash (random per map). On failure returns -ERROR_INVALID, -ERROR_TOO_BIG,
 * -ERROR_UNSUPPORTED or -ERROR_NO_MEMORY and leaves *map alone; `why` (may be NULL) gets a constant sentence. */
int bpf_map_create(const struct bpf_map_def *def, const struct hash_key *seed, struct bpf_map **map, const char **why)
    __attribute__((warn_unused_result));
void bpf_map_hold(struct bpf_map *map);
void bpf_map_release(struct bpf_map *map);
/* Address of the value that the byte at `address` belongs to, or 0 when it is in none. */
uint64_t bpf_map_value_at(const struct bpf_map *map, uint64_t address);
/* True if size bytes at address lie inside one value of the map. */
bool bpf_map_contains(const struct bpf_map *map, uint64_t address, uint32_t size);
/* Same type, key and value size, entries and flags: state may carry over. */
bool bpf_map_same_layout(const struct bpf_map_def *a, const struct bpf_map_def *b);

#endif
