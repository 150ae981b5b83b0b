/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Access to the locations of a state, and what a comparison teaches about them.
 */
#include "proof/state.h"

#include "lib/string.h"

void proof_set_unreadable(struct proof_value *v) { *v = (struct proof_value){.kind = PROOF_UNREADABLE}; }

void proof_set_constant(struct proof_value *v, uint64_t value) {
  proof_set_unreadable(v);
  v->kind = PROOF_SCALAR;
  v->delta = (int64_t)value;
  v->number = proof_number_constant(value);
}

void proof_set_scalar(struct proof_value *v, const struct proof_number *number, uint32_t *next_id) {
  const struct proof_number known = *number; /* it may be v's */
  proof_set_unreadable(v);
  v->kind = PROOF_SCALAR;
  v->number = known;
  if (proof_number_is_constant(&known)) {
    v->delta = (int64_t)proof_number_value(&known);
  } else {
    v->id = (*next_id)++;
  }
}

void proof_state_copy(struct proof_state *to, const struct proof_state *from) {
  memcpy(to, from, proof_state_size(from->slot_count));
}

/* Index of the first slot at or behind the location. */
static unsigned lower_bound(const struct proof_state *state, unsigned location) {
  unsigned low = 0, high = state->slot_count;
  while (low < high) {
    unsigned middle = (low + high) / 2;
    if (state->slot[middle].location < location) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

struct proof_slot *proof_state_find(struct proof_state *state, unsigned location) {
  unsigned i = lower_bound(state, location);
  return i < state->slot_count && state->slot[i].location == location ? &state->slot[i] : NULL;
}

struct proof_slot *proof_state_make(struct proof_state *state, unsigned location, unsigned limit) {
  unsigned i = lower_bound(state, location);
  struct proof_slot *slot = &state->slot[i];
  if (i < state->slot_count && slot->location == location) return slot;
  if (state->slot_count >= limit) return NULL;
  memmove(slot + 1, slot, (state->slot_count - i) * sizeof *slot);
  memset(slot, 0, sizeof *slot);
  slot->location = (uint16_t)location;
  state->slot_count++;
  return slot;
}

void proof_state_drop(struct proof_state *state, unsigned frame, unsigned slot) {
  state->slot_count = (uint16_t)lower_bound(state, proof_location(frame, slot));
}

const struct proof_value *proof_state_value(const struct proof_state *state, unsigned location) {
  if (location < PROOF_REGISTERS) return &state->reg[location];
  unsigned i = lower_bound(state, location);
  if (i == state->slot_count || state->slot[i].location != location || state->slot[i].size == 0) return NULL;
  return &state->slot[i].value;
}

static void empty(struct proof_slot *slot) {
  slot->written = slot->zero = slot->size = 0;
  proof_set_unreadable(&slot->value);
}

void proof_state_forget(struct proof_state *state, unsigned location) {
  if (location < PROOF_REGISTERS) {
    proof_set_unreadable(&state->reg[location]);
    return;
  }
  struct proof_slot *slot = proof_state_find(state, location);
  if (slot != NULL) empty(slot);
}

bool proof_slot_number(const struct proof_slot *slot, unsigned at, unsigned size, struct proof_number *number) {
  const unsigned bytes = ((1u << size) - 1) << at;
  if (slot->size != 0 && slot->value.kind != PROOF_SCALAR) return false;
  if ((slot->written & bytes) != bytes) return false;
  if ((slot->zero & bytes) == bytes) {
    *number = proof_number_constant(0);
    return true;
  }
  *number = proof_number_unknown();
  if (slot->size != 0 && slot->at <= at && slot->at + slot->size >= at + size) {
    const struct bpf_insn shift = {.code = BPF_ALU64 | BPF_RSH | BPF_K, .imm = (int32_t)(at - slot->at) * 8};
    *number = slot->value.number;
    proof_number_alu(number, shift, NULL);
  }
  proof_number_extend(number, size * 8, false);
  return true;
}

/* --- learning --- */

/* All values of a state, one after the other. */
static unsigned value_count(const struct proof_state *state) { return PROOF_REGISTERS + state->slot_count; }
static struct proof_value *value_at(struct proof_state *state, unsigned i) {
  return i < PROOF_REGISTERS ? &state->reg[i] : &state->slot[i - PROOF_REGISTERS].value;
}

/* The variable part of a pointer has turned out to be a constant: it has no id any more. */
static void fold(struct proof_value *v) {
  const int64_t part = (int64_t)proof_number_value(&v->number);
  const bool small = part > -PROOF_MAX_OFFSET && part < PROOF_MAX_OFFSET;
  if (!small || v->delta + part <= -PROOF_MAX_OFFSET || v->delta + part >= PROOF_MAX_OFFSET) {
    proof_set_unreadable(v);
    return;
  }
  v->delta += part;
  v->id = 0;
  v->number = proof_number_constant(0);
  /* Data itself is never behind the end. */
  v->room = v->room == PROOF_NO_ROOM || v->room + part < 0 ? 0 : v->room + (int32_t)part;
}

void proof_state_share_room(struct proof_state *state, unsigned kind, uint32_t id, int32_t room) {
  for (unsigned i = 0; i < value_count(state); i++) {
    struct proof_value *v = value_at(state, i);
    if (v->kind == kind && v->id == id && v->room > room) room = v->room;
  }
  for (unsigned i = 0; i < value_count(state); i++) {
    struct proof_value *v = value_at(state, i);
    if (v->kind == kind && v->id == id) v->room = room;
  }
}

bool proof_state_learn_short(struct proof_state *state, uint32_t id, int32_t limit) {
  for (unsigned i = 0; i < value_count(state); i++) {
    struct proof_value *v = value_at(state, i);
    if (v->kind == PROOF_PACKET && v->id == id && v->room != PROOF_NO_ROOM && v->room >= limit) return false;
    if (v->kind != PROOF_PACKET_END || proof_is_short(v, id, limit)) continue;
    v->id = id;
    v->room = limit;
  }
  return true;
}

/* proof_number_meet, but most often the new is within the old. */
static bool narrow(struct proof_number *n, const struct proof_number *to) {
  if (!proof_number_within(to, n)) return proof_number_meet(n, to);
  *n = *to;
  return true;
}

bool proof_state_learn(struct proof_state *state, const struct proof_value *learned) {
  const bool scalar = learned->kind == PROOF_SCALAR;
  if (!scalar) proof_state_share_room(state, learned->kind, learned->id, learned->room);
  if (learned->id == 0) return true;
  const struct proof_number variable = scalar && learned->delta != 0
                                           ? proof_number_add(&learned->number, (int64_t)(0 - (uint64_t)learned->delta))
                                           : learned->number;
  int32_t room = 0; /* of the object's begin, which is V(id) before: the least of V(id), and what is known to follow */
  unsigned kind = PROOF_UNREADABLE;
  for (unsigned i = 0; i < value_count(state); i++) {
    struct proof_value *v = value_at(state, i);
    if (v->id != learned->id) continue;
    if (v->kind == PROOF_SCALAR) {
      const struct proof_number whole =
          scalar && v->delta == learned->delta ? learned->number : proof_number_add(&variable, v->delta);
      if (!narrow(&v->number, &whole)) return false;
      if (proof_number_is_constant(&v->number)) {
        v->id = 0;
        v->delta = (int64_t)proof_number_value(&v->number);
      }
    } else if (proof_is_window(v->kind)) {
      if (!narrow(&v->number, &variable)) return false;
      if (proof_number_is_constant(&v->number)) {
        fold(v);
        if (v->kind != PROOF_UNREADABLE) proof_state_share_room(state, v->kind, 0, v->room);
      } else if (v->room != PROOF_NO_ROOM && v->number.wide.smin > -PROOF_MAX_OFFSET &&
                 v->number.wide.smin < PROOF_MAX_OFFSET && v->number.wide.smin + v->room > room) {
        room = (int32_t)v->number.wide.smin + v->room;
        kind = v->kind;
      }
    }
  }
  if (room > 0) proof_state_share_room(state, kind, 0, room);
  return true;
}

bool proof_state_holds(const struct proof_state *state, uint32_t id) {
  for (unsigned i = 0; i < state->held_count; i++) {
    if (state->held[i] == id) return true;
  }
  return false;
}

static void let_go(struct proof_state *state, uint32_t id) {
  unsigned kept = 0;
  for (unsigned i = 0; i < state->held_count; i++) {
    if (state->held[i] != id) state->held[kept++] = state->held[i];
  }
  state->held_count = (uint8_t)kept;
}

void proof_state_learn_null(struct proof_state *state, uint32_t id, bool null) {
  for (unsigned i = 0; i < value_count(state); i++) {
    struct proof_value *v = value_at(state, i);
    if (v->id != id || !v->or_null) continue;
    v->or_null = false;
    if (null) proof_set_constant(v, 0);
  }
  if (null) let_go(state, id);
}

void proof_state_lose(struct proof_state *state, unsigned kinds, uint32_t id) {
  for (unsigned i = 0; i < PROOF_REGISTERS; i++) {
    const struct proof_value *v = &state->reg[i];
    if ((kinds >> v->kind & 1) && (id == 0 || v->id == id)) proof_set_unreadable(&state->reg[i]);
  }
  for (unsigned i = 0; i < state->slot_count; i++) {
    struct proof_slot *slot = &state->slot[i];
    if (slot->size != 0 && (kinds >> slot->value.kind & 1) && (id == 0 || slot->value.id == id)) empty(slot);
  }
  if (kinds >> PROOF_RECORD & 1) let_go(state, id);
}

void proof_state_move_packet(struct proof_state *state) {
  proof_state_lose(state, 1u << PROOF_STALE, 0);
  for (unsigned i = 0; i < value_count(state); i++) {
    struct proof_value *v = value_at(state, i);
    if (proof_is_packet(v->kind)) *v = (struct proof_value){.kind = PROOF_STALE};
  }
}

void proof_state_leave_loops(struct proof_state *state, unsigned active) {
  if (state->active_count <= active) return;
  state->active_count = (uint8_t)active;
  for (unsigned i = 0; i < value_count(state); i++) {
    struct proof_value *v = value_at(state, i);
    if (v->origin <= active) continue;
    v->origin = 0;
    v->moved_min = v->moved_max = 0;
  }
}

int proof_state_order(const struct proof_state *a, const struct proof_state *b) {
  const unsigned common = a->depth < b->depth ? a->depth : b->depth;
  for (unsigned i = 0; i < common; i++) {
    if (a->site[i] != b->site[i]) return a->site[i] < b->site[i] ? -1 : 1;
  }
  const uint32_t left = common < a->depth ? a->site[common] : a->pc;
  const uint32_t right = common < b->depth ? b->site[common] : b->pc;
  if (left != right) return left < right ? -1 : 1;
  return (int)a->depth - (int)b->depth;
}
