/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The control flow of linked code, as far as the verifier's strategy wants to know it before it walks: what follows what, which
 * function a slot is in, where loops end. The checker does not rely on any of it.
 */
#ifndef IMAGO_VERIFIER_VERIFY_FLOW_H
#define IMAGO_VERIFIER_VERIFY_FLOW_H

#include <stdbool.h>

#include "lib/error.h"
#include "proof/input.h"

#define FLOW_NONE UINT32_MAX

/* Calls go on behind the call. Arrays have an item per slot. */
struct flow {
  const struct bpf_insn *insns;
  uint32_t count;
  uint32_t (*next)
      [2]; /* the slots that may follow in the same function: behind it, and the target of a jump; FLOW_NONE: none */
  uint32_t *function; /* the first slot of the function that it is in */
  uint32_t *
      around; /* the head of the innermost loop that it is inside of, not counting one that it is the head of; FLOW_NONE: none */
  uint8_t *is_head; /* 1: a loop begins there */
};

/* The code must have passed bpf_check. -ERROR_NO_MEMORY. Free with flow_free, after failure too. */
int flow_build(struct flow *flow, const struct proof_input *input) __attribute__((warn_unused_result));
void flow_free(struct flow *flow);

/* The slot behind the instruction. */
uint32_t flow_behind(const struct flow *flow, uint32_t slot);
/* The function that the instruction calls or takes the address of; FLOW_NONE: it does neither. */
uint32_t flow_function_named(const struct flow *flow, uint32_t slot);
/* Whether it jumps to its own slot or one before. */
bool flow_is_backward(const struct flow *flow, uint32_t slot);
/* Whether a loop begins there: control enters it at this slot, wherever the jumps back stand. Every cycle has such a slot. */
bool flow_is_head(const struct flow *flow, uint32_t slot);
/* The head of the innermost loop that the slot is in, itself if it is one; FLOW_NONE: it is in no loop. */
uint32_t flow_head_of(const struct flow *flow, uint32_t slot);
/* The first and the last slot of the loop with this head, with those of the loops inside. */
void flow_loop_range(const struct flow *flow, uint32_t head, uint32_t *first, uint32_t *last);

#endif
