/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lists of states by slot.
 */
#include "tests/soundness/visited.h"

#include <stdlib.h>
#include <string.h>

void visited_begin(struct visited *v, uint32_t slots) {
  *v = (struct visited){.slots = slots, .first = calloc(slots, sizeof v->first[0])};
  if (v->first == NULL) abort();
}

void visited_add(struct visited *v, const struct proof_state *state) {
  if (state->pc >= v->slots) abort();
  if (v->count == v->capacity) {
    v->capacity = v->capacity * 2 + 64;
    v->list = realloc(v->list, v->capacity * sizeof v->list[0]);
    v->next = realloc(v->next, v->capacity * sizeof v->next[0]);
    if (v->list == NULL || v->next == NULL) abort();
  }
  size_t size = proof_state_size(state->slot_count);
  v->list[v->count] = malloc(size);
  if (v->list[v->count] == NULL) abort();
  memcpy(v->list[v->count], state, size);
  v->next[v->count] = v->first[state->pc];
  v->first[state->pc] = ++v->count;
}

void visited_end(struct visited *v) {
  for (uint32_t i = 0; i < v->count; i++)
    free(v->list[i]);
  free(v->list);
  free(v->next);
  free(v->first);
}
