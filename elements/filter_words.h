/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The vocabulary of IPFilter's patterns: header fields, protocols, ICMP types, TCP flags; and what a word stands for where it stands,
 * as one word ("echo") may be a port and an ICMP type.
 */
#ifndef IMAGO_ELEMENTS_FILTER_WORDS_H
#define IMAGO_ELEMENTS_FILTER_WORDS_H

#include "elements/filter_language.h"

/* What is tested, and also what kind of value a word is. */
enum filter_type {
  TYPE_NONE,
  TYPE_INTEGER, /* a value only */
  TYPE_HOST,
  TYPE_NET,
  TYPE_PROTOCOL,
  TYPE_PORT,
  TYPE_TCP_FLAGS,
  TYPE_FRAGMENT,
  TYPE_UNFRAGMENTED,
  TYPE_ECT,
  TYPE_CE,
  TYPE_FIELD, /* described by struct filter_field_name */
};

/* A field that is a plain number. Bits are counted from the start of the header. */
struct filter_field_name {
  const char *name, *text;
  uint8_t header;
  uint16_t protocol;
  uint16_t offset, bits;
};

/* The protocol of a test that names none. */
enum { FILTER_NO_PROTOCOL = 0xffff };

/* Most comparisons of a long rule set fail at the first character. */
static inline bool filter_word_is(struct slice word, const char *text) {
  return word.length > 0 && word.data[0] == text[0] && slice_equals(word, text);
}

/* "host", "port", "ttl" ...: TYPE_NONE when it is no such word; *field is set for TYPE_FIELD. */
enum filter_type filter_type_word(struct slice word, const struct filter_field_name **field);
/* How messages call a type. */
const char *filter_type_text(enum filter_type type, const struct filter_field_name *field);

/* IP protocols ("tcp"; also FILTER_TCP_UDP and FILTER_ANY_PROTOCOL) and ICMP types ("echo") by name; false: no such name. */
bool filter_protocol(struct slice word, uint32_t *protocol);
bool filter_icmp_type(struct slice word, uint32_t *type);
/* NULL: it has none. */
const char *filter_icmp_type_name(uint8_t type);

/* What a word that is a value means, given what has been said of type (TYPE_NONE: nothing) and protocol. */
struct filter_meaning {
  enum filter_type type; /* PROTOCOL, PORT, TCP_FLAGS or FIELD (icmp type) */
  uint32_t value;
  const struct filter_field_name *field;
};
/* 1: found; 0: the word means nothing; -1: it does, but not here, or too much: `out` (may be NULL) gets "ambiguous; try ...". */
int filter_meaning_find(const struct element *context, struct slice word, enum filter_type type,
                        const struct filter_field_name *field, uint16_t protocol, struct filter_meaning *meaning,
                        struct text *out);

#endif
