/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Innermost loops whose registers move by the same distance each round, and the test that ends them: from the code alone, whatever
 * registers hold. Who knows where a loop begins then knows how far its registers go. Private to the JIT.
 */
#ifndef IMAGO_BPF_JIT_LOOP_H
#define IMAGO_BPF_JIT_LOOP_H

#include "bpf/jit_analyse.h"

struct jit_loop {
  uint32_t head, latch; /* blocks; nobody comes to the head again but from the latch */
  /* Registers that each round moves by `step`, which is not 0, as a set; and those of them for which that is only so while they hold
   * numbers from 0 to 2^31 - 1, because 32-bit operations move them. */
  uint16_t moved, narrow;
  int32_t step[BPF_FRAME_REGISTER];
  /* A test on every round's way, of a number from 0 to 2^31 - 1: there is another round only if register `counter`, as it was at the head,
   * plus `ahead` is below `limit`, or with `exact`, is not equal to it. */
  uint8_t counter;
  bool exact;
  int32_t ahead;
  int64_t limit;
};

/* Finds them, and sets their heads' `loop` to the index + 1. *loops is the caller's to free; NULL if there are none. False: no memory. */
bool jit_loops_find(struct jit_program *p, struct jit_loop **loops, uint32_t *count);
/* How many rounds there are at most behind the first one, given that the counter begins with a number from `low` to `high`. -1: not
 * known. */
int64_t jit_loop_rounds(const struct jit_loop *loop, int64_t low, int64_t high);

#endif
