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
#include "proof/plan.h"

enum proof_outcome {
  PROOF_NEXT,       /* goes on at state->pc, which was moved */
  PROOF_BRANCH,     /* conditional jump: proof_branch for both ways */
  PROOF_CALLS_BACK, /* bpf_loop or bpf_for_each_map_elem: proof_enter_callback and proof_finish_callbacks */
  PROOF_TAIL_CALL,  /* bpf_tail_call: as PROOF_NEXT (it failed), or the function exits: proof_tail_exit */
  PROOF_EXIT,       /* exit: proof_leave */
  PROOF_REFUSED,    /* scope->failure says why */
};

/* A function that was checked alone: what calls of it go by. */
struct proof_function {
  uint32_t pc;
  const struct proof_argument *arguments; /* PROOF_ARGUMENTS of them */
  struct proof_cost cost;                 /* at most */
  unsigned deepest;                       /* frames below its own */
  bool moves;                             /* it may move the packet */
  uint32_t exits;                         /* ways to its end that were seen: at all of them r0 is in */
  struct proof_value result;              /* this, if it is a number, and otherwise nothing to be read */
};

/* What the steps of one walk share. */
struct proof_scope {
  const struct proof_input *input;
  const struct proof_program *program; /* the one that the walk is in */
  struct bpf_fact *facts;              /* one per slot; what still holds after all visits so far */
  const struct proof_limits *limits;
  uint32_t next_id;
  unsigned frames;                  /* that the engine has for the root */
  struct proof_value frame_pointer; /* what r10 was found to be, for the instruction at hand */
  const uint64_t *meets;            /* a bit for each slot where paths may meet */
  bool revisits;                    /* the instruction at hand was visited before */
  uint32_t tail_map;                /* with PROOF_TAIL_CALL: the map of programs */
  uint32_t timer_pc, timer_map;     /* the last step gave timers of this map this function; PROOF_NO_MAP: it did not */
  const struct proof_function *functions; /* those that were checked alone */
  uint32_t function_count;
  unsigned deepest; /* frame, and */
  bool moves;       /* whether the packet may be moved, in what was walked of the root */
  struct proof_failure failure;
};

/* One instruction, at state->pc, which is inside the program. Counts it in state->cost. */
enum proof_outcome proof_step(struct proof_scope *scope, struct proof_state *state);
/* After PROOF_BRANCH: the state in which the jump was taken, or not, its pc moved. False: that cannot happen. */
bool proof_branch(struct proof_scope *scope, struct proof_state *state, bool taken);
/* After PROOF_EXIT: the function that exits is one that a helper calls. */
bool proof_in_callback(const struct proof_scope *scope, const struct proof_state *state);
/* The outermost function exits, or goes on in another program: it must hold nothing and, if it is asked to, give a number. False:
 * refused. */
bool proof_end(struct proof_scope *scope, const struct proof_state *state, bool gives_number);
/* After PROOF_EXIT with depth above 0: in the caller, behind the call; of a callback at the call, where proof_enter_callback goes on
 * with the next one and proof_finish_callbacks with none. False: refused. */
bool proof_leave(struct proof_scope *scope, struct proof_state *state);
/* After PROOF_TAIL_CALL: the function that made the tail call exits as the other program does. */
void proof_return_from_tail(struct proof_scope *scope, struct proof_state *state);

/* How often the helper at state->pc calls back. */
struct proof_trips {
  uint32_t least, most;
  uint32_t empty; /* instructions that it charges besides */
};
struct proof_trips proof_count_trips(const struct proof_scope *scope, struct proof_state *state);
/* One call: state->pc becomes the function's first slot. False: refused. */
bool proof_enter_callback(struct proof_scope *scope, struct proof_state *state);
/* The helper returns. */
void proof_finish_callbacks(struct proof_scope *scope, struct proof_state *state);

/* The state at the start of a root of the plan; `arguments` if it is a function that is checked alone. */
void proof_begin(struct proof_scope *scope, struct proof_state *state, uint32_t pc, uint32_t map,
                 const struct proof_argument *arguments);

#endif
