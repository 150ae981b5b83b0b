/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Points are few and found one by one, so an ordered array does. What the plan says of a recorded state is its difference to the first
 * arrival of the last walk, less what is dead.
 */
#include "verifier/verify_plan.h"

#include "lib/memory.h"
#include "lib/string.h"

/* Grows *array to hold at least `count` items. */
static bool reserve(void **array, uint32_t *capacity, uint32_t count, size_t size) {
  if (count <= *capacity) return true;
  uint32_t grown = count + count / 2 + 16;
  void *block = memory_resize(*array, grown * size);
  if (!block) return false;
  *array = block;
  *capacity = grown;
  return true;
}

static void free_records(struct point *point) {
  memory_free(point->base);
  point->base = NULL;
  for (unsigned i = 0; i < PLAN_MAX_RECORDS; i++) {
    memory_free(point->records[i].wanted);
    memory_free(point->records[i].given);
    memory_free(point->records[i].head);
    memory_free(point->records[i].hull);
    memory_free(point->records[i].entered);
    memory_free(point->records[i].returned);
    point->records[i] = (struct record){.wanted = NULL};
  }
}

static void free_point(struct point *point) {
  free_records(point);
  memory_free(point->thresholds);
}

void draft_free(struct draft *draft) {
  for (uint32_t i = 0; i < draft->point_count; i++)
    free_point(&draft->points[i]);
  memory_free(draft->points);
  memory_free(draft->plan.entries);
  memory_free(draft->plan.records);
  memory_free(draft->plan.changes);
  *draft = (struct draft){.points = NULL};
}

static int order(const struct point *point, uint32_t root, const struct proof_state *state) {
  const struct proof_entry *e = &point->entry;
  if (point->root != root) return point->root < root ? -1 : 1;
  for (unsigned i = 0;; i++) {
    /* Where one key ends the other may go on with call sites. */
    uint32_t a = e->key[i], b = i < state->depth ? state->site[i] : state->pc;
    if (a != b) return a < b ? -1 : 1;
    if (i == e->depth || i == state->depth) return (int)e->depth - (int)state->depth;
  }
}

/* The first point that is not before the key. */
static uint32_t place_of(const struct draft *draft, uint32_t root, const struct proof_state *state) {
  uint32_t low = 0, high = draft->point_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (order(&draft->points[middle], root, state) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

struct point *draft_find(const struct draft *draft, uint32_t root, const struct proof_state *state) {
  uint32_t at = place_of(draft, root, state);
  return at < draft->point_count && order(&draft->points[at], root, state) == 0 ? &draft->points[at] : NULL;
}

/* States that are kept say by number which loops they are in. */
static void renumber_state(struct proof_state *state, uint32_t from, int by) {
  for (unsigned i = 0; state && i < state->active_count; i++)
    if (state->active[i] >= from) state->active[i] = (uint16_t)(state->active[i] + by);
}

static void renumber(struct draft *draft, uint32_t from, int by) {
  for (uint32_t p = 0; p < draft->point_count; p++) {
    struct point *point = &draft->points[p];
    renumber_state(point->base, from, by);
    for (unsigned i = 0; i < PLAN_MAX_RECORDS; i++) {
      struct record *record = &point->records[i];
      renumber_state(record->wanted, from, by);
      renumber_state(record->given, from, by);
      renumber_state(record->head, from, by);
      renumber_state(record->hull, from, by);
      renumber_state(record->entered, from, by);
      renumber_state(record->returned, from, by);
    }
  }
}

struct point *draft_add(struct draft *draft, uint32_t root, const struct proof_state *state,
                        enum proof_entry_kind kind) {
  void *points = draft->points;
  if (draft->point_count == PROOF_MAX_ENTRIES) return NULL;
  if (!reserve(&points, &draft->point_capacity, draft->point_count + 1, sizeof(*draft->points))) return NULL;
  draft->points = points;
  uint32_t at = place_of(draft, root, state);
  struct point *point = &draft->points[at];
  renumber(draft, at, 1);
  memmove(point + 1, point, (draft->point_count++ - at) * sizeof(*point));
  *point = (struct point){.root = root, .entry = {.kind = (uint8_t)kind, .depth = state->depth}};
  for (unsigned i = 0; i < state->depth; i++)
    point->entry.key[i] = state->site[i];
  point->entry.key[state->depth] = state->pc;
  return point;
}

void draft_remove(struct draft *draft, uint32_t number) {
  struct point *point = &draft->points[number];
  free_point(point);
  memmove(point, point + 1, (--draft->point_count - number) * sizeof(*point));
  renumber(draft, number + 1, -1);
}

bool draft_add_root(struct draft *draft, const struct proof_root *root) {
  for (uint32_t i = 0; i < draft->root_count; i++)
    if (draft->roots[i].pc == root->pc && draft->roots[i].map == root->map) return false;
  if (draft->root_count == PROOF_MAX_ROOTS) return false;
  draft->roots[draft->root_count++] = *root;
  return true;
}

void point_reset(struct point *point) {
  free_records(point);
  point->entry.record_count = 0;
  point->widened = point->narrowed = point->entered = 0;
}

void point_become(struct point *point, enum proof_entry_kind kind) {
  point_reset(point);
  point->apart = false;
  point->entry.kind = (uint8_t)kind;
  /* Ways through one trip differ in length. States of a loop whose trips are kept apart may cost as much more as a trip takes, so that
   * of ways that arrive with the same knowledge only the first goes on. */
  if (kind == PROOF_SPLIT) point->entry.slack = point->entry.body;
}

void point_see(struct point *point, const struct proof_state *state) {
  for (unsigned i = 0; i < PROOF_REGISTERS; i++)
    if (state->reg[i].kind != PROOF_UNREADABLE) point->seen[0] |= UINT64_C(1) << i;
  for (unsigned i = 0; i < state->slot_count; i++)
    point->seen[state->slot[i].location / 64] |= UINT64_C(1) << state->slot[i].location % 64;
}

/* --- assembling --- */

static bool reserve_changes(struct draft *draft, uint32_t more) {
  void *changes = draft->plan.changes;
  bool done = reserve(&changes, &draft->change_capacity, draft->plan.change_count + more, sizeof(struct proof_change));
  draft->plan.changes = changes;
  return done;
}

static bool add_record(struct draft *draft, struct point *point, struct record *record, const struct live *live) {
  struct proof_plan *plan = &draft->plan;
  if (!state_replace(&record->given, record->wanted)) return false;
  state_trim(record->given, live);
  uint32_t room = PROOF_REGISTERS + (uint32_t)point->base->slot_count + record->given->slot_count;
  if (!reserve_changes(draft, room)) return false;
  uint32_t count = proof_plan_difference(point->base, record->given, plan->changes + plan->change_count, room);
  if (count > room) return false;
  plan->records[plan->record_count++] = (struct proof_record){plan->change_count, count};
  plan->change_count += count;
  return true;
}

/* What is dead at a point where states stay apart. */
static bool add_forgotten(struct draft *draft, struct point *point, const struct live *live) {
  struct proof_plan *plan = &draft->plan;
  struct proof_entry *entry = &point->entry;
  struct proof_state key = {.depth = entry->depth, .pc = entry->key[entry->depth]};
  memcpy(key.site, entry->key, entry->depth * sizeof(key.site[0]));
  if (!reserve_changes(draft, PROOF_LOCATIONS)) return false;
  entry->first_forget = plan->change_count;
  for (unsigned location = 0; location < PROOF_LOCATIONS; location++) {
    if (!(point->seen[location / 64] >> location % 64 & 1) || live_at(live, &key, location)) continue;
    plan->changes[plan->change_count++] =
        (struct proof_change){.location = (uint16_t)location, .value = proof_unreadable()};
  }
  entry->forget_count = plan->change_count - entry->first_forget;
  return true;
}

/* Those that have points, or are functions that are checked alone. */
static void add_roots(struct draft *draft) {
  struct proof_plan *plan = &draft->plan;
  plan->roots = draft->plan_roots;
  plan->root_count = 0;
  for (uint32_t i = 0, root = 0; root < draft->root_count; root++) {
    uint32_t first = i;
    while (i < draft->point_count && draft->points[i].root == root)
      i++;
    if (i == first && draft->roots[root].map != PROOF_ALONE) continue;
    struct proof_root *out = &plan->roots[plan->root_count++];
    *out = draft->roots[root];
    out->first_entry = first;
    out->entry_count = i - first;
  }
}

int draft_assemble(struct draft *draft, const struct live *live, bool costs) {
  struct proof_plan *plan = &draft->plan;
  void *entries = plan->entries, *records = plan->records;
  if (!reserve(&entries, &draft->entry_capacity, draft->point_count + 1, sizeof(*plan->entries)))
    return -ERROR_NO_MEMORY;
  plan->entries = entries;
  if (!reserve(&records, &draft->record_capacity, draft->point_count * PLAN_MAX_RECORDS + 1, sizeof(*plan->records)))
    return -ERROR_NO_MEMORY;
  plan->records = records;
  plan->entry_count = draft->point_count;
  plan->record_count = plan->change_count = 0;
  add_roots(draft);
  for (uint32_t i = 0; i < draft->point_count; i++) {
    struct point *point = &draft->points[i];
    struct proof_entry *entry = &point->entry;
    bool done = true;
    entry->first_record = plan->record_count;
    entry->first_forget = plan->change_count;
    entry->forget_count = 0;
    if (!point_records(point)) {
      done = add_forgotten(draft, point, live);
    } else if (point->base == NULL) { /* nobody arrived yet: the first arrival as it is */
      plan->records[plan->record_count++] = (struct proof_record){plan->change_count, 0};
      entry->record_count = 1;
    } else {
      for (unsigned r = 0; r < entry->record_count && done; r++)
        done = add_record(draft, point, &point->records[r], live);
    }
    if (!done) return -ERROR_NO_MEMORY;
    plan->entries[i] = *entry;
    if (!costs && point_records(point)) plan->entries[i].body = plan->entries[i].slack = (struct proof_cost){0, 0};
  }
  return 0;
}
