/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Classifier's pattern language, compiled: a pattern is a list of clauses OFFSET/VALUE[%MASK], each possibly negated
 * by "!", that must all hold; "-" always holds. A clause becomes comparisons of 1, 2, 4 or 8 bytes of the packet under
 * a mask.
 */
#ifndef IMAGO_ELEMENTS_PATTERN_H
#define IMAGO_ELEMENTS_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/report.h"

enum {
  PATTERN_MAX_OFFSET = 65535,
  PATTERN_MAX_CLAUSE = 2048, /* bytes of value in one clause */
};

/* `width` bytes of the packet at `offset`, loaded as a little-endian number, must equal value under mask. */
struct pattern_word {
  uint32_t offset;
  uint32_t width;
  uint64_t mask, value;
};

/* Holds for a packet of at least `need` bytes whose words all match; negated: for any other packet. */
struct pattern_clause {
  uint32_t need;
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
};

/* Compiles count patterns. 0, or a negative code with every error reported ("pattern 2: ..."); then the set is empty.
 * Patterns that can never be reached are warned about. Free with pattern_set_free. */
int pattern_set_compile(struct pattern_set *set, char *const *patterns, uint32_t count, struct report *report) MUST_USE;
void pattern_set_free(struct pattern_set *set);
/* The number of the first pattern that the packet matches, or set->count when there is none. */
uint32_t pattern_set_match(const struct pattern_set *set, const uint8_t *data, uint32_t length);
/* One line a pattern: "0  12/0806 !20/0001%00ff". */
void pattern_set_print(const struct pattern_set *set, struct text *out);

#endif
