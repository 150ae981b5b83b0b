/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recorded states as the plan says: the first arrival with changes. Whoever wrote the plan is not trusted, so a change must make
 * sense for steps to handle it; whether it holds is found by inclusion.
 */
#include "proof/walk.h"

/* Whether a value that the proof made up is one that steps can handle. Whether it holds is found by inclusion. */
static bool sane(const struct walk *w, const struct proof_state *state, const struct proof_value *v) {
  const int64_t far = (int64_t)1 << 62;
  const bool room = v->room == PROOF_NO_ROOM || (v->room > -PROOF_MAX_OFFSET && v->room < PROOF_MAX_OFFSET);
  const uint32_t map = v->object & ~(unsigned)PROOF_INNER;
  if (v->origin > state->active_count || v->moved_min > v->moved_max || v->moved_min <= -far || v->moved_max >= far) {
    return false;
  }
  if (v->kind != PROOF_SCALAR && (v->delta <= -PROOF_MAX_OFFSET || v->delta >= PROOF_MAX_OFFSET || !room)) return false;
  switch (v->kind) {
    case PROOF_UNREADABLE:
    case PROOF_SCALAR:
    case PROOF_CONTEXT:
    case PROOF_PACKET:
    case PROOF_PACKET_END:
    case PROOF_STALE:
    case PROOF_META:
    case PROOF_RECORD:
    case PROOF_MEMORY:
    case PROOF_LENT:
      return true;
    case PROOF_STACK:
      return v->object <= state->depth;
    case PROOF_MAP:
    case PROOF_MAP_VALUE:
      return map < w->scope.input->map_count &&
             (!(v->object & PROOF_INNER) || bpf_map_is_of_maps(w->scope.input->maps[map].def->type));
    default:
      return false; /* functions come from instructions only */
  }
}

bool walk_apply(struct walk *w, struct proof_state *state, const struct proof_change *change) {
  const unsigned location = change->location;
  struct proof_value v = change->value;
  if (v.kind == PROOF_UNREADABLE && change->written == 0) {
    proof_state_forget(state, location);
    return true;
  }
  const unsigned in_frame = location < PROOF_FIRST_SLOT ? 0 : (location - PROOF_FIRST_SLOT) % PROOF_FRAME_SLOTS;
  const unsigned frame = location < PROOF_FIRST_SLOT ? 0 : (location - PROOF_FIRST_SLOT) / PROOF_FRAME_SLOTS;
  if (frame > state->depth || in_frame >= PROOF_FRAME_CALLBACK ||
      (in_frame >= PROOF_FRAME_SAVED && frame == state->depth)) {
    return false;
  }
  if (!sane(w, state, &v)) return false;
  /* The id: none for constants, that of another location, or a new one. */
  const bool constant = proof_number_is_constant(&v.number);
  v.id = 0;
  v.lost = 0;
  if (v.kind == PROOF_SCALAR && constant) {
    v.delta = (int64_t)proof_number_value(&v.number);
  } else if (proof_is_window(v.kind) && constant) {
    if (proof_number_value(&v.number) != 0) return false;
  } else if (change->linked) {
    const struct proof_value *other = proof_state_value(state, change->link);
    if (other == NULL) return false;
    v.id = other->id;
  }
  if (v.id == 0 && v.kind != PROOF_STACK && !constant) v.id = w->scope.next_id++;
  if (v.id == 0 && (v.kind == PROOF_MAP_VALUE || v.kind == PROOF_RECORD || v.kind == PROOF_MEMORY ||
                    v.kind == PROOF_LENT || (v.kind == PROOF_MAP && (v.object & PROOF_INNER)))) {
    v.id = w->scope.next_id++;
  }
  if (location < PROOF_FIRST_SLOT) {
    state->reg[location] = v;
    return true;
  }
  struct proof_slot *slot = proof_state_make(state, location, w->plan->limits.slots);
  if (slot == NULL) return false;
  slot->written = change->written;
  slot->zero = 0;
  slot->at = change->at;
  slot->size = change->size;
  slot->value = v;
  return true;
}
