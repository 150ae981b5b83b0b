/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Builds the decision tree: at each node it takes the field whose cut leaves the shortest lists, and copies into the children the
 * rules that this costs little for. A rule that nothing but the cut field decides is dear nowhere: it ends the list of every
 * interval that it covers, so all of them together cannot be copied more often than there are intervals.
 */
#include "elements/filter_tree.h"
#include "lib/memory.h"

enum {
  LEAF_RULES = 4,     /* lists up to here are not cut */
  CANDIDATES = 6,     /* fields that are compared at one node */
  COPIES_A_RULE = 4,  /* at one node */
  COPIES_IN_ALL = 24, /* for each box, of the whole tree; and COPIES_FREE */
  COPIES_FREE = 1 << 16,
  DIRECT_SPAN = 1 << 16, /* values of a direct table, when there are DIRECT_COUNT intervals */
  DIRECT_COUNT = 128,
  BUCKETS_FROM = 16, /* intervals */
};

/* What is known of a field on the way to a node: the value is within low to high, or absent, if `absent` is set. */
struct known {
  uint32_t low, high;
  bool absent;
};

struct cut {
  uint16_t field;
  uint32_t spans; /* rules are copied that span at most so many intervals, or that this field decides */
  uint64_t cost;  /* length of the list that a packet meets, in the child and in the rest */
};

struct builder {
  struct filter_tree *tree;
  const struct filter_normal *normal;
  bool *reached;
  struct known *known;     /* of each field */
  uint32_t *uses;          /* of each field, at this node */
  uint16_t *used;          /* fields with uses */
  uint32_t *ends, *sorted; /* scratch: 2 * boxes + 2 */
  uint32_t *spans, *depth; /* scratch: boxes; 2 * boxes + 3 */
  uint64_t copies_left;
  /* Pairs of interval and box that a cut makes, in the order of the boxes. */
  uint32_t *pairs;
  uint32_t pair_count, pair_capacity;
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

/* --- boxes at a node --- */

static bool settled(const struct builder *b, const struct filter_range *range) {
  const struct known *known = &b->known[range->field];
  return (known->low > known->high || (range->low <= known->low && known->high <= range->high)) &&
         (!known->absent || range->absent);
}

static const struct filter_range *find_range(const struct builder *b, uint32_t box, uint16_t field) {
  const struct filter_range *range = b->normal->ranges + b->normal->boxes[box].first;
  for (const struct filter_range *end = range + b->normal->boxes[box].count; range < end; range++) {
    if (range->field == field) return settled(b, range) ? NULL : range;
  }
  return NULL;
}

static uint32_t unsettled_count(const struct builder *b, uint32_t box) {
  const struct filter_range *range = b->normal->ranges + b->normal->boxes[box].first;
  uint32_t count = b->normal->boxes[box].residual != FILTER_NONE;
  for (const struct filter_range *end = range + b->normal->boxes[box].count; range < end; range++)
    count += !settled(b, range);
  return count;
}

/* Nothing but the range (NULL: nothing at all) is open of the box. */
static bool decides(const struct builder *b, uint32_t box, const struct filter_range *range) {
  return unsettled_count(b, box) == (range != NULL);
}

/* Every packet here that is in box `inner` is in `outer`. */
static bool contains(const struct builder *b, uint32_t outer, uint32_t inner) {
  if (b->normal->boxes[outer].residual != FILTER_NONE) return false;
  const struct filter_range *range = b->normal->ranges + b->normal->boxes[outer].first;
  for (const struct filter_range *end = range + b->normal->boxes[outer].count; range < end; range++) {
    if (settled(b, range)) continue;
    const struct filter_range *other = find_range(b, inner, range->field);
    if (!other || (other->low <= other->high && (other->low < range->low || other->high > range->high)) ||
        (other->absent && !range->absent)) {
      return false;
    }
  }
  return true;
}

static int build_leaf(struct builder *b, const uint32_t *boxes, uint32_t count, uint32_t *ref) {
  struct filter_tree *tree = b->tree;
  uint32_t last = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t box = boxes[i], rule = b->normal->boxes[box].rule, before = 0;
    while (before < i && before < LEAF_RULES && !contains(b, boxes[before], box))
      before++;
    if (before < i && before < LEAF_RULES) continue;
    b->reached[rule] = true;
    if (i == 0 && unsettled_count(b, box) == 0) {
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
      if (settled(b, range)) continue;
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

/* --- intervals --- */

static void sort(uint32_t *values, uint32_t *scratch, uint32_t count) {
  if (count < 48) {
    for (uint32_t i = 1; i < count; i++) {
      uint32_t value = values[i], k = i;
      for (; k > 0 && values[k - 1] > value; k--)
        values[k] = values[k - 1];
      values[k] = value;
    }
    return;
  }
  /* By bytes, least first; an even number of passes leaves the result in values. */
  for (unsigned shift = 0; shift < 32; shift += 8) {
    uint32_t place[256] = {0}, sum = 0;
    for (uint32_t i = 0; i < count; i++)
      place[values[i] >> shift & 255]++;
    for (unsigned i = 0; i < 256; i++) {
      uint32_t here = place[i];
      place[i] = sum;
      sum += here;
    }
    for (uint32_t i = 0; i < count; i++)
      scratch[place[values[i] >> shift & 255]++] = values[i];
    uint32_t *swap = values;
    values = scratch;
    scratch = swap;
  }
}

static void add_ends(struct builder *b, const struct filter_range *range, uint32_t *count) {
  const struct known *known = &b->known[range->field];
  if (range->low > range->high || range->low > known->high || range->high < known->low) return;
  if (range->low > known->low) b->ends[(*count)++] = range->low;
  if (range->high < known->high) b->ends[(*count)++] = range->high + 1;
}

/* Sorts b->ends and makes them starts of intervals, the first of which begins at 0. Returns how many there are. */
static uint32_t make_starts(struct builder *b, uint32_t count) {
  b->ends[count++] = 0;
  sort(b->ends, b->sorted, count);
  uint32_t unique = 1;
  for (uint32_t i = 1; i < count; i++) {
    if (b->ends[i] != b->ends[unique - 1]) b->ends[unique++] = b->ends[i];
  }
  return unique;
}

/* The interval where value lies. */
static uint32_t interval_of(const uint32_t *starts, uint32_t count, uint32_t value) {
  uint32_t low = 0;
  for (uint32_t high = count - 1; low < high;) {
    uint32_t middle = low + (high - low + 1) / 2;
    if (starts[middle] > value) {
      high = middle - 1;
    } else {
      low = middle;
    }
  }
  return low;
}

/* The intervals of a box, first to last; false when it has none. NULL stands for all. */
static bool intervals_of(const struct builder *b, const uint32_t *starts, uint32_t count, uint16_t field,
                         const struct filter_range *range, uint32_t *first, uint32_t *last) {
  const struct known *known = &b->known[field];
  *first = 0;
  *last = count - 1;
  if (!range) return known->low <= known->high;
  if (range->low > range->high || range->low > known->high || range->high < known->low) return false;
  if (range->low > known->low) *first = interval_of(starts, count, range->low);
  if (range->high < known->high) *last = interval_of(starts, count, range->high);
  return true;
}

/* --- choosing a cut --- */

/* What cutting `field` would cost. */
static void estimate(struct builder *b, const uint32_t *boxes, uint32_t count, struct cut *cut) {
  uint32_t ends = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = find_range(b, boxes[i], cut->field);
    if (range) add_ends(b, range, &ends);
  }
  uint32_t intervals = make_starts(b, ends);
  uint64_t copies[33] = {0}; /* of rules that span up to 2^i intervals */
  uint32_t rules[33] = {0}, settled_rules = 0, kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = find_range(b, boxes[i], cut->field);
    uint32_t first, last;
    b->spans[i] = 0;
    if (decides(b, boxes[i], range)) {
      settled_rules++;
    } else if (intervals_of(b, b->ends, intervals, cut->field, range, &first, &last)) {
      b->spans[i] = last - first + 1;
      unsigned size = b->spans[i] == 1 ? 0 : 32 - (unsigned)__builtin_clz(b->spans[i] - 1);
      copies[size] += b->spans[i];
      rules[size]++;
    }
  }
  uint64_t allowed = (uint64_t)count * COPIES_A_RULE, sum = 0;
  if (allowed > b->copies_left) allowed = b->copies_left;
  cut->spans = 0;
  for (unsigned size = 0; size < 33 && sum + copies[size] <= allowed; size++) {
    sum += copies[size];
    kept += rules[size];
    cut->spans = size < 32 ? 1u << size : UINT32_MAX;
  }
  memset(b->depth, 0, (intervals + 1) * sizeof *b->depth);
  uint32_t wide = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (b->spans[i] == 0) continue;
    if (b->spans[i] > cut->spans) {
      wide++;
      continue;
    }
    uint32_t first, last;
    intervals_of(b, b->ends, intervals, cut->field, find_range(b, boxes[i], cut->field), &first, &last);
    b->depth[first]++;
    b->depth[last + 1]--;
  }
  /* The packets that matter fall where rules are, so each interval weighs as much as its list is long. */
  uint64_t squares = 0, lengths = 0;
  for (uint32_t i = 0, here = 0; i < intervals; i++) {
    here += b->depth[i];
    uint64_t length = here + (settled_rules > 0);
    squares += length * length;
    lengths += length;
  }
  cut->cost = (lengths ? squares / lengths : 0) + wide;
  if (kept == 0 && settled_rules == 0) cut->cost = UINT64_MAX;
}

/* A field on which nearly all agree: one comparison then settles it for all of them. */
static bool find_agreement(struct builder *b, const uint32_t *boxes, uint32_t count, uint16_t field) {
  const struct filter_range *common = find_range(b, boxes[count / 2], field);
  if (!common) return false;
  uint32_t agree = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = find_range(b, boxes[i], field);
    agree += range && range->low == common->low && range->high == common->high && range->absent == common->absent;
  }
  return agree >= count - count / 16 - 1;
}

/* False: the boxes are better left in a list. */
static bool choose_cut(struct builder *b, const uint32_t *boxes, uint32_t count, struct cut *best) {
  uint32_t fields = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = b->normal->ranges + b->normal->boxes[boxes[i]].first;
    for (const struct filter_range *end = range + b->normal->boxes[boxes[i]].count; range < end; range++) {
      if (settled(b, range)) continue;
      if (b->uses[range->field]++ == 0) b->used[fields++] = range->field;
    }
  }
  best->cost = UINT64_MAX;
  bool agreed = false;
  for (uint32_t tried = 0; tried < fields && tried < CANDIDATES && !agreed; tried++) {
    uint32_t most = tried;
    for (uint32_t i = tried; i < fields; i++) {
      if (b->uses[b->used[i]] > b->uses[b->used[most]]) most = i;
    }
    uint16_t field = b->used[most];
    b->used[most] = b->used[tried];
    b->used[tried] = field;
    struct cut cut = {.field = field};
    if (fields > 1 && b->uses[field] >= count - count / 16 - 1 && find_agreement(b, boxes, count, field)) {
      agreed = true;
      *best = (struct cut){.field = field, .spans = 3};
    } else {
      estimate(b, boxes, count, &cut);
      if (cut.cost < best->cost) *best = cut;
    }
  }
  for (uint32_t i = 0; i < fields; i++)
    b->uses[b->used[i]] = 0;
  uint64_t worthwhile = count > 32 ? count - count / 16 : count - count / 4;
  return agreed || best->cost <= worthwhile;
}

/* --- cutting --- */

static int add_pair(struct builder *b, uint32_t interval, uint32_t box) {
  if (b->pair_count == b->pair_capacity) {
    uint32_t larger = b->pair_capacity ? b->pair_capacity * 2 : 1024;
    void *moved = memory_resize(b->pairs, 2 * sizeof *b->pairs * (size_t)larger);
    if (!moved) return -ERROR_NO_MEMORY;
    b->pairs = moved;
    b->pair_capacity = larger;
  }
  b->pairs[2 * (size_t)b->pair_count] = interval;
  b->pairs[2 * (size_t)b->pair_count + 1] = box;
  b->pair_count++;
  return 0;
}

/* What one cut needs while its children are built. The lists hold boxes in their order. */
struct lists {
  uint32_t *block;
  uint32_t intervals;
  uint32_t *starts, *children;
  uint32_t *offsets; /* of the list of each interval in `boxes`, and behind the last */
  uint32_t *boxes;
  uint32_t *absent, absent_count;
  uint32_t *rest, rest_count;
};

/* The first interval from i on whose list has not ended; `open` leads there, a step at least for each that has. */
static uint32_t next_open(uint32_t *open, uint32_t i) {
  while (open[i] != i) {
    open[i] = open[open[i]];
    i = open[i];
  }
  return i;
}

/* Which boxes go into the children: spans[] of estimate's meaning, made anew as other cuts were tried since. */
static bool is_copied(struct builder *b, uint32_t box, const struct filter_range *range, const uint32_t *starts,
                      uint32_t intervals, const struct cut *cut) {
  if (decides(b, box, range)) return true;
  uint32_t first, last;
  if (!intervals_of(b, starts, intervals, cut->field, range, &first, &last)) return true;
  return last - first < cut->spans;
}

static int make_lists(struct builder *b, const uint32_t *boxes, uint32_t count, const struct cut *cut,
                      struct lists *lists) {
  uint32_t ends = 0, copied = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = find_range(b, boxes[i], cut->field);
    if (range) add_ends(b, range, &ends);
  }
  uint32_t intervals = make_starts(b, ends);
  for (uint32_t i = 0; i < count; i++) {
    b->spans[i] = is_copied(b, boxes[i], find_range(b, boxes[i], cut->field), b->ends, intervals, cut);
    copied += b->spans[i];
  }
  /* Only what is copied makes intervals. */
  ends = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = b->spans[i] ? find_range(b, boxes[i], cut->field) : NULL;
    if (range) add_ends(b, range, &ends);
  }
  intervals = make_starts(b, ends);
  const struct known *known = &b->known[cut->field];
  for (uint32_t i = 0; i <= intervals; i++)
    b->depth[i] = i;
  b->pair_count = 0;
  bool absent_open = known->absent;
  uint32_t absent = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!b->spans[i]) continue;
    const struct filter_range *range = find_range(b, boxes[i], cut->field);
    bool ends_list = decides(b, boxes[i], range);
    uint32_t first, last;
    if (absent_open && (!range || range->absent)) {
      b->sorted[absent++] = boxes[i];
      absent_open = !ends_list;
    }
    if (!intervals_of(b, b->ends, intervals, cut->field, range, &first, &last)) continue;
    for (uint32_t k = next_open(b->depth, first); k <= last && k < intervals; k = next_open(b->depth, k + 1)) {
      int status = add_pair(b, k, boxes[i]);
      if (status != 0) return status;
      if (ends_list) b->depth[k] = k + 1;
    }
  }
  size_t size = 3 * (size_t)intervals + 1 + b->pair_count + absent + (count - copied);
  lists->block = memory_alloc(size * sizeof *lists->block);
  if (!lists->block) return -ERROR_NO_MEMORY;
  lists->intervals = intervals;
  lists->starts = lists->block;
  lists->children = lists->starts + intervals;
  lists->offsets = lists->children + intervals;
  lists->boxes = lists->offsets + intervals + 1;
  lists->absent = lists->boxes + b->pair_count;
  lists->absent_count = absent;
  lists->rest = lists->absent + absent;
  lists->rest_count = 0;
  memcpy(lists->starts, b->ends, intervals * sizeof *lists->starts);
  memcpy(lists->absent, b->sorted, absent * sizeof *lists->absent);
  for (uint32_t i = 0; i < count; i++) {
    if (!b->spans[i]) lists->rest[lists->rest_count++] = boxes[i];
  }
  for (uint32_t i = 0; i < b->pair_count; i++)
    lists->offsets[b->pairs[2 * (size_t)i] + 1]++;
  for (uint32_t i = 0; i < intervals; i++)
    lists->offsets[i + 1] += lists->offsets[i];
  memcpy(lists->children, lists->offsets, intervals * sizeof *lists->children);
  for (uint32_t i = 0; i < b->pair_count; i++)
    lists->boxes[lists->children[b->pairs[2 * (size_t)i]]++] = b->pairs[2 * (size_t)i + 1];
  return 0;
}

static bool same_list(const struct lists *lists, uint32_t a, uint32_t b) {
  uint32_t length = lists->offsets[a + 1] - lists->offsets[a];
  return length == lists->offsets[b + 1] - lists->offsets[b] &&
         memcmp(lists->boxes + lists->offsets[a], lists->boxes + lists->offsets[b], length * sizeof *lists->boxes) == 0;
}

/* The children as a table of the node. */
static int write_table(struct filter_tree *tree, const struct lists *lists, struct filter_tree_node *node) {
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

static int build(struct builder *b, const uint32_t *boxes, uint32_t count, unsigned depth, uint32_t *ref);

static int build_children(struct builder *b, const struct lists *lists, uint16_t field, unsigned depth,
                          uint32_t *absent) {
  struct known *known = &b->known[field], before = *known;
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
  *known = (struct known){1, 0, true};
  if (status == 0) status = build(b, lists->absent, lists->absent_count, depth, absent);
  *known = before;
  return status;
}

static int build_cut(struct builder *b, const uint32_t *boxes, uint32_t count, unsigned depth, const struct cut *cut,
                     uint32_t *ref) {
  struct lists lists = {0};
  struct filter_tree_node node = {.field = cut->field, .rest_first = FILTER_NONE};
  uint32_t index;
  int status = make_lists(b, boxes, count, cut, &lists);
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
static int build(struct builder *b, const uint32_t *boxes, uint32_t count, unsigned depth, uint32_t *ref) {
  *ref = FILTER_REF_NOTHING;
  for (uint32_t i = 0; i < count; i++) {
    if (unsettled_count(b, boxes[i]) == 0) count = i + 1;
  }
  if (count == 0) return 0;
  struct cut cut = {0};
  if (count <= LEAF_RULES || depth >= FILTER_TREE_DEPTH - 1 || !choose_cut(b, boxes, count, &cut)) {
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
  struct builder b = {.tree = tree,
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
      b.known[i] = (struct known){0, tree->fields[i].mask, true};
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
