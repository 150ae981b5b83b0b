/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The decision structure of IPFilter and IPClassifier: which is the first rule that a packet matches, at a cost that hardly depends
 * on how many there are.
 *
 * A node cuts one field at the ends of its rules' ranges; a lookup goes into the one child where the field's value falls. Rules whose
 * range spans many of those intervals are not copied into each of the children, but stay together in a second subtree, the rest, which
 * is searched as well unless a rule before all of the rest has matched already. So memory stays within a few copies a rule, whatever
 * the rules. What is left in a leaf is a short list of rules, in order, with the ranges that the way there has not settled.
 */
#ifndef IMAGO_ELEMENTS_FILTER_TREE_H
#define IMAGO_ELEMENTS_FILTER_TREE_H

#include "elements/filter_normal.h"

enum {
  FILTER_TREE_DEPTH = 40,  /* nodes on one way, children and rests */
  FILTER_EAGER = 6,        /* the most used fields, which are read at once */
  FILTER_SEARCH_SIDE = 16, /* starts of intervals that are compared at once */
};

/* A reference to what comes next: the kind is in the two top bits. */
enum { FILTER_REF_KIND = 3u << 30, FILTER_REF_NODE = 0, FILTER_REF_LEAF = 1u << 30, FILTER_REF_RULE = 2u << 30 };
#define FILTER_REF_NOTHING UINT32_MAX

/* 32 bytes, two to a cache line. Tables lie in filter_tree.words at `table`:
 * direct: for value base + i (i < count) the child; then those for what is above and below;
 * search: starts of the `count` intervals (the first is 0) and FILTER_SEARCH_SIDE - 1 entries that don't matter, the children, and, with
 *   `buckets`, for each run of 2^shift values from base on the interval of its first value (buckets + 1 of them). */
struct filter_tree_node {
  uint16_t field;
  uint8_t direct;
  uint8_t shift;
  uint32_t base, count, buckets, table;
  uint32_t absent;     /* child when the field is absent */
  uint32_t rest;       /* reference */
  uint32_t rest_first; /* the first rule in the rest */
};

/* Words from the starts to the children. */
static inline uint32_t filter_tree_starts(const struct filter_tree_node *node) {
  return node->count + FILTER_SEARCH_SIDE - 1;
}

/* A leaf in words: for each rule its number, FILTER_LAST on the last; the residual node or FILTER_NONE; the number of ranges; and for
 * each range the field (FILTER_ABSENT_TOO: absent is in it), low and high. */
enum { FILTER_LAST = 1u << 31, FILTER_ABSENT_TOO = 1u << 31 };

/* Owns its arrays; reads the program that it was made from. */
struct filter_tree {
  const struct filter_program *program;
  struct filter_field *fields; /* most used first */
  struct filter_tree_node *nodes;
  uint32_t *words;
  uint32_t root;
  uint32_t field_count, eager;
  uint32_t need; /* bytes from the start of an IP header without options on that hold all words of the eager fields */
  uint32_t node_count, word_count;
  uint32_t node_capacity, word_capacity;
};

/* Builds the tree for normal, whose ranges get renumbered. reached[rule] becomes true for rules that some packet may match first. 0 or
 * -ERROR_NO_MEMORY; then the tree is empty. Free with filter_tree_free. */
int filter_tree_build(struct filter_tree *tree, const struct filter_program *program, struct filter_normal *normal,
                      bool *reached) MUST_USE;
void filter_tree_free(struct filter_tree *tree);

/* The first rule that the packet with this IP header (NULL: none) matches, or FILTER_NONE. `end` is behind its last byte. */
uint32_t filter_tree_find(const struct filter_tree *tree, const uint8_t *ip, const uint8_t *end);

/* The same for each packet of a batch, which may not all be IP packets, at half the cost. */
void filter_tree_find_all(const struct filter_tree *tree, const struct batch *batch, uint32_t *rules);

/* Describes the nodes, one a line. */
void filter_tree_print(const struct filter_tree *tree, struct text *out);

#endif
