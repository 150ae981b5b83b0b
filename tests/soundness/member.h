/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whether what a running program holds is a member of an abstract state: the meaning of struct proof_state, written down apart from
 * the checker. Unsound steps show here long before they let a program fault.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_MEMBER_H
#define IMAGO_TESTS_SOUNDNESS_MEMBER_H

#include "tests/soundness/running.h"

enum {
  MEMBER_OF = -1,
  /* Otherwise the first location (proof/state.h) at which it is none, or: */
  MEMBER_NOT_HELD = PROOF_LOCATIONS, /* it holds other records or another lock */
  MEMBER_NOT_COST,                   /* it executed more instructions, or called more helpers */
  MEMBER_LAST = MEMBER_NOT_COST
};

/* The program is at the state's point. */
int member(const struct running *r, const struct proof_state *state);
/* What the program holds at that location. */
uint64_t member_value(const struct running *r, unsigned location);

#endif
