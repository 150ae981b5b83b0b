/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What programs on trial meet: packets of all lengths with bytes chosen to mislead, maps with random values, a clock and random numbers.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_WORLD_H
#define IMAGO_TESTS_SOUNDNESS_WORLD_H

#include "bpf/program.h"
#include "tests/differential/choices.h"

extern const struct bpf_environment world_environment;

/* A packet, in a buffer with room on both sides, until the next call. */
void world_packet(struct choices *c, struct bpf_input *input);

/* See subject_make. */
bool world_maps(struct bpf_map **maps, const struct bpf_map_def *defs, const struct slice *initial, uint32_t count,
                struct choices *c);
/* Takes what is in the rings, so that there is room again. */
void world_drain(struct bpf_map *const *maps, uint32_t count);

#endif
