/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What to try when the states have come to rest and something is still not provable. In this order: the join where the failing value lost
 * what was needed is taken apart; recorded states are narrowed to what really arrives; the innermost loop is unrolled; joins before
 * the failure are taken apart, twice as many each time.
 */
#include "bpf/isa.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "verifier/verify_search.h"

bool search_add(struct search *s, const struct proof_state *at, enum proof_entry_kind kind) {
  uint32_t start = s->flow.function[at->depth > 0 ? at->site[0] : at->pc];
  bool added = false;
  for (uint32_t root = 0; root < s->draft.root_count; root++) {
    if (s->draft.roots[root].pc != start || draft_find(&s->draft, root, at)) continue;
    struct point *point = draft_add(&s->draft, root, at, kind);
    if (!point) {
      s->no_memory = true;
      return false;
    }
    s->is_head[at->pc] |= kind != PROOF_SPLIT;
    if (kind == PROOF_LOOP) {
      uint32_t first;
      flow_loop_range(&s->flow, at->pc, &first, &point->entry.end);
      point->entry.before = at->pc - first;
      measure_guess(s, point, at);
      if (point->entry.step == 0) point->entry.step = 1;
    }
    added = true;
  }
  return added;
}

/* --- joins --- */

static bool take_apart(struct search *s, const struct join *join) {
  struct proof_state key = {.pc = join->pc, .depth = join->depth};
  memcpy(key.site, join->site, join->depth * sizeof(key.site[0]));
  return search_add(s, &key, PROOF_SPLIT);
}

static bool take_apart_at(struct search *s, uint32_t pc) {
  bool added = false;
  for (uint32_t i = s->join_first[pc]; i != UINT32_MAX; i = s->joins[i].next)
    added |= take_apart(s, &s->joins[i]);
  return added;
}

/* How far a join is from the failure: slots between them, in the same function; those of other calls are farther. */
static uint64_t distance(const struct join *join, const struct proof_state *at) {
  unsigned common = 0;
  while (common < join->depth && common < at->depth && join->site[common] == at->site[common])
    common++;
  uint32_t here = common < at->depth ? at->site[common] : at->pc;
  uint32_t there = common < join->depth ? join->site[common] : join->pc;
  uint64_t apart = there <= here ? here - there : (uint64_t)BPF_MAX_INSNS + there - here;
  return apart * BPF_MAX_FRAMES + (join->depth - common) + (at->depth - common);
}

/* The nearest joins that have no point yet. */
static bool take_apart_nearest(struct search *s, const struct proof_state *at) {
  unsigned wanted = s->effort == 0 ? 1 : s->effort * 2, done = 0;
  s->effort = wanted;
  uint8_t *tried = memory_alloc(s->join_count + 1);
  if (!tried) return false;
  while (done < wanted) {
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < s->join_count; i++)
      if (!tried[i] && (best == UINT32_MAX || distance(&s->joins[i], at) < distance(&s->joins[best], at))) best = i;
    if (best == UINT32_MAX) break;
    tried[best] = 1;
    if (take_apart(s, &s->joins[best])) done++;
  }
  memory_free(tried);
  return done > 0;
}

/* --- loops --- */

/* Without these joins something might have been seen to move on every way, which a loop's measure must. */
static bool take_apart_for_measures(struct search *s) {
  bool added = false;
  for (uint32_t i = 0; i < s->draft.point_count; i++) {
    uint32_t lost[PLAN_MAX_MOVERS];
    unsigned count = 0;
    for (unsigned m = 0; m < s->draft.points[i].mover_count; m++)
      if (s->draft.points[i].movers[m].lost != 0) lost[count++] = s->draft.points[i].movers[m].lost - 1;
    /* Adding points moves the others. */
    for (unsigned k = 0; k < count; k++)
      added |= take_apart_at(s, lost[k]);
  }
  return added;
}

/* Records what really arrived instead of what widening let in. */
static bool narrow(struct search *s, struct point *point) {
  bool narrowed = false;
  if (!point->returns || point->widened == 0 || point->narrowed >= 2) return false;
  for (unsigned i = 0; i < point->entry.record_count; i++) {
    struct record *record = &point->records[i];
    unsigned location;
    if (!record->hull || !record->given || proof_state_within(record->given, record->hull, &location) == PROOF_MATCH)
      continue;
    if (!state_replace(&record->wanted, record->hull)) s->no_memory = true;
    narrowed = true;
  }
  if (narrowed) point->narrowed++;
  return narrowed;
}

static bool narrow_all(struct search *s) {
  bool narrowed = false;
  for (uint32_t i = 0; i < s->draft.point_count; i++)
    narrowed |= narrow(s, &s->draft.points[i]);
  return narrowed;
}

static bool is_inside(const struct proof_entry *inner, const struct proof_entry *outer) {
  if (inner->depth < outer->depth || memcmp(inner->key, outer->key, outer->depth * sizeof(inner->key[0])) != 0)
    return false;
  uint32_t at = inner->key[outer->depth];
  return at + outer->before >= outer->key[outer->depth] && at <= outer->end;
}

/* Loops inside are unrolled with it: their recorded states would have to do for all its trips. */
static bool unroll(struct search *s, uint32_t number) {
  struct point *outer = &s->draft.points[number];
  if (outer->entry.kind != PROOF_LOOP || outer->no_split) return false;
  for (uint32_t i = 0; i < s->draft.point_count; i++) {
    struct point *point = &s->draft.points[i];
    if (point->entry.kind != PROOF_LOOP || point->root != outer->root || point->no_split ||
        !is_inside(&point->entry, &outer->entry))
      continue;
    point->no_split = true;
    if (point != outer) point_become(point, PROOF_SPLIT);
  }
  outer->no_split = true;
  point_become(outer, PROOF_SPLIT);
  return true;
}

/* The innermost loop that the failing state is in and that can be unrolled; else the last before it. */
static bool unroll_one(struct search *s, const struct proof_state *at) {
  for (unsigned i = at->active_count; i-- > 0;)
    if (at->active[i] < s->draft.point_count && unroll(s, at->active[i])) return true;
  for (uint32_t i = s->draft.point_count; i-- > 0;)
    if (s->draft.points[i].arrivals > 0 && unroll(s, i)) return true;
  return false;
}

/* Unrolling was too much. */
static bool roll_up(struct search *s) {
  bool changed = false;
  for (uint32_t i = 0; i < s->draft.point_count; i++) {
    struct point *point = &s->draft.points[i];
    if (point->entry.kind != PROOF_SPLIT || !point->no_split) continue;
    point_become(point, PROOF_LOOP);
    changed = true;
  }
  return changed;
}

/* --- all --- */

/* What no better knowledge of values would change. */
static bool is_hopeless(enum proof_failure_kind kind) {
  switch (kind) {
    case PROOF_BAD_PROOF:
    case PROOF_BAD_PROGRAM:
    case PROOF_NO_SLOTS:
    case PROOF_NO_HELPER:
    case PROOF_TOO_DEEP:
    case PROOF_TOO_NESTED:
      return true;
    default:
      return false;
  }
}

/* What holds behind a change of the plan may be more than was recorded before it. */
static bool begin_anew(struct search *s) {
  for (uint32_t i = 0; i < s->draft.point_count; i++) {
    struct point *point = &s->draft.points[i];
    if (!point_records(point)) continue;
    point_reset(point);
    point->mover_count = 0;
    point->measured = false;
    point->entry.body = point->entry.slack = (struct proof_cost){0, 0};
  }
  return true;
}

/* The search was too much, which says little of the program. */
static bool is_limit(const struct search *s, enum proof_failure_kind kind) {
  if (kind == PROOF_NO_WORK || kind == PROOF_NO_STATES || kind == PROOF_NO_SLOTS) return true;
  for (uint32_t i = 0; kind == PROOF_TOO_LONG && i < s->draft.point_count; i++)
    if (s->draft.points[i].entry.kind == PROOF_SPLIT && s->draft.points[i].no_split) return true;
  return false;
}

bool refine(struct search *s) {
  const struct proof_failure *failure = &s->failure;
  if (!s->failure_at) return false;
  bool limit = is_limit(s, failure->kind);
  if (!limit || s->fault.kind == PROOF_OK) {
    s->fault = *failure;
    if (!state_replace(&s->fault_at, s->failure_at)) s->no_memory = true;
  }
  if (is_hopeless(failure->kind)) return false;
  if (s->limited && roll_up(s)) return begin_anew(s);
  if (limit) return roll_up(s) && begin_anew(s);
  if (failure->known.lost != 0 && take_apart_at(s, failure->known.lost - 1)) return begin_anew(s);
  bool unmeasured = failure->kind == PROOF_NO_MEASURE || failure->kind == PROOF_TOO_LONG;
  if (unmeasured && take_apart_for_measures(s)) return begin_anew(s);
  if (narrow_all(s)) return true;
  if (unroll_one(s, s->failure_at)) return begin_anew(s);
  return take_apart_nearest(s, s->failure_at) && begin_anew(s);
}
