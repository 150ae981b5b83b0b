/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs a program one instruction at a time in the fully checked interpreter, and looks at each whether what it holds is a member of one
 * of the states that the checker visited there.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_STEPS_H
#define IMAGO_TESTS_SOUNDNESS_STEPS_H

#include "bpf/facts.h"
#include "bpf/program.h"
#include "proof/state.h"

/* States by the slot that they stand at; copies. */
struct visited {
  struct proof_state **list;
  uint32_t *next;  /* 1 + index of another at the same slot */
  uint32_t *first; /* by slot: 1 + index */
  uint32_t count, capacity, slots;
};

void visited_begin(struct visited *v, uint32_t slots);
/* Copies the state. */
void visited_add(struct visited *v, const struct proof_state *state);
void visited_end(struct visited *v);

enum steps_verdict {
  STEPS_GOOD,
  STEPS_FAULT,
  STEPS_NO_MEMBER, /* of no state */
  STEPS_FALSE_FACT,
};

struct steps_result {
  enum steps_verdict verdict;
  uint64_t executed;
  uint64_t r0;
  enum bpf_fault_kind fault;
  uint32_t slot;                     /* where it faulted or was no member */
  int location;                      /* of the difference to the state that got furthest */
  uint64_t value;                    /* that stands there */
  const struct proof_state *nearest; /* that state; NULL: the checker never was there */
};

/* Runs it on this input for at most `limit` steps; facts: one for each slot. The program is prepared, has no native code and makes no
 * tail calls. Its instructions are changed and put back meanwhile. */
struct steps_result steps_run(struct bpf_program *program, const struct bpf_environment *environment,
                              const struct bpf_input *input, const struct visited *visited,
                              const struct bpf_fact *facts, uint64_t limit);

#endif
