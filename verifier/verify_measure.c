/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Measures of loops: a location that moves the same way on every trip. Which do is seen by comparing the state in which a trip ended with
 * the one in which it began: the same unknown, shifted.
 */
#include "bpf/isa.h"
#include "verifier/verify_search.h"

static struct mover *find(struct point *point, unsigned location) {
  for (unsigned i = 0; i < point->mover_count; i++)
    if (point->movers[i].location == location) return &point->movers[i];
  return NULL;
}

static struct mover *note(struct point *point, unsigned location) {
  struct mover *mover = find(point, location);
  if (mover || point->mover_count == PLAN_MAX_MOVERS) return mover;
  mover = &point->movers[point->mover_count++];
  *mover = (struct mover){.location = (uint16_t)location};
  return mover;
}

static bool may_measure(const struct proof_value *v) {
  return v && (v->kind == PROOF_SCALAR || v->kind == PROOF_PACKET);
}

/* How far [low, high] is, in trips of `step`; UINT64_MAX: not bounded. */
static uint64_t trips_of(const struct proof_value *v, int64_t step) {
  const struct proof_number *n = &v->number;
  uint64_t width = n->wide.umax - n->wide.umin, other = (uint64_t)n->wide.smax - (uint64_t)n->wide.smin;
  uint64_t size = step < 0 ? 0 - (uint64_t)step : (uint64_t)step;
  if (other < width) width = other;
  if (step == 0 || width > INT64_MAX) return UINT64_MAX;
  return width / size + 1;
}

static int64_t step_of(const struct mover *mover) { return mover->low > 0 ? mover->low : mover->high; }

/* --- trips --- */

/* How far a value moved on a trip. */
struct motion {
  bool known, moves;
  bool marked; /* the checker's mark says so */
  int64_t low, high;
};

static struct motion motion_of(const struct proof_value *head, const struct proof_value *arrival, unsigned origin) {
  struct motion m = {.moves = true};
  if (!may_measure(arrival) || arrival->kind != head->kind) return m;
  if (arrival->origin == origin) {
    m = (struct motion){true, true, true, arrival->moved_min, arrival->moved_max};
  } else if (arrival->id == head->id) {
    int64_t by = (int64_t)((uint64_t)arrival->delta - (uint64_t)head->delta);
    m = (struct motion){true, by != 0, false, by, by};
  }
  return m;
}

static void note_motion(struct point *point, bool first, unsigned location, const struct proof_value *head,
                        const struct proof_value *arrival, unsigned origin) {
  if (!may_measure(head)) return;
  struct motion m = motion_of(head, arrival, origin);
  if (first) {
    struct mover *mover = m.moves ? note(point, location) : NULL;
    if (mover && !mover->rejected)
      *mover = (struct mover){
          .location = (uint16_t)location, .constant = m.known, .marked = m.marked, .low = m.low, .high = m.high};
    return;
  }
  struct mover *mover = find(point, location);
  if (!mover) return;
  if (!m.known && mover->marked) return; /* seen when it was the measure: the mark knows more */
  mover->marked |= m.marked;
  mover->constant &= m.known;
  if (!mover->constant) return;
  if (m.low < mover->low) mover->low = m.low;
  if (m.high > mover->high) mover->high = m.high;
  if (mover->low <= 0 && mover->high >= 0) mover->rejected = true; /* on some way it stays, or moves both ways */
}

void measure_trip(struct point *point, const struct proof_state *head, const struct proof_state *arrival,
                  unsigned origin) {
  bool first = !point->measured;
  point->measured = true;
  for (unsigned i = 0; i < PROOF_REGISTERS; i++)
    note_motion(point, first, i, &head->reg[i], &arrival->reg[i], origin);
  for (unsigned i = 0; i < head->slot_count; i++) {
    unsigned location = head->slot[i].location;
    note_motion(point, first, location, proof_state_value(head, location), proof_state_value(arrival, location),
                origin);
  }
}

/* --- choosing --- */

/* The most trips that the recorded states allow it; UINT64_MAX: it can't be a measure. */
static uint64_t trips(const struct search *s, const struct point *point, unsigned location, int64_t step) {
  uint64_t most = 0;
  if (!point->base) return UINT64_MAX;
  for (unsigned i = 0; i < point->entry.record_count; i++) {
    const struct proof_state *wanted = point->records[i].wanted;
    const struct proof_value *v = proof_state_value(wanted, location);
    if (!may_measure(v) || !live_at(&s->live, wanted, location)) return UINT64_MAX;
    uint64_t here = trips_of(v, step);
    if (here > most) most = here;
  }
  return most;
}

static bool take(struct point *point, unsigned location, int64_t step) {
  struct proof_entry *entry = &point->entry;
  if (step > INT32_MAX) step = INT32_MAX;
  if (step < -INT32_MAX) step = -INT32_MAX;
  if (entry->measure == location && entry->step == step) return false;
  entry->measure = (uint16_t)location;
  entry->step = (int32_t)step;
  return true;
}

bool measure_choose(struct search *s, struct point *point) {
  const struct mover *best = NULL;
  uint64_t fewest = UINT64_MAX;
  for (unsigned i = 0; i < point->mover_count; i++) {
    const struct mover *mover = &point->movers[i];
    if (mover->rejected || !mover->constant) continue;
    uint64_t here = trips(s, point, mover->location, step_of(mover));
    if (here < fewest) {
      fewest = here;
      best = mover;
    }
  }
  return best && take(point, best->location, step_of(best));
}

/* Something that moved in a way that can't be told by looking at both ends: the checker's ghost may see that it moves one way. Upwards
 * first. */
static bool try_others(struct search *s, struct point *point) {
  for (unsigned i = 0; i < point->mover_count; i++) {
    struct mover *mover = &point->movers[i];
    if (mover->rejected || mover->constant) continue;
    if (trips(s, point, mover->location, 1) == UINT64_MAX) {
      mover->rejected = true;
      continue;
    }
    bool upwards_failed = point->entry.measure == mover->location && point->entry.step > 0;
    return take(point, mover->location, upwards_failed ? -1 : 1);
  }
  return false;
}

/* It moves one way if at all: perhaps always, but for what a join lost. */
static bool may_stand_still(const struct proof_value *v) {
  return v->origin != 0 && (v->moved_min >= 0 || v->moved_max <= 0);
}

bool measure_reject(struct search *s, struct point *point, const struct proof_value *known) {
  struct mover *mover = note(point, point->entry.measure);
  if (!mover) return false;
  if (known && may_stand_still(known)) mover->lost = known->lost;
  if (mover->constant || point->entry.step < 0 || !point->measured) mover->rejected = true;
  if (measure_choose(s, point)) return true;
  if (point->measured) return try_others(s, point);
  if (!point->base) return false;
  uint16_t before = point->entry.measure;
  measure_guess(s, point, point->base);
  return point->entry.measure != before;
}

/* Whether an instruction of the loop adds a constant to the register. */
static bool is_stepped(const struct search *s, uint32_t first, uint32_t end, unsigned reg, int64_t *step) {
  for (uint32_t i = first; i <= end; i = flow_behind(&s->flow, i)) {
    struct bpf_insn insn = s->input->insns[i];
    unsigned class = BPF_CLASS(insn.code);
    bool adds = BPF_OP(insn.code) == BPF_ADD || BPF_OP(insn.code) == BPF_SUB;
    if ((class != BPF_ALU && class != BPF_ALU64) || !adds || BPF_SRC(insn.code) != BPF_K || bpf_dst(insn) != reg ||
        insn.imm == 0)
      continue;
    *step = (insn.imm > 0) == (BPF_OP(insn.code) == BPF_ADD) ? 1 : -1;
    return true;
  }
  return false;
}

void measure_guess(struct search *s, struct point *point, const struct proof_state *at) {
  uint32_t first = at->pc - point->entry.before, end = point->entry.end;
  int64_t step = 1;
  unsigned fallback = 0;
  bool found = false;
  for (unsigned reg = PROOF_REGISTERS; reg-- > 0;) {
    const struct mover *mover = find(point, reg);
    if ((mover && mover->rejected) || !may_measure(&at->reg[reg]) || !live_at(&s->live, at, reg)) continue;
    if (trips_of(&at->reg[reg], 1) == UINT64_MAX) continue;
    fallback = reg;
    found = true;
    if (!is_stepped(s, first, end, reg, &step)) continue;
    (void)take(point, reg, step);
    return;
  }
  for (unsigned i = 0; i < at->slot_count && !found; i++) {
    unsigned location = at->slot[i].location;
    const struct mover *mover = find(point, location);
    if ((mover && mover->rejected) || !may_measure(proof_state_value(at, location))) continue;
    fallback = location;
    found = true;
  }
  if (found) (void)take(point, fallback, 1);
}
