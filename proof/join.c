/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two states at one point: their join, and whether one is within the other.
 */
#include "lib/string.h"
#include "proof/state.h"

/* Pairs of ids: of a value in one state and of the value at the same location in the other, which are `apart` from each other's
 * deltas. In a join each pair becomes one new id; in inclusion each recorded id has one partner. */
enum { PAIRS_MAX = 128 };
struct pair {
  uint32_t left, right, id;
  int64_t apart;
};
struct pairs {
  unsigned count;
  struct pair pair[PAIRS_MAX];
};

static bool may_be_null(unsigned kind) {
  return kind == PROOF_MAP_VALUE || kind == PROOF_RECORD || kind == PROOF_MAP || kind == PROOF_LENT;
}
static bool is_null(const struct proof_value *v) { return proof_is_constant(v) && v->delta == 0; }

static enum proof_mismatch compare_holdings(const struct proof_state *a, const struct proof_state *b) {
  if (a->held_count != b->held_count) return PROOF_MISMATCH_HELD;
  if (a->locked != b->locked || (a->locked && (a->lock_map != b->lock_map || (a->lock_id == 0) != (b->lock_id == 0)))) {
    return PROOF_MISMATCH_LOCK;
  }
  if (a->active_count != b->active_count || memcmp(a->active, b->active, a->active_count * sizeof a->active[0]) != 0) {
    return PROOF_MISMATCH_ACTIVE;
  }
  return PROOF_MATCH;
}

/* --- join --- */

/* Both ids name the same in the join only where they name the same in both states, the same distance apart. */
static uint32_t join_ids(struct pairs *pairs, uint32_t left, uint32_t right, int64_t apart, uint32_t *next_id) {
  if (left == right && apart == 0) return left;
  for (unsigned i = 0; i < pairs->count; i++) {
    const struct pair *p = &pairs->pair[i];
    if (p->left == left && p->right == right && p->apart == apart) return p->id;
  }
  const uint32_t id = (*next_id)++;
  /* Without room to note it, the next location gets another id: that they are the same is forgotten. */
  if (pairs->count < PAIRS_MAX) pairs->pair[pairs->count++] = (struct pair){left, right, id, apart};
  return id;
}

static void join_measures(struct proof_value *v, const struct proof_value *other) {
  if (v->origin != other->origin) {
    v->origin = 0;
    v->moved_min = v->moved_max = 0;
  } else {
    if (other->moved_min < v->moved_min) v->moved_min = other->moved_min;
    if (other->moved_max > v->moved_max) v->moved_max = other->moved_max;
  }
}

/* What both ends say is behind them, if it is of the same pointers. */
static void join_ends(struct proof_value *v, const struct proof_value *other) {
  if (proof_is_short(other, v->id, v->room)) return;
  const bool other_is_less = proof_is_short(v, other->id, other->room);
  v->id = other_is_less ? other->id : 0;
  v->room = other_is_less ? other->room : 0;
}

/* v becomes the join of both. `lost` is what to note if something is forgotten. */
static void join_values(struct pairs *pairs, struct proof_value *v, const struct proof_value *other, uint32_t lost,
                        uint32_t *next_id) {
  if (memcmp(v, other, sizeof *v) == 0) return;
  if (is_null(v) && may_be_null(other->kind)) {
    *v = *other;
    v->or_null = true;
    v->id = join_ids(pairs, 0, other->id, 0, next_id);
    v->lost = lost;
    return;
  }
  if (is_null(other) && may_be_null(v->kind)) {
    v->or_null = true;
    v->id = join_ids(pairs, v->id, 0, 0, next_id);
    v->lost = lost;
    return;
  }
  const bool window = proof_is_window(v->kind);
  if (v->kind != other->kind || v->object != other->object ||
      (!window && v->kind != PROOF_SCALAR && v->kind != PROOF_PACKET_END && v->room != other->room)) {
    proof_set_unreadable(v);
    v->lost = lost;
    return;
  }
  if (v->kind == PROOF_PACKET_END) {
    join_ends(v, other);
    return;
  }
  const int64_t apart = proof_minus(v->delta, other->delta);
  const bool named_by_value = window || v->kind == PROOF_SCALAR;
  v->or_null |= other->or_null;
  v->id = join_ids(pairs, v->id, other->id, named_by_value ? apart : 0, next_id);
  join_measures(v, other);
  v->lost = lost;
  struct proof_number number = other->number;
  if (v->kind != PROOF_SCALAR && apart != 0) number = proof_number_add(&number, proof_minus(0, apart));
  v->number = proof_number_join(&v->number, &number);
  if (window && v->room != PROOF_NO_ROOM) {
    const int64_t room = other->room == PROOF_NO_ROOM ? PROOF_NO_ROOM : other->room + apart;
    if (room < v->room) v->room = room <= PROOF_NO_ROOM ? PROOF_NO_ROOM : (int32_t)room;
  }
}

/* Which bytes can be read as numbers. */
static unsigned readable(const struct proof_slot *slot) {
  return slot->size != 0 && slot->value.kind != PROOF_SCALAR ? 0 : slot->written;
}

static void join_slots(struct pairs *pairs, struct proof_slot *slot, const struct proof_slot *other, uint32_t lost,
                       uint32_t *next_id) {
  const struct proof_slot *shape = slot->size != 0 ? slot : other;
  const bool numbers =
      (slot->size == 0 || slot->value.kind == PROOF_SCALAR) && (other->size == 0 || other->value.kind == PROOF_SCALAR);
  const bool same = slot->size == other->size && (slot->size == 0 || slot->at == other->at);
  if (same && slot->size != 0) {
    join_values(pairs, &slot->value, &other->value, lost, next_id);
    if (slot->value.kind == PROOF_UNREADABLE) slot->size = 0;
    slot->written = numbers || slot->size != 0 ? slot->written & other->written : 0;
    slot->zero &= other->zero;
    return;
  }
  /* A value on one side, bytes on the other: they may be a number, too. */
  struct proof_number a, b;
  if (!same && numbers && (slot->size == 0 || other->size == 0) &&
      proof_slot_number(slot, shape->at, shape->size, &a) && proof_slot_number(other, shape->at, shape->size, &b)) {
    const uint8_t at = shape->at, size = shape->size;
    a = proof_number_join(&a, &b);
    proof_set_scalar(&slot->value, &a, next_id);
    slot->value.lost = lost;
    slot->at = at;
    slot->size = size;
  } else {
    slot->size = 0;
    proof_set_unreadable(&slot->value);
    slot->value.lost = same ? 0 : lost;
  }
  slot->written = (uint8_t)(numbers ? slot->written & other->written : 0);
  slot->zero = (uint8_t)(slot->zero & other->zero & slot->written);
}

enum proof_mismatch proof_state_join(struct proof_state *state, const struct proof_state *other, uint32_t *next_id) {
  struct pairs pairs;
  enum proof_mismatch mismatch = compare_holdings(state, other);
  if (mismatch != PROOF_MATCH) return mismatch;
  pairs.count = 0;
  const uint32_t lost = state->pc + 1;
  if (other->cost.insns > state->cost.insns) state->cost.insns = other->cost.insns;
  if (other->cost.calls > state->cost.calls) state->cost.calls = other->cost.calls;
  for (unsigned i = 0; i < state->held_count; i++) {
    state->held[i] = join_ids(&pairs, state->held[i], other->held[i], 0, next_id);
  }
  if (state->locked) state->lock_id = join_ids(&pairs, state->lock_id, other->lock_id, 0, next_id);
  for (unsigned i = 0; i < PROOF_REGISTERS; i++) {
    join_values(&pairs, &state->reg[i], &other->reg[i], lost, next_id);
  }
  /* What only one of them has written is not written. */
  unsigned kept = 0, j = 0;
  for (unsigned i = 0; i < state->slot_count; i++) {
    while (j < other->slot_count && other->slot[j].location < state->slot[i].location) {
      j++;
    }
    if (j == other->slot_count) break;
    if (other->slot[j].location != state->slot[i].location) continue;
    if (kept != i) state->slot[kept] = state->slot[i];
    join_slots(&pairs, &state->slot[kept], &other->slot[j], lost, next_id);
    if (state->slot[kept].written != 0) kept++;
  }
  state->slot_count = (uint16_t)kept;
  return PROOF_MATCH;
}

/* --- inclusion --- */

/* The recorded id stands for the arrival's unknown plus `apart`; wherever else it stands it must be the same. */
static bool bind(struct pairs *pairs, uint32_t recorded, uint32_t arrived, int64_t apart) {
  if (recorded == 0) return true;
  for (unsigned i = 0; i < pairs->count; i++) {
    const struct pair *p = &pairs->pair[i];
    if (p->left == recorded) return p->right == arrived && p->apart == apart;
  }
  if (pairs->count == PAIRS_MAX) return false;
  pairs->pair[pairs->count++] = (struct pair){recorded, arrived, 0, apart};
  return true;
}

static bool value_within(struct pairs *pairs, const struct proof_value *v, const struct proof_value *recorded) {
  if (recorded->kind == PROOF_UNREADABLE) return true;
  if (recorded->or_null && is_null(v)) return bind(pairs, recorded->id, 0, 0);
  if (v->kind != recorded->kind || v->object != recorded->object || (v->or_null && !recorded->or_null)) return false;
  if (recorded->origin != 0 &&
      (v->origin != recorded->origin || v->moved_min < recorded->moved_min || v->moved_max > recorded->moved_max)) {
    return false;
  }
  const int64_t apart = proof_minus(v->delta, recorded->delta);
  if (v->kind == PROOF_SCALAR) {
    return proof_number_within(&v->number, &recorded->number) && bind(pairs, recorded->id, v->id, apart);
  }
  struct proof_number number = v->number;
  if (apart != 0) number = proof_number_add(&number, apart);
  if (!proof_number_within(&number, &recorded->number)) return false;
  if (v->kind == PROOF_PACKET_END) {
    const bool knows = recorded->id != 0 || recorded->room != 0;
    return !knows || (proof_is_short(v, v->id, recorded->room) && bind(pairs, recorded->id, v->id, 0));
  }
  if (!proof_is_window(v->kind)) return v->room == recorded->room && bind(pairs, recorded->id, v->id, 0);
  if (recorded->room != PROOF_NO_ROOM && (v->room == PROOF_NO_ROOM || recorded->room + apart > v->room)) return false;
  return bind(pairs, recorded->id, v->id, apart);
}

static bool slot_within(struct pairs *pairs, const struct proof_slot *slot, const struct proof_slot *recorded) {
  if (recorded->size != 0 && recorded->value.kind != PROOF_SCALAR) {
    return slot->size != 0 && value_within(pairs, &slot->value, &recorded->value);
  }
  if ((recorded->written & ~readable(slot)) != 0 || (recorded->zero & ~slot->zero) != 0) return false;
  if (recorded->size == 0) return true;
  if (slot->size == recorded->size && slot->at == recorded->at) {
    return value_within(pairs, &slot->value, &recorded->value);
  }
  struct proof_number number;
  if (recorded->value.origin != 0 || !proof_slot_number(slot, recorded->at, recorded->size, &number)) return false;
  /* An unknown that no other location has; no id of a state is this one. */
  const uint32_t id = proof_number_is_constant(&number) ? 0 : UINT32_MAX - recorded->location;
  const int64_t delta = id == 0 ? (int64_t)proof_number_value(&number) : 0;
  return proof_number_within(&number, &recorded->value.number) &&
         bind(pairs, recorded->value.id, id, proof_minus(delta, recorded->value.delta));
}

enum proof_mismatch proof_state_within(const struct proof_state *arrival, const struct proof_state *recorded,
                                       unsigned *location) {
  struct pairs pairs;
  const enum proof_mismatch mismatch = compare_holdings(arrival, recorded);
  if (mismatch != PROOF_MATCH) return mismatch;
  pairs.count = 0;
  for (unsigned i = 0; i < recorded->held_count; i++) {
    if (!bind(&pairs, recorded->held[i], arrival->held[i], 0)) return PROOF_MISMATCH_HELD;
  }
  if (recorded->locked && !bind(&pairs, recorded->lock_id, arrival->lock_id, 0)) return PROOF_MISMATCH_LOCK;
  for (unsigned i = 0; i < PROOF_REGISTERS; i++) {
    *location = i;
    if (!value_within(&pairs, &arrival->reg[i], &recorded->reg[i])) return PROOF_MISMATCH_VALUE;
  }
  static const struct proof_slot nothing = {0};
  unsigned j = 0;
  for (unsigned i = 0; i < recorded->slot_count; i++) {
    *location = recorded->slot[i].location;
    while (j < arrival->slot_count && arrival->slot[j].location < *location) {
      j++;
    }
    const bool there = j < arrival->slot_count && arrival->slot[j].location == *location;
    if (!slot_within(&pairs, there ? &arrival->slot[j] : &nothing, &recorded->slot[i])) return PROOF_MISMATCH_VALUE;
  }
  return PROOF_MATCH;
}
