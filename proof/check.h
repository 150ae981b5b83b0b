/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The proof checker: walks a program once along a plan (proof/plan.h), from each recorded state each block once, and accepts if every
 * step is permitted and every arrival is within what was recorded. No fixpoint, no search, no recursion, no allocation; its work
 * is stated by the proof before it starts. A wrong proof can only cause refusal. docs/proof.md is the specification.
 *
 * Accepted means, for packets of at most PROOF_MAX_PACKET bytes: no run of the program from any of its roots faults (bpf/program.h) or
 * leaks an address, and none executes more than the verdict's bound.
 */
#ifndef IMAGO_PROOF_CHECK_H
#define IMAGO_PROOF_CHECK_H

#include "bpf/facts.h"
#include "proof/input.h"
#include "proof/plan.h"

/* For the verifier, which runs the same walk to find a plan. Each may be NULL; the unikernel gives none at all. */
struct proof_hooks {
  void *context;
  /* Something is not proven. True: leave this path and go on with the others; the walk fails all the same. */
  bool (*failed)(void *context, const struct proof_failure *failure);
  /* Before a root is walked: verdict->root[root]. False: no more of them; the walk is not accepted. */
  bool (*begins)(void *context, uint32_t root);
  /* Before each instruction. */
  void (*visit)(void *context, const struct proof_state *state);
  /* The checker's own join at a point that has no entry: both states before it. */
  void (*joins)(void *context, const struct proof_state *pending, const struct proof_state *arrival);
  /* An arrival at an entry, after locations were forgotten and before it is judged. back: of an active loop. */
  void (*arrives)(void *context, uint32_t entry, const struct proof_state *arrival, bool back);
};

struct proof_verdict {
  bool accepted;
  struct proof_failure failure; /* the first; failure.state is NULL */
  /* What the walk began with: the programs by number, then functions that were checked alone in the plan's order, then those that timers
   * call, as they were found. */
  struct {
    uint32_t pc, map;       /* as in struct proof_root */
    struct proof_cost cost; /* the bound; of programs with tail calls included */
  } root[PROOF_MAX_ROOTS];
  uint32_t root_count;
  struct proof_limits used; /* what the limits must be at least */
};

/* Bytes of arena that the walk needs, aligned to 8; 0: over PROOF_MAX_ARENA, or a limit is over its maximum. */
size_t proof_walk_memory(const struct proof_input *input, const struct proof_plan *plan);
/* Walks along a plan. facts: insn_count of them, zero unless it is accepted. hooks may be NULL. Gives verdict->accepted. */
bool proof_walk(const struct proof_input *input, const struct proof_plan *plan, void *arena,
                const struct proof_hooks *hooks, struct bpf_fact *facts, struct proof_verdict *verdict);

/* Bytes of arena, aligned to 8, that proof_check needs for this proof; 0: it is no proof, or over the limits. Reads the proof's
 * header and counts only. */
size_t proof_check_memory(const struct proof_input *input, const uint8_t *proof, size_t length);
/* Decodes and walks. Any bytes may be given as the proof; any instructions, as bpf_check is asked first. */
bool proof_check(const struct proof_input *input, const uint8_t *proof, size_t length, void *arena,
                 struct bpf_fact *facts, struct proof_verdict *verdict);

#endif
