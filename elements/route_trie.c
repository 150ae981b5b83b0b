/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tree bitmap; see route_trie.h. Blocks are never changed in size: a block of the other size takes their place, and theirs goes onto
 * a list. Nodes refer to blocks by number, so that memory may move when it grows.
 */
#include "elements/route_trie.h"

#include "lib/memory.h"
#include "lib/string.h"

enum { STRIDE = 4, ADDRESS_BITS = 32, LEVELS = ADDRESS_BITS / STRIDE, NODE_WORDS = 4, POOL_FIRST = 64 };

/* An item of trie->nodes; words only, as lists of free blocks share its memory. */
struct node {
  uint32_t prefixes;    /* which end here: bit 2^n - 2 + P for prefix P of n bits, 1 to 4, of the node's nibble */
  uint32_t children;    /* bit N: there is a child for nibble N */
  uint32_t child_block; /* in trie->nodes; children in order of their bits */
  uint32_t value_block; /* in trie->values; values in order of the prefixes' bits */
};

_Static_assert(sizeof(struct node) == NODE_WORDS * sizeof(uint32_t), "a node is an item");

/* Images have no popcnt instruction to rely on. */
static inline uint32_t count_bits(uint32_t bits) {
  bits -= bits >> 1 & 0x55555555;
  bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
  return ((bits + (bits >> 4)) & 0x0f0f0f0f) * 0x01010101 >> 24;
}

/* How many of `bits` stand before this one. */
static inline uint32_t rank(uint32_t bits, unsigned bit) { return count_bits(bits & ((1U << bit) - 1)); }

static inline struct node *node_at(const struct route_trie *trie, uint32_t index) {
  return (struct node *)(void *)(trie->nodes.words + (size_t)index * NODE_WORDS);
}

static inline unsigned nibble_at(uint32_t address, unsigned level) {
  return address >> (ADDRESS_BITS - STRIDE * (level + 1)) & 15;
}

/* --- blocks --- */

static bool pool_take(struct route_pool *pool, uint32_t item_words, uint32_t count, uint32_t *block) {
  if (pool->free[count] != 0) {
    *block = pool->free[count] - 1;
    pool->free[count] = pool->words[(size_t)*block * item_words];
    return true;
  }
  if (pool->used + count > pool->capacity) {
    uint32_t capacity = pool->capacity == 0 ? POOL_FIRST : pool->capacity * 2;
    if (capacity > UINT32_MAX / 4) return false;
    uint32_t *words = memory_resize(pool->words, (size_t)capacity * item_words * sizeof *words);
    if (words == NULL) return false;
    pool->words = words;
    pool->capacity = capacity;
  }
  *block = pool->used;
  pool->used += count;
  return true;
}

static void pool_give(struct route_pool *pool, uint32_t item_words, uint32_t count, uint32_t block) {
  pool->words[(size_t)block * item_words] = pool->free[count];
  pool->free[count] = block + 1;
}

static void copy_items(struct route_pool *pool, uint32_t item_words, uint32_t to, uint32_t from, uint32_t count) {
  memcpy(pool->words + (size_t)to * item_words, pool->words + (size_t)from * item_words,
         (size_t)count * item_words * sizeof *pool->words);
}

/* A copy of the block of `count` items (0: there is none) with a zeroed item put in at `at` takes its place, as *block. */
static bool pool_insert(struct route_pool *pool, uint32_t item_words, uint32_t count, uint32_t at, uint32_t *block) {
  uint32_t old = *block, new;
  if (!pool_take(pool, item_words, count + 1, &new)) return false;
  if (count > 0) {
    copy_items(pool, item_words, new, old, at);
    copy_items(pool, item_words, new + at + 1, old + at, count - at);
    pool_give(pool, item_words, count, old);
  }
  memset(pool->words + (size_t)(new + at) * item_words, 0, item_words * sizeof *pool->words);
  *block = new;
  return true;
}

/* The same without the item at `at`; count is at least 1. */
static bool pool_remove(struct route_pool *pool, uint32_t item_words, uint32_t count, uint32_t at, uint32_t *block) {
  uint32_t old = *block, new = 0;
  if (count > 1) {
    if (!pool_take(pool, item_words, count - 1, &new)) return false;
    copy_items(pool, item_words, new, old, at);
    copy_items(pool, item_words, new + at, old + at + 1, count - 1 - at);
  }
  pool_give(pool, item_words, count, old);
  *block = new;
  return true;
}

/* --- the way to a prefix --- */

/* The node where a prefix of `length` (at least 1) ends, and its bit there. */
static unsigned last_level(unsigned length) { return (length - 1) / STRIDE; }

static unsigned prefix_bit(uint32_t address, unsigned length) {
  unsigned level = last_level(length), bits = length - level * STRIDE;
  return (1U << bits) - 2 + (nibble_at(address, level) >> (STRIDE - bits));
}

static inline uint32_t child_of(const struct node *node, unsigned nibble) {
  return node->child_block + rank(node->children, nibble);
}

/* Fills path[0 .. level] as far as there are nodes; returns how many. */
static unsigned find_path(const struct route_trie *trie, uint32_t address, unsigned level, uint32_t path[LEVELS]) {
  if (trie->nodes.used == 0) return 0;
  path[0] = 0;
  for (unsigned i = 0; i < level; i++) {
    const struct node *node = node_at(trie, path[i]);
    unsigned nibble = nibble_at(address, i);
    if ((node->children >> nibble & 1) == 0) return i + 1;
    path[i + 1] = child_of(node, nibble);
  }
  return level + 1;
}

/* Takes away the nodes at the end of the path that hold nothing; not the root. Where there is no memory to do so they stay. */
static void prune(struct route_trie *trie, uint32_t address, const uint32_t *path, unsigned nodes) {
  for (unsigned i = nodes - 1; i > 0; i--) {
    const struct node *node = node_at(trie, path[i]);
    if ((node->prefixes | node->children) != 0) return;
    struct node parent = *node_at(trie, path[i - 1]);
    unsigned nibble = nibble_at(address, i - 1);
    if (!pool_remove(&trie->nodes, NODE_WORDS, count_bits(parent.children), rank(parent.children, nibble),
                     &parent.child_block))
      return;
    parent.children &= ~(1U << nibble);
    *node_at(trie, path[i - 1]) = parent;
  }
}

/* Makes the rest of the path. */
static bool extend(struct route_trie *trie, uint32_t address, unsigned level, uint32_t path[LEVELS], unsigned *nodes) {
  if (*nodes == 0) {
    uint32_t root = 0;
    if (!pool_insert(&trie->nodes, NODE_WORDS, 0, 0, &root)) return false;
    path[(*nodes)++] = root;
  }
  for (; *nodes <= level; ++*nodes) {
    unsigned i = *nodes - 1, nibble = nibble_at(address, i);
    struct node node = *node_at(trie, path[i]);
    if (!pool_insert(&trie->nodes, NODE_WORDS, count_bits(node.children), rank(node.children, nibble),
                     &node.child_block))
      return false;
    node.children |= 1U << nibble;
    *node_at(trie, path[i]) = node;
    path[*nodes] = child_of(&node, nibble);
  }
  return true;
}

/* --- the table --- */

void route_trie_clear(struct route_trie *trie) {
  memory_free(trie->nodes.words);
  memory_free(trie->values.words);
  *trie = (struct route_trie){.fallback = ROUTE_NONE};
}

uint32_t route_trie_exact(const struct route_trie *trie, uint32_t address, unsigned length) {
  if (length == 0) return trie->fallback;
  uint32_t path[LEVELS] = {0};
  unsigned level = last_level(length), bit = prefix_bit(address, length);
  if (find_path(trie, address, level, path) <= level) return ROUTE_NONE;
  const struct node *node = node_at(trie, path[level]);
  if ((node->prefixes >> bit & 1) == 0) return ROUTE_NONE;
  return trie->values.words[node->value_block + rank(node->prefixes, bit)];
}

bool route_trie_add(struct route_trie *trie, uint32_t address, unsigned length, uint32_t value) {
  if (length == 0) {
    trie->fallback = value;
    return true;
  }
  uint32_t path[LEVELS] = {0};
  unsigned level = last_level(length), bit = prefix_bit(address, length);
  unsigned nodes = find_path(trie, address, level, path);
  bool done = extend(trie, address, level, path, &nodes);
  if (done) {
    struct node *node = node_at(trie, path[level]);
    uint32_t at = rank(node->prefixes, bit);
    done = pool_insert(&trie->values, 1, count_bits(node->prefixes), at, &node->value_block);
    if (done) {
      node->prefixes |= 1U << bit;
      trie->values.words[node->value_block + at] = value;
    }
  }
  if (!done && nodes > 0) prune(trie, address, path, nodes);
  return done;
}

bool route_trie_remove(struct route_trie *trie, uint32_t address, unsigned length) {
  if (length == 0) {
    trie->fallback = ROUTE_NONE;
    return true;
  }
  uint32_t path[LEVELS] = {0};
  unsigned level = last_level(length), bit = prefix_bit(address, length);
  unsigned nodes = find_path(trie, address, level, path);
  struct node *node = node_at(trie, path[level]);
  if (!pool_remove(&trie->values, 1, count_bits(node->prefixes), rank(node->prefixes, bit), &node->value_block))
    return false;
  node->prefixes &= ~(1U << bit);
  prune(trie, address, path, nodes);
  return true;
}

/* Notes the longest prefix of this node that the address goes on with as *found, where its value is, and goes to the child; false where
 * there is none. */
static inline bool descend(const struct route_trie *trie, const struct node **at, uint32_t address, unsigned shift,
                           uint32_t *found) {
  const struct node *node = *at;
  unsigned nibble = address >> shift & 15;
  /* The prefixes of 1, 2, 3 and 4 bits that this nibble begins with; the longest is the last. */
  uint32_t covering = 1U << (nibble >> 3) | 4U << (nibble >> 2) | 64U << (nibble >> 1) | 16384U << nibble;
  uint32_t match = node->prefixes & covering;
  if (match != 0) *found = node->value_block + rank(node->prefixes, 31 - (unsigned)__builtin_clz(match));
  if ((node->children >> nibble & 1) == 0) return false;
  *at = node_at(trie, child_of(node, nibble));
  return true;
}

uint32_t route_trie_lookup(const struct route_trie *trie, uint32_t address) {
  if (trie->nodes.used == 0) return trie->fallback;
  uint32_t found = ROUTE_NONE;
  const struct node *node = node_at(trie, 0);
  unsigned shift = ADDRESS_BITS - STRIDE;
  while (descend(trie, &node, address, shift, &found))
    shift -= STRIDE;
  return found != ROUTE_NONE ? trie->values.words[found] : trie->fallback;
}

void route_trie_lookup_abreast(const struct route_trie *trie, const uint32_t *addresses, uint32_t *values,
                               unsigned count) {
  const struct node *node[ROUTE_ABREAST];
  unsigned open[ROUTE_ABREAST], opened = trie->nodes.used != 0 ? count : 0; /* those that have not ended */
  for (unsigned i = 0; i < count; i++) {
    values[i] = ROUTE_NONE;
    open[i] = i;
    node[i] = opened > 0 ? node_at(trie, 0) : NULL;
  }
  for (unsigned shift = ADDRESS_BITS - STRIDE; opened > 0; shift -= STRIDE) {
    unsigned left = 0;
    for (unsigned k = 0; k < opened; k++) {
      unsigned i = open[k];
      open[left] = i;
      if (descend(trie, &node[i], addresses[i], shift, &values[i])) {
        __builtin_prefetch(node[i]);
        left++;
      } else if (values[i] != ROUTE_NONE) {
        __builtin_prefetch(&trie->values.words[values[i]]);
      }
    }
    opened = left;
  }
  for (unsigned i = 0; i < count; i++)
    values[i] = values[i] != ROUTE_NONE ? trie->values.words[values[i]] : trie->fallback;
}
