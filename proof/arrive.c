/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What becomes of a path that comes to an entry of the plan: it is within a recorded state there, its cost and the loop's measure as
 * stated, or it is refused.
 */
#include "proof/walk.h"

/* Whether the state is still in the loop of this entry. */
static bool is_inside(const struct proof_state *state, const struct proof_entry *loop) {
  if (state->depth < loop->depth) return false;
  for (unsigned i = 0; i < loop->depth; i++) {
    if (state->site[i] != loop->key[i]) return false;
  }
  if (loop->kind == PROOF_CALLBACK) return true;
  const uint32_t at = state->depth > loop->depth ? state->site[loop->depth] : state->pc;
  return at + loop->before >= loop->key[loop->depth] && at <= loop->end;
}

static void add_state(struct walk *w, uint32_t e, struct proof_state *state) {
  struct point *point = &w->points[e];
  state->next = NULL;
  state->done = false;
  if (point->last != NULL) {
    point->last->next = state;
  } else {
    point->first = state;
  }
  point->last = state;
  if (point->next == NULL) point->next = state;
  if (e < w->lowest) w->lowest = e;
}

/* How often at most a loop's measure can move by its step between the bounds that the recorded states give it. False: it has no
 * bounds. */
static bool count_trips(const struct point *point, const struct proof_entry *entry, uint64_t *trips) {
  uint64_t low = UINT64_MAX, high = 0;
  int64_t low_signed = INT64_MAX, high_signed = INT64_MIN;
  unsigned kind = PROOF_UNREADABLE;
  for (const struct proof_state *s = point->first; s != NULL; s = s->next) {
    const struct proof_value *v = proof_state_value(s, entry->measure);
    if (v == NULL || (v->kind != PROOF_SCALAR && v->kind != PROOF_PACKET)) return false;
    if (s != point->first && v->kind != kind) return false;
    kind = v->kind;
    const struct proof_number n = kind == PROOF_SCALAR ? v->number : proof_number_add(&v->number, v->delta);
    if (n.wide.umin < low) low = n.wide.umin;
    if (n.wide.umax > high) high = n.wide.umax;
    if (n.wide.smin < low_signed) low_signed = n.wide.smin;
    if (n.wide.smax > high_signed) high_signed = n.wide.smax;
  }
  uint64_t width = high - low;
  if ((uint64_t)high_signed - (uint64_t)low_signed < width) width = (uint64_t)high_signed - (uint64_t)low_signed;
  const int64_t step = entry->step < 0 ? -(int64_t)entry->step : entry->step;
  if (width > INT64_MAX || step == 0) return false;
  *trips = width / (uint64_t)step;
  return true;
}

/* The recorded states of an entry, from its first arrival. */
static bool record(struct walk *w, uint32_t e, const struct proof_state *arrival, uint64_t trips) {
  const struct proof_entry *entry = &w->plan->entries[e];
  struct point *point = &w->points[e];
  for (uint32_t r = entry->first_record; r < entry->first_record + entry->record_count; r++) {
    const struct proof_record *record = &w->plan->records[r];
    struct proof_state *state = walk_copy(w, arrival);
    if (state == NULL) return false;
    add_state(w, e, state);
    for (uint32_t c = record->first_change; c < record->first_change + record->change_count; c++) {
      if (walk_apply(w, state, &w->plan->changes[c])) continue;
      walk_stop(w, arrival, PROOF_BAD_PROOF);
      return false;
    }
  }
  if (entry->kind == PROOF_LOOP && !count_trips(point, entry, &trips)) {
    walk_fail_at(w, arrival, PROOF_BAD_MEASURE, e);
    return false;
  }
  point->trips = trips;
  point->ceiling = cost_sum(cost_sum(arrival->cost, 1, entry->slack), trips, entry->body);
  for (struct proof_state *s = point->first; s != NULL; s = s->next) {
    s->cost = point->ceiling;
  }
  return true;
}

/* Ends in a state of a split, or becomes one more. */
static void arrive_at_split(struct walk *w, uint32_t e, struct proof_state *state) {
  enum { SKIPS_A_UNIT = 16 }; /* states that are passed over by their cost, for one unit of work */
  const struct proof_entry *entry = &w->plan->entries[e];
  unsigned location, skipped = 0;
  for (uint32_t c = entry->first_forget; c < entry->first_forget + entry->forget_count; c++) {
    proof_state_forget(state, w->plan->changes[c].location);
  }
  const struct point *point = &w->points[e];
  for (struct proof_state *s = cost_within(state->cost, point->dearest) ? point->first : point->next; s != NULL;
       s = s->next) {
    if (s->done && !cost_within(state->cost, s->cost)) {
      if (++skipped % SKIPS_A_UNIT == 0 && !walk_spend(w, state)) return;
      continue;
    }
    if (!walk_spend(w, state)) return;
    if (proof_state_within(state, s, &location) != PROOF_MATCH) continue;
    if (!s->done) cost_raise(&s->cost, state->cost);
    walk_release(w, state);
    return;
  }
  state->cost = cost_sum(state->cost, 1, entry->slack);
  add_state(w, e, state);
}

/* What an arrival must meet besides being within a recorded state. */
static bool judge_cost(struct walk *w, uint32_t e, const struct proof_state *state, bool back, uint64_t trips) {
  const struct proof_entry *entry = &w->plan->entries[e];
  const struct point *point = &w->points[e];
  const struct proof_cost limit = back ? cost_sum(point->ceiling, 1, entry->body) : point->ceiling;
  const struct proof_cost cost = back ? state->cost : cost_sum(state->cost, trips, entry->body);
  if (cost_within(cost, limit)) return true;
  w->scope.failure = (struct proof_failure){.kind = back ? PROOF_BODY : PROOF_COST,
                                            .pc = state->pc,
                                            .entry = e,
                                            .location = PROOF_LOCATIONS,
                                            .size = cost.insns - (back ? point->ceiling.insns : limit.insns),
                                            .last = (int64_t)cost.calls - (back ? point->ceiling.calls : limit.calls),
                                            .state = state};
  walk_fail(w);
  return false;
}

/* The measure of the loop at `active` has moved by its step. */
static bool judge_measure(struct walk *w, uint32_t e, const struct proof_state *state, unsigned active) {
  const struct proof_entry *entry = &w->plan->entries[e];
  const struct proof_value *v = proof_state_value(state, entry->measure);
  if (v != NULL && v->origin == active + 1 &&
      (entry->step > 0 ? v->moved_min >= entry->step : v->moved_max <= entry->step)) {
    return true;
  }
  w->scope.failure = (struct proof_failure){
      .kind = PROOF_NO_MEASURE, .pc = state->pc, .entry = e, .location = entry->measure, .state = state};
  if (v != NULL) w->scope.failure.known = *v;
  walk_fail(w);
  return false;
}

void walk_arrive(struct walk *w, uint32_t e, struct proof_state *state, const struct proof_trips *calls) {
  const struct proof_entry *entry = &w->plan->entries[e];
  struct point *point = &w->points[e];
  unsigned active = 0, location = PROOF_LOCATIONS;
  while (active < state->active_count && is_inside(state, &w->plan->entries[state->active[active]])) {
    active++;
  }
  proof_state_leave_loops(state, active);
  for (active = 0; active < state->active_count && state->active[active] != e; active++) {
  }
  const bool back = active < state->active_count && (calls == NULL || calls->most == 0);
  if (w->hooks != NULL && w->hooks->arrives != NULL) w->hooks->arrives(w->hooks->context, e, state, back);
  bool good = (entry->kind == PROOF_CALLBACK) == (calls != NULL);
  if (!good) walk_fail_at(w, state, PROOF_NO_POINT, e);
  if (good && back && entry->kind == PROOF_LOOP) good = judge_measure(w, e, state, active);
  proof_state_leave_loops(state, active);
  if (good && entry->kind == PROOF_SPLIT) {
    arrive_at_split(w, e, state);
    return;
  }
  const uint64_t trips = calls != NULL && calls->most > 0 ? calls->most - 1 : 0;
  if (good && point->first == NULL) good = record(w, e, state, trips);
  good = good && judge_cost(w, e, state, back, entry->kind == PROOF_LOOP ? point->trips : trips);
  enum proof_mismatch mismatch = PROOF_MISMATCH_VALUE;
  for (const struct proof_state *s = point->first; good && s != NULL && mismatch != PROOF_MATCH; s = s->next) {
    if (!walk_spend(w, state)) break;
    mismatch = proof_state_within(state, s, &location);
  }
  if (good && !w->stopped && mismatch != PROOF_MATCH) {
    w->scope.failure = (struct proof_failure){.kind = PROOF_NOT_WITHIN,
                                              .pc = state->pc,
                                              .entry = e,
                                              .location = (uint16_t)location,
                                              .mismatch = (uint8_t)mismatch,
                                              .state = state};
    const struct proof_value *v =
        mismatch == PROOF_MISMATCH_VALUE && location < PROOF_LOCATIONS ? proof_state_value(state, location) : NULL;
    if (v != NULL) w->scope.failure.known = *v;
    walk_fail(w);
  }
  walk_release(w, state);
}
