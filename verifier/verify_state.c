/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The checker's own join, then widening location by location. What stays named alike in both states stays so.
 */
#include "verifier/verify_state.h"

#include "lib/memory.h"
#include "lib/string.h"

enum {
  /* A loop's ghost that moves further from trip to trip of an inner loop is let out to this, then given up. */
  FAR = 1 << 30,
};

struct proof_state *state_copy(const struct proof_state *state) {
  struct proof_state *copy = memory_alloc(proof_state_size(state->slot_count));
  if (copy) proof_state_copy(copy, state);
  return copy;
}

bool state_replace(struct proof_state **to, const struct proof_state *state) {
  struct proof_state *copy = state_copy(state);
  if (!copy) return false;
  memory_free(*to);
  *to = copy;
  return true;
}

bool state_same_holdings(const struct proof_state *a, const struct proof_state *b) {
  return a->held_count == b->held_count && a->locked == b->locked && a->active_count == b->active_count &&
         memcmp(a->active, b->active, a->active_count * sizeof(a->active[0])) == 0;
}

bool state_same(const struct proof_state *a, const struct proof_state *b) {
  unsigned location;
  return proof_state_within(a, b, &location) == PROOF_MATCH && proof_state_within(b, a, &location) == PROOF_MATCH;
}

/* A pointer that may be null goes with the null it may be. */
static bool kinds_alike(const struct proof_value *a, const struct proof_value *b) {
  if (a == NULL || b == NULL) return a == b;
  if (a->kind == PROOF_UNREADABLE || b->kind == PROOF_UNREADABLE) return true;
  return a->kind == b->kind && a->object == b->object && a->or_null == b->or_null;
}

bool state_alike(const struct proof_state *a, const struct proof_state *b, const struct live *live) {
  if (!state_same_holdings(a, b)) return false;
  for (unsigned i = 0; i < PROOF_REGISTERS; i++)
    if (live_at(live, a, i) && !kinds_alike(&a->reg[i], &b->reg[i])) return false;
  for (unsigned i = 0; i < a->slot_count; i++) {
    unsigned location = a->slot[i].location;
    if (a->slot[i].size == 0 || !live_at(live, a, location)) continue;
    const struct proof_value *other = proof_state_value(b, location);
    if (other && !kinds_alike(&a->slot[i].value, other)) return false;
  }
  return true;
}

/* --- names --- */

static uint32_t largest_id(const struct proof_state *state) {
  uint32_t id = state->lock_id;
  for (unsigned i = 0; i < state->held_count; i++)
    if (state->held[i] > id) id = state->held[i];
  for (unsigned i = 0; i < PROOF_REGISTERS; i++)
    if (state->reg[i].id > id) id = state->reg[i].id;
  for (unsigned i = 0; i < state->slot_count; i++)
    if (state->slot[i].value.id > id) id = state->slot[i].value.id;
  return id;
}

static struct proof_value *value_of(struct proof_state *state, unsigned i) {
  if (i < PROOF_REGISTERS) return &state->reg[i];
  struct proof_slot *slot = &state->slot[i - PROOF_REGISTERS];
  return slot->size != 0 ? &slot->value : NULL;
}

static const struct proof_value *counterpart(const struct proof_state *base, const struct proof_state *state,
                                             unsigned i) {
  return proof_state_value(base, i < PROOF_REGISTERS ? i : state->slot[i - PROOF_REGISTERS].location);
}

/* The unknown `id` is, wherever it stands, what stands in `base` there: under one name, the same distance apart. */
static bool find_name(struct proof_state *state, const struct proof_state *base, uint32_t id, uint32_t *name,
                      int64_t *apart) {
  *name = 0;
  *apart = 0;
  for (unsigned i = 0; i < PROOF_REGISTERS + (unsigned)state->slot_count; i++) {
    const struct proof_value *v = value_of(state, i), *b = counterpart(base, state, i);
    if (!v || v->id != id || v->kind == PROOF_PACKET_END) continue;
    int64_t here = b ? (int64_t)((uint64_t)b->delta - (uint64_t)v->delta) : 0;
    if (!b || b->id == 0 || b->kind != v->kind || (v->kind != PROOF_SCALAR && here != 0)) return false;
    if (*name != 0 && (*name != b->id || *apart != here)) return false;
    *name = b->id;
    *apart = here;
  }
  for (unsigned i = 0; i < state->held_count; i++)
    if (state->held[i] == id && (i >= base->held_count || base->held[i] != *name)) return false;
  return *name != 0;
}

static void give_name(struct proof_state *state, uint32_t id, uint32_t name, int64_t apart) {
  for (unsigned i = 0; i < PROOF_REGISTERS + (unsigned)state->slot_count; i++) {
    struct proof_value *v = value_of(state, i);
    if (!v || v->id != id) continue;
    v->id = name;
    v->delta = (int64_t)((uint64_t)v->delta + (uint64_t)apart);
  }
  for (unsigned i = 0; i < state->held_count; i++)
    if (state->held[i] == id) state->held[i] = name;
  if (state->lock_id == id) state->lock_id = name;
}

void state_rename(struct proof_state *state, const struct proof_state *base) {
  const uint32_t ours = largest_id(state), theirs = largest_id(base), first = (ours > theirs ? ours : theirs) + 1;
  for (unsigned i = 0; i < PROOF_REGISTERS + (unsigned)state->slot_count; i++) {
    const struct proof_value *v = value_of(state, i);
    if (v && v->id != 0 && v->id < first) give_name(state, v->id, first + v->id, 0);
  }
  for (unsigned i = 0; i < PROOF_REGISTERS + (unsigned)state->slot_count; i++) {
    const struct proof_value *v = value_of(state, i);
    uint32_t name;
    int64_t apart;
    if (v && v->id >= first && find_name(state, base, v->id, &name, &apart)) give_name(state, v->id, name, apart);
  }
}

static void take_measure(struct proof_value *v, const struct proof_value *base) {
  if (!base || v->origin != 0 || base->origin == 0 || v->kind != base->kind) return;
  v->origin = base->origin;
  v->moved_min = base->moved_min;
  v->moved_max = base->moved_max;
}

void state_take_measures(struct proof_state *state, const struct proof_state *base) {
  for (unsigned i = 0; i < PROOF_REGISTERS; i++)
    take_measure(&state->reg[i], &base->reg[i]);
  for (unsigned i = 0; i < state->slot_count; i++)
    if (state->slot[i].size != 0) take_measure(&state->slot[i].value, proof_state_value(base, state->slot[i].location));
}

void state_trim(struct proof_state *state, const struct live *live) {
  for (unsigned i = 0; i < PROOF_REGISTERS; i++)
    if (!live_at(live, state, i)) proof_state_forget(state, i);
  for (unsigned i = state->slot_count; i-- > 0;)
    if (!live_at(live, state, state->slot[i].location)) proof_state_forget(state, state->slot[i].location);
}

/* --- extending --- */

static bool is_number(const struct proof_value *v) { return v->kind == PROOF_SCALAR; }

/* No packet is so long that a pointer with this much room could be further inside: no need to widen to more. */
static void keep_inside_packet(struct proof_value *v, const struct proof_number *joined) {
  if (!proof_is_window(v->kind) || v->room == PROOF_NO_ROOM || v->room > PROOF_MAX_PACKET) return;
  struct proof_number inside = proof_number_between(0, (uint64_t)(PROOF_MAX_PACKET - (int64_t)v->room));
  if (proof_number_within(joined, &inside)) (void)proof_number_meet(&v->number, &inside);
}

/* `v` is the join of `old` with something. For a pointer with another delta than before the numbers are about another base. */
static void widen_value(struct proof_value *v, const struct proof_value *old, const struct thresholds *t) {
  if (!t || v->kind == PROOF_UNREADABLE || v->kind != old->kind) return;
  struct proof_number before = old->number;
  if (!is_number(v) && v->delta != old->delta) before = proof_number_add(&before, old->delta - v->delta);
  struct proof_number joined = v->number;
  if (!proof_number_within(&joined, &before)) v->number = widen(&before, &joined, t);
  if (proof_is_window(v->kind) && v->room < old->room) v->room = PROOF_NO_ROOM;
  keep_inside_packet(v, &joined);
  if (v->origin == 0) return;
  if (v->moved_min < old->moved_min) v->moved_min = old->moved_min > -FAR ? -FAR : INT64_MIN;
  if (v->moved_max > old->moved_max) v->moved_max = old->moved_max < FAR ? FAR : INT64_MAX;
  if (v->moved_min >= -FAR && v->moved_max <= FAR) return;
  v->origin = 0;
  v->moved_min = v->moved_max = 0;
}

static const struct thresholds *thresholds_for(const struct widening *w, unsigned location) {
  return w->counter[location / 64] >> location % 64 & 1 ? w->counters : w->others;
}

static void widen_state(struct proof_state *state, const struct proof_state *old, const struct widening *w) {
  for (unsigned i = 0; i < PROOF_REGISTERS; i++)
    widen_value(&state->reg[i], &old->reg[i], thresholds_for(w, i));
  for (unsigned i = 0; i < state->slot_count; i++) {
    struct proof_slot *slot = &state->slot[i];
    const struct proof_value *before = proof_state_value(old, slot->location);
    if (before && slot->size != 0) widen_value(&slot->value, before, thresholds_for(w, slot->location));
  }
}

bool state_extend(struct proof_state *state, const struct proof_state *arrival, const struct widening *widening) {
  uint32_t a = largest_id(state), b = largest_id(arrival), next_id = (a > b ? a : b) + 1;
  struct proof_state *old = widening ? state_copy(state) : NULL;
  bool joined = (!widening || old) && proof_state_join(state, arrival, &next_id) == PROOF_MATCH;
  if (joined && widening) widen_state(state, old, widening);
  memory_free(old);
  /* Where the join is not seen to hold all of what arrives nothing is known, so that it is never joined for ever. */
  unsigned location = 0;
  while (joined && proof_state_within(arrival, state, &location) == PROOF_MISMATCH_VALUE)
    proof_state_forget(state, location);
  return joined;
}
