/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names to numbers, and the name somebody probably meant.
 */
#include "click/names.h"

#include "lib/hash.h"
#include "lib/memory.h"

enum { TABLE_FIRST_CAPACITY = 64, NEAREST_MAX_LENGTH = 48 };

/* Tables are bounded by CLICK_MAX_ELEMENTS, so that collisions somebody provokes cost little: no secret key is needed. */
static const struct hash_key table_key = {0x636c69636b6e616dU, 0x6573696e67726170U};

static struct name_entry *slot_of(const struct name_table *table, struct slice name) {
  uint32_t i = (uint32_t)hash_bytes(&table_key, name.data, name.length) & (table->capacity - 1);
  for (;; i = (i + 1) & (table->capacity - 1)) {
    struct name_entry *entry = &table->entries[i];
    if (!entry->name.data) return entry;
    if (entry->name.length == name.length && memcmp(entry->name.data, name.data, name.length) == 0) return entry;
  }
}

static int grow(struct name_table *table) {
  struct name_table larger = {.capacity = table->capacity ? table->capacity * 2 : TABLE_FIRST_CAPACITY,
                              .count = table->count};
  larger.entries = memory_alloc(larger.capacity * sizeof *larger.entries);
  if (!larger.entries) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < table->capacity; i++) {
    if (table->entries[i].name.data) *slot_of(&larger, table->entries[i].name) = table->entries[i];
  }
  memory_free(table->entries);
  *table = larger;
  return 0;
}

int name_table_add(struct name_table *table, struct slice name, uint32_t value) {
  if (table->count >= table->capacity / 2) {
    int result = grow(table);
    if (result) return result;
  }
  struct name_entry *entry = slot_of(table, name);
  if (entry->name.data) return -ERROR_EXISTS;
  *entry = (struct name_entry){name, value};
  table->count++;
  return 0;
}

int64_t name_table_find(const struct name_table *table, struct slice name) {
  if (table->count == 0 || name.length == 0) return -1;
  const struct name_entry *entry = slot_of(table, name);
  return entry->name.data ? (int64_t)entry->value : -1;
}

void name_table_free(struct name_table *table) {
  memory_free(table->entries);
  *table = (struct name_table){0};
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* Optimal string alignment distance, three rows at a time. Both lengths are at most NEAREST_MAX_LENGTH. */
static unsigned edit_distance(struct slice a, struct slice b) {
  unsigned rows[3][NEAREST_MAX_LENGTH + 1];
  unsigned *before = rows[0], *above = rows[1], *row = rows[2];
  for (unsigned j = 0; j <= b.length; j++)
    above[j] = j;
  for (unsigned i = 1; i <= a.length; i++) {
    row[0] = i;
    for (unsigned j = 1; j <= b.length; j++) {
      char x = lower(a.data[i - 1]), y = lower(b.data[j - 1]);
      unsigned best = above[j - 1] + (x != y);
      if (above[j] + 1 < best) best = above[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      bool swapped = i > 1 && j > 1 && x == lower(b.data[j - 2]) && lower(a.data[i - 2]) == y;
      if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
      row[j] = best;
    }
    unsigned *recycled = before;
    before = above;
    above = row;
    row = recycled;
  }
  return above[b.length];
}

void nearest_init(struct nearest *nearest, struct slice wanted) {
  *nearest = (struct nearest){.wanted = wanted, .distance = (unsigned)(wanted.length / 3) + 1};
}

void nearest_consider(struct nearest *nearest, const char *candidate) {
  struct slice other = slice_of(candidate);
  if (nearest->wanted.length > NEAREST_MAX_LENGTH || other.length > NEAREST_MAX_LENGTH) return;
  unsigned distance = edit_distance(nearest->wanted, other);
  if (distance >= nearest->distance) return;
  nearest->best = candidate;
  nearest->distance = distance;
}
