/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What one instruction does to a state, and whether it may be executed in it: the transfer functions. Where control goes from
 * there is the walk's business (proof/check.h).
 */
#ifndef IMAGO_PROOF_STEP_H
#define IMAGO_PROOF_STEP_H

#include "bpf/facts.h"
#include "bpf/proto.h"
#include "proof/input.h"
#include "proof/state.h"

enum proof_outcome {
  PROOF_NEXT,   /* goes on at state->pc, which was moved */
  PROOF_BRANCH, /* conditional jump: proof_branch for both ways */
  PROOF_CALL,   /* entered a function: state->pc is its first slot */
  PROOF_CALLBACK, /* bpf_loop or bpf_for_each_map_elem: proof_enter_callback for one more call, proof_skip_callbacks for none */
  PROOF_TAIL,    /* bpf_tail_call: as PROOF_NEXT (it failed), or the function exits: proof_tail_exit */
  PROOF_EXIT,    /* exit: proof_leave */
  PROOF_REFUSED, /* scope->failure says why */
};

/* What the steps of one walk share. */
struct proof_scope {
  const struct proof_input *input;
  const struct proof_program *program; /* the one that the walk is in */
  struct bpf_fact *facts;              /* one per slot; what still holds after all visits so far */
  uint32_t slot_limit;                 /* slots of a state */
  uint32_t next_id;
  struct proof_failure failure;
};

/* One instruction, at state->pc, which is inside the program. Counts it in state->cost. */
enum proof_outcome proof_step(struct proof_scope *scope, struct proof_state *state);
/* After PROOF_BRANCH: the state in which the jump was taken, or not, its pc moved. False: that cannot happen. */
bool proof_branch(struct proof_scope *scope, struct proof_state *state, bool taken);
/* After PROOF_EXIT of a function (depth above 0) that was called: back in the caller, behind the call. False: refused. */
bool proof_leave(struct proof_scope *scope, struct proof_state *state);
/* After PROOF_EXIT of the outermost function, or of one that a helper called, or before a tail call. False: refused. */
bool proof_may_end(struct proof_scope *scope, const struct proof_state *state);

/* How often the helper at state->pc calls back at most, and what each call costs besides its instructions. */
struct proof_cost proof_callback_trips(const struct proof_scope *scope, const struct proof_state *state);
/* After PROOF_CALLBACK, or behind the exit of the callback: one (more) call. state->pc is the function's first slot. */
bool proof_enter_callback(struct proof_scope *scope, struct proof_state *state);
/* After PROOF_CALLBACK, or behind the exit of the callback: the helper returns. */
void proof_finish_callback(struct proof_scope *scope, struct proof_state *state);

/* The state at the start of a root of the plan: a program, or, with a map, a function that its timers call. */
void proof_begin(struct proof_scope *scope, struct proof_state *state, uint32_t pc, uint32_t map);

#endif
