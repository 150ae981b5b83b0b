/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Classifier's pattern language, compiled: a pattern is a list of clauses OFFSET/VALUE[%MASK], each possibly negated
 * by "!", that must all hold; "-" always holds. A clause becomes comparisons of 8 bytes of the packet under a mask,
 * from which elements/pattern_table.c makes what packets are looked up in.
 */
#ifndef IMAGO_ELEMENTS_PATTERN_H
#define IMAGO_ELEMENTS_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "elements/pattern_table.h"
#include "lib/report.h"

enum {
  PATTERN_MAX_OFFSET = 65535,
  PATTERN_MAX_CLAUSE = 2048, /* bytes of value in one clause */
};

/* The 8 bytes of the packet from `at` on, loaded as a little-endian number, must equal value under mask. A window ends with its last
 * byte that matters, so that it begins in front of the clause rather than reaching behind the packet's end, unless it begins at 0. */
struct pattern_word {
  uint32_t at;
  uint64_t mask, value;
};

/* Holds for a packet where all words match, which it must be long enough for; negated: for any other packet. */
struct pattern_clause {
  uint32_t first_word, word_count;
  bool negated;
};

struct pattern {
  uint32_t first_clause, clause_count;
};

/* Zero-initialised is empty and valid. */
struct pattern_set {
  struct pattern *patterns;
  struct pattern_clause *clauses;
  struct pattern_word *words;
  uint32_t count;
  uint32_t clause_count, word_count;
  struct pattern_table table;
};

/* Compiles count patterns. 0, or a negative code with every error reported ("pattern 2: ..."); then the set is empty.
 * Patterns that can never be reached are warned about. Free with pattern_set_free. */
int pattern_set_compile(struct pattern_set *set, char *const *patterns, uint32_t count, struct report *report) MUST_USE;
void pattern_set_free(struct pattern_set *set);
/* One line a pattern: "0  12/0806%ffff !20/01%ff". */
void pattern_set_print(const struct pattern_set *set, struct text *out);

#endif
