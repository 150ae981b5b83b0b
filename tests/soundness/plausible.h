/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random programs such as people write: packets looked into behind comparisons with their end, also at places that only the run knows,
 * loops, spilled pointers, lookups, records and locks that are held over branches, functions, with pointers to the caller's stack,
 * functions that helpers and timers call, tail calls. Now and then something is left out or off by one.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_PLAUSIBLE_H
#define IMAGO_TESTS_SOUNDNESS_PLAUSIBLE_H

#include "tests/soundness/candidate.h"

enum { PLAUSIBLE_PROGRAMS = 3, PLAUSIBLE_INSNS_MAX = 8192 };

struct plausible {
  struct bpf_insn insns[PLAUSIBLE_INSNS_MAX];
  uint32_t counts[PLAUSIBLE_PROGRAMS], program_count;
  uint32_t count; /* of instructions */
  /* Functions that can be verified alone. */
  struct verify_function functions[VERIFY_MAX_FUNCTIONS];
  uint32_t function_count;
};

/* The maps that all programs have. */
extern const struct candidate_maps plausible_maps;
/* slips: one in so many decisions is wrong; 0: none. deep: programs that go on in each other from within functions, so that frames pile
 * up; most are too deep. */
void plausible_generate(struct choices *c, unsigned slips, bool deep, struct plausible *out);

#endif
