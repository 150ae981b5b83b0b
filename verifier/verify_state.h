/* SPDX-License-Identifier: BSD-3-Clause
 *
 * States that the verifier keeps between walks, and how a recorded state is let out so that one more arrival fits.
 */
#ifndef IMAGO_VERIFIER_VERIFY_STATE_H
#define IMAGO_VERIFIER_VERIFY_STATE_H

#include "verifier/verify_live.h"
#include "verifier/verify_widen.h"

/* A copy, freed by memory_free; NULL when memory is out. */
struct proof_state *state_copy(const struct proof_state *state) __attribute__((warn_unused_result));
/* Replaces *to, which may be NULL, by a copy; false when memory is out: then *to is as it was. */
bool state_replace(struct proof_state **to, const struct proof_state *state) __attribute__((warn_unused_result));

/* They are in the same loops and hold as much. */
bool state_same_holdings(const struct proof_state *a, const struct proof_state *b);
/* Each of both is within the other. */
bool state_same(const struct proof_state *a, const struct proof_state *b);
/* Same loops and holdings, and what is live is of the same kinds: joining them forgets no pointer. */
bool state_alike(const struct proof_state *a, const struct proof_state *b, const struct live *live);

/* Names of unknowns mean nothing outside of their walk: gives the unknowns of `state` the names that they have in `base`, where they are
 * the same there, and others new ones. Without this, what did not change would be taken for something else. */
void state_rename(struct proof_state *state, const struct proof_state *base);
/* Where `state` knows of no loop's measure and `base` does, takes it from there: to be given up again if that was too much. */
void state_take_measures(struct proof_state *state, const struct proof_state *base);
/* Forgets what is not live. */
void state_trim(struct proof_state *state, const struct live *live);

/* How values that grow are let out: counters by the program's own numbers, others by what suffices for most. NULL: not at all. */
struct widening {
  const struct thresholds *counters, *others;
  uint64_t counter[(PROOF_LOCATIONS + 63) / 64]; /* a bit for each location that is a counter */
};

/* `state` becomes the join of both; with a widening also wider than that, so that repeating it comes to rest. False: they don't go
 * together, and `state` is as it was. */
bool state_extend(struct proof_state *state, const struct proof_state *arrival, const struct widening *widening);

#endif
