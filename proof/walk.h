/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a walk keeps, and the parts of it that stand in files of their own. Private to proof/.
 */
#ifndef IMAGO_PROOF_WALK_H
#define IMAGO_PROOF_WALK_H

#include "proof/check.h"
#include "proof/step.h"

/* An entry of the plan, as it is walked. */
struct point {
  struct proof_state *first, *last; /* recorded states */
  struct proof_state *next;         /* the first that was not run yet: they are run in the order of their arrival */
  struct proof_cost dearest;        /* of those that were run */
  uint64_t trips;                   /* MERGE: 0; LOOP: by its measure; CALLBACK: of the first arrival */
  struct proof_cost ceiling;        /* cost of the recorded states of MERGE, LOOP, CALLBACK */
};

/* Tail calls of a program through one map. */
struct tail {
  bool made;
  uint8_t depth;          /* from the deepest frame */
  struct proof_cost cost; /* to there */
};

struct bound {
  struct proof_cost cost;
  unsigned deepest; /* frame */
};

struct walk {
  struct proof_scope scope;
  const struct proof_plan *plan;
  const struct proof_hooks *hooks;
  struct proof_verdict *verdict;
  bool stopped;
  /* In the arena. */
  uint64_t *meets, *is_point; /* a bit for each slot */
  struct point *points;
  struct tail *tails;               /* program * maps + map */
  struct bound *bounds;             /* of programs without tail calls, and room for two more of each */
  struct proof_function *functions; /* scope.functions */
  uint8_t *states;
  struct proof_state *free;
  /* Of the root that is being walked. */
  const struct proof_root *root; /* NULL: the plan has no entries for it */
  uint32_t program;
  uint32_t lowest;                 /* no entry below has states that wait */
  struct proof_state *pending;     /* of the region, by order */
  struct proof_cost end;           /* of the costliest way to its exit */
  struct proof_function *function; /* that is checked alone; NULL: it is no such root */
  uint8_t root_program[PROOF_MAX_ROOTS];
};

/* One of a bit for each slot. */
static inline bool bit(const uint64_t *words, uint32_t at) { return words[at / 64] >> (at % 64) & 1; }

/* Over any limit; what a walk adds to it step by step doesn't wrap. */
#define COST_MAX ((uint32_t)1 << 30)

/* base + times * each, but too much is too much. */
static inline struct proof_cost cost_sum(struct proof_cost base, uint64_t times, struct proof_cost each) {
  const uint64_t insns = base.insns + times * each.insns, calls = base.calls + times * each.calls;
  if (times > UINT32_MAX) return (struct proof_cost){COST_MAX, COST_MAX};
  return (struct proof_cost){insns < COST_MAX ? (uint32_t)insns : COST_MAX,
                             calls < COST_MAX ? (uint32_t)calls : COST_MAX};
}
static inline bool cost_within(struct proof_cost cost, struct proof_cost limit) {
  return cost.insns <= limit.insns && cost.calls <= limit.calls;
}
static inline void cost_raise(struct proof_cost *cost, struct proof_cost other) {
  if (other.insns > cost->insns) cost->insns = other.insns;
  if (other.calls > cost->calls) cost->calls = other.calls;
}

/* Something, scope.failure, is not proven. The path ends; unless the hook `failed` wants to see more, the walk too. (check.c, as are the
 * next five) */
void walk_fail(struct walk *w);
void walk_fail_at(struct walk *w, const struct proof_state *state, enum proof_failure_kind kind, uint32_t entry);
/* Of what ends the walk in any case. */
void walk_stop(struct walk *w, const struct proof_state *state, enum proof_failure_kind kind);
/* One unit of the work stated. False: there is none left. */
bool walk_spend(struct walk *w, const struct proof_state *state);
/* A copy of the state. NULL: the states stated are used up. */
struct proof_state *walk_copy(struct walk *w, const struct proof_state *state);
void walk_release(struct walk *w, struct proof_state *state);

/* Some way to a point that the plan has an entry for. calls: NULL, or how often the helper calls that is about to, for the first
 * time (most 0: again). (arrive.c) */
void walk_arrive(struct walk *w, uint32_t e, struct proof_state *state, const struct proof_trips *calls);

/* The plan's entry for the point that the state is at, or UINT32_MAX. (points.c) */
uint32_t walk_entry_of(const struct walk *w, const struct proof_state *state);
/* Marks where paths may meet: targets of jumps and calls, what is behind a call, points of the plan. (points.c) */
void walk_mark_meets(struct walk *w);

/* One change of a recorded state. False: it makes no sense here. (record.c) */
bool walk_apply(struct walk *w, struct proof_state *state, const struct proof_change *change);

/* Bounds of programs with the programs that they go on in: by dynamic programming over the tail calls that are left. (bounds.c) */
void walk_add_tail_calls(struct walk *w);

#endif
