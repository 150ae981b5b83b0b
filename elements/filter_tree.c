/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The decision tree as text, and its end. Lookup is elements/filter_lookup.c.
 */
#include "elements/filter_tree.h"

#include "lib/memory.h"

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
    uint32_t child = node->direct ? table[at] : table[filter_tree_starts(node) + i];
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
