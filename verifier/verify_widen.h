/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Widening of numbers: how far a bound that grows from trip to trip of a loop is let out at once. Bounds jump to the next threshold, and
 * thresholds are the numbers that the program itself compares with, so that most loops come to rest at the very bound they have.
 */
#ifndef IMAGO_VERIFIER_VERIFY_WIDEN_H
#define IMAGO_VERIFIER_VERIFY_WIDEN_H

#include "bpf/map.h"
#include "lib/error.h"
#include "proof/number.h"

enum { WIDEN_MAX_CONSTANTS = 256 };

/* Ascending, no number twice. Zero-initialised is empty: bounds then go to the limits of their type. */
struct thresholds {
  uint64_t values[3 * WIDEN_MAX_CONSTANTS + 12];
  uint32_t count;
};

/* Of the slots first..last: constants of comparisons, masks of AND, what is left by remainders, and the sizes of maps, each with one less
 * and one more; and in any case the limits of 8, 16, 32 and 64 bits. Of more than WIDEN_MAX_CONSTANTS constants the first count. */
void thresholds_collect(struct thresholds *t, const struct bpf_insn *insns, uint32_t first, uint32_t last,
                        const struct bpf_map_def *maps, uint32_t map_count);
/* Only the limits: what to go by where the program's own numbers lead nowhere. */
void thresholds_coarse(struct thresholds *t);

/* A number that has all members of both, with the bounds of `known` that `arrival` passes let out to thresholds. Widening with what
 * arrives again and again comes to rest after finitely many steps. */
struct proof_number widen(const struct proof_number *known, const struct proof_number *arrival,
                          const struct thresholds *t);

#endif
