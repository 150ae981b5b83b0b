/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whether what a running program holds is a member of an abstract state: the meaning of struct proof_state, written down apart from
 * the checker. Unsound steps show here long before they let a program fault.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_MEMBER_H
#define IMAGO_TESTS_SOUNDNESS_MEMBER_H

#include "bpf/machine.h"
#include "proof/state.h"

enum { MEMBER_OF = -1 };

/* MEMBER_OF, or the first location (proof/state.h) at which it is none. `executed`: instructions so far; over the state's cost it is
 * no member at PROOF_LOCATIONS. The machine is at the state's point. */
int member(const struct bpf_machine *m, const struct proof_state *state, uint64_t executed);
/* What the program holds at that location. */
uint64_t member_value(const struct bpf_machine *m, unsigned location);

#endif
