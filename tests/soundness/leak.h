/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whether a running program is about to give an address away: to a map, packet or record, or to its caller. Of packets, whose addresses
 * look like numbers, it isn't told.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_LEAK_H
#define IMAGO_TESTS_SOUNDNESS_LEAK_H

#include "tests/soundness/running.h"

bool leak_is_near(const struct running *r, struct bpf_insn insn);

#endif
