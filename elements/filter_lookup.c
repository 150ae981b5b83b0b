/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lookup in the decision tree, for many packets at a time: each field is read from all of them, and all go a step before the first goes
 * its next. So what the field or the node is stays in registers, and no packet waits for another's memory or mispredicted branch.
 */
#include "elements/filter_tree.h"

enum { ABREAST = 32, SIDE = FILTER_SEARCH_SIDE };

/* Packets that are looked up together. */
struct lookup {
  const struct filter_tree *tree;
  uint64_t value[FILTER_EAGER][ABREAST]; /* of the most used fields; the others are read on demand */
  uint32_t ref[ABREAST], best[ABREAST];
  const uint8_t *ip[ABREAST], *end[ABREAST];
  bool postponed; /* some packet has had other ways to go */
  /* Those ways, each with the first rule that may be found there. */
  uint32_t pending_count[ABREAST];
  struct {
    uint32_t ref, first;
  } pending[ABREAST][FILTER_TREE_DEPTH];
};

/* Some of the packets, in their order; NULL: all. What is called with a constant NULL is compiled without the list. */
static inline uint32_t packet_at(const uint8_t *list, uint32_t k) { return list == NULL ? k : list[k]; }

/* --- fields --- */

/* Not on the usual packet's way. */
static uint64_t read_field(const struct lookup *l, uint32_t i, uint32_t field) {
  struct filter_view view;
  filter_view_open(&view, l->ip[i], l->end[i]);
  return filter_field_value(&view, &l->tree->fields[field]);
}

static inline uint64_t value_of(const struct lookup *l, uint32_t i, uint32_t field) {
  return field < FILTER_EAGER ? l->value[field][i] : read_field(l, i, field);
}

/* A regular packet is a first fragment with an IP header without options, and has every byte that the eager fields look at. */
static inline bool open_regular(struct lookup *l, uint32_t i, const uint8_t *ip, const uint8_t *end) {
  l->ip[i] = ip;
  l->end[i] = end;
  if (!ip || end - ip < (ptrdiff_t)l->tree->need) return false;
  return (((ip[0] & 15u) ^ 5u) | (load_be16(ip + 6) & 0x1fff)) == 0;
}

/* Eager field `index` of regular packets. */
static inline void read_regular(struct lookup *l, const uint8_t *regular, uint32_t count, uint32_t index) {
  const struct filter_field field = l->tree->fields[index];
  uint32_t word = field.word + (field.header == FILTER_IP ? 0u : 20u);
  uint64_t *value = l->value[index];
  if (field.protocol > FILTER_TCP_UDP) {
    for (uint32_t k = 0; k < count; k++) {
      uint32_t i = packet_at(regular, k);
      value[i] = (load_be32(l->ip[i] + word) >> field.shift) & field.mask;
    }
    return;
  }
  uint32_t one = field.protocol == FILTER_TCP_UDP ? 6 : field.protocol;
  uint32_t other = field.protocol == FILTER_TCP_UDP ? 17 : field.protocol;
  for (uint32_t k = 0; k < count; k++) {
    uint32_t i = packet_at(regular, k), protocol = l->ip[i][9];
    uint64_t there = (load_be32(l->ip[i] + word) >> field.shift) & field.mask;
    value[i] = ((protocol == one) | (protocol == other)) ? there : FILTER_ABSENT;
  }
}

/* The eager fields of all packets, but for those of `others` as it goes for regular packets. */
static inline void read_all(struct lookup *l, uint32_t count, const uint8_t *others, uint32_t other_count) {
  uint32_t eager = l->tree->eager;
  if (__builtin_expect(other_count == 0, 1)) {
    for (uint32_t field = 0; field < eager; field++)
      read_regular(l, NULL, count, field);
    return;
  }
  uint8_t regular[ABREAST];
  uint32_t regular_count = 0;
  for (uint32_t i = 0, k = 0; i < count; i++) {
    bool is_other = k < other_count && others[k] == i;
    regular[regular_count] = (uint8_t)i;
    regular_count += !is_other;
    k += is_other;
  }
  for (uint32_t field = 0; field < eager; field++) {
    read_regular(l, regular, regular_count, field);
    for (uint32_t k = 0; k < other_count; k++)
      l->value[field][others[k]] = read_field(l, others[k], field);
  }
}

/* --- nodes --- */

typedef uint32_t four __attribute__((vector_size(16), aligned(4), may_alias));

/* How many of the SIDE numbers are not above value. */
static inline uint32_t count_up_to(const uint32_t *numbers, uint32_t value) {
  _Static_assert(SIDE == 16, "four times four");
  const four *n = (const void *)numbers, v = {value, value, value, value};
  four found = (four)(n[0] <= v) + (four)(n[1] <= v) + (four)(n[2] <= v) + (four)(n[3] <= v);
  return 0 - (found[0] + found[1] + found[2] + found[3]);
}

/* The last of starts[low..high] that is not above value; the first of them is not. Which one it is decides no branch, as long as there are
 * no more than SIDE. */
static inline uint32_t search(const uint32_t *starts, uint32_t low, uint32_t high, uint32_t value) {
  while (__builtin_expect(high - low >= SIDE, 0)) {
    uint32_t middle = low + (high - low + 1) / 2;
    bool above = starts[middle] > value;
    low = above ? low : middle;
    high = above ? middle - 1 : high;
  }
  uint32_t found = low + count_up_to(starts + low, value) - 1;
  return found < high ? found : high;
}

static inline uint32_t search_node(const struct filter_tree_node *node, const uint32_t *table, uint32_t value) {
  uint32_t low = 0, high = node->count - 1;
  if (node->buckets > 0) {
    const uint32_t *buckets = table + filter_tree_starts(node) + node->count;
    uint32_t bucket = (value - node->base) >> node->shift;
    if (value < node->base) {
      high = 0;
    } else if (bucket >= node->buckets) {
      low = high;
    } else {
      low = buckets[bucket];
      high = buckets[bucket + 1];
    }
  }
  return table[filter_tree_starts(node) + search(table, low, high, value)];
}

static inline uint32_t look_up(const struct filter_tree_node *node, const uint32_t *table, uint64_t value) {
  uint32_t v = (uint32_t)value, offset = v - node->base, outside = node->count + (v < node->base);
  uint32_t child = table[offset < node->count ? offset : outside];
  return value == FILTER_ABSENT ? node->absent : child;
}

static inline uint32_t child_of(const struct filter_tree_node *node, const uint32_t *table, uint64_t value) {
  if (node->direct) return look_up(node, table, value);
  return value == FILTER_ABSENT ? node->absent : search_node(node, table, (uint32_t)value);
}

static inline void postpone_rest(struct lookup *l, uint32_t i, const struct filter_tree_node *node) {
  if (node->rest == FILTER_REF_NOTHING || node->rest_first >= l->best[i]) return;
  l->pending[i][l->pending_count[i]].ref = node->rest;
  l->pending[i][l->pending_count[i]++].first = node->rest_first;
  l->postponed = true;
}

static inline void step(struct lookup *l, uint32_t i) {
  const struct filter_tree_node *node = &l->tree->nodes[l->ref[i]];
  postpone_rest(l, i, node);
  l->ref[i] = child_of(node, l->tree->words + node->table, value_of(l, i, node->field));
}

/* Where packets are, all in all: at one node; at several nodes; each at a rule; some at the end of a way. */
enum crowd { CROWD_TOGETHER, CROWD_AT_NODES, CROWD_AT_RULES, CROWD_ANYWHERE };

/* `ref`: any of the references; `different`: the bits in which others differ from it. */
static inline enum crowd crowd_of(uint32_t ref, uint32_t different) {
  if ((different & FILTER_REF_KIND) != 0) return CROWD_ANYWHERE;
  if ((ref & FILTER_REF_KIND) == FILTER_REF_RULE) return CROWD_AT_RULES;
  if ((ref & FILTER_REF_KIND) != FILTER_REF_NODE) return CROWD_ANYWHERE;
  return different == 0 ? CROWD_TOGETHER : CROWD_AT_NODES;
}

static inline void expect(const struct filter_tree *tree, uint32_t ref) {
  uint32_t where = ref & ~(uint32_t)FILTER_REF_KIND, kind = ref & FILTER_REF_KIND;
  if (kind == FILTER_REF_LEAF) __builtin_prefetch(tree->words + where);
  if (kind == FILTER_REF_NODE) __builtin_prefetch(tree->nodes + where);
}

/* Packets that are at nodes go a step. */
static enum crowd step_all(struct lookup *l, const uint8_t *going, uint32_t count) {
  uint32_t different = 0, first = 0;
  for (uint32_t k = 0; k < count; k++) {
    uint32_t i = packet_at(going, k);
    if ((l->ref[i] & FILTER_REF_KIND) == FILTER_REF_NODE) step(l, i);
    expect(l->tree, l->ref[i]);
    if (k == 0) first = l->ref[i];
    different |= l->ref[i] ^ first;
  }
  return crowd_of(first, different);
}

/* The same for packets that are all at one node. */
static inline enum crowd step_together(struct lookup *l, const uint8_t *going, uint32_t count) {
  const struct filter_tree_node node = l->tree->nodes[l->ref[packet_at(going, 0)]];
  const uint32_t *table = l->tree->words + node.table;
  if (node.rest != FILTER_REF_NOTHING || node.field >= FILTER_EAGER) return step_all(l, going, count);
  const uint64_t *value = l->value[node.field];
  uint32_t different = 0, first = child_of(&node, table, value[packet_at(going, 0)]);
  if (node.direct) {
    for (uint32_t k = 0; k < count; k++) {
      uint32_t i = packet_at(going, k), child = look_up(&node, table, value[i]);
      l->ref[i] = child;
      different |= child ^ first;
    }
  } else {
    for (uint32_t k = 0; k < count; k++) {
      uint32_t i = packet_at(going, k), child = child_of(&node, table, value[i]);
      l->ref[i] = child;
      different |= child ^ first;
    }
  }
  return crowd_of(first, different);
}

/* --- leaves --- */

static bool residual_holds(const struct lookup *l, uint32_t i, uint32_t node) {
  struct filter_view view;
  filter_view_open(&view, l->ip[i], l->end[i]);
  return filter_expression_holds(l->tree->program, node, &view);
}

/* The first rule of the leaf before rule `best` that the packet matches, or best. */
static uint32_t search_leaf(const struct lookup *l, uint32_t i, const uint32_t *word, uint32_t best) {
  for (;;) {
    uint32_t rule = word[0] & ~(uint32_t)FILTER_LAST;
    if (rule >= best) return best;
    const uint32_t *range = word + 3, *end = range + 3 * (size_t)word[2];
    for (; range < end; range += 3) {
      uint64_t value = value_of(l, i, range[0] & ~(uint32_t)FILTER_ABSENT_TOO);
      if (value == FILTER_ABSENT ? !(range[0] & FILTER_ABSENT_TOO) : value < range[1] || value > range[2]) break;
    }
    if (range == end && (word[1] == FILTER_NONE || residual_holds(l, i, word[1]))) return rule;
    if (word[0] & FILTER_LAST) return best;
    word = word + 3 + 3 * (size_t)word[2];
  }
}

/* At the end of a way: what is there, and whether another way is left. */
static inline bool finish(struct lookup *l, uint32_t i) {
  uint32_t where = l->ref[i] & ~(uint32_t)FILTER_REF_KIND;
  if ((l->ref[i] & FILTER_REF_KIND) == FILTER_REF_LEAF) {
    l->best[i] = search_leaf(l, i, l->tree->words + where, l->best[i]);
  } else if (l->ref[i] != FILTER_REF_NOTHING && where < l->best[i]) {
    l->best[i] = where;
  }
  while (l->pending_count[i] > 0) {
    uint32_t top = --l->pending_count[i];
    if (l->pending[i][top].first >= l->best[i]) continue;
    l->ref[i] = l->pending[i][top].ref;
    return true;
  }
  return false;
}

/* Ends the ways that have come to their end, and lists in `left` the packets that are still going. Returns how many. */
static uint32_t finish_all(struct lookup *l, const uint8_t *going, uint32_t count, uint8_t *left, enum crowd *crowd) {
  uint32_t left_count = 0, different = 0;
  for (uint32_t k = 0; k < count; k++) {
    uint32_t i = packet_at(going, k);
    bool on = (l->ref[i] & FILTER_REF_KIND) == FILTER_REF_NODE || finish(l, i);
    left[left_count] = (uint8_t)i;
    left_count += on;
    different |= on ? l->ref[i] ^ l->ref[left[0]] : 0;
  }
  *crowd = left_count > 0 ? crowd_of(l->ref[left[0]], different) : CROWD_ANYWHERE;
  return left_count;
}

/* --- packets --- */

static void walk(struct lookup *l, uint32_t count, uint32_t *rules) {
  uint8_t list[ABREAST], *going = NULL;
  uint32_t root = l->tree->root, left = count;
  l->postponed = false;
  for (uint32_t i = 0; i < ABREAST; i++) {
    l->ref[i] = root;
    l->best[i] = FILTER_NONE;
    l->pending_count[i] = 0;
  }
  enum crowd crowd = crowd_of(root, 0);
  while (left > 0) {
    if (crowd == CROWD_TOGETHER) {
      crowd = going == NULL ? step_together(l, NULL, left) : step_together(l, going, left);
    } else if (crowd == CROWD_AT_NODES) {
      crowd = step_all(l, going, left);
    } else if (crowd == CROWD_AT_RULES && going == NULL && !l->postponed) {
      for (uint32_t i = 0; i < count; i++)
        rules[i] = l->ref[i] & ~(uint32_t)FILTER_REF_KIND;
      return;
    } else {
      left = finish_all(l, going, left, list, &crowd);
      going = list;
    }
  }
  for (uint32_t i = 0; i < count; i++)
    rules[i] = l->best[i];
}

uint32_t filter_tree_find(const struct filter_tree *tree, const uint8_t *ip, const uint8_t *packet_end) {
  static const uint8_t first[1] = {0};
  struct lookup lookup;
  uint32_t rule;
  lookup.tree = tree;
  bool regular = open_regular(&lookup, 0, ip, packet_end);
  read_all(&lookup, 1, first, !regular);
  walk(&lookup, 1, &rule);
  return rule;
}

void filter_tree_find_all(const struct filter_tree *tree, const struct batch *batch, uint32_t *rules) {
  struct lookup lookup;
  lookup.tree = tree;
  for (uint32_t first = 0; first < batch->count; first += ABREAST) {
    uint32_t count = batch->count - first < ABREAST ? batch->count - first : ABREAST;
    uint8_t others[ABREAST];
    uint32_t other_count = 0;
    for (uint32_t i = 0; i < count; i++) {
      const struct packet *p = batch->packet[first + i];
      const uint8_t *ip = p->network_header ? (const uint8_t *)p + p->network_header : NULL;
      if (__builtin_expect(!open_regular(&lookup, i, ip, p->data + p->length), 0)) others[other_count++] = (uint8_t)i;
    }
    read_all(&lookup, count, others, other_count);
    walk(&lookup, count, rules + first);
  }
}
