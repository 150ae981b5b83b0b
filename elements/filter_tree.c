/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lookup in the decision tree.
 */
#include "elements/filter_tree.h"

#include "lib/memory.h"

/* The fields of one packet: the first ones read, the others on demand. */
struct reading {
  struct filter_view view;
  uint64_t value[FILTER_EAGER];
};

static inline uint64_t value_of(const struct filter_tree *tree, const struct reading *reading, uint32_t field) {
  return field < FILTER_EAGER ? reading->value[field] : filter_field_value(&reading->view, &tree->fields[field]);
}

/* The last of starts[low..high] that is not above value. */
static inline uint32_t search(const uint32_t *starts, uint32_t low, uint32_t high, uint32_t value) {
  while (low < high) {
    uint32_t middle = low + (high - low + 1) / 2;
    bool above = starts[middle] > value;
    low = above ? low : middle;
    high = above ? middle - 1 : high;
  }
  return low;
}

static inline uint32_t child_of(const struct filter_tree *tree, const struct filter_tree_node *node, uint64_t value) {
  if (__builtin_expect(value == FILTER_ABSENT, 0)) return node->absent;
  const uint32_t *table = tree->words + node->table;
  uint32_t v = (uint32_t)value, offset = v - node->base;
  if (node->direct) {
    if (offset >= node->count) offset = node->count + (v < node->base);
    return table[offset];
  }
  uint32_t low = 0, high = node->count - 1;
  if (node->buckets > 0) {
    const uint32_t *buckets = table + 2 * (size_t)node->count;
    uint32_t bucket = offset >> node->shift;
    if (v < node->base) {
      high = 0;
    } else if (bucket >= node->buckets) {
      low = high;
    } else {
      low = buckets[bucket];
      high = buckets[bucket + 1];
    }
  }
  return table[node->count + search(table, low, high, v)];
}

/* The first rule of the leaf before rule `best` that the packet matches, or best. */
static uint32_t search_leaf(const struct filter_tree *tree, const struct reading *reading, const uint32_t *word,
                            uint32_t best) {
  for (;;) {
    uint32_t rule = word[0] & ~(uint32_t)FILTER_LAST;
    if (rule >= best) return best;
    const uint32_t *range = word + 3, *end = range + 3 * (size_t)word[2];
    for (; range < end; range += 3) {
      uint64_t value = value_of(tree, reading, range[0] & ~(uint32_t)FILTER_ABSENT_TOO);
      if (value == FILTER_ABSENT ? !(range[0] & FILTER_ABSENT_TOO) : value < range[1] || value > range[2]) break;
    }
    if (range == end && (word[1] == FILTER_NONE || filter_expression_holds(tree->program, word[1], &reading->view))) {
      return rule;
    }
    if (word[0] & FILTER_LAST) return best;
    word = word + 3 + 3 * (size_t)word[2];
  }
}

uint32_t filter_tree_find(const struct filter_tree *tree, const uint8_t *ip, const uint8_t *packet_end) {
  struct reading reading;
  filter_view_open(&reading.view, ip, packet_end);
  for (uint32_t i = 0; i < tree->eager; i++)
    reading.value[i] = filter_field_value(&reading.view, &tree->fields[i]);

  uint32_t pending[FILTER_TREE_DEPTH], pending_first[FILTER_TREE_DEPTH], count = 0;
  uint32_t best = FILTER_NONE, ref = tree->root;
  for (;;) {
    while ((ref & FILTER_REF_KIND) == FILTER_REF_NODE) {
      const struct filter_tree_node *node = &tree->nodes[ref];
      if (node->rest != FILTER_REF_NOTHING && node->rest_first < best) {
        pending[count] = node->rest;
        pending_first[count++] = node->rest_first;
      }
      ref = child_of(tree, node, value_of(tree, &reading, node->field));
    }
    if ((ref & FILTER_REF_KIND) == FILTER_REF_LEAF) {
      best = search_leaf(tree, &reading, tree->words + (ref & ~(uint32_t)FILTER_REF_KIND), best);
    } else if (ref != FILTER_REF_NOTHING && (ref & ~(uint32_t)FILTER_REF_KIND) < best) {
      best = ref & ~(uint32_t)FILTER_REF_KIND;
    }
    do {
      if (count == 0) return best;
      count--;
    } while (pending_first[count] >= best);
    ref = pending[count];
  }
}

void filter_tree_free(struct filter_tree *tree) {
  memory_free(tree->fields);
  memory_free(tree->nodes);
  memory_free(tree->words);
  *tree = (struct filter_tree){0};
}

/* --- text --- */

static void print_ref(uint32_t ref, struct text *out) {
  static const char *const names[] = {"step ", "list ", "rule "};
  if (ref == FILTER_REF_NOTHING) {
    text_add(out, "none");
  } else {
    text_addf(out, "%s%u", names[ref >> 30], ref & ~(uint32_t)FILTER_REF_KIND);
  }
}

static void print_leaf(const struct filter_tree *tree, uint32_t ref, struct text *out) {
  if (ref == FILTER_REF_NOTHING || (ref & FILTER_REF_KIND) != FILTER_REF_LEAF) return;
  uint32_t at = ref & ~(uint32_t)FILTER_REF_KIND;
  for (bool last = false; !last;) {
    const uint32_t *word = tree->words + at;
    last = word[0] & FILTER_LAST;
    text_addf(out, "    list %u: rule %u", ref & ~(uint32_t)FILTER_REF_KIND, word[0] & ~(uint32_t)FILTER_LAST);
    for (uint32_t i = 0; i < word[2]; i++) {
      const uint32_t *range = word + 3 + 3 * (size_t)i;
      text_addf(out, "%s field %u", i ? " and" : " if", range[0] & ~(uint32_t)FILTER_ABSENT_TOO);
      if (range[1] <= range[2]) text_addf(out, " in %u-%u", range[1], range[2]);
      if (range[0] & FILTER_ABSENT_TOO) text_add(out, range[1] <= range[2] ? " or absent" : " absent");
    }
    text_add(out, word[1] == FILTER_NONE ? "\n" : " and its expression\n");
    at += 3 + 3 * word[2];
  }
}

static void print_node(const struct filter_tree *tree, uint32_t index, struct text *out) {
  const struct filter_tree_node *node = &tree->nodes[index];
  const uint32_t *table = tree->words + node->table;
  text_addf(out, "step %u: field %u, absent -> ", index, node->field);
  print_ref(node->absent, out);
  text_add(out, ", rest -> ");
  print_ref(node->rest, out);
  text_add(out, "\n");
  print_leaf(tree, node->absent, out);
  print_leaf(tree, node->rest, out);
  /* A direct table is told in intervals as well: runs of equal children. */
  uint32_t entries = node->direct ? node->count + 2 : node->count, before = FILTER_REF_NODE;
  for (uint32_t i = 0; i < entries; i++) {
    uint32_t at = node->direct ? (i == 0 ? node->count + 1 : i - 1) : i;
    uint32_t child = node->direct ? table[at] : table[node->count + i];
    uint32_t start = node->direct ? (i == 0 ? 0 : node->base + i - 1) : table[i];
    if (i > 0 && child == before) continue;
    text_addf(out, "  from %u -> ", start);
    print_ref(child, out);
    text_add(out, "\n");
    print_leaf(tree, child, out);
    before = child;
  }
}

void filter_tree_print(const struct filter_tree *tree, struct text *out) {
  for (uint32_t i = 0; i < tree->field_count; i++) {
    const struct filter_field *field = &tree->fields[i];
    text_addf(out, "field %u: %s[%u:4] >> %u & 0x%x", i, field->header == FILTER_IP ? "ip" : "transp", field->word,
              field->shift, field->mask);
    if (field->protocol < 256) text_addf(out, " of protocol %u", field->protocol);
    if (field->protocol == FILTER_TCP_UDP) text_add(out, " of TCP and UDP");
    text_add(out, "\n");
  }
  text_add(out, "start -> ");
  print_ref(tree->root, out);
  text_add(out, "\n");
  print_leaf(tree, tree->root, out);
  for (uint32_t i = 0; i < tree->node_count; i++)
    print_node(tree, i, out);
}
