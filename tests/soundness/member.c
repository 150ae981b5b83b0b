/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Membership. Ids are names of unknown values, so whatever has the same id must agree on it.
 */
#include "tests/soundness/member.h"

#include <string.h>

enum { NAMES_MAX = 256 };

struct names {
  const struct bpf_machine *m;
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

static uint64_t frame_end(const struct bpf_machine *m, unsigned frame) {
  return (uint64_t)(uintptr_t)m->stack_memory + sizeof m->stack_memory - (uint64_t)frame * BPF_STACK_SIZE;
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

static bool is_record(struct names *n, const struct proof_value *v, uint64_t value) {
  for (unsigned i = 0; i < n->m->held_count; i++) {
    const struct bpf_held *held = &n->m->held[i];
    if (!held->used || held->length < (uint64_t)v->room || !is_at(v, value, held->address)) continue;
    return agree(n, v->id, held->address, false);
  }
  return false;
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
      return is_at(v, value, frame_end(m, v->object));
    case PROOF_MAP:
      if (v->object & PROOF_INNER) return bpf_machine_map(m, value) != NULL && agree(n, v->id, value, false);
      return value == bpf_machine_map_handle(m, v->object);
    case PROOF_MAP_VALUE:
      return is_map_value(n, v, value);
    case PROOF_RECORD:
      return is_record(n, v, value);
    case PROOF_MEMORY:
      return true; /* a callback's key, which the callback alone sees */
    case PROOF_STALE:
      return true; /* of what was there before nothing is claimed */
    case PROOF_FUNCTION:
      return value == (uint64_t)(uintptr_t)&m->program->insns[v->room];
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

static const uint8_t *slot_bytes(const struct bpf_machine *m, unsigned frame, unsigned slot) {
  return (const uint8_t *)(uintptr_t)(frame_end(m, frame) - BPF_STACK_SIZE + slot * 8u);
}

static uint64_t load(const uint8_t *at, unsigned size) {
  uint64_t value = 0;
  memcpy(&value, at, size);
  return value;
}

uint64_t member_value(const struct bpf_machine *m, unsigned location) {
  if (location < PROOF_REGISTERS) return m->reg[location];
  if (location < PROOF_FIRST_SLOT || location >= PROOF_LOCATIONS) return 0;
  unsigned frame = (location - PROOF_FIRST_SLOT) / PROOF_FRAME_SLOTS;
  unsigned slot = (location - PROOF_FIRST_SLOT) % PROOF_FRAME_SLOTS;
  if (slot < PROOF_FRAME_MEMORY) return load(slot_bytes(m, frame, slot), 8);
  if (slot < PROOF_FRAME_CALLBACK) return m->frame[frame].saved[slot - PROOF_FRAME_SAVED];
  return 0;
}

static bool is_slot(struct names *n, const struct proof_slot *s) {
  unsigned frame = (s->location - PROOF_FIRST_SLOT) / PROOF_FRAME_SLOTS;
  unsigned slot = (s->location - PROOF_FIRST_SLOT) % PROOF_FRAME_SLOTS;
  if (slot >= PROOF_FRAME_CALLBACK) return true;
  if (slot >= PROOF_FRAME_SAVED) return is_value(n, &s->value, member_value(n->m, s->location));
  const uint8_t *bytes = slot_bytes(n->m, frame, slot);
  for (unsigned i = 0; i < 8; i++) {
    if ((s->zero >> i & 1) && bytes[i] != 0) return false;
  }
  return s->size == 0 || is_value(n, &s->value, load(bytes + s->at, s->size));
}

int member(const struct bpf_machine *m, const struct proof_state *state, uint64_t executed) {
  struct names names = {.m = m};
  for (unsigned i = 0; i < PROOF_REGISTERS; i++) {
    if (!is_value(&names, &state->reg[i], m->reg[i])) return (int)i;
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
  if (state->locked != (m->spin_lock != 0) || executed > state->cost.insns) return PROOF_LOCATIONS;
  return MEMBER_OF;
}
