/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names to numbers, and the name somebody probably meant: what the parser, the router and their error messages need to
 * stay linear in the size of a configuration.
 */
#ifndef IMAGO_CLICK_NAMES_H
#define IMAGO_CLICK_NAMES_H

#include "lib/error.h"
#include "lib/string.h"

struct name_entry {
  struct slice name; /* data NULL: slot is free */
  uint32_t value;
};

/* Open addressing, at most half full. Zero-initialised is empty and valid. Names are not copied. */
struct name_table {
  struct name_entry *entries;
  uint32_t capacity; /* a power of two, or 0 */
  uint32_t count;
};

/* 0, -ERROR_EXISTS (nothing changes) or -ERROR_NO_MEMORY. The name must not be empty and must outlive the table. */
int name_table_add(struct name_table *table, struct slice name, uint32_t value) MUST_USE;
/* The value, or -1. */
int64_t name_table_find(const struct name_table *table, struct slice name);
void name_table_free(struct name_table *table);

/* Search for the candidate nearest to `wanted`; feed it every candidate, then read `best`. */
struct nearest {
  struct slice wanted;
  const char *best; /* NULL: nothing is near */
  unsigned distance;
};
/* Near: an edit distance (insert, delete, replace, swap neighbours; case ignored) of at most a third of the length. */
void nearest_init(struct nearest *nearest, struct slice wanted);
void nearest_consider(struct nearest *nearest, const char *candidate);

#endif
