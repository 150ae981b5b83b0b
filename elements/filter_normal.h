/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Patterns in normal form: each is a union of boxes, and a box is a conjunction of ranges, at most one for a field. That is what a
 * decision tree can cut. Patterns that would fall into very many boxes keep a few large ones, which contain the pattern, and
 * a packet inside is then tested by the expression itself.
 */
#ifndef IMAGO_ELEMENTS_FILTER_NORMAL_H
#define IMAGO_ELEMENTS_FILTER_NORMAL_H

#include "elements/filter_field.h"

/* Limits that keep a hostile pattern from filling memory and time. */
enum {
  FILTER_PRODUCT_BOXES = 512,  /* a product of unions may have so many boxes more than its factors together */
  FILTER_MANY_BOXES = 1 << 17, /* from so many boxes on, a pattern gets no more than FILTER_FEW_BOXES */
  FILTER_FEW_BOXES = 4,
  FILTER_PRODUCT_WORK = 1 << 20, /* pairs of boxes in one product */
};

/* The field's value is from low to high (low > high: no value is), or the field is absent and `absent` is set. */
struct filter_range {
  uint32_t low, high;
  uint16_t field;
  bool absent;
};

struct filter_box {
  uint32_t rule;
  uint32_t first, count; /* ranges, by ascending field */
  uint32_t residual;     /* node that must hold as well, or FILTER_NONE */
};

/* Zero-initialised is empty and valid. Boxes are in the order of their rules. */
struct filter_normal {
  struct filter_field *fields;
  struct filter_box *boxes;
  struct filter_range *ranges;
  uint32_t field_count, box_count, range_count;
  uint32_t field_capacity, box_capacity, range_capacity;
};

/* 0 or -ERROR_NO_MEMORY; then normal is empty. Free with filter_normal_free. */
int filter_normalize(const struct filter_program *program, struct filter_normal *normal) MUST_USE;
void filter_normal_free(struct filter_normal *normal);

/* Evaluates an expression for a packet, test by test. */
bool filter_expression_holds(const struct filter_program *program, uint32_t node, const struct filter_view *view);

#endif
