/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The bounds of programs that tail call others.
 */
#include "bpf/machine.h"
#include "lib/string.h"
#include "proof/walk.h"

void walk_add_tail_calls(struct walk *w) {
  const struct proof_input *input = w->scope.input;
  const uint32_t count = input->program_count;
  const struct bound *own = w->bounds;
  struct bound *now = w->bounds + count, *before = now + count;
  struct bound most = {{0, 0}, 0};
  bool nested = false;
  memcpy(now, own, count * sizeof *own);
  for (uint32_t i = 0; i < count * input->map_count; i++) {
    nested = nested || (w->tails[i].made && w->tails[i].depth > 0);
  }
  for (uint32_t i = 0; i < input->target_count; i++) {
    cost_raise(&most.cost, own[input->targets[i].program].cost);
  }
  for (unsigned left = 0; left < BPF_MAX_TAIL_CALLS; left++) {
    memcpy(before, now, count * sizeof *now);
    for (uint32_t i = 0; i < input->target_count; i++) {
      const struct bound *target = &before[input->targets[i].program];
      for (uint32_t p = 0; p < count; p++) {
        const struct tail *tail = &w->tails[p * input->map_count + input->targets[i].map];
        if (!tail->made) continue;
        cost_raise(&now[p].cost, cost_sum(tail->cost, 1, target->cost));
        if (now[p].deepest < tail->depth + target->deepest) now[p].deepest = tail->depth + target->deepest;
      }
    }
  }
  for (uint32_t p = 0; p < count; p++) {
    /* Functions that go on behind a tail call may make another: so many of the costliest. */
    if (nested) now[p].cost = cost_sum(own[p].cost, BPF_MAX_TAIL_CALLS, most.cost);
    w->verdict->root[p].cost = now[p].cost;
    const struct proof_state at = {.pc = input->programs[p].start};
    if (now[p].deepest >= BPF_MAX_FRAMES) walk_fail_at(w, &at, PROOF_TOO_DEEP, UINT32_MAX);
    if (now[p].cost.insns > input->max_insns) walk_fail_at(w, &at, PROOF_TOO_LONG, UINT32_MAX);
  }
}
