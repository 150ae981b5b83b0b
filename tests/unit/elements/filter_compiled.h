/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Patterns with all that is made of them, for tests.
 */
#ifndef IMAGO_TESTS_FILTER_COMPILED_H
#define IMAGO_TESTS_FILTER_COMPILED_H

#include "elements/filter_tree.h"
#include "tests/unit/elements/harness.h"

struct compiled {
  struct filter_program program;
  struct filter_normal normal;
  struct filter_tree tree;
  bool *reached;
};

static inline int compile(struct compiled *c, char *const *patterns, uint32_t count, struct report *report) {
  memset(c, 0, sizeof *c);
  int status = filter_parse(&c->program, patterns, count, false, count, NULL, report);
  if (status != 0) return status;
  c->reached = test_calloc(count + 1, 1);
  assert_int_equal(filter_normalize(&c->program, &c->normal), 0);
  assert_int_equal(filter_tree_build(&c->tree, &c->program, &c->normal, c->reached), 0);
  return 0;
}

static inline void discard(struct compiled *c) {
  filter_tree_free(&c->tree);
  filter_normal_free(&c->normal);
  filter_program_free(&c->program);
  if (c->reached) test_free(c->reached);
}

#endif
