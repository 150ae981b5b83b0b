/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The parser of IPFilter's patterns as its parts share it: elements/filter_language.c reads expressions, elements/filter_primitive.c the
 * tests in them.
 */
#ifndef IMAGO_ELEMENTS_FILTER_PARSER_H
#define IMAGO_ELEMENTS_FILTER_PARSER_H

#include "elements/filter_words.h"

enum filter_direction { DIRECTION_NONE, DIRECTION_SRC, DIRECTION_DST, DIRECTION_AND, DIRECTION_OR };
enum filter_relation { RELATION_EQUAL, RELATION_GREATER, RELATION_LESS };

/* A test as far as it has been read. */
struct filter_primitive {
  enum filter_type type, data; /* what is tested; what kind of value was given */
  struct filter_field_name field;
  enum filter_direction direction;
  enum filter_relation relation;
  bool negated;
  uint16_t protocol;
  uint32_t value, last; /* values from value to last */
  uint32_t net_mask;
  bool masked;
  uint32_t mask; /* when masked */
};

struct filter_parser {
  struct filter_program *program;
  const struct element *context;
  struct report *report;
  uint32_t number;     /* of the pattern */
  struct slice *words; /* owned */
  uint32_t count, capacity, at;
  uint32_t depth;
  struct filter_primitive before; /* the last complete test */
  int status;
};

/* Reports "pattern N: ..." and remembers that there was an error. */
void filter_complain(struct filter_parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for one more in an array of `count`; NULL, reported, when memory is out: then the array is as it was. */
void *filter_grow(struct filter_parser *p, void *array, uint32_t count, uint32_t *capacity, size_t size);
/* Cuts the text, which must stay, into p->words. */
void filter_split_words(struct filter_parser *p, const char *text);

/* The next word, or the one at `at`; empty behind the last. */
static inline struct slice filter_word_at(const struct filter_parser *p, uint32_t at) {
  return at < p->count ? p->words[at] : (struct slice){"", 0};
}
static inline struct slice filter_word(const struct filter_parser *p) { return filter_word_at(p, p->at); }
static inline bool filter_next_is(const struct filter_parser *p, const char *text) {
  return filter_word_is(filter_word(p), text);
}
static inline bool filter_next_is_any(const struct filter_parser *p, const char *a, const char *b) {
  return filter_next_is(p, a) || filter_next_is(p, b);
}
/* Takes the next word, if it is one of the two. */
static inline bool filter_take(struct filter_parser *p, const char *a, const char *b) {
  if (!filter_next_is_any(p, a, b)) return false;
  p->at++;
  return true;
}

/* Takes the words of one test. True: `test` is it, and `negated` says whether "not" stood in front. False: there is none, or a wrong
 * one, which was reported. */
bool filter_parse_test(struct filter_parser *p, struct filter_test *test, bool *negated);

#endif
