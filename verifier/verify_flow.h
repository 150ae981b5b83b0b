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
  uint32_t *function;     /* the first slot of the function that it is in */
  uint32_t *before_first; /* predecessors of slot i: before[before_first[i]..before_first[i + 1]) */
  uint32_t *before;
};

/* The code must have passed bpf_check. -ERROR_NO_MEMORY. Free with flow_free, after failure too. */
int flow_build(struct flow *flow, const struct proof_input *input) __attribute__((warn_unused_result));
void flow_free(struct flow *flow);

/* The slot behind the instruction. */
uint32_t flow_behind(const struct flow *flow, uint32_t slot);
/* Whether it jumps to its own slot or one before. */
bool flow_is_backward(const struct flow *flow, uint32_t slot);
/* For the target of backward jumps: the last slot of those from which control may come back to it, without leaving the function or going
 * back further than to it, as the loops around it do. `marks` has flow->count bytes, of any content; it then has 1 for each slot of the loop and 0 for others. */
uint32_t flow_loop_end(const struct flow *flow, uint32_t head, uint8_t *marks);

#endif
