/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The states that the checker visited, by the slot that they stand at: what it claims of a program that it accepted.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_VISITED_H
#define IMAGO_TESTS_SOUNDNESS_VISITED_H

#include "proof/state.h"

struct visited {
  struct proof_state **list; /* copies */
  uint32_t *next;            /* 1 + index of another at the same slot */
  uint32_t *first;           /* by slot: 1 + index */
  uint32_t count, capacity, slots;
};

void visited_begin(struct visited *v, uint32_t slots);
/* Copies the state. */
void visited_add(struct visited *v, const struct proof_state *state);
void visited_end(struct visited *v);

#endif
