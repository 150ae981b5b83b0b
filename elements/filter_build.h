/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The making of a decision tree as its parts share it: elements/filter_cut.c chooses how a list of boxes is cut into shorter ones,
 * elements/filter_build.c makes nodes and leaves of that.
 */
#ifndef IMAGO_ELEMENTS_FILTER_BUILD_H
#define IMAGO_ELEMENTS_FILTER_BUILD_H

#include "elements/filter_tree.h"

/* What is known of a field on the way to a node: the value is within low to high, or absent, if `absent` is set. */
struct filter_known {
  uint32_t low, high;
  bool absent;
};

struct filter_cut {
  uint16_t field;
  uint32_t spans; /* rules are copied that span at most so many intervals, or that this field decides */
  uint64_t cost;  /* length of the list that a packet meets, in the child and in the rest */
};

struct filter_builder {
  struct filter_tree *tree;
  const struct filter_normal *normal;
  bool *reached;
  struct filter_known *known; /* of each field */
  uint32_t *uses;             /* of each field, at this node */
  uint16_t *used;             /* fields with uses */
  uint32_t *ends, *sorted;    /* scratch: 2 * boxes + 2 */
  uint32_t *spans, *depth;    /* scratch: boxes; 2 * boxes + 3 */
  uint64_t copies_left;
  /* Pairs of interval and box that a cut makes, in the order of the boxes. */
  uint32_t *pairs;
  uint32_t pair_count, pair_capacity;
};

/* What one cut needs while its children are built. The lists hold boxes in their order. */
struct filter_lists {
  uint32_t *block;
  uint32_t intervals;
  uint32_t *starts, *children;
  uint32_t *offsets; /* of the list of each interval in `boxes`, and behind the last */
  uint32_t *boxes;
  uint32_t *absent, absent_count;
  uint32_t *rest, rest_count;
};

/* Every packet that gets here is within the range. */
static inline bool filter_settled(const struct filter_builder *b, const struct filter_range *range) {
  const struct filter_known *known = &b->known[range->field];
  return (known->low > known->high || (range->low <= known->low && known->high <= range->high)) &&
         (!known->absent || range->absent);
}

/* What the box still demands of the field, or NULL. */
static inline const struct filter_range *filter_find_range(const struct filter_builder *b, uint32_t box,
                                                           uint16_t field) {
  const struct filter_range *range = b->normal->ranges + b->normal->boxes[box].first;
  for (const struct filter_range *end = range + b->normal->boxes[box].count; range < end; range++) {
    if (range->field == field) return filter_settled(b, range) ? NULL : range;
  }
  return NULL;
}

/* How much the box still demands. */
static inline uint32_t filter_unsettled_count(const struct filter_builder *b, uint32_t box) {
  const struct filter_range *range = b->normal->ranges + b->normal->boxes[box].first;
  uint32_t count = b->normal->boxes[box].residual != FILTER_NONE;
  for (const struct filter_range *end = range + b->normal->boxes[box].count; range < end; range++)
    count += !filter_settled(b, range);
  return count;
}

/* The cut that leaves the shortest lists. False: the boxes are better left in one list. */
bool filter_choose_cut(struct filter_builder *b, const uint32_t *boxes, uint32_t count, struct filter_cut *best);
/* Distributes the boxes over the children of a cut; lists->block is freed by the caller. 0 or -ERROR_NO_MEMORY. b->pair_count says how
 * many are in the children. */
int filter_make_lists(struct filter_builder *b, const uint32_t *boxes, uint32_t count, const struct filter_cut *cut,
                      struct filter_lists *lists) MUST_USE;

#endif
