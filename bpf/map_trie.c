/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF_MAP_TYPE_LPM_TRIE (Linux: kernel/bpf/lpm_trie.c): longest prefix match in a binary trie with compressed paths. A node is an
 * entry, or joins two subtrees. Twice as many nodes as entries are enough, and they all exist from the start.
 *
 * Memory model. Writers take the map's lock and publish each change by one store, so that a reader sees the trie before or after
 * it. What could lead a reader astray is a node that is taken out and used again while it stands on it; so `version` is counted up
 * before a node is used again, and a reader that saw it change walks again. It can not have reached such a node otherwise.
 */
#include "bpf/map_type.h"

/* The prefix's bytes and, at value_offset, the value follow. */
struct node {
  uint32_t child[2]; /* 1 + index, 0: none; by the bit behind the prefix */
  uint32_t length;   /* bits of the prefix */
  uint32_t entry;    /* 1: an entry; 0: joins, or is free */
  uint32_t link;     /* free: 1 + index of the next free node */
  uint32_t zero;
};

/* A key: bits, then bytes, most significant bit first. */
struct prefix {
  uint32_t length;
  const uint8_t *bytes;
};

static struct node *node_at(const struct bpf_map *map, uint32_t number) {
  return (struct node *)(void *)(map->slots + (size_t)(number - 1) * map->stride);
}

static uint8_t *bytes_of(struct node *node) { return (uint8_t *)(node + 1); }
static uint32_t byte_count(const struct bpf_map *map) { return map->def.key_size - (uint32_t)sizeof(uint32_t); }
static uint32_t max_length(const struct bpf_map *map) { return byte_count(map) * 8; }

static struct prefix prefix_of(const void *key) {
  return (struct prefix){load_le32(key), (const uint8_t *)key + sizeof(uint32_t)};
}

static unsigned bit_at(const uint8_t *bytes, uint32_t position) {
  return bytes[position / 8] >> (7 - position % 8) & 1u;
}

/* How many bits of node and prefix are the same, at most as many as the shorter one has. */
static uint32_t common(const struct bpf_map *map, struct node *node, struct prefix prefix) {
  const uint32_t length = __atomic_load_n(&node->length, __ATOMIC_RELAXED);
  const uint32_t limit = length < prefix.length ? length : prefix.length;
  const uint8_t *shared = bytes_of(node);
  uint32_t at = 0, left = byte_count(map);
  uint32_t bits = limit;
  while (left > 0 && at * 8 < limit) {
    uint32_t width;
    uint64_t difference; /* from the top bit on */
    if (left >= 8) {
      width = 8;
      uint64_t word = __atomic_load_n((const uint64_t *)(const void *)(shared + at), __ATOMIC_RELAXED);
      difference = __builtin_bswap64(word) ^ load_be64(prefix.bytes + at);
    } else if (left >= 4) {
      width = 4;
      uint32_t word = __atomic_load_n((const uint32_t *)(const void *)(shared + at), __ATOMIC_RELAXED);
      difference = (uint64_t)(__builtin_bswap32(word) ^ load_be32(prefix.bytes + at)) << 32;
    } else {
      width = 1;
      difference = (uint64_t)(unsigned)(__atomic_load_n(shared + at, __ATOMIC_RELAXED) ^ prefix.bytes[at]) << 56;
    }
    if (difference != 0) {
      bits = at * 8 + (uint32_t)__builtin_clzll(difference);
      break;
    }
    at += width;
    left -= width;
  }
  return bits < limit ? bits : limit;
}

static uint32_t follow(const uint32_t *link) { return __atomic_load_n(link, __ATOMIC_ACQUIRE); }

/* The entry with the longest prefix that covers the key, or 0. `exact`: the entry with this very prefix. */
static uint32_t walk(const struct bpf_map *map, struct prefix prefix, bool exact) {
  uint32_t found;
  uint32_t version;
  do {
    found = 0;
    version = __atomic_load_n(&map->version, __ATOMIC_ACQUIRE);
    for (uint32_t number = follow(&map->buckets[0]); number != 0;) {
      struct node *node = node_at(map, number);
      const uint32_t length = __atomic_load_n(&node->length, __ATOMIC_RELAXED);
      if (common(map, node, prefix) < length) break;
      bool entry = __atomic_load_n(&node->entry, __ATOMIC_RELAXED) != 0;
      if (entry && (!exact || length == prefix.length)) found = number;
      if (length >= prefix.length) break;
      number = follow(&node->child[bit_at(prefix.bytes, length)]);
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
  } while (version != __atomic_load_n(&map->version, __ATOMIC_RELAXED));
  return found;
}

/* The same for keys of 4 bytes, as IPv4 routes have: the key stays in a register. */
static uint32_t walk_short(const struct bpf_map *map, uint32_t key, uint32_t most) {
  uint32_t found;
  uint32_t version;
  do {
    found = 0;
    version = __atomic_load_n(&map->version, __ATOMIC_ACQUIRE);
    for (uint32_t number = follow(&map->buckets[0]); number != 0;) {
      struct node *node = node_at(map, number);
      const uint32_t length = __atomic_load_n(&node->length, __ATOMIC_RELAXED);
      const uint32_t bits = __atomic_load_n((const uint32_t *)(const void *)bytes_of(node), __ATOMIC_RELAXED);
      if (length > most || (uint64_t)(__builtin_bswap32(bits) ^ key) >> (32 - length) != 0) break;
      if (__atomic_load_n(&node->entry, __ATOMIC_RELAXED) != 0) found = number;
      if (length == most) break;
      number = follow(&node->child[key >> (31 - length) & 1]);
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
  } while (version != __atomic_load_n(&map->version, __ATOMIC_RELAXED));
  return found;
}

static void *trie_lookup(struct bpf_map *map, const void *key) {
  const struct prefix prefix = prefix_of(key);
  if (prefix.length > max_length(map)) return NULL;
  uint32_t number = byte_count(map) == sizeof(uint32_t) ? walk_short(map, load_be32(prefix.bytes), prefix.length)
                                                        : walk(map, prefix, false);
  return number != 0 ? bpf_map_slot_value(map, number - 1) : NULL;
}

/* --- writing, with the lock held --- */

static uint32_t take_node(struct bpf_map *map, uint32_t length, const uint8_t *bytes) {
  const uint32_t number = map->free_head;
  struct node *node = node_at(map, number);
  map->free_head = node->link;
  __atomic_store_n(&map->version, map->version + 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
  __atomic_store_n(&node->length, length, __ATOMIC_RELAXED);
  bpf_store_words(bytes_of(node), bytes, byte_count(map));
  __atomic_store_n(&node->child[0], 0, __ATOMIC_RELAXED);
  __atomic_store_n(&node->child[1], 0, __ATOMIC_RELAXED);
  return number;
}

static void give_node(struct bpf_map *map, uint32_t number) {
  struct node *node = node_at(map, number);
  __atomic_store_n(&node->entry, 0, __ATOMIC_RELEASE);
  node->link = map->free_head;
  map->free_head = number;
}

static void publish(uint32_t *link, uint32_t number) { __atomic_store_n(link, number, __ATOMIC_RELEASE); }

/* 0 when one more entry may come. */
static long count_entry(struct bpf_map *map, uint64_t flags) {
  if (flags == BPF_EXIST) return -BPF_ENOENT;
  if (map->count == map->def.max_entries) return -BPF_ENOSPC;
  __atomic_store_n(&map->count, map->count + 1, __ATOMIC_RELAXED);
  return 0;
}

static uint32_t make_entry(struct bpf_map *map, struct prefix prefix, const void *value) {
  const uint32_t number = take_node(map, prefix.length, prefix.bytes);
  bpf_map_store_new(map, bpf_map_slot_value(map, number - 1), value, 0);
  __atomic_store_n(&node_at(map, number)->entry, 1, __ATOMIC_RELEASE);
  return number;
}

/* The prefix goes where `link` points: in front of, above or beside the node that is there. `same` of its bits are the node's. */
static void add_entry(struct bpf_map *map, uint32_t *link, struct prefix prefix, const void *value, uint32_t same) {
  const uint32_t below = *link;
  const uint32_t fresh = make_entry(map, prefix, value);
  struct node *node = node_at(map, fresh);
  if (below == 0) {
    publish(link, fresh);
    return;
  }
  struct node *other = node_at(map, below);
  if (same == prefix.length) {
    publish(&node->child[bit_at(bytes_of(other), same)], below);
    publish(link, fresh);
    return;
  }
  const uint32_t join = take_node(map, same, prefix.bytes);
  const unsigned bit = bit_at(prefix.bytes, same);
  publish(&node_at(map, join)->child[bit], fresh);
  publish(&node_at(map, join)->child[!bit], below);
  publish(link, join);
}

/* Entry or join with this very prefix: a new node takes its place. */
static long replace(struct bpf_map *map, uint32_t *link, struct prefix prefix, const void *value, uint64_t flags) {
  const uint32_t old = *link;
  struct node *was = node_at(map, old);
  if (was->entry) {
    if (flags == BPF_NOEXIST) return -BPF_EEXIST;
  } else {
    long result = count_entry(map, flags);
    if (result != 0) return result;
  }
  const uint32_t fresh = make_entry(map, prefix, value);
  publish(&node_at(map, fresh)->child[0], was->child[0]);
  publish(&node_at(map, fresh)->child[1], was->child[1]);
  publish(link, fresh);
  give_node(map, old);
  return 0;
}

static long update_locked(struct bpf_map *map, struct prefix prefix, const void *value, uint64_t flags) {
  uint32_t *link = &map->buckets[0], same = 0;
  while (*link != 0) {
    struct node *node = node_at(map, *link);
    same = common(map, node, prefix);
    if (same < node->length || node->length == prefix.length) break;
    link = &node->child[bit_at(prefix.bytes, node->length)];
  }
  if (*link != 0 && node_at(map, *link)->length == same && same == prefix.length) {
    return replace(map, link, prefix, value, flags);
  }
  long result = count_entry(map, flags);
  if (result == 0) add_entry(map, link, prefix, value, same);
  return result;
}

static long trie_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags, uint32_t processor) {
  const struct prefix prefix = prefix_of(key);
  if (flags > BPF_EXIST || prefix.length > max_length(map)) return -BPF_EINVAL;
  bpf_lock(&map->lock);
  long result = update_locked(map, prefix, value, flags);
  bpf_unlock(&map->lock);
  return result;
}

/* Takes the node at link out. `above` is the link to its parent, NULL at the root. */
static void remove_node(struct bpf_map *map, uint32_t *above, uint32_t *link) {
  const uint32_t number = *link;
  struct node *node = node_at(map, number);
  if (node->child[0] != 0 && node->child[1] != 0) {
    __atomic_store_n(&node->entry, 0, __ATOMIC_RELAXED);
    return;
  }
  const uint32_t child = node->child[0] != 0 ? node->child[0] : node->child[1];
  if (child == 0 && above != NULL && !node_at(map, *above)->entry) {
    /* The parent joined this node and its sibling; nothing is left to join. */
    const uint32_t parent = *above;
    publish(above, node_at(map, parent)->child[link == &node_at(map, parent)->child[0]]);
    give_node(map, parent);
  } else {
    publish(link, child);
  }
  give_node(map, number);
}

static long remove_locked(struct bpf_map *map, struct prefix prefix) {
  uint32_t *above = NULL, *link = &map->buckets[0];
  while (*link != 0) {
    struct node *node = node_at(map, *link);
    if (common(map, node, prefix) < node->length) break;
    if (node->length == prefix.length) {
      if (!node->entry) break;
      remove_node(map, above, link);
      __atomic_store_n(&map->count, map->count - 1, __ATOMIC_RELAXED);
      return 0;
    }
    above = link;
    link = &node->child[bit_at(prefix.bytes, node->length)];
  }
  return -BPF_ENOENT;
}

static long trie_remove(struct bpf_map *map, const void *key) {
  const struct prefix prefix = prefix_of(key);
  if (prefix.length > max_length(map)) return -BPF_EINVAL;
  bpf_lock(&map->lock);
  long result = remove_locked(map, prefix);
  bpf_unlock(&map->lock);
  return result;
}

/* In the order of nodes; an entry that is written anew meanwhile may be met twice. */
static long trie_next_key(struct bpf_map *map, const void *key, void *next) {
  uint32_t number = 0;
  if (key != NULL && prefix_of(key).length <= max_length(map)) number = walk(map, prefix_of(key), true);
  while (++number <= map->slot_count) {
    struct node *node = node_at(map, number);
    uint32_t version = __atomic_load_n(&map->version, __ATOMIC_ACQUIRE);
    if (!__atomic_load_n(&node->entry, __ATOMIC_ACQUIRE)) continue;
    store_le32(next, __atomic_load_n(&node->length, __ATOMIC_RELAXED));
    bpf_load_words((uint8_t *)next + sizeof(uint32_t), bytes_of(node), byte_count(map));
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (version == __atomic_load_n(&map->version, __ATOMIC_RELAXED)) return 0;
    number--; /* perhaps used again meanwhile: look once more */
  }
  return -BPF_ENOENT;
}

/* --- kind --- */

static struct bpf_map_layout trie_layout(const struct bpf_map_def *def) {
  struct bpf_map_layout layout = {.slot_count = 2 * def->max_entries + 1, .bucket_count = 1};
  layout.value_offset = (uint32_t)(sizeof(struct node) + align_up(def->key_size - sizeof(uint32_t), 8));
  layout.stride = (uint32_t)align_up(layout.value_offset + def->value_size, 8);
  return layout;
}

static void trie_init(struct bpf_map *map) {
  for (uint32_t number = map->slot_count; number > 0; number--) {
    give_node(map, number);
  }
}

static const char *judge_trie(const struct bpf_map_def *def) {
  return def->flags & BPF_F_NO_PREALLOC ? NULL : "LPM trie without BPF_F_NO_PREALLOC; Linux wants the flag";
}

const struct bpf_map_kind bpf_map_trie = {
    .ops = {trie_lookup, trie_update, trie_remove, trie_next_key, BPF_MAP_NO_QUEUE},
    .flags = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_ONE_WAY_FLAGS,
    .key_size_min = 5,
    .key_size_max = 260,
    .value_size_min = 1,
    .value_size_max = BPF_MAP_MAX_VALUE,
    .judge = judge_trie,
    .layout = trie_layout,
    .init = trie_init,
};
