/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pattern language of IPFilter and IPClassifier (tcpdump's, as Click's manual pages describe it), parsed: a pattern is an
 * expression over tests of header fields. What the tests mean is told here, once; elements/filter_normal.c compiles them.
 */
#ifndef IMAGO_ELEMENTS_FILTER_LANGUAGE_H
#define IMAGO_ELEMENTS_FILTER_LANGUAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/report.h"
#include "lib/string.h"

struct element;

enum {
  FILTER_MAX_DEPTH = 64,      /* parentheses and '?:' in one another */
  FILTER_MAX_RULES = 1 << 20, /* patterns of one element */
};

enum filter_header { FILTER_IP, FILTER_TRANSPORT };

/* What a test demands of the protocol, besides 0 to 255. */
enum { FILTER_TCP_UDP = 256, FILTER_ANY_PROTOCOL = 257 };

/* One test. It holds for a packet when
 * - the protocol is `protocol` (FILTER_TCP_UDP: TCP or UDP);
 * - a test of the transport header: the packet is a first fragment, and the IP header says where it ends (length 5 to 15);
 * - of the two places (place_count 1: of the one) both, or with `either` one, have the value: the bytes of the field lie in the
 *   packet, and (word >> shift) & mask is in low to high (low > high: nothing is).
 * `negated` turns each value and `either` around, as "port != 80" does: neither port is 80. A place outside the packet has no value,
 * so it does not hold either way; "not" in front of a test is another matter, and a node of the expression. */
struct filter_test {
  uint16_t protocol;
  uint8_t header; /* enum filter_header */
  uint8_t place_count;
  bool either, negated;
  uint8_t shift[2];
  uint16_t word[2]; /* offset in the header, a multiple of 4; the word is big-endian */
  uint32_t full;    /* the whole field, as a mask behind the shift */
  uint32_t mask;    /* the bits of it that count */
  uint32_t low, high;
};

enum filter_kind { FILTER_TRUE, FILTER_FALSE, FILTER_TEST, FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_TERNARY };

enum { FILTER_NONE = UINT32_MAX };

/* A node of an expression. AND and OR have any number of children, NOT one, TERNARY three (condition, then, else). */
struct filter_node {
  uint32_t kind;
  uint32_t first; /* child, or the test; FILTER_NONE */
  uint32_t next;  /* sibling; FILTER_NONE */
};

/* One pattern and where its packets go. */
struct filter_rule {
  uint32_t root;   /* node */
  uint32_t output; /* FILTER_NONE: drop */
};

/* Zero-initialised is empty and valid. Nodes are no deeper than 6 * FILTER_MAX_DEPTH + 6. */
struct filter_program {
  struct filter_rule *rules;
  struct filter_node *nodes;
  struct filter_test *tests;
  uint32_t rule_count, node_count, test_count;
  uint32_t node_capacity, test_capacity;
};

/* Parses count patterns. `actions`: in front of each stands allow, deny, drop or an output (IPFilter); otherwise pattern i goes to
 * output i. Names are looked up in the scope of `context`, which may be NULL. Every error is reported ("pattern 2: ..."). 0, or a
 * negative code: then the program is empty. Free with filter_program_free. */
int filter_parse(struct filter_program *program, char *const *patterns, uint32_t count, bool actions, uint32_t outputs,
                 const struct element *context, struct report *report) MUST_USE;
void filter_program_free(struct filter_program *program);

#endif
