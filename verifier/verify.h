/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The verifier: finds the plan by which the checker (proof/check.h) accepts a program. It runs the checker's own walk again and again,
 * and after each looks at what did not hold: states at heads of loops are widened, joins that lost a needed fact are taken apart,
 * measures are found, until nothing is missing or nothing more can be tried. The plan, encoded, is the proof. The verifier itself need
 * not be trusted: what it finds is checked as in the unikernel before it is handed out. docs/verification.md.
 */
#ifndef IMAGO_VERIFIER_VERIFY_H
#define IMAGO_VERIFIER_VERIFY_H

#include "lib/text.h"
#include "proof/check.h"

/* What a search may take. Work is counted as the checker counts it, about in instructions stepped over, so that results do not depend on the
 * machine: for all passes together, and for one, so much and so often the program's length. */
enum {
  VERIFY_MAX_PASSES = 400,
  VERIFY_MAX_WORK = 800000,
  VERIFY_MAX_ROUNDS = 100,
  VERIFY_PASS_WORK = 700000,
  VERIFY_PASS_ROUNDS = 10,
  VERIFY_MAX_STATES = 2048,  /* that the checker keeps at one time */
  VERIFY_WEIGHT_SLOTS = 128, /* with room for so many slots of stack in a state each unit counts as two, and so on */
};

/* A global function, as its declaration has it. */
struct verify_function {
  uint32_t pc; /* its first slot in the input */
  struct proof_argument argument[PROOF_ARGUMENTS];
};

enum { VERIFY_MAX_FUNCTIONS = 32 }; /* alone; others are judged where they are called */

/* What became of it. */
struct verify_judged {
  uint32_t pc;
  bool alone;               /* it was verified once, for all its calls */
  struct proof_failure why; /* it was not: what was not proven when it was to be; state is not there */
};

/* What ended a search without a proof. */
enum verify_end {
  VERIFY_PROVEN,
  VERIFY_REFUSED,   /* nothing more to be tried: most likely the program is at fault */
  VERIFY_EXHAUSTED, /* VERIFY_MAX_PASSES or VERIFY_MAX_WORK */
  VERIFY_TOO_LARGE, /* PROOF_MAX_ARENA, PROOF_MAX_ENTRIES or another of the checker's limits */
  VERIFY_NO_MEMORY,
};

struct verify_statistics {
  uint32_t passes;
  uint64_t work;          /* of all passes */
  uint64_t nanoseconds;   /* from call to return */
  size_t memory;          /* bytes of the checker's arena, at most */
  uint32_t loops, splits; /* entries of the plan */
};

struct verify_result {
  enum verify_end end;
  struct text proof;            /* VERIFY_PROVEN */
  struct proof_verdict verdict; /* of the proof; otherwise `failure` is what could not be proven */
  struct proof_state *state;    /* the failure's state, where there is one */
  uint8_t *visited;             /* per slot: 1 if a walk came by. With a proof, the others are dead code */
  struct verify_judged functions[VERIFY_MAX_FUNCTIONS]; /* the first of those that verify was given, in that order */
  uint32_t function_count;
  struct verify_statistics statistics; /* of all searches together; `loops` and `splits` of the last */
};

/* Never fails otherwise than by result->end. The instructions must have passed bpf_check. Each function is verified alone, from what is said of its
 * arguments, and calls are judged by that; where this gives no proof, once more in its callers' context. Free the result with
 * verify_free. */
void verify(const struct proof_input *input, const struct verify_function *functions, uint32_t count,
            struct verify_result *result);
void verify_free(struct verify_result *result);

#endif
