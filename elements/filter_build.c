/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Builds the decision tree: nodes of cuts (elements/filter_cut.c), and leaves where a list is short or cannot be cut.
 */
#include "elements/filter_build.h"
#include "lib/memory.h"

enum {
  LEAF_RULES = 4,     /* lists up to here are not cut */
  COPIES_IN_ALL = 24, /* for each box, of the whole tree; and COPIES_FREE */
  COPIES_FREE = 1 << 16,
  DIRECT_SPAN = 1 << 16, /* values of a direct table, when there are DIRECT_COUNT intervals */
  DIRECT_COUNT = 128,
  BUCKETS_FROM = 16, /* intervals */
};

/* --- output --- */

static uint32_t *add_words(struct filter_tree *tree, uint32_t count) {
  if (tree->word_count + count > tree->word_capacity) {
    uint32_t larger = tree->word_capacity + tree->word_capacity / 2 + count + 256;
    void *moved = memory_resize(tree->words, larger * sizeof *tree->words);
    if (!moved) return NULL;
    tree->words = moved;
    tree->word_capacity = larger;
  }
  uint32_t *words = tree->words + tree->word_count;
  tree->word_count += count;
  return words;
}

static int add_node(struct filter_tree *tree, uint32_t *index) {
  if (tree->node_count == tree->node_capacity) {
    uint32_t larger = tree->node_capacity + tree->node_capacity / 2 + 16;
    void *moved = memory_resize(tree->nodes, larger * sizeof *tree->nodes);
    if (!moved) return -ERROR_NO_MEMORY;
    tree->nodes = moved;
    tree->node_capacity = larger;
  }
  *index = tree->node_count++;
  return 0;
}

/* --- leaves --- */

/* Every packet here that is in box `inner` is in `outer`. */
static bool contains(const struct filter_builder *b, uint32_t outer, uint32_t inner) {
  if (b->normal->boxes[outer].residual != FILTER_NONE) return false;
  const struct filter_range *range = b->normal->ranges + b->normal->boxes[outer].first;
  for (const struct filter_range *end = range + b->normal->boxes[outer].count; range < end; range++) {
    if (filter_settled(b, range)) continue;
    const struct filter_range *other = filter_find_range(b, inner, range->field);
    if (!other || (other->low <= other->high && (other->low < range->low || other->high > range->high)) ||
        (other->absent && !range->absent)) {
      return false;
    }
  }
  return true;
}

static int build_leaf(struct filter_builder *b, const uint32_t *boxes, uint32_t count, uint32_t *ref) {
  struct filter_tree *tree = b->tree;
  uint32_t last = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t box = boxes[i], rule = b->normal->boxes[box].rule, before = 0;
    while (before < i && before < LEAF_RULES && !contains(b, boxes[before], box))
      before++;
    if (before < i && before < LEAF_RULES) continue;
    b->reached[rule] = true;
    if (i == 0 && filter_unsettled_count(b, box) == 0) {
      *ref = FILTER_REF_RULE | rule;
      return 0;
    }
    const struct filter_range *range = b->normal->ranges + b->normal->boxes[box].first;
    const struct filter_range *end = range + b->normal->boxes[box].count;
    if (i == 0) *ref = FILTER_REF_LEAF | tree->word_count;
    last = tree->word_count;
    uint32_t *word = add_words(tree, 3 + 3 * b->normal->boxes[box].count);
    if (!word) return -ERROR_NO_MEMORY;
    word[0] = rule;
    word[1] = b->normal->boxes[box].residual;
    word[2] = 0;
    uint32_t *to = word + 3;
    for (; range < end; range++) {
      if (filter_settled(b, range)) continue;
      *to++ = range->field | (range->absent ? (uint32_t)FILTER_ABSENT_TOO : 0);
      *to++ = range->low;
      *to++ = range->high;
      word[2]++;
    }
    tree->word_count = (uint32_t)(to - tree->words);
  }
  tree->words[last] |= (uint32_t)FILTER_LAST;
  return 0;
}

/* --- nodes --- */

static bool same_list(const struct filter_lists *lists, uint32_t a, uint32_t b) {
  uint32_t length = lists->offsets[a + 1] - lists->offsets[a];
  return length == lists->offsets[b + 1] - lists->offsets[b] &&
         memcmp(lists->boxes + lists->offsets[a], lists->boxes + lists->offsets[b], length * sizeof *lists->boxes) == 0;
}

/* The children as a table of the node. */
static int write_table(struct filter_tree *tree, const struct filter_lists *lists, struct filter_tree_node *node) {
  uint32_t count = lists->intervals, i = 0;
  node->table = tree->word_count;
  node->base = count > 1 ? lists->starts[1] : 0;
  uint32_t span = count > 1 ? lists->starts[count - 1] - node->base : 0;
  if (count > 1 && span < (count >= DIRECT_COUNT ? DIRECT_SPAN : 4 * count)) {
    node->direct = 1;
    node->count = span;
    uint32_t *table = add_words(tree, span + 2);
    if (!table) return -ERROR_NO_MEMORY;
    for (uint32_t value = 0; value < span; value++) {
      while (i + 1 < count && lists->starts[i + 1] <= node->base + value)
        i++;
      table[value] = lists->children[i];
    }
    table[span] = lists->children[count - 1];
    table[span + 1] = lists->children[0];
    return 0;
  }
  node->count = count;
  if (count >= BUCKETS_FROM) {
    uint32_t wanted = 2 * count;
    while (node->shift < 31 && span >> node->shift >= wanted)
      node->shift++;
    node->buckets = (span >> node->shift) + 1;
  }
  uint32_t starts = filter_tree_starts(node);
  uint32_t *table = add_words(tree, starts + count + (node->buckets ? node->buckets + 1 : 0));
  if (!table) return -ERROR_NO_MEMORY;
  memcpy(table, lists->starts, count * sizeof *table);
  memset(table + count, 0xff, (starts - count) * sizeof *table);
  memcpy(table + starts, lists->children, count * sizeof *table);
  for (uint32_t bucket = 0; bucket < node->buckets; bucket++) {
    while (i + 1 < count && lists->starts[i + 1] - node->base <= (uint64_t)bucket << node->shift)
      i++;
    table[starts + count + bucket] = i;
  }
  if (node->buckets) table[starts + count + node->buckets] = count - 1;
  return 0;
}

static int build(struct filter_builder *b, const uint32_t *boxes, uint32_t count, unsigned depth, uint32_t *ref);

static int build_children(struct filter_builder *b, const struct filter_lists *lists, uint16_t field, unsigned depth,
                          uint32_t *absent) {
  struct filter_known *known = &b->known[field], before = *known;
  int status = 0;
  for (uint32_t i = 0; i < lists->intervals && status == 0; i++) {
    uint32_t length = lists->offsets[i + 1] - lists->offsets[i];
    /* All that is in an interval's list covers the interval, so equal lists make equal children. */
    if (i > 0 && same_list(lists, i, i - 1)) {
      lists->children[i] = lists->children[i - 1];
    } else if (i > 1 && same_list(lists, i, i - 2)) {
      lists->children[i] = lists->children[i - 2];
    } else {
      uint32_t last = i + 1 < lists->intervals ? lists->starts[i + 1] - 1 : UINT32_MAX;
      known->low = lists->starts[i] > before.low ? lists->starts[i] : before.low;
      known->high = last < before.high ? last : before.high;
      known->absent = false;
      status = build(b, lists->boxes + lists->offsets[i], length, depth, &lists->children[i]);
    }
  }
  *known = (struct filter_known){1, 0, true};
  if (status == 0) status = build(b, lists->absent, lists->absent_count, depth, absent);
  *known = before;
  return status;
}

static int build_cut(struct filter_builder *b, const uint32_t *boxes, uint32_t count, unsigned depth,
                     const struct filter_cut *cut, uint32_t *ref) {
  struct filter_lists lists = {0};
  struct filter_tree_node node = {.field = cut->field, .rest_first = FILTER_NONE};
  uint32_t index;
  int status = filter_make_lists(b, boxes, count, cut, &lists);
  if (status != 0) goto out;
  uint64_t more = (uint64_t)b->pair_count > count ? b->pair_count - count : 0;
  b->copies_left -= more < b->copies_left ? more : b->copies_left;
  status = add_node(b->tree, &index);
  if (status != 0) goto out;
  *ref = FILTER_REF_NODE | index;
  status = build_children(b, &lists, cut->field, depth + 1, &node.absent);
  if (status == 0) status = build(b, lists.rest, lists.rest_count, depth + 1, &node.rest);
  if (lists.rest_count > 0) node.rest_first = b->normal->boxes[lists.rest[0]].rule;
  if (status == 0) status = write_table(b->tree, &lists, &node);
  if (status == 0) b->tree->nodes[index] = node;
out:
  memory_free(lists.block);
  return status;
}

/* Recursion is bounded by FILTER_TREE_DEPTH. */
static int build(struct filter_builder *b, const uint32_t *boxes, uint32_t count, unsigned depth, uint32_t *ref) {
  *ref = FILTER_REF_NOTHING;
  for (uint32_t i = 0; i < count; i++) {
    if (filter_unsettled_count(b, boxes[i]) == 0) count = i + 1;
  }
  if (count == 0) return 0;
  struct filter_cut cut = {0};
  if (count <= LEAF_RULES || depth >= FILTER_TREE_DEPTH - 1 || !filter_choose_cut(b, boxes, count, &cut)) {
    return build_leaf(b, boxes, count, ref);
  }
  return build_cut(b, boxes, count, depth, &cut, ref);
}

/* --- the whole --- */

/* Numbers the fields anew, the most used first. */
static int order_fields(struct filter_tree *tree, struct filter_normal *normal, uint32_t *uses) {
  uint32_t count = normal->field_count;
  tree->fields = memory_alloc((count + 1) * sizeof *tree->fields);
  uint16_t *number = memory_alloc((count + 1) * sizeof *number);
  if (!tree->fields || !number) {
    memory_free(number);
    return -ERROR_NO_MEMORY;
  }
  for (uint32_t i = 0; i < normal->range_count; i++)
    uses[normal->ranges[i].field]++;
  for (uint32_t i = 0; i < count; i++)
    number[i] = UINT16_MAX;
  uint32_t placed = 0;
  for (; placed < count && placed < FILTER_EAGER; placed++) {
    uint32_t most = count;
    for (uint32_t i = 0; i < count; i++) {
      if (number[i] == UINT16_MAX && (most == count || uses[i] > uses[most])) most = i;
    }
    number[most] = (uint16_t)placed;
  }
  tree->eager = placed;
  for (uint32_t i = 0; i < count; i++) {
    if (number[i] == UINT16_MAX) number[i] = (uint16_t)placed++;
    tree->fields[number[i]] = normal->fields[i];
    uses[i] = 0;
  }
  for (uint32_t i = 0; i < normal->range_count; i++)
    normal->ranges[i].field = number[normal->ranges[i].field];
  tree->field_count = count;
  tree->need = 20;
  for (uint32_t i = 0; i < tree->eager; i++) {
    uint32_t need = tree->fields[i].word + (tree->fields[i].header == FILTER_IP ? 4u : 24u);
    if (need > tree->need) tree->need = need;
  }
  memory_free(number);
  return 0;
}

int filter_tree_build(struct filter_tree *tree, const struct filter_program *program, struct filter_normal *normal,
                      bool *reached) {
  *tree = (struct filter_tree){.program = program};
  size_t boxes = normal->box_count, fields = (size_t)normal->field_count + 1;
  struct filter_builder b = {.tree = tree,
                             .normal = normal,
                             .reached = reached,
                             .known = memory_alloc(fields * sizeof *b.known),
                             .uses = memory_alloc(fields * sizeof *b.uses),
                             .used = memory_alloc(fields * sizeof *b.used),
                             .ends = memory_alloc((2 * boxes + 2) * sizeof *b.ends),
                             .sorted = memory_alloc((2 * boxes + 2) * sizeof *b.sorted),
                             .spans = memory_alloc((boxes + 1) * sizeof *b.spans),
                             .depth = memory_alloc((2 * boxes + 4) * sizeof *b.depth),
                             .copies_left = boxes * COPIES_IN_ALL + COPIES_FREE};
  uint32_t *all = memory_alloc((boxes + 1) * sizeof *all);
  int status = -ERROR_NO_MEMORY;
  if (b.known && b.uses && b.used && b.ends && b.sorted && b.spans && b.depth && all) {
    status = order_fields(tree, normal, b.uses);
  }
  if (status == 0) {
    for (uint32_t i = 0; i < tree->field_count; i++)
      b.known[i] = (struct filter_known){0, tree->fields[i].mask, true};
    for (uint32_t i = 0; i < boxes; i++)
      all[i] = i;
    status = build(&b, all, (uint32_t)boxes, 0, &tree->root);
  }
  memory_free(b.known);
  memory_free(b.uses);
  memory_free(b.used);
  memory_free(b.ends);
  memory_free(b.sorted);
  memory_free(b.spans);
  memory_free(b.depth);
  memory_free(b.pairs);
  memory_free(all);
  if (status != 0) filter_tree_free(tree);
  return status;
}
