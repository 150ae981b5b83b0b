/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a walk keeps. Private to proof/check.c.
 */
#ifndef IMAGO_PROOF_WALK_H
#define IMAGO_PROOF_WALK_H

#include "proof/check.h"
#include "proof/step.h"

/* An entry of the plan, as it is walked. */
struct point {
  struct proof_state *first, *last; /* recorded states */
  uint32_t waiting;                 /* of which so many were not run yet */
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
  struct tail *tails;   /* program * maps + map */
  struct bound *bounds; /* of programs without tail calls, and room for two more of each */
  uint8_t *states;
  struct proof_state *free;
  /* Of the root that is being walked. */
  const struct proof_root *root; /* NULL: the plan has no entries for it */
  uint32_t program;
  uint32_t lowest;             /* no entry below has states that wait */
  struct proof_state *pending; /* of the region, by order */
  struct proof_cost end;       /* of the costliest way to its exit */
  unsigned deepest;
  uint8_t root_program[PROOF_MAX_ROOTS];
};

#endif
