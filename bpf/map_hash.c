/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hash maps: plain, per-CPU, least recently used, of maps, of devices (Linux: kernel/bpf/hashtab.c, devmap.c). Chains of slots
 * hang under a power of two of buckets, hashed with a secret key so that nobody makes long chains on purpose. All slots exist
 * from the start; one more than max_entries, so that an update can put a whole new entry in the place of the old one.
 *
 * Memory model. Writers take the map's spinlock for the few stores they make. Readers never lock and are never waited for:
 * - The sequence number of a slot is odd while it is no entry (free, or being filled). A reader that found its key looks whether
 *   the number stayed even and the same while it compared; otherwise it starts again at the bucket, from where the slot is no
 *   longer reachable as it was.
 * - The last slot of a chain has a mark with the bucket's number. A reader whose slot was moved to another chain under its feet
 *   ends at a wrong mark, and starts again. New entries go to the head, so that none is jumped over.
 * - Slots are never unmapped while the map lives: a program that still holds the value of a deleted entry touches some value of
 *   this map, perhaps already another entry's, and nothing else, as with Linux's preallocated maps. Values are shared memory
 *   without order; programs use atomic instructions or spin locks where it matters.
 */
#include "bpf/map_type.h"
#include "bpf/timer.h"
#include "lib/hash.h"

struct slot {
  uint32_t next; /* 1 + index of the next in the chain, or END_MARK | bucket */
  uint32_t hash;
  uint32_t sequence; /* odd: no entry */
  uint32_t link;     /* free: 1 + index of the next free slot */
};

#define END_MARK 0x80000000u

enum {
  LRU_STEPS = 128, /* slots looked at for a victim before the one at hand must go */
};

static struct slot *slot_at(const struct bpf_map *map, uint32_t number) {
  return (struct slot *)(void *)(map->slots + (size_t)(number - 1) * map->stride);
}

static uint8_t *key_of(struct slot *slot) { return (uint8_t *)(slot + 1); }

/* LRU maps: whether the entry was used since the hand passed. A reader may set it on a slot that has just become another's: no
 * harm, so it stands apart from what must be right. */
static uint32_t *used_of(const struct bpf_map *map, struct slot *slot) {
  return (uint32_t *)(void *)(key_of(slot) + align_up(map->def.key_size, 8));
}

/* Of processor 0. */
static uint8_t *value_of(const struct bpf_map *map, uint32_t number) {
  if (map->processor_stride != 0) return map->values + (size_t)(number - 1) * map->value_stride;
  return bpf_map_slot_value(map, number - 1);
}

static bool is_lru(uint32_t type) { return type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH; }

/* --- hashing --- */

/* Both halves of the product, so that every bit of the result depends on every bit of a and b. */
static uint64_t fold(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Keys up to 16 bytes are two words, the usual case, in a few cycles: a product of both with secret numbers. Longer ones
 * take SipHash. */
__attribute__((always_inline)) static inline uint32_t hash_of(const struct bpf_map *map, const void *key,
                                                              uint32_t size) {
  const uint8_t *bytes = key;
  uint64_t a, b;
  if (size > 16) return (uint32_t)hash_bytes(&map->hash_key, key, size);
  if (size >= 8) {
    a = load_le64(bytes);
    b = load_le64(bytes + size - 8);
  } else if (size >= 4) {
    a = load_le32(bytes);
    b = load_le32(bytes + size - 4);
  } else {
    a = (uint64_t)bytes[0] << 16 | (uint64_t)bytes[size / 2] << 8 | bytes[size - 1];
    b = 0;
  }
  return (uint32_t)fold(a ^ map->hash_key.k0, b ^ map->hash_key.k1);
}

/* The seed may be anything, zero too; what is multiplied must not be small. */
static void spread_key(struct bpf_map *map) {
  static const char names[2] = {'a', 'b'};
  const struct hash_key seed = map->hash_key;
  map->hash_key.k0 = hash_bytes(&seed, &names[0], 1) | 1;
  map->hash_key.k1 = hash_bytes(&seed, &names[1], 1) | 1;
}

/* --- reading --- */

/* 1 + index of the entry's slot, or 0. Waits for nobody; starts again only when a writer changed this chain meanwhile. */
__attribute__((always_inline)) static inline uint32_t find(const struct bpf_map *map, const void *key, uint32_t size) {
  const uint32_t hash = hash_of(map, key, size), bucket = hash & map->bucket_mask;
  for (;;) {
    uint32_t number = __atomic_load_n(&map->buckets[bucket], __ATOMIC_ACQUIRE);
    while (!(number & END_MARK)) {
      struct slot *slot = slot_at(map, number);
      if (__atomic_load_n(&slot->hash, __ATOMIC_RELAXED) == hash) {
        uint32_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
        bool equal = bpf_words_equal(key_of(slot), key, size);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (sequence % 2 != 0 || __atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) != sequence) break;
        if (equal) return number;
      }
      number = __atomic_load_n(&slot->next, __ATOMIC_ACQUIRE);
    }
    if (number == (END_MARK | bucket)) return 0;
  }
}

__attribute__((always_inline)) static inline void *lookup(struct bpf_map *map, const void *key, uint32_t size,
                                                          bool lru) {
  uint32_t number = find(map, key, size);
  if (number == 0) return NULL;
  if (lru) {
    uint32_t *used = used_of(map, slot_at(map, number));
    /* Written only when it changes, so that workers share the line. */
    if (__atomic_load_n(used, __ATOMIC_RELAXED) != 1) __atomic_store_n(used, 1, __ATOMIC_RELAXED);
  }
  return value_of(map, number);
}

/* One routine for each usual size of key: comparing and hashing become a few instructions. */
static void *hash_lookup_4(struct bpf_map *map, const void *key) { return lookup(map, key, 4, false); }
static void *hash_lookup_8(struct bpf_map *map, const void *key) { return lookup(map, key, 8, false); }
static void *hash_lookup_16(struct bpf_map *map, const void *key) { return lookup(map, key, 16, false); }
static void *hash_lookup(struct bpf_map *map, const void *key) { return lookup(map, key, map->def.key_size, false); }
static void *lru_lookup(struct bpf_map *map, const void *key) { return lookup(map, key, map->def.key_size, true); }

/* --- writing, with the lock held --- */

static uint32_t take_free(struct bpf_map *map) {
  uint32_t number = map->free_head;
  map->free_head = slot_at(map, number)->link;
  return number;
}

static void give_free(struct bpf_map *map, uint32_t number) {
  struct slot *slot = slot_at(map, number);
  __atomic_store_n(&slot->sequence, slot->sequence | 1, __ATOMIC_RELEASE);
  slot->link = map->free_head;
  bpf_timers_cancel(map, number - 1);
  map->free_head = number;
}

/* The link that leads to the slot, which is in the chain. */
static uint32_t *link_to(const struct bpf_map *map, uint32_t number) {
  uint32_t *link = &map->buckets[slot_at(map, number)->hash & map->bucket_mask];
  while (*link != number) {
    link = &slot_at(map, *link)->next;
  }
  return link;
}

static void unlink_slot(struct bpf_map *map, uint32_t number) {
  __atomic_store_n(link_to(map, number), slot_at(map, number)->next, __ATOMIC_RELEASE);
  give_free(map, number);
}

/* Clock algorithm: an approximation of least recently used, as Linux's is. */
static void evict(struct bpf_map *map) {
  for (uint32_t step = 0;; step++) {
    uint32_t number = map->hand % map->slot_count + 1;
    struct slot *slot = slot_at(map, number);
    map->hand = number;
    if (slot->sequence % 2 != 0) continue;
    if (step >= LRU_STEPS || __atomic_load_n(used_of(map, slot), __ATOMIC_RELAXED) == 0) {
      unlink_slot(map, number);
      return;
    }
    __atomic_store_n(used_of(map, slot), 0, __ATOMIC_RELAXED);
  }
}

static void insert(struct bpf_map *map, const void *key, const void *value, uint32_t processor) {
  const uint32_t number = take_free(map);
  struct slot *slot = slot_at(map, number);
  const uint32_t hash = hash_of(map, key, map->def.key_size);
  uint32_t *bucket = &map->buckets[hash & map->bucket_mask];
  /* Readers that still stand on this slot see the odd number before they see any of the rest. */
  __atomic_thread_fence(__ATOMIC_RELEASE);
  bpf_store_words(key_of(slot), key, map->def.key_size);
  bpf_map_store_new(map, value_of(map, number), value, processor);
  __atomic_store_n(&slot->hash, hash, __ATOMIC_RELAXED);
  if (is_lru(map->def.type)) __atomic_store_n(used_of(map, slot), 0, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->next, *bucket, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->sequence, slot->sequence + 1, __ATOMIC_RELEASE);
  __atomic_store_n(bucket, number, __ATOMIC_RELEASE);
}

static void set_count(struct bpf_map *map, uint32_t count) { __atomic_store_n(&map->count, count, __ATOMIC_RELAXED); }

/* The key is there already, in slot `old`. */
static void replace(struct bpf_map *map, uint32_t old, const void *key, const void *value, uint64_t flags,
                    uint32_t processor) {
  void *to = value_of(map, old);
  if (map->processor_stride != 0) {
    bpf_map_store_processors(map, to, value, processor);
  } else if (flags & BPF_F_LOCK) {
    bpf_map_store_locked(map, to, value, flags);
  } else {
    insert(map, key, value, processor);
    unlink_slot(map, old);
  }
}

static long hash_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags, uint32_t processor) {
  long result = 0;
  if (!bpf_map_good_flags(map, flags)) return -BPF_EINVAL;
  bpf_lock(&map->lock);
  const uint32_t old = find(map, key, map->def.key_size);
  if (old != 0 && (flags & BPF_NOEXIST)) {
    result = -BPF_EEXIST;
  } else if (old != 0) {
    replace(map, old, key, value, flags, processor);
  } else if (flags & BPF_EXIST) {
    result = -BPF_ENOENT;
  } else if (map->count == map->def.max_entries && !is_lru(map->def.type)) {
    result = -BPF_E2BIG;
  } else {
    if (map->count == map->def.max_entries) {
      evict(map);
    } else {
      set_count(map, map->count + 1);
    }
    insert(map, key, value, processor);
  }
  bpf_unlock(&map->lock);
  return result;
}

static long hash_remove(struct bpf_map *map, const void *key) {
  bpf_lock(&map->lock);
  uint32_t old = find(map, key, map->def.key_size);
  if (old != 0) {
    unlink_slot(map, old);
    set_count(map, map->count - 1);
  }
  bpf_unlock(&map->lock);
  return old != 0 ? 0 : -BPF_ENOENT;
}

static bool hash_key_at(const struct bpf_map *map, uint32_t index, void *key) {
  struct slot *slot = slot_at(map, index + 1);
  for (;;) {
    uint32_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
    if (sequence % 2 != 0) return false;
    bpf_load_words(key, key_of(slot), map->def.key_size);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) == sequence) return true;
  }
}

/* In the order of slots, so that each entry that stays meanwhile is visited once, whatever comes and goes. A key that has gone
 * starts over, as in Linux. */
static long hash_next_key(struct bpf_map *map, const void *key, void *next) {
  uint32_t index = key == NULL ? 0 : find(map, key, map->def.key_size);
  while (index < map->slot_count && !hash_key_at(map, index, next)) {
    index++;
  }
  return index < map->slot_count ? 0 : -BPF_ENOENT;
}

/* --- kinds --- */

static struct bpf_map_layout layout_with(const struct bpf_map_def *def, uint32_t value_size) {
  struct bpf_map_layout layout = {.slot_count = def->max_entries + 1, .bucket_count = 1};
  layout.value_offset = (uint32_t)(sizeof(struct slot) + align_up(def->key_size, 8));
  if (is_lru(def->type)) layout.value_offset += 8;
  layout.stride = (uint32_t)align_up(layout.value_offset + value_size, 8);
  while (layout.bucket_count < def->max_entries) {
    layout.bucket_count *= 2;
  }
  return layout;
}

static struct bpf_map_layout hash_layout(const struct bpf_map_def *def) { return layout_with(def, def->value_size); }

static struct bpf_map_layout per_cpu_hash_layout(const struct bpf_map_def *def) {
  struct bpf_map_layout layout = layout_with(def, 0);
  layout.value_stride = (uint32_t)align_up(def->value_size, 8);
  return layout;
}

static struct bpf_map_layout maps_layout(const struct bpf_map_def *def) {
  struct bpf_map_layout layout = layout_with(def, sizeof(void *));
  layout.hidden = true;
  return layout;
}

static const struct bpf_map_ops hash_ops_4 = {hash_lookup_4, hash_update,      hash_remove,
                                              hash_next_key, BPF_MAP_NO_QUEUE, .key_at = hash_key_at};
static const struct bpf_map_ops hash_ops_8 = {hash_lookup_8, hash_update,      hash_remove,
                                              hash_next_key, BPF_MAP_NO_QUEUE, .key_at = hash_key_at};
static const struct bpf_map_ops hash_ops_16 = {hash_lookup_16, hash_update,      hash_remove,
                                               hash_next_key,  BPF_MAP_NO_QUEUE, .key_at = hash_key_at};

static void hash_init(struct bpf_map *map) {
  spread_key(map);
  for (uint32_t bucket = 0; bucket <= map->bucket_mask; bucket++) {
    map->buckets[bucket] = END_MARK | bucket;
  }
  for (uint32_t number = map->slot_count; number > 0; number--) {
    give_free(map, number);
  }
  if (map->def.type != BPF_MAP_TYPE_HASH && map->def.type != BPF_MAP_TYPE_PERCPU_HASH) return;
  if (map->def.key_size == 4) map->ops = &hash_ops_4;
  if (map->def.key_size == 8) map->ops = &hash_ops_8;
  if (map->def.key_size == 16) map->ops = &hash_ops_16;
}

static const char *judge_lru(const struct bpf_map_def *def) {
  return def->flags & BPF_F_NO_PREALLOC ? "LRU map with BPF_F_NO_PREALLOC; drop the flag" : NULL;
}

static const char *judge_per_cpu(const struct bpf_map_def *def) {
  return def->value_size > 32768 ? "value of a per-CPU map is over 32 KiB" : NULL;
}

static const char *judge_per_cpu_lru(const struct bpf_map_def *def) {
  const char *finding = judge_lru(def);
  return finding != NULL ? finding : judge_per_cpu(def);
}

#define HASH_SIZES \
  .key_size_min = 1, .key_size_max = BPF_MAP_MAX_KEY, .value_size_min = 1, .value_size_max = BPF_MAP_MAX_VALUE

#define HASH_FLAGS (BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | BPF_ONE_WAY_FLAGS)

const struct bpf_map_kind bpf_map_hash = {
    .ops = {hash_lookup, hash_update, hash_remove, hash_next_key, BPF_MAP_NO_QUEUE, .key_at = hash_key_at},
    .flags = HASH_FLAGS,
    HASH_SIZES,
    .special_fields = true,
    .layout = hash_layout,
    .init = hash_init,
};

const struct bpf_map_kind bpf_map_per_cpu_hash = {
    .ops = {hash_lookup, hash_update, hash_remove, hash_next_key, BPF_MAP_NO_QUEUE, .key_at = hash_key_at},
    .flags = HASH_FLAGS,
    HASH_SIZES,
    .judge = judge_per_cpu,
    .layout = per_cpu_hash_layout,
    .init = hash_init,
};

const struct bpf_map_kind bpf_map_lru_hash = {
    .ops = {lru_lookup, hash_update, hash_remove, hash_next_key, BPF_MAP_NO_QUEUE, .key_at = hash_key_at,
            .look = hash_lookup},
    .flags = HASH_FLAGS | BPF_F_NO_COMMON_LRU,
    HASH_SIZES,
    .special_fields = true,
    .judge = judge_lru,
    .layout = hash_layout,
    .init = hash_init,
};

const struct bpf_map_kind bpf_map_lru_per_cpu_hash = {
    .ops = {lru_lookup, hash_update, hash_remove, hash_next_key, BPF_MAP_NO_QUEUE, .key_at = hash_key_at,
            .look = hash_lookup},
    .flags = HASH_FLAGS | BPF_F_NO_COMMON_LRU,
    HASH_SIZES,
    .judge = judge_per_cpu_lru,
    .layout = per_cpu_hash_layout,
    .init = hash_init,
};

/* --- of maps: the value is a pointer that programs never see as memory --- */

static void release_maps(struct bpf_map *map) {
  for (uint32_t number = 1; number <= map->slot_count; number++) {
    if (slot_at(map, number)->sequence % 2 == 0) bpf_map_release(*(struct bpf_map **)(void *)value_of(map, number));
  }
}

static long maps_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags, uint32_t processor) {
  return flags & BPF_F_LOCK ? -BPF_EINVAL : hash_update(map, key, value, flags, processor);
}

const struct bpf_map_kind bpf_map_hash_of_maps = {
    .ops = {hash_lookup, maps_update, hash_remove, hash_next_key, BPF_MAP_NO_QUEUE, .key_at = hash_key_at},
    .flags = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY,
    .key_size_min = 1,
    .key_size_max = BPF_MAP_MAX_KEY,
    .value_size_min = 4,
    .value_size_max = 4,
    .judge = bpf_map_judge_inner,
    .layout = maps_layout,
    .init = hash_init,
    .clear = release_maps,
};

/* --- of devices: as bpf_map_device (map_redirect.c), with any number as key --- */

/* BPF_EXIST is not looked at, as in Linux. */
static long device_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags, uint32_t processor) {
  if (flags > BPF_EXIST || load_le32(value) == 0) return -BPF_EINVAL;
  if (map->def.value_size == 8 && load_le32((const uint8_t *)value + 4) != 0) return -BPF_EINVAL;
  return hash_update(map, key, value, flags & BPF_NOEXIST, processor);
}

const struct bpf_map_kind bpf_map_device_hash = {
    .ops = {hash_lookup_4, device_update, hash_remove, hash_next_key, BPF_MAP_NO_QUEUE, .key_at = hash_key_at},
    .flags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG,
    .key_size_min = 4,
    .key_size_max = 4,
    .value_size_min = 4,
    .value_size_max = 8,
    .judge = bpf_map_judge_redirect,
    .layout = hash_layout,
    .init = hash_init,
};
