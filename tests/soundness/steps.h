/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs programs one instruction at a time in the fully checked interpreter, through functions that helpers call, tail calls and timers,
 * and looks at each instruction whether what the program holds is a member of one of the states that the checker visited there,
 * whether the facts for native code hold, and whether no more was executed than is proven.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_STEPS_H
#define IMAGO_TESTS_SOUNDNESS_STEPS_H

#include "bpf/program.h"
#include "proof/check.h"
#include "tests/soundness/visited.h"

/* What was proven, of programs that are prepared and have no native code. */
struct steps_claims {
  const struct proof_input *input;
  const struct bpf_program *programs; /* those of the input */
  const struct visited *visited;
  const struct bpf_fact *facts; /* one for each slot */
  const struct proof_verdict *verdict;
};

enum steps_verdict {
  STEPS_GOOD,
  STEPS_FAULT,
  STEPS_NO_MEMBER, /* of no state */
  STEPS_FALSE_FACT,
  STEPS_OVER_BOUND,
  STEPS_USES_UNSET, /* a register, or bytes of stack, that the program never wrote */
  STEPS_LEAKS,      /* an address, to a map, packet, record or caller */
  STEPS_HOLDS,      /* in the end, a record or a lock */
  STEPS_NO_ROOT,    /* a function that no proof speaks of was given to a timer */
};

struct steps_result {
  enum steps_verdict verdict;
  bool is_cut;          /* over the limit */
  uint64_t executed;    /* tail calls included */
  uint64_t in_callback; /* of these, in functions that helpers called, */
  uint64_t behind_tail; /* in programs that were tail called, */
  uint64_t in_timer;    /* in functions that timers called */
  enum bpf_fault_kind fault;
  uint32_t slot;                     /* where it went wrong */
  int location;                      /* of the difference to the state that got furthest */
  uint64_t value;                    /* that stands there */
  const struct proof_state *nearest; /* that state; NULL: the checker never was there */
};

/* A function that the program gave to a timer. */
struct steps_timer {
  uint32_t program, function; /* slot among all */
  uint32_t map, slot;         /* of the value that the timer is in */
};
enum { STEPS_TIMERS_MAX = 8 };
struct steps_timers {
  struct steps_timer timer[STEPS_TIMERS_MAX]; /* the first ones */
  unsigned count;
};

/* Program 0 on this input for at most `limit` steps. */
struct steps_result steps_run(const struct steps_claims *claims, const struct bpf_environment *environment,
                              const struct bpf_input *input, uint64_t limit, struct steps_timers *timers);
/* The function of a timer, if its entry is still there. */
struct steps_result steps_run_timer(const struct steps_claims *claims, const struct bpf_environment *environment,
                                    const struct steps_timer *timer, uint64_t limit, struct steps_timers *timers);

#endif
