/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The plan while it is being found: points with the states that are to be recorded there, from which a plan for the checker is
 * assembled before each walk.
 */
#ifndef IMAGO_VERIFIER_VERIFY_PLAN_H
#define IMAGO_VERIFIER_VERIFY_PLAN_H

#include "proof/plan.h"
#include "verifier/verify_state.h"

enum {
  PLAN_MAX_RECORDS = 4, /* at one point */
  PLAN_MAX_MOVERS = 24,
};

/* A location that a loop moves, and by how much from one arrival at the head to the next. */
struct mover {
  uint16_t location;
  bool constant; /* by the same step in all trips seen */
  bool marked;   /* it was the measure once: the steps are what the checker's mark said */
  bool rejected; /* it was the measure, and did not move enough on some way */
  uint32_t lost; /* 1 + slot of the join where it was lost that it moves on every way; 0: not known of one */
  int64_t low, high;
};

/* A recorded state. */
struct record {
  struct proof_state *wanted; /* with what is dead */
  struct proof_state *given;  /* what the checker makes of the plan: without it */
  struct proof_state *head;   /* with which the loop's body was last entered; NULL: not yet */
  struct proof_state *hull;   /* join of what arrived in the last walk and fitted */
  /* Joins of what did not fit, NULL: all did. */
  struct proof_state *entered;  /* from outside of the loop */
  struct proof_state *returned; /* from its body */
};

struct point {
  uint32_t root;                              /* number */
  struct proof_entry entry;                   /* numbers into the plan's arrays are filled in when it is assembled */
  uint64_t seen[(PROOF_LOCATIONS + 63) / 64]; /* locations that some arrival knew something of: a bit each */
  /* Of the last walk: */
  uint32_t arrivals; /* at it, of any kind */
  bool returns;      /* there were arrivals from the loop's body */
  /* Loops and callbacks: */
  struct proof_state *base; /* the first arrival; NULL: none yet */
  struct record records[PLAN_MAX_RECORDS];
  struct mover movers[PLAN_MAX_MOVERS];
  uint8_t mover_count;
  bool measured;                      /* movers are from trips that were seen, not only guessed */
  uint8_t widened, narrowed, entered; /* how often */
  bool apart;                         /* it is arrived at in different loops, or holding different things */
  bool no_split;                      /* keeping all trips apart was tried */
  struct thresholds *thresholds;
};

/* Ascending by root and key. Owns what points point to. */
struct draft {
  struct point *points;
  uint32_t point_count, point_capacity;
  struct proof_root
      roots[PROOF_MAX_ROOTS]; /* functions that are to be checked alone, then what walks were seen to begin with */
  uint32_t root_count;
  struct proof_plan plan; /* as last assembled; its arrays are the draft's */
  struct proof_root plan_roots[PROOF_MAX_ROOTS];
  uint32_t entry_capacity, record_capacity, change_capacity;
};

void draft_free(struct draft *draft);
/* The point of a root with this state's key; NULL: there is none. */
struct point *draft_find(const struct draft *draft, uint32_t root, const struct proof_state *state);
/* A new point with that key, which there is not yet. All numbers and addresses of points change. NULL: memory is out, or there are
 * PROOF_MAX_ENTRIES. */
struct point *draft_add(struct draft *draft, uint32_t root, const struct proof_state *state,
                        enum proof_entry_kind kind);
void draft_remove(struct draft *draft, uint32_t number);
/* A new root behind the others, of which entries do not matter. False: it is there already, or there are too many. */
bool draft_add_root(struct draft *draft, const struct proof_root *root);

/* Makes draft->plan of the points, with or without what trips of loops cost. -ERROR_NO_MEMORY. */
int draft_assemble(struct draft *draft, const struct live *live, bool costs) __attribute__((warn_unused_result));

/* Turns a point into one of another kind, without records. */
void point_become(struct point *point, enum proof_entry_kind kind);
/* Notes which locations the state knows something of. */
void point_see(struct point *point, const struct proof_state *state);
/* Forgets what records were found; the next first arrival begins anew. */
void point_reset(struct point *point);
static inline bool point_records(const struct point *point) { return point->entry.kind != PROOF_SPLIT; }

#endif
