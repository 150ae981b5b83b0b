/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random programs such as people write: packets looked into behind comparisons with their end, also at places that only the run knows,
 * loops, spilled pointers, lookups, functions, records. Now and then something is left out or off by one.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_PLAUSIBLE_H
#define IMAGO_TESTS_SOUNDNESS_PLAUSIBLE_H

#include "tests/differential/generate.h"

enum plausible_map {
  PLAUSIBLE_ARRAY,    /* 8 values of 16 bytes */
  PLAUSIBLE_HASH,     /* the same by keys of 4 bytes */
  PLAUSIBLE_CONSTANT, /* one value of 64 bytes that programs only read */
  PLAUSIBLE_RING,
  PLAUSIBLE_LOCKED, /* 4 values of 16 bytes: a lock, then numbers */
  PLAUSIBLE_MAPS,
};

struct plausible {
  struct bpf_insn insns[GENERATE_INSNS_MAX];
  uint32_t count;
};

/* The maps' definitions. */
const struct bpf_map_def *plausible_map_def(enum plausible_map map);
/* slips: one in so many decisions is wrong; 0: none. */
void plausible_generate(struct choices *c, unsigned slips, struct plausible *out);

#endif
