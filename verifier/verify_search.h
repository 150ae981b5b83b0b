/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One search for a plan: what its parts share. verify.c drives it, verify_functions.c looks after functions that are verified alone,
 * verify_hooks.c learns from a walk, verify_measure.c finds measures of loops, verify_refine.c decides what to try when a walk failed. Private to verifier/.
 */
#ifndef IMAGO_VERIFIER_VERIFY_SEARCH_H
#define IMAGO_VERIFIER_VERIFY_SEARCH_H

#include "verifier/verify.h"
#include "verifier/verify_plan.h"

/* A point at which the checker joined states. */
struct join {
  uint32_t next; /* the next one with the same slot; UINT32_MAX: none */
  uint8_t depth;
  uint32_t pc, site[BPF_MAX_FRAMES - 1];
};

struct wish {
  struct proof_state *at;
  enum proof_entry_kind kind;
};

struct search {
  const struct proof_input *input;
  struct verify_result *result;
  struct flow flow;
  struct live live;
  struct draft draft;
  struct thresholds coarse;
  /* False at first: costs of loops are left out of the plan until states have come to rest, so that no way is cut off for its
   * length meanwhile. Ways back then fail, where they end anyway. */
  bool costing;
  uint8_t *is_head; /* per slot: target of a backward jump */
  struct proof_limits limits;
  uint32_t root; /* index in the verdict's roots, that the last walk came to */
  struct bpf_fact *facts;
  void *arena;
  size_t arena_size;
  /* Joins seen in any walk: chains by slot. */
  struct join *joins;
  uint32_t join_count, join_capacity;
  uint32_t *join_first; /* per slot */
  /* Of the last walk: */
  bool amended;      /* states, points or measures are to be others */
  bool cost_amended; /* costs were seen that are more than was known */
  bool no_memory;
  bool reads_lost;     /* something forgotten was read */
  bool limited;        /* it ended for a limit that can't be raised */
  struct wish *wishes; /* points to be added */
  uint32_t wish_count, wish_capacity;
  struct proof_failure failure;   /* the first that nothing was learned from; kind PROOF_OK: none */
  struct proof_state *failure_at; /* its state */
  /* The last of those that are the program's, not a limit's: what is explained in the end. */
  struct proof_failure fault;
  struct proof_state *fault_at;
  unsigned effort; /* joins to take apart next time */
};

/* The hooks of a walk that learns; context is the search. */
struct proof_hooks search_hooks(struct search *search);

/* Lets the point's records out by what did not fit into them. */
void search_widen(struct search *search, struct point *point);

/* Gives a loop that is new a location to start with. */
void measure_guess(struct search *search, struct point *point, const struct proof_state *at);
/* One trip of a loop came back. `origin` is what says so of the measure in the arrival. */
void measure_trip(struct point *point, const struct proof_state *head, const struct proof_state *arrival,
                  unsigned origin);
/* The measure did not hold, as what is known of it on a way back shows (NULL: it is no measure). False: there is no other. */
bool measure_reject(struct search *search, struct point *point, const struct proof_value *known);
/* Takes the measure with the fewest trips; true if that is another one. */
bool measure_choose(struct search *search, struct point *point);

/* A plan for the next attempt after the last walk failed and nothing was learned. False: nothing is left to try. */
bool refine(struct search *search);

/* Makes roots of the functions that the result says are verified alone, each behind those that it calls. False: memory is out. */
bool functions_add(struct search *search, const struct verify_function *functions);
/* The last walk failed: the index in the result of the function that does not hold alone, or whose call is refused; function_count: of
 * none. */
uint32_t functions_culprit(const struct search *search);

/* Adds a point at the state's key to each root that it may belong to. False: it is there already, or can't be. */
bool search_add(struct search *search, const struct proof_state *at, enum proof_entry_kind kind);

#endif
