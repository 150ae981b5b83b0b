/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF maps with Linux's types, flags and error numbers. A map is made from a definition, shared by reference count between
 * programs, and lives as long as its last user. Lookups return a pointer to the value in the map; programs write through
 * it. Nothing here allocates but bpf_map_create: everything is laid out when the map is made. Lookups never lock.
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

/* Linux's name of any of its map types, those not offered included: "xskmap"; "unknown" for other numbers. */
const char *bpf_map_type_name(uint32_t type);

/* Flags of updates. */
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2, BPF_F_LOCK = 4 };
/* Map flags of Linux that are understood; each type takes those that make sense for it. */
enum {
  BPF_F_NO_PREALLOC = 1 << 0,   /* entries are laid out in advance all the same */
  BPF_F_NO_COMMON_LRU = 1 << 1, /* taken; the entries are common all the same */
  BPF_F_NUMA_NODE = 1 << 2,     /* taken, without effect */
  BPF_F_RDONLY = 1 << 3,        /* handlers may only read */
  BPF_F_WRONLY = 1 << 4,        /* handlers may only write */
  BPF_F_ZERO_SEED = 1 << 6,
  BPF_F_RDONLY_PROG = 1 << 7,
  BPF_F_WRONLY_PROG = 1 << 8,
  BPF_F_MMAPABLE = 1 << 10, /* taken, without effect */
  BPF_F_INNER_MAP = 1 << 12,
};

/* Linux errno values that programs see, negated. */
enum {
  BPF_EPERM = 1,
  BPF_ENOENT = 2,
  BPF_E2BIG = 7,
  BPF_EAGAIN = 11,
  BPF_ENOMEM = 12,
  BPF_EFAULT = 14,
  BPF_EBUSY = 16,
  BPF_EEXIST = 17,
  BPF_ENODEV = 19,
  BPF_EINVAL = 22,
  BPF_ENOSPC = 28,
  BPF_ERANGE = 34,
  BPF_EDEADLK = 35,
  BPF_EOVERFLOW = 75,
  BPF_EPROTONOSUPPORT = 93,
  BPF_EOPNOTSUPP = 95,
};

enum {
  BPF_MAP_NAME_MAX = 64,
  BPF_MAP_MAX_KEY = 512,
  BPF_MAP_MAX_VALUE = 65536,
  BPF_MAP_MAX_ENTRIES = 16777216,
  BPF_MAP_MAX_RING = 1 << 26, /* bytes of a ring buffer */
  BPF_MAP_MAX_PROCESSORS = 64,
  BPF_PERF_RING_SIZE = 65536, /* bytes per processor of a perf event array */
  BPF_SPIN_LOCK_SIZE = 4,
  BPF_TIMER_SIZE = 16,
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
  uint32_t
      processors; /* for how many a per-CPU map has values; the host fills it in, it is no part of the layout. 0: 1 */
};

struct bpf_map;
struct bpf_program;

enum { BPF_ALL_PROCESSORS = UINT32_MAX };

/* What a type doesn't have is there and answers as Linux does. Keys of update and remove must not change meanwhile, so they must
 * not be in memory that programs write; values may be. Any worker may call any of these at any time. */
struct bpf_map_ops {
  /* The value for processor 0, at map->processor_stride from the next one's. */
  void *(*lookup)(struct bpf_map *map, const void *key);
  /* Per-CPU maps: for that processor, the others' values are 0 in a new entry; BPF_ALL_PROCESSORS: `value` has one after the
   * other, each at a multiple of 8. */
  long (*update)(struct bpf_map *map, const void *key, const void *value, uint64_t flags, uint32_t processor);
  long (*remove)(struct bpf_map *map, const void *key);
  /* Iteration: key after `key` (NULL: the first; one that is not there: too) into next; 0 or -BPF_ENOENT. */
  long (*next_key)(struct bpf_map *map, const void *key, void *next);
  /* Queue, stack, bloom filter (which reads `value` in peek). */
  long (*push)(struct bpf_map *map, const void *value, uint64_t flags);
  long (*pop)(struct bpf_map *map, void *value);
  long (*peek)(struct bpf_map *map, void *value);
  /* The key of the entry in this slot, below slot_count; false when there is none. NULL for types that bpf_for_each_map_elem and
   * timers don't take. */
  bool (*key_at)(const struct bpf_map *map, uint32_t slot, void *key);
  /* As lookup, for those outside: doesn't count as a use of the entry. NULL: lookup doesn't either. */
  void *(*look)(struct bpf_map *map, const void *key);
};

struct bpf_timers;
struct bpf_ring;

struct bpf_map {
  const struct bpf_map_ops *ops;
  struct bpf_map_def def;
  uint32_t references;
  uint32_t count; /* entries in use; max_entries for an array */
  size_t memory;  /* bytes this map takes */
  uint8_t *slots; /* slot i at slots + i * stride, for i < slot_count */
  size_t
      low; /* bytes of slots, or of a per-CPU array's values, if those are low memory (lib/memory.h); 0: they are not */
  uint32_t stride, value_offset, slot_count;
  /* Values that programs may touch: slot i's for processor c is at values + c * processor_stride + i * value_stride. What
   * ops->lookup gives is processor 0's. processor_stride is 0 unless the map is per-CPU. NULL: there are none to touch. */
  uint8_t *values;
  uint64_t processor_stride;
  uint32_t value_stride, processors;
  uint32_t stored_size; /* bytes of a value: def.value_size, or those of a pointer to an object */
  struct hash_key hash_key;
  uint32_t *buckets, bucket_mask; /* hash: 1 + index of first slot or end mark; trie: buckets[0] is the root */
  uint32_t free_head;             /* 1 + index of first free slot, 0: none */
  uint32_t hand;          /* LRU hash: where the search for a victim goes on; queue, stack: index of the oldest */
  uint32_t lock;          /* writers' spinlock */
  uint32_t version;       /* trie: counts nodes used again (map_trie.c) */
  struct bpf_ring *rings; /* ring buffer: one; perf event array: one for each processor */
  uint32_t ring_count;
  struct bpf_timers *timers; /* NULL unless def.timer */
};

/* Whether a map of this definition can be made: 0, or as bpf_map_create with a constant sentence in *why. */
int bpf_map_judge(const struct bpf_map_def *def, const char **why) __attribute__((warn_unused_result));
/* Bytes that a map of this definition takes, or 0 when the definition is not acceptable. */
size_t bpf_map_memory(const struct bpf_map_def *def);
/* Makes a map with one reference. `seed` keys the hash (random per map). On failure returns -ERROR_INVALID, -ERROR_TOO_BIG,
 * -ERROR_UNSUPPORTED or -ERROR_NO_MEMORY and leaves *map alone; `why` (may be NULL) gets a constant sentence. */
int bpf_map_create(const struct bpf_map_def *def, const struct hash_key *seed, struct bpf_map **map,
                   const char **why) __asm__("imago_bpf_map_create") /* libbpf has one, too, which libxdp calls */
    __attribute__((warn_unused_result));
void bpf_map_hold(struct bpf_map *map);
/* The last release also releases what the map refers to (inner maps). */
void bpf_map_release(struct bpf_map *map);
/* Address of the value that the byte at `address` belongs to, or 0 when it is in none. */
uint64_t bpf_map_value_at(const struct bpf_map *map, uint64_t address);
/* True if size bytes at address lie inside one value of the map. */
bool bpf_map_contains(const struct bpf_map *map, uint64_t address, uint32_t size);
/* Same type, key and value size, entries, flags, special fields and inner map: state may carry over. */
bool bpf_map_same_layout(const struct bpf_map_def *a, const struct bpf_map_def *b);
static inline bool bpf_map_is_per_cpu(uint32_t type) {
  return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}
static inline bool bpf_map_is_of_maps(uint32_t type) {
  return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

/* Entries that are objects. Programs cannot make them. What was there before is *old (NULL: nothing): runs that began earlier may
 * still use it, so the caller gives up its reference (bpf_map_release) or the program only after every worker has passed a
 * quiescent point. */

/* Puts a map (which takes over the caller's reference) into a map of maps, or, with inner NULL, takes it out. 0, or
 * -BPF_EINVAL: `inner` is not of the shape that def.inner asks, and as ops->update and ops->remove. */
long bpf_map_put_map(struct bpf_map *map, const void *key, struct bpf_map *inner, uint64_t flags, struct bpf_map **old)
    __attribute__((warn_unused_result));
/* The inner map under that key, or NULL. */
struct bpf_map *bpf_map_inner(struct bpf_map *map, const void *key);
/* Puts a program into a program array, or takes it out (NULL). The program must outlive its stay. 0, -BPF_E2BIG. */
long bpf_map_put_program(struct bpf_map *map, uint32_t index, const struct bpf_program *program,
                         const struct bpf_program **old) __attribute__((warn_unused_result));
/* The program at that index, or NULL. */
const struct bpf_program *bpf_map_program(const struct bpf_map *map, uint32_t index);

#endif
