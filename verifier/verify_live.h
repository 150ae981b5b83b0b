/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which registers and slots of stack may still be read from a point on. The others are forgotten in recorded states, so that proofs are
 * small and paths that differ in nothing that matters come together. An error here costs a proof, never safety: the checker refuses
 * what reads a forgotten location.
 */
#ifndef IMAGO_VERIFIER_VERIFY_LIVE_H
#define IMAGO_VERIFIER_VERIFY_LIVE_H

#include "proof/plan.h"
#include "verifier/verify_flow.h"

struct live_set {
  uint16_t registers; /* bit per register */
  uint64_t slots;     /* of the function's frame: bit per 8 bytes, from the lowest address up */
};

struct live {
  const struct flow *flow;
  struct live_set *in; /* before each slot */
  uint64_t *reads;     /* slots of the frame that the instruction at each slot, or what it calls, was seen to read */
  bool stale;          /* reads have grown since live_compute */
  const struct proof_plan
      *plan; /* says which functions are checked alone, and so what calls of them read; NULL: none */
};

/* Knows at first the reads that are relative to r10. -ERROR_NO_MEMORY. Free with live_free, after failure too. */
int live_init(struct live *live, const struct flow *flow) __attribute__((warn_unused_result));
void live_free(struct live *live);

/* Notes what the instruction at state->pc is about to read of the stack, through whatever pointer. */
void live_watch(struct live *live, const struct proof_input *input, const struct proof_state *state);
void live_compute(struct live *live);

/* Whether the location may be read from this state on. */
bool live_at(const struct live *live, const struct proof_state *state, unsigned location);

#endif
