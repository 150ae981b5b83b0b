/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is tried: random programs by number, compiled ones, and mutants of both with the proofs of their originals, and mutated proofs.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_CAMPAIGN_H
#define IMAGO_TESTS_SOUNDNESS_CAMPAIGN_H

#include "tests/soundness/trial.h"

/* Makes a random program. False: bpf_check refuses it. To be freed in any case. */
bool campaign_make(uint64_t number, struct choices *c, struct candidate *candidate);
void campaign_program(uint64_t number, struct tally *tally);
/* The program NAME of DIRECTORY/NAME.*.o, with those that it tail calls, in `rounds` worlds, each time with other mutants. */
void campaign_object(const char *name, uint64_t first, uint64_t rounds, struct tally *tally);

#endif
