/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Global functions that are verified alone: in which order, what is asked of their arguments, and which of them is to blame if that gives
 * no proof.
 */
#include "bpf/isa.h"
#include "lib/memory.h"
#include "verifier/verify_search.h"

/* How many calls deep it goes below each function, by its first slot; of recursion as many as there may be frames. */
static void measure_heights(const struct flow *flow, uint8_t *height) {
  bool changed = true;
  for (unsigned round = 0; changed && round < BPF_MAX_FRAMES; round++) {
    changed = false;
    for (uint32_t i = 0; i < flow->count; i = flow_behind(flow, i)) {
      uint32_t caller = flow->function[i], called = flow_function_named(flow, i);
      if (called == FLOW_NONE || height[caller] > height[called] || height[called] == BPF_MAX_FRAMES) continue;
      height[caller] = (uint8_t)(height[called] + 1);
      changed = true;
    }
  }
}

static void add(struct search *s, const struct verify_function *function) {
  struct proof_root root = {.pc = function->pc, .map = PROOF_ALONE};
  for (unsigned i = 0; i < PROOF_ARGUMENTS; i++) /* what it does not read nobody needs to hand over */
    if (s->live.in[function->pc].registers >> (1 + i) & 1) root.argument[i] = function->argument[i];
  (void)draft_add_root(&s->draft, &root);
}

bool functions_add(struct search *s, const struct verify_function *functions) {
  uint8_t *height = memory_alloc(s->flow.count + 1);
  if (!height) return false;
  measure_heights(&s->flow, height);
  for (unsigned h = 0; h <= BPF_MAX_FRAMES; h++)
    for (uint32_t i = 0; i < s->result->function_count; i++)
      if (s->result->functions[i].alone && height[functions[i].pc] == h) add(s, &functions[i]);
  memory_free(height);
  return true;
}

uint32_t functions_culprit(const struct search *s) {
  const struct verify_result *result = s->result;
  const struct proof_verdict *verdict = &result->verdict;
  uint32_t pc = verdict->failure.pc, blamed = FLOW_NONE;
  if (s->root < verdict->root_count && verdict->root[s->root].map == PROOF_ALONE)
    blamed = verdict->root[s->root].pc;
  else if (pc < s->flow.count)
    blamed = flow_function_named(&s->flow, pc);
  uint32_t i = 0;
  while (i < result->function_count && !(result->functions[i].alone && result->functions[i].pc == blamed))
    i++;
  return i;
}
