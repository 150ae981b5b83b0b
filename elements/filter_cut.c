/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How a list of boxes is cut: at the ends of their ranges of the field whose cut leaves the shortest lists. A rule that nothing but the
 * cut field decides is dear nowhere: it ends the list of every interval that it covers, so all of them together cannot be copied more
 * often than there are intervals.
 */
#include "elements/filter_build.h"
#include "lib/memory.h"

enum {
  CANDIDATES = 6,    /* fields that are compared at one node */
  COPIES_A_RULE = 4, /* at one node */
};

/* Nothing but the range (NULL: nothing at all) is open of the box. */
static bool decides(const struct filter_builder *b, uint32_t box, const struct filter_range *range) {
  return filter_unsettled_count(b, box) == (range != NULL);
}

/* --- intervals --- */

static void sort(uint32_t *values, uint32_t *scratch, uint32_t count) {
  if (count < 48) {
    for (uint32_t i = 1; i < count; i++) {
      uint32_t value = values[i], k = i;
      for (; k > 0 && values[k - 1] > value; k--)
        values[k] = values[k - 1];
      values[k] = value;
    }
    return;
  }
  /* By bytes, least first; an even number of passes leaves the result in values. */
  for (unsigned shift = 0; shift < 32; shift += 8) {
    uint32_t place[256] = {0}, sum = 0;
    for (uint32_t i = 0; i < count; i++)
      place[values[i] >> shift & 255]++;
    for (unsigned i = 0; i < 256; i++) {
      uint32_t here = place[i];
      place[i] = sum;
      sum += here;
    }
    for (uint32_t i = 0; i < count; i++)
      scratch[place[values[i] >> shift & 255]++] = values[i];
    uint32_t *swap = values;
    values = scratch;
    scratch = swap;
  }
}

static void add_ends(struct filter_builder *b, const struct filter_range *range, uint32_t *count) {
  const struct filter_known *known = &b->known[range->field];
  if (range->low > range->high || range->low > known->high || range->high < known->low) return;
  if (range->low > known->low) b->ends[(*count)++] = range->low;
  if (range->high < known->high) b->ends[(*count)++] = range->high + 1;
}

/* Sorts b->ends and makes them starts of intervals, the first of which begins at 0. Returns how many there are. */
static uint32_t make_starts(struct filter_builder *b, uint32_t count) {
  b->ends[count++] = 0;
  sort(b->ends, b->sorted, count);
  uint32_t unique = 1;
  for (uint32_t i = 1; i < count; i++) {
    if (b->ends[i] != b->ends[unique - 1]) b->ends[unique++] = b->ends[i];
  }
  return unique;
}

/* The interval where value lies. */
static uint32_t interval_of(const uint32_t *starts, uint32_t count, uint32_t value) {
  uint32_t low = 0;
  for (uint32_t high = count - 1; low < high;) {
    uint32_t middle = low + (high - low + 1) / 2;
    if (starts[middle] > value) {
      high = middle - 1;
    } else {
      low = middle;
    }
  }
  return low;
}

/* The intervals of a box, first to last; false when it has none. NULL stands for all. */
static bool intervals_of(const struct filter_builder *b, const uint32_t *starts, uint32_t count, uint16_t field,
                         const struct filter_range *range, uint32_t *first, uint32_t *last) {
  const struct filter_known *known = &b->known[field];
  *first = 0;
  *last = count - 1;
  if (!range) return known->low <= known->high;
  if (range->low > range->high || range->low > known->high || range->high < known->low) return false;
  if (range->low > known->low) *first = interval_of(starts, count, range->low);
  if (range->high < known->high) *last = interval_of(starts, count, range->high);
  return true;
}

/* --- choosing a cut --- */

/* What cutting `field` would cost. */
static void estimate(struct filter_builder *b, const uint32_t *boxes, uint32_t count, struct filter_cut *cut) {
  uint32_t ends = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = filter_find_range(b, boxes[i], cut->field);
    if (range) add_ends(b, range, &ends);
  }
  uint32_t intervals = make_starts(b, ends);
  uint64_t copies[33] = {0}; /* of rules that span up to 2^i intervals */
  uint32_t rules[33] = {0}, settled_rules = 0, kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = filter_find_range(b, boxes[i], cut->field);
    uint32_t first, last;
    b->spans[i] = 0;
    if (decides(b, boxes[i], range)) {
      settled_rules++;
    } else if (intervals_of(b, b->ends, intervals, cut->field, range, &first, &last)) {
      b->spans[i] = last - first + 1;
      unsigned size = b->spans[i] == 1 ? 0 : 32 - (unsigned)__builtin_clz(b->spans[i] - 1);
      copies[size] += b->spans[i];
      rules[size]++;
    }
  }
  uint64_t allowed = (uint64_t)count * COPIES_A_RULE, sum = 0;
  if (allowed > b->copies_left) allowed = b->copies_left;
  cut->spans = 0;
  for (unsigned size = 0; size < 33 && sum + copies[size] <= allowed; size++) {
    sum += copies[size];
    kept += rules[size];
    cut->spans = size < 32 ? 1u << size : UINT32_MAX;
  }
  memset(b->depth, 0, (intervals + 1) * sizeof *b->depth);
  uint32_t wide = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (b->spans[i] == 0) continue;
    if (b->spans[i] > cut->spans) {
      wide++;
      continue;
    }
    uint32_t first, last;
    intervals_of(b, b->ends, intervals, cut->field, filter_find_range(b, boxes[i], cut->field), &first, &last);
    b->depth[first]++;
    b->depth[last + 1]--;
  }
  /* The packets that matter fall where rules are, so each interval weighs as much as its list is long. */
  uint64_t squares = 0, lengths = 0;
  for (uint32_t i = 0, here = 0; i < intervals; i++) {
    here += b->depth[i];
    uint64_t length = here + (settled_rules > 0);
    squares += length * length;
    lengths += length;
  }
  cut->cost = (lengths ? squares / lengths : 0) + wide;
  if (kept == 0 && settled_rules == 0) cut->cost = UINT64_MAX;
}

/* A field on which nearly all agree: one comparison then settles it for all of them. */
static bool find_agreement(struct filter_builder *b, const uint32_t *boxes, uint32_t count, uint16_t field) {
  const struct filter_range *common = filter_find_range(b, boxes[count / 2], field);
  if (!common) return false;
  uint32_t agree = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = filter_find_range(b, boxes[i], field);
    agree += range && range->low == common->low && range->high == common->high && range->absent == common->absent;
  }
  return agree >= count - count / 16 - 1;
}

bool filter_choose_cut(struct filter_builder *b, const uint32_t *boxes, uint32_t count, struct filter_cut *best) {
  uint32_t fields = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = b->normal->ranges + b->normal->boxes[boxes[i]].first;
    for (const struct filter_range *end = range + b->normal->boxes[boxes[i]].count; range < end; range++) {
      if (filter_settled(b, range)) continue;
      if (b->uses[range->field]++ == 0) b->used[fields++] = range->field;
    }
  }
  best->cost = UINT64_MAX;
  bool agreed = false;
  for (uint32_t tried = 0; tried < fields && tried < CANDIDATES && !agreed; tried++) {
    uint32_t most = tried;
    for (uint32_t i = tried; i < fields; i++) {
      if (b->uses[b->used[i]] > b->uses[b->used[most]]) most = i;
    }
    uint16_t field = b->used[most];
    b->used[most] = b->used[tried];
    b->used[tried] = field;
    struct filter_cut cut = {.field = field};
    if (fields > 1 && b->uses[field] >= count - count / 16 - 1 && find_agreement(b, boxes, count, field)) {
      agreed = true;
      *best = (struct filter_cut){.field = field, .spans = 3};
    } else {
      estimate(b, boxes, count, &cut);
      if (cut.cost < best->cost) *best = cut;
    }
  }
  for (uint32_t i = 0; i < fields; i++)
    b->uses[b->used[i]] = 0;
  uint64_t worthwhile = count > 32 ? count - count / 16 : count - count / 4;
  return agreed || best->cost <= worthwhile;
}

/* --- cutting --- */

static int add_pair(struct filter_builder *b, uint32_t interval, uint32_t box) {
  if (b->pair_count == b->pair_capacity) {
    uint32_t larger = b->pair_capacity ? b->pair_capacity * 2 : 1024;
    void *moved = memory_resize(b->pairs, 2 * sizeof *b->pairs * (size_t)larger);
    if (!moved) return -ERROR_NO_MEMORY;
    b->pairs = moved;
    b->pair_capacity = larger;
  }
  b->pairs[2 * (size_t)b->pair_count] = interval;
  b->pairs[2 * (size_t)b->pair_count + 1] = box;
  b->pair_count++;
  return 0;
}

/* The first interval from i on whose list has not ended; `open` leads there, a step at least for each that has. */
static uint32_t next_open(uint32_t *open, uint32_t i) {
  while (open[i] != i) {
    open[i] = open[open[i]];
    i = open[i];
  }
  return i;
}

/* Which boxes go into the children: spans[] of estimate's meaning, made anew as other cuts were tried since. */
static bool is_copied(struct filter_builder *b, uint32_t box, const struct filter_range *range, const uint32_t *starts,
                      uint32_t intervals, const struct filter_cut *cut) {
  if (decides(b, box, range)) return true;
  uint32_t first, last;
  if (!intervals_of(b, starts, intervals, cut->field, range, &first, &last)) return true;
  return last - first < cut->spans;
}

int filter_make_lists(struct filter_builder *b, const uint32_t *boxes, uint32_t count, const struct filter_cut *cut,
                      struct filter_lists *lists) {
  uint32_t ends = 0, copied = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = filter_find_range(b, boxes[i], cut->field);
    if (range) add_ends(b, range, &ends);
  }
  uint32_t intervals = make_starts(b, ends);
  for (uint32_t i = 0; i < count; i++) {
    b->spans[i] = is_copied(b, boxes[i], filter_find_range(b, boxes[i], cut->field), b->ends, intervals, cut);
    copied += b->spans[i];
  }
  /* Only what is copied makes intervals. */
  ends = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct filter_range *range = b->spans[i] ? filter_find_range(b, boxes[i], cut->field) : NULL;
    if (range) add_ends(b, range, &ends);
  }
  intervals = make_starts(b, ends);
  const struct filter_known *known = &b->known[cut->field];
  for (uint32_t i = 0; i <= intervals; i++)
    b->depth[i] = i;
  b->pair_count = 0;
  bool absent_open = known->absent;
  uint32_t absent = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!b->spans[i]) continue;
    const struct filter_range *range = filter_find_range(b, boxes[i], cut->field);
    bool ends_list = decides(b, boxes[i], range);
    uint32_t first, last;
    if (absent_open && (!range || range->absent)) {
      b->sorted[absent++] = boxes[i];
      absent_open = !ends_list;
    }
    if (!intervals_of(b, b->ends, intervals, cut->field, range, &first, &last)) continue;
    for (uint32_t k = next_open(b->depth, first); k <= last && k < intervals; k = next_open(b->depth, k + 1)) {
      int status = add_pair(b, k, boxes[i]);
      if (status != 0) return status;
      if (ends_list) b->depth[k] = k + 1;
    }
  }
  size_t size = 3 * (size_t)intervals + 1 + b->pair_count + absent + (count - copied);
  lists->block = memory_alloc(size * sizeof *lists->block);
  if (!lists->block) return -ERROR_NO_MEMORY;
  lists->intervals = intervals;
  lists->starts = lists->block;
  lists->children = lists->starts + intervals;
  lists->offsets = lists->children + intervals;
  lists->boxes = lists->offsets + intervals + 1;
  lists->absent = lists->boxes + b->pair_count;
  lists->absent_count = absent;
  lists->rest = lists->absent + absent;
  lists->rest_count = 0;
  memcpy(lists->starts, b->ends, intervals * sizeof *lists->starts);
  memcpy(lists->absent, b->sorted, absent * sizeof *lists->absent);
  for (uint32_t i = 0; i < count; i++) {
    if (!b->spans[i]) lists->rest[lists->rest_count++] = boxes[i];
  }
  for (uint32_t i = 0; i < b->pair_count; i++)
    lists->offsets[b->pairs[2 * (size_t)i] + 1]++;
  for (uint32_t i = 0; i < intervals; i++)
    lists->offsets[i + 1] += lists->offsets[i];
  memcpy(lists->children, lists->offsets, intervals * sizeof *lists->children);
  for (uint32_t i = 0; i < b->pair_count; i++)
    lists->boxes[lists->children[b->pairs[2 * (size_t)i]]++] = b->pairs[2 * (size_t)i + 1];
  return 0;
}
