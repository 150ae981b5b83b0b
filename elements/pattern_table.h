/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lookup of Classifier: which is the first pattern that a packet matches, without a branch that depends on the packet.
 *
 * Every pattern has a bit for what it demands, one more for each of its negated clauses, and a guard bit above them. The packet's
 * words are looked up one after the other, each in a table without collisions that says which bits this value leaves standing. Then
 * 1 is added at the lowest bit of each pattern: where all of its bits stand, the carry reaches the guard. The lowest guard is
 * the answer. 64 bits are a group; there are as many as the patterns need.
 */
#ifndef IMAGO_ELEMENTS_PATTERN_TABLE_H
#define IMAGO_ELEMENTS_PATTERN_TABLE_H

#include "packet/packet.h"

struct pattern_set;

enum { PATTERN_MAX_NEGATED = 62 }; /* negated clauses of one pattern */

/* Eight bytes of the packet under a mask. A packet of less than `need` bytes has no value here. */
struct pattern_field {
  uint32_t at, need;
  uint64_t mask, multiplier; /* the entry of a value is (value * multiplier >> shift) / 16 in entries */
  uint64_t other;            /* the bits that a value without entry leaves */
  const struct pattern_entry *entries;
  uint32_t first, shift; /* entries is that of the table at `first` */
};

struct pattern_entry {
  uint64_t value, bits;
};

struct pattern_group {
  uint32_t first_field, field_count;
  uint64_t all, negated, starts, guards;
  uint32_t number[64]; /* of the pattern whose guard a bit is */
};

/* Zero-initialised is valid, and matches nothing. */
struct pattern_table {
  struct pattern_group *groups;
  struct pattern_field *fields;
  struct pattern_entry *entries;
  uint32_t group_count, field_count, entry_count;
  uint32_t entry_capacity;
  uint32_t need; /* a packet of so many bytes has all fields; at least 8 */
};

/* Builds set->table. 0 or -ERROR_NO_MEMORY. Free with pattern_table_free. No pattern has more than PATTERN_MAX_NEGATED negated
 * clauses. */
int pattern_table_build(struct pattern_set *set) __attribute__((warn_unused_result));
void pattern_table_free(struct pattern_table *table);

/* The number of the first pattern that the packet matches, or `none`. Reads nothing outside the packet. */
uint32_t pattern_table_find(const struct pattern_table *table, const uint8_t *data, uint32_t length, uint32_t none);

/* The same for each packet of a batch, at a fraction of the cost where all are long enough for every field. True if all packets have the
 * number numbers[0], and the others are not written: so it is found, at the least cost, where all look the same to every field that decides.
 * False for an empty batch. */
bool pattern_table_find_all(const struct pattern_table *table, const struct batch *batch, uint32_t *numbers,
                            uint32_t none);

#endif
