/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a walk teaches: arrivals that don't fit widen the recorded state, trips show what moves and what they cost, failures of the plan
 * (rather than of the program) say what it lacks.
 */
#include "bpf/isa.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "verifier/verify_search.h"

/* After so many widenings, */
enum {
  OTHER_STEPS = 1,    /* others than counters begin to be widened, by the limits of types; */
  OTHER_LIMIT = 3,    /* they go as far as it goes; */
  COUNTER_STEPS = 10, /* counters leave the program's own numbers for the limits of types, */
  COUNTER_LIMIT = 16, /* and go as far as it goes. */
  ENTERED_STEPS = 8,  /* After so many joins with what enters the loop that is widened, too. */
};

static const struct thresholds no_thresholds;

/* --- arrivals --- */

static void collect_thresholds(struct search *s, struct thresholds *t, uint32_t head) {
  struct bpf_map_def maps[BPF_MAX_MAPS];
  uint32_t first, last;
  for (uint32_t i = 0; i < s->input->map_count; i++)
    maps[i] = *s->input->maps[i].def;
  flow_loop_range(&s->flow, head, &first, &last);
  thresholds_collect(t, s->input->insns, first, last, maps, s->input->map_count);
}

static struct widening widening_for(struct search *s, struct point *point) {
  struct widening w = {.counters = &no_thresholds, .others = &no_thresholds};
  for (unsigned i = 0; i < point->mover_count; i++) {
    const struct mover *mover = &point->movers[i];
    if (mover->constant) w.counter[mover->location / 64] |= UINT64_C(1) << mover->location % 64;
  }
  if (!point->thresholds) {
    point->thresholds = memory_alloc(sizeof(*point->thresholds));
    if (point->thresholds) collect_thresholds(s, point->thresholds, point->entry.key[point->entry.depth]);
  }
  if (!point->thresholds || point->widened >= COUNTER_LIMIT) return w;
  w.counters = point->widened < COUNTER_STEPS ? point->thresholds : &s->coarse;
  if (point->widened < OTHER_LIMIT) w.others = point->widened < OTHER_STEPS ? NULL : &s->coarse;
  return w;
}

/* The record that the arrival is to be fitted into: one of the same kinds, a new one, or else the last. */
static struct record *choose_record(struct search *s, struct point *point, const struct proof_state *arrival) {
  struct proof_entry *entry = &point->entry;
  for (unsigned i = 0; i < entry->record_count; i++)
    if (state_alike(point->records[i].wanted, arrival, &s->live)) return &point->records[i];
  /* Records are made of the first arrival, whose loops they are in. */
  if (!state_same_holdings(point->base, arrival)) {
    point->apart = true;
    return NULL;
  }
  if (entry->record_count == PLAN_MAX_RECORDS) return &point->records[entry->record_count - 1];
  struct record *record = &point->records[entry->record_count];
  if (!state_replace(&record->wanted, arrival)) {
    s->no_memory = true;
    return NULL;
  }
  entry->record_count++;
  return record;
}

static void press(struct search *s, struct point *point, const struct proof_state *arrival, bool back) {
  unsigned count = point->entry.record_count;
  struct record *record = choose_record(s, point, arrival);
  s->amended = true;
  if (!record || count != point->entry.record_count) return;
  struct proof_state **excess = back ? &record->returned : &record->entered;
  if (*excess)
    (void)state_extend(*excess, arrival, NULL);
  else if (!state_replace(excess, arrival))
    s->no_memory = true;
}

/* From trip to trip bounds may grow for ever; what comes from outside grows as far as that does. */
void search_widen(struct search *s, struct point *point) {
  bool widened = false;
  for (unsigned i = 0; i < point->entry.record_count; i++) {
    struct record *record = &point->records[i];
    const struct widening w = widening_for(s, point);
    if (record->entered) {
      bool often = point->entered++ >= ENTERED_STEPS; /* by a loop around it that is unrolled */
      (void)state_extend(record->wanted, record->entered, often ? &w : NULL);
      widened |= often;
    }
    if (record->returned) {
      (void)state_extend(record->wanted, record->returned, &w);
      widened = true;
    }
    memory_free(record->entered);
    memory_free(record->returned);
    record->entered = record->returned = NULL;
  }
  if (widened && point->widened < UINT8_MAX) point->widened++;
}

static void first_arrival(struct search *s, struct point *point, const struct proof_state *arrival) {
  for (unsigned i = 0; i < PLAN_MAX_RECORDS; i++) {
    memory_free(point->records[i].hull);
    point->records[i].hull = NULL;
  }
  if (point->base) point->base->cost = arrival->cost;
  if (point->base && state_same(point->base, arrival)) return;
  if (point->base && !state_same_holdings(point->base, arrival)) {
    point_reset(point);
    s->amended = true;
  }
  bool new = point->base == NULL;
  if (!state_replace(&point->base, arrival)) s->no_memory = true;
  if (new) {
    struct record *record = &point->records[0];
    if (!state_replace(&record->wanted, arrival) || !state_replace(&record->given, arrival)) s->no_memory = true;
    point->entry.record_count = 1;
  } else {
    for (unsigned i = 0; i < point->entry.record_count; i++) {
      state_rename(point->records[i].wanted, arrival);
      state_take_measures(point->records[i].wanted, arrival);
    }
    s->amended = true; /* the plan's changes are to the first arrival */
  }
}

/* True: it is more than was known. */
static bool raise_cost(struct proof_cost *known, struct proof_cost seen, struct proof_cost from) {
  uint32_t insns = seen.insns > from.insns ? seen.insns - from.insns : 0;
  uint32_t calls = seen.calls > from.calls ? seen.calls - from.calls : 0;
  bool more = insns > known->insns || calls > known->calls;
  if (insns > known->insns) known->insns = insns;
  if (calls > known->calls) known->calls = calls;
  return more;
}

/* The loop is number `active` of the arrival's. */
static void trip_ended(struct search *s, struct point *point, const struct proof_state *arrival, unsigned active) {
  point->returns = true;
  for (unsigned i = 0; i < point->entry.record_count; i++) {
    const struct proof_state *head = point->records[i].head;
    if (!head) continue;
    if (raise_cost(&point->entry.body, arrival->cost, head->cost)) s->cost_amended = true;
    if (point->entry.kind == PROOF_LOOP) measure_trip(point, head, arrival, active + 1);
    return;
  }
}

static void fit(struct search *s, struct point *point, const struct proof_state *arrival, bool back) {
  if (point->arrivals++ == 0) first_arrival(s, point, arrival);
  if (s->no_memory) return;
  for (unsigned i = 0; i < point->entry.record_count; i++) {
    struct record *record = &point->records[i];
    unsigned location;
    if (!record->given || proof_state_within(arrival, record->given, &location) != PROOF_MATCH) continue;
    if (!record->hull)
      record->hull = state_copy(arrival);
    else
      (void)state_extend(record->hull, arrival, NULL);
    return;
  }
  press(s, point, arrival, back);
}

static void arrives(void *context, uint32_t number, const struct proof_state *arrival, bool back) {
  struct search *s = context;
  struct point *point = &s->draft.points[number];
  point_see(point, arrival);
  if (!point_records(point)) {
    point->arrivals++;
    return;
  }
  /* In a recorded state the loop itself is not active yet. */
  struct proof_state *outside = state_copy(arrival);
  if (!outside) {
    s->no_memory = true;
    return;
  }
  unsigned active = 0;
  while (active < outside->active_count && outside->active[active] != number)
    active++;
  proof_state_leave_loops(outside, active);
  if (back) trip_ended(s, point, arrival, active);
  fit(s, point, outside, back);
  if (!back && point->base && raise_cost(&point->entry.slack, arrival->cost, point->base->cost)) s->cost_amended = true;
  memory_free(outside);
}

/* --- roots --- */

/* What calls go by of functions that were checked alone means something only when all of them are fine. */
static bool begins(void *context, uint32_t root) {
  struct search *s = context;
  const struct proof_verdict *verdict = &s->result->verdict;
  bool after_functions = s->root < verdict->root_count && verdict->root[s->root].map == PROOF_ALONE;
  if (after_functions && (s->amended || s->failure.kind != PROOF_OK)) return false;
  s->root = root;
  return true;
}

/* --- every instruction --- */

/* A loop's body, or a callback, begins: with the loop as the innermost active one. */
static void note_head(struct search *s, const struct proof_state *state) {
  if (state->active_count == 0) return;
  uint32_t number = state->active[state->active_count - 1];
  if (number >= s->draft.point_count) return;
  struct point *point = &s->draft.points[number];
  if (point->entry.depth != state->depth || point->entry.key[state->depth] != state->pc) return;
  for (unsigned i = 0; i < point->entry.record_count; i++) {
    struct record *record = &point->records[i];
    unsigned location;
    if (i + 1 < point->entry.record_count &&
        (!record->given || proof_state_within(state, record->given, &location) != PROOF_MATCH))
      continue;
    if (!state_replace(&record->head, state)) s->no_memory = true;
    return;
  }
}

/* The checker takes a shift to the left and one back for one step. */
static bool is_shift_pair(const struct search *s, uint32_t slot) {
  struct bpf_insn a = s->input->insns[slot];
  if (a.code != (BPF_ALU64 | BPF_LSH | BPF_K) || slot + 1 == s->input->insn_count) return false;
  struct bpf_insn b = s->input->insns[slot + 1];
  bool back = b.code == (BPF_ALU64 | BPF_RSH | BPF_K) || b.code == (BPF_ALU64 | BPF_ARSH | BPF_K);
  return back && a.regs == b.regs && a.imm == b.imm;
}

static void visit(void *context, const struct proof_state *state) {
  struct search *s = context;
  s->result->visited[state->pc] = 1;
  if (is_shift_pair(s, state->pc)) s->result->visited[state->pc + 1] = 1;
  live_watch(&s->live, s->input, state);
  if (s->is_head[state->pc]) note_head(s, state);
}

/* --- joins --- */

static void joins(void *context, const struct proof_state *pending, const struct proof_state *arrival) {
  struct search *s = context;
  for (uint32_t i = s->join_first[arrival->pc]; i != UINT32_MAX; i = s->joins[i].next) {
    const struct join *join = &s->joins[i];
    if (join->depth == arrival->depth && memcmp(join->site, arrival->site, join->depth * sizeof(join->site[0])) == 0)
      return;
  }
  if (s->join_count == s->join_capacity) {
    uint32_t grown = s->join_capacity * 2 + 64;
    struct join *array = memory_resize(s->joins, grown * sizeof(*array));
    if (!array) {
      s->no_memory = true;
      return;
    }
    s->joins = array;
    s->join_capacity = grown;
  }
  struct join *join = &s->joins[s->join_count];
  *join = (struct join){.next = s->join_first[arrival->pc], .depth = arrival->depth, .pc = arrival->pc};
  memcpy(join->site, arrival->site, arrival->depth * sizeof(join->site[0]));
  s->join_first[arrival->pc] = s->join_count++;
}

/* --- failures --- */

static void wish(struct search *s, const struct proof_state *at, enum proof_entry_kind kind) {
  for (uint32_t i = 0; i < s->wish_count; i++)
    if (proof_state_order(s->wishes[i].at, at) == 0) return;
  if (s->wish_count == s->wish_capacity) {
    uint32_t grown = s->wish_capacity * 2 + 16;
    struct wish *array = memory_resize(s->wishes, grown * sizeof(*array));
    if (!array) {
      s->no_memory = true;
      return;
    }
    s->wishes = array;
    s->wish_capacity = grown;
  }
  struct wish *next = &s->wishes[s->wish_count];
  *next = (struct wish){state_copy(at), kind};
  if (!next->at)
    s->no_memory = true;
  else
    s->wish_count++;
  s->amended = true;
}

/* It was jumped back to. What stands at the loop's head is recorded; if that is another slot, where the jump leads states stay apart, and
 * go on to the head. */
static void wish_loop(struct search *s, const struct proof_state *at) {
  uint32_t head = flow_head_of(&s->flow, at->pc);
  if (head != at->pc) wish(s, at, PROOF_SPLIT);
  if (head == FLOW_NONE) return;
  struct proof_state *there = state_copy(at);
  if (!there) {
    s->no_memory = true;
    return;
  }
  there->pc = head;
  wish(s, there, PROOF_LOOP);
  memory_free(there);
}

/* The function that a helper is calling begins at this state. */
static bool is_callback(const struct search *s, const struct proof_state *state) {
  if (state->depth == 0 || s->flow.function[state->pc] != state->pc) return false;
  struct bpf_insn insn = s->input->insns[state->site[state->depth - 1]];
  return insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_HELPER;
}

/* False: it is as much as may be, or the arena would be over its limit. */
static bool raise_limit(struct search *s, uint32_t *limit, uint32_t most) {
  struct proof_plan plan = s->draft.plan;
  uint32_t before = *limit;
  *limit = before < most / 4 ? before * 4 : most;
  plan.limits.states = s->limits.states;
  plan.limits.slots = s->limits.slots;
  if (before < most && proof_walk_memory(s->input, &plan) != 0) return true;
  *limit = before;
  return false;
}

static bool amends(struct search *s, bool changed) {
  s->amended |= changed;
  return changed;
}

/* True: it is a matter of the plan, which the next walk will have otherwise. */
static bool learn(struct search *s, const struct proof_failure *failure) {
  struct point *point = failure->entry < s->draft.point_count ? &s->draft.points[failure->entry] : NULL;
  switch (failure->kind) {
    case PROOF_NO_POINT:
      if (is_callback(s, failure->state))
        wish(s, failure->state, PROOF_CALLBACK);
      else
        wish_loop(s, failure->state);
      return true;
    case PROOF_NO_JOIN:
      wish(s, failure->state, PROOF_SPLIT);
      return true;
    case PROOF_NO_STATES:
      return amends(s, raise_limit(s, &s->limits.states, VERIFY_MAX_STATES));
    case PROOF_NO_SLOTS:
      return amends(s, raise_limit(s, &s->limits.slots, PROOF_MAX_SLOTS));
    case PROOF_NOT_WITHIN:
      return s->amended;
    case PROOF_NO_MEASURE:
      return amends(s, point && measure_reject(s, point, &failure->known));
    case PROOF_BAD_MEASURE:
      return amends(s, point && measure_reject(s, point, NULL));
    case PROOF_COST:
      if (!s->costing) return true;
      if (!point || (int32_t)failure->size < 0 || failure->last < 0) return point && s->cost_amended;
      point->entry.slack.insns += (uint32_t)failure->size;
      point->entry.slack.calls += (uint32_t)failure->last;
      s->cost_amended = true;
      return true;
    case PROOF_BODY:
      if (!s->costing) return true;
      return point && raise_cost(&point->entry.body,
                                 (struct proof_cost){(uint32_t)failure->size, (uint32_t)failure->last},
                                 (struct proof_cost){0, 0})
                 ? (s->cost_amended = true)
                 : s->cost_amended;
    case PROOF_READS_UNREADABLE:
    case PROOF_READS_UNWRITTEN:
      s->reads_lost = true;
      return false;
    default:
      return false;
  }
}

static bool failed(void *context, const struct proof_failure *failure) {
  struct search *s = context;
  bool learned = learn(s, failure);
  s->limited |= !learned && (failure->kind == PROOF_NO_STATES || failure->kind == PROOF_NO_WORK);
  if (!learned && s->failure.kind == PROOF_OK) {
    s->failure = *failure;
    if (!failure->state) {
      memory_free(s->failure_at);
      s->failure_at = NULL;
    } else if (!state_replace(&s->failure_at, failure->state)) {
      s->no_memory = true;
    }
  }
  return !s->no_memory;
}

struct proof_hooks search_hooks(struct search *search) {
  return (struct proof_hooks){
      .context = search, .failed = failed, .begins = begins, .visit = visit, .joins = joins, .arrives = arrives};
}
