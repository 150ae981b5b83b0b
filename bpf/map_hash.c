/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF_MAP_TYPE_HASH: chains of slots under a power of two of buckets, hashed with the map's secret key so that nobody
 * makes long chains on purpose. All slots exist from the start; one more than max_entries, so that an update can always put
 * a whole new entry in the place of the old one, as in Linux.
 *
 * Memory model. Writers (update, remove) take the map's spinlock for the few stores they make. Readers take no lock: a
 * writer makes `version` odd while it works and even again afterwards, and a reader that saw it change walks again; after a
 * few such tries it takes the lock. It may thus compare a key that is just being replaced, but never relies on it. A walk
 * may meet slots in motion between chains, so it takes at most slot_count steps, and every index it follows is of this map.
 * Slots are never unmapped while the map lives: a program that still holds the value of a deleted entry touches some value
 * of this map, perhaps already another entry's, and nothing else. Values themselves are shared memory without order;
 * programs use atomic instructions where it matters.
 */
#include "bpf/map_type.h"
#include "lib/bytes.h"

enum { READ_TRIES = 8 };

/* Head of a slot; the key and, at value_offset, the value follow. */
struct slot {
  uint32_t next; /* 1 + index in the same chain or in the free list, 0: end */
  uint32_t hash;
};

static struct slot *slot_at(const struct bpf_map *map, uint32_t number) {
  return (struct slot *)(void *)(map->slots + (size_t)(number - 1) * map->stride);
}

static uint8_t *key_of(struct slot *slot) { return (uint8_t *)slot + sizeof *slot; }

static uint8_t *value_of(const struct bpf_map *map, uint32_t number) { return bpf_map_slot_value(map, number - 1); }

static uint32_t hash_of(const struct bpf_map *map, const void *key) {
  return (uint32_t)hash_bytes(&map->hash_key, key, map->def.key_size);
}

static uint32_t *bucket_of(const struct bpf_map *map, uint32_t hash) { return &map->buckets[hash & map->bucket_mask]; }

static void lock(struct bpf_map *map) {
  while (__atomic_exchange_n(&map->lock, 1, __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(&map->lock, __ATOMIC_RELAXED)) {
      __builtin_ia32_pause();
    }
  }
}

static void unlock(struct bpf_map *map) { __atomic_store_n(&map->lock, 0, __ATOMIC_RELEASE); }

/* With the lock held. Everything that a reader could trip over happens between these two. */
static void write_begin(struct bpf_map *map) {
  __atomic_store_n(&map->version, map->version + 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void write_end(struct bpf_map *map) { __atomic_store_n(&map->version, map->version + 1, __ATOMIC_RELEASE); }

/* The link (in the bucket or in a slot) that leads to the entry of the key, or the link at the end of the chain. */
static uint32_t *find_link(const struct bpf_map *map, const void *key, uint32_t hash) {
  uint32_t *link = bucket_of(map, hash);
  for (uint32_t steps = 0; steps < map->slot_count; steps++) {
    uint32_t number = __atomic_load_n(link, __ATOMIC_ACQUIRE);
    if (number == 0) break;
    struct slot *slot = slot_at(map, number);
    if (__atomic_load_n(&slot->hash, __ATOMIC_RELAXED) == hash && memcmp(key_of(slot), key, map->def.key_size) == 0)
      break;
    link = &slot->next;
  }
  return link;
}

static void *hash_lookup(struct bpf_map *map, const void *key) {
  uint32_t hash = hash_of(map, key);
  for (unsigned tries = 0; tries < READ_TRIES; tries++) {
    uint32_t version = __atomic_load_n(&map->version, __ATOMIC_ACQUIRE);
    uint32_t number = __atomic_load_n(find_link(map, key, hash), __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if ((version & 1) == 0 && version == __atomic_load_n(&map->version, __ATOMIC_RELAXED)) {
      return number == 0 ? NULL : value_of(map, number);
    }
    __builtin_ia32_pause();
  }
  lock(map);
  uint32_t number = *find_link(map, key, hash);
  unlock(map);
  return number == 0 ? NULL : value_of(map, number);
}

static uint32_t take_free(struct bpf_map *map) {
  uint32_t number = map->free_head;
  map->free_head = slot_at(map, number)->next;
  return number;
}

static void give_free(struct bpf_map *map, uint32_t number) {
  __atomic_store_n(&slot_at(map, number)->next, map->free_head, __ATOMIC_RELAXED);
  map->free_head = number;
}

static long hash_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags) {
  long result = 0;
  if (flags > BPF_EXIST) return -BPF_EINVAL;
  uint32_t hash = hash_of(map, key);

  lock(map);
  uint32_t *link = find_link(map, key, hash);
  uint32_t old = *link;
  if (old != 0 && flags == BPF_NOEXIST) {
    result = -BPF_EEXIST;
  } else if (old == 0 && flags == BPF_EXIST) {
    result = -BPF_ENOENT;
  } else if (old == 0 && map->count == map->def.max_entries) {
    result = -BPF_E2BIG;
  } else {
    write_begin(map);
    uint32_t fresh = take_free(map);
    struct slot *slot = slot_at(map, fresh);
    memcpy(key_of(slot), key, map->def.key_size);
    /* It may overlap this very slot, through a pointer from before its last entry was deleted. */
    memmove(value_of(map, fresh), value, map->def.value_size);
    __atomic_store_n(&slot->hash, hash, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->next, old == 0 ? 0 : slot_at(map, old)->next, __ATOMIC_RELAXED);
    __atomic_store_n(link, fresh, __ATOMIC_RELEASE);
    if (old != 0) {
      give_free(map, old);
    } else {
      __atomic_store_n(&map->count, map->count + 1, __ATOMIC_RELAXED);
    }
    write_end(map);
  }
  unlock(map);
  return result;
}

static long hash_remove(struct bpf_map *map, const void *key) {
  uint32_t hash = hash_of(map, key);
  lock(map);
  uint32_t *link = find_link(map, key, hash);
  uint32_t old = *link;
  if (old != 0) {
    write_begin(map);
    __atomic_store_n(link, slot_at(map, old)->next, __ATOMIC_RELEASE);
    give_free(map, old);
    __atomic_store_n(&map->count, map->count - 1, __ATOMIC_RELAXED);
    write_end(map);
  }
  unlock(map);
  return old != 0 ? 0 : -BPF_ENOENT;
}

/* A key that has gone meanwhile starts over, as in Linux. */
static long hash_next_key(struct bpf_map *map, const void *key, void *next) {
  long result = -BPF_ENOENT;
  uint32_t bucket = 0, number = 0;
  lock(map);
  if (key != NULL) {
    uint32_t hash = hash_of(map, key);
    uint32_t at = *find_link(map, key, hash);
    if (at != 0) {
      number = slot_at(map, at)->next;
      bucket = (hash & map->bucket_mask) + 1;
    }
  }
  for (; number == 0 && bucket <= map->bucket_mask; bucket++) {
    number = map->buckets[bucket];
  }
  if (number != 0) {
    memcpy(next, key_of(slot_at(map, number)), map->def.key_size);
    result = 0;
  }
  unlock(map);
  return result;
}

static struct bpf_map_layout hash_layout(const struct bpf_map_def *def) {
  struct bpf_map_layout layout = {.slot_count = def->max_entries + 1, .bucket_count = 1};
  layout.value_offset = (uint32_t)align_up(sizeof(struct slot) + def->key_size, 8);
  layout.stride = (uint32_t)align_up(layout.value_offset + def->value_size, 8);
  while (layout.bucket_count < def->max_entries) {
    layout.bucket_count *= 2;
  }
  return layout;
}

static void hash_init(struct bpf_map *map) {
  for (uint32_t number = map->slot_count; number > 0; number--) {
    give_free(map, number);
  }
}

const struct bpf_map_kind bpf_map_hash = {
    .ops = {hash_lookup, hash_update, hash_remove, hash_next_key},
    /* With BPF_F_NO_PREALLOC entries are laid out in advance all the same. */
    .flags = BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
    .layout = hash_layout,
    .init = hash_init,
};
