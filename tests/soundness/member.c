/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Membership. Ids are names of unknown values, so whatever has the same id must agree on it.
 */
#include "tests/soundness/member.h"

#include <string.h>

#include "tests/soundness/set.h"

enum { NAMES_MAX = 256 };

struct names {
  const struct running *r;
  const struct bpf_machine *m;
  unsigned base; /* depth of the state's first frame */
  unsigned count;
  struct {
    uint32_t id;
    uint64_t value; /* V(id), or the address of the object */
    bool null;
  } of[NAMES_MAX];
};

/* Whether the id stands for this, or can. */
static bool agree(struct names *n, uint32_t id, uint64_t value, bool null) {
  if (id == 0) return true;
  for (unsigned i = 0; i < n->count; i++) {
    if (n->of[i].id == id) return n->of[i].null == null && (null || n->of[i].value == value);
  }
  if (n->count == NAMES_MAX) return true;
  n->of[n->count].id = id;
  n->of[n->count].value = value;
  n->of[n->count++].null = null;
  return true;
}

/* data + V + delta, or data_meta; at least V + room bytes are behind it. */
static bool is_window(struct names *n, const struct proof_value *v, uint64_t value) {
  const struct bpf_machine *m = n->m;
  uint64_t begin = v->kind == PROOF_PACKET ? m->data : m->data_meta;
  uint64_t length = v->kind == PROOF_PACKET ? m->data_length : m->data - m->data_meta;
  uint64_t variable = value - begin - (uint64_t)v->delta;
  if (v->id == 0 && variable != 0) return false;
  if (!proof_number_has(&v->number, variable) || !agree(n, v->id, variable, false)) return false;
  return v->room == PROOF_NO_ROOM || (int64_t)variable + v->room <= (int64_t)length;
}

/* In an object that begins at `begin`. */
static bool is_at(const struct proof_value *v, uint64_t value, uint64_t begin) {
  return proof_number_has(&v->number, value - begin - (uint64_t)v->delta);
}

static bool is_map_value(struct names *n, const struct proof_value *v, uint64_t value) {
  const struct bpf_machine *m = n->m;
  if (v->object & PROOF_INNER) {
    uint64_t begin;
    return bpf_machine_value(m, value, &begin) != NULL;
  }
  const struct bpf_map *map = m->program->maps[v->object];
  /* The pointer itself may be anywhere; where its value begins is known only as far as the variable part is. */
  if (!proof_number_is_constant(&v->number)) {
    const uint64_t all = (uint64_t)map->slot_count * map->value_stride;
    for (uint64_t at = 0; at < all; at += map->value_stride) {
      if (is_at(v, value, (uint64_t)(uintptr_t)map->values + at)) return true;
    }
    return false;
  }
  uint64_t begin = value - (uint64_t)v->delta - v->number.value;
  return bpf_map_value_at(map, begin) == begin && agree(n, v->id, begin, false);
}

/* In memory that a helper lent: a record, or the key that a callback is shown. */
static bool is_lent(struct names *n, const struct proof_value *v, uint64_t value) {
  for (unsigned i = 0; i < n->m->held_count; i++) {
    const struct bpf_held *held = &n->m->held[i];
    if (!held->used || (held->map != NULL) != (v->kind == PROOF_RECORD) || held->length < (uint64_t)v->room ||
        !is_at(v, value, held->address)) {
      continue;
    }
    return agree(n, v->id, held->address, false);
  }
  return false;
}

/* All of it may be read and written. Where it begins is known only as far as the variable part is. */
static bool is_lent_by_caller(struct names *n, const struct proof_value *v, uint64_t value) {
  struct bpf_machine *m = (struct bpf_machine *)(uintptr_t)n->m; /* which map was found last is no matter */
  const uint64_t begin = value - (uint64_t)v->delta - v->number.value;
  if (!proof_number_is_constant(&v->number)) return true;
  return agree(n, v->id, begin, false) &&
         bpf_machine_reach(m, begin, (uint64_t)v->room, BPF_ACCESS_READ | BPF_ACCESS_WRITE) != NULL;
}

static bool is_value(struct names *n, const struct proof_value *v, uint64_t value) {
  const struct bpf_machine *m = n->m;
  if (v->or_null && value == 0) return agree(n, v->id, 0, true);
  switch ((enum proof_kind)v->kind) {
    case PROOF_UNREADABLE:
      return true;
    case PROOF_SCALAR:
      return proof_number_has(&v->number, value) && agree(n, v->id, value - (uint64_t)v->delta, false);
    case PROOF_CONTEXT:
      return is_at(v, value, bpf_machine_context(m));
    case PROOF_PACKET:
    case PROOF_META:
      return is_window(n, v, value);
    case PROOF_PACKET_END:
      return value == m->data + m->data_length;
    case PROOF_STACK:
      return is_at(v, value, running_frame_end(m, n->base + v->object));
    case PROOF_MAP:
      if (v->object & PROOF_INNER) return bpf_machine_map(m, value) != NULL && agree(n, v->id, value, false);
      return value == bpf_machine_map_handle(m, v->object);
    case PROOF_MAP_VALUE:
      return is_map_value(n, v, value);
    case PROOF_RECORD:
    case PROOF_MEMORY:
      return is_lent(n, v, value);
    case PROOF_LENT:
      return is_lent_by_caller(n, v, value);
    case PROOF_STALE:
      return true; /* of what was there before nothing is claimed */
    case PROOF_FUNCTION:
      return value == (uint64_t)(uintptr_t)&n->r->insns[v->room];
  }
  return false;
}

/* Whether what the end says is behind it is, as far as the names are known by now. */
static bool is_short(const struct names *n, const struct proof_value *end) {
  if (end->kind != PROOF_PACKET_END || (end->id == 0 && end->room == 0)) return true;
  if (end->id == 0) return end->room > (int64_t)n->m->data_length;
  for (unsigned i = 0; i < n->count; i++) {
    if (n->of[i].id == end->id) return (int64_t)n->of[i].value + end->room > (int64_t)n->m->data_length;
  }
  return true;
}

static uint64_t load(const uint8_t *at, unsigned size) {
  uint64_t value = 0;
  memcpy(&value, at, size);
  return value;
}

/* Where a location is: the depth of its frame and the slot in it. */
struct place {
  unsigned depth, slot;
};
static struct place place_of(unsigned base, unsigned location) {
  return (struct place){base + (location - PROOF_FIRST_SLOT) / PROOF_FRAME_SLOTS,
                        (location - PROOF_FIRST_SLOT) % PROOF_FRAME_SLOTS};
}

static uint64_t slot_address(const struct bpf_machine *m, struct place at) {
  return running_frame_end(m, at.depth) - BPF_STACK_SIZE + at.slot * 8u;
}

static uint64_t value_at(const struct running *r, struct place at) {
  if (at.slot < PROOF_FRAME_MEMORY) return load((const uint8_t *)(uintptr_t)slot_address(&r->m, at), 8);
  if (at.slot >= PROOF_FRAME_CALLBACK) return r->handed[at.depth][at.slot - PROOF_FRAME_CALLBACK];
  return r->m.frame[at.depth].saved[at.slot - PROOF_FRAME_SAVED];
}

uint64_t member_value(const struct running *r, unsigned location) {
  if (location < PROOF_REGISTERS) return r->m.reg[location];
  if (location < PROOF_FIRST_SLOT || location >= PROOF_LOCATIONS) return 0;
  return value_at(r, place_of(r->active[r->active_count - 1].base, location));
}

static bool is_slot(struct names *n, const struct proof_slot *s) {
  const struct place at = place_of(n->base, s->location);
  if (at.slot >= PROOF_FRAME_MEMORY) {
    const bool saved = at.slot < PROOF_FRAME_CALLBACK;
    const unsigned reg = BPF_FIRST_SAVED_REGISTER + at.slot - PROOF_FRAME_SAVED;
    if (saved && s->value.kind != PROOF_UNREADABLE && !(n->r->set.saved[at.depth] >> reg & 1)) return false;
    return is_value(n, &s->value, value_at(n->r, at));
  }
  const uint64_t address = slot_address(n->m, at);
  const uint8_t *bytes = (const uint8_t *)(uintptr_t)address;
  for (unsigned i = 0; i < 8; i++) {
    if ((s->zero >> i & 1) && bytes[i] != 0) return false;
    if ((s->written >> i & 1) && !set_has(n->r, address + i, 1)) return false;
  }
  return s->size == 0 || is_value(n, &s->value, load(bytes + s->at, s->size));
}

/* The records: those that the state names are there, and no others. One that nobody names may be there or not. */
static bool is_held(struct names *n, const struct proof_state *state) {
  unsigned least = 0, most = 0;
  const unsigned held = running_records(n->m) - n->r->active[n->r->active_count - 1].held;
  for (unsigned i = 0; i < state->held_count; i++) {
    bool named = false, null = false;
    for (unsigned k = 0; k < n->count; k++) {
      if (n->of[k].id != state->held[i]) continue;
      named = true;
      null = n->of[k].null;
    }
    least += named && !null;
    most += !null;
  }
  return held >= least && held <= most;
}

static bool is_locked(struct names *n, const struct proof_state *state) {
  const struct bpf_machine *m = n->m;
  if (!state->locked) return m->spin_lock == 0;
  uint64_t value;
  const struct bpf_map *map = m->program->maps[state->lock_map];
  return m->spin_lock != 0 && bpf_machine_value(m, m->spin_lock, &value) == map &&
         agree(n, state->lock_id, value, false);
}

int member(const struct running *r, const struct proof_state *state) {
  const struct activation *now = &r->active[r->active_count - 1];
  struct names names = {.r = r, .m = &r->m, .base = now->base};
  for (unsigned i = 0; i < PROOF_REGISTERS; i++) {
    if (state->reg[i].kind != PROOF_UNREADABLE && !(r->set.registers >> i & 1)) return (int)i;
    if (!is_value(&names, &state->reg[i], r->m.reg[i])) return (int)i;
  }
  for (unsigned i = 0; i < state->slot_count; i++) {
    if (!is_slot(&names, &state->slot[i])) return state->slot[i].location;
  }
  for (unsigned i = 0; i < PROOF_REGISTERS; i++) {
    if (!is_short(&names, &state->reg[i])) return (int)i;
  }
  for (unsigned i = 0; i < state->slot_count; i++) {
    if (!is_short(&names, &state->slot[i].value)) return state->slot[i].location;
  }
  if (!is_held(&names, state) || !is_locked(&names, state)) return MEMBER_NOT_HELD;
  if (now->insns > state->cost.insns || now->calls > state->cost.calls) return MEMBER_NOT_COST;
  return MEMBER_OF;
}
