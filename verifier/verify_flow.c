/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Successors come from the encoding, predecessors from the successors. A loop is what can be reached from its head and can reach it.
 */
#include "verifier/verify_flow.h"

#include "bpf/isa.h"
#include "lib/memory.h"
#include "lib/string.h"

static bool is_wide(struct bpf_insn insn) { return insn.code == (BPF_LD | BPF_IMM | BPF_DW); }

uint32_t flow_behind(const struct flow *flow, uint32_t slot) { return slot + (is_wide(flow->insns[slot]) ? 2 : 1); }

/* Of a jump, a local call or a function's address; they are all relative to the next slot. */
static uint32_t target_of(const struct flow *flow, uint32_t slot) {
  struct bpf_insn insn = flow->insns[slot];
  bool by_imm = insn.code == (BPF_JMP32 | BPF_JA) || insn.code == (BPF_JMP | BPF_CALL) || is_wide(insn);
  return (uint32_t)((int64_t)slot + 1 + (by_imm ? insn.imm : insn.off));
}

static bool is_jump(struct bpf_insn insn) {
  unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
  return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

bool flow_is_backward(const struct flow *flow, uint32_t slot) {
  return is_jump(flow->insns[slot]) && target_of(flow, slot) <= slot;
}

static void find_next(struct flow *flow, uint32_t slot) {
  struct bpf_insn insn = flow->insns[slot];
  uint32_t *next = flow->next[slot];
  next[0] = next[1] = FLOW_NONE;
  if (insn.code == (BPF_JMP | BPF_EXIT)) return;
  bool always = is_jump(insn) && BPF_OP(insn.code) == BPF_JA;
  if (is_jump(insn)) next[1] = target_of(flow, slot);
  uint32_t behind = flow_behind(flow, slot);
  if (!always && behind < flow->count) next[0] = behind;
}

/* First every start of a function is marked by itself, then the slots behind take the last start. */
static void find_functions(struct flow *flow, const struct proof_input *input) {
  for (uint32_t i = 0; i < flow->count; i++)
    flow->function[i] = FLOW_NONE;
  for (uint32_t i = 0; i < input->program_count; i++)
    flow->function[input->programs[i].start] = input->programs[i].start;
  for (uint32_t i = 0; i < flow->count; i = flow_behind(flow, i)) {
    struct bpf_insn insn = flow->insns[i];
    bool calls = insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_CALL;
    if (calls || (is_wide(insn) && bpf_src(insn) == BPF_PSEUDO_FUNC))
      flow->function[target_of(flow, i)] = target_of(flow, i);
  }
  for (uint32_t i = 0, start = 0; i < flow->count; i++) {
    if (flow->function[i] != FLOW_NONE) start = i;
    flow->function[i] = start;
  }
}

static void find_before(struct flow *flow) {
  for (uint32_t i = 0; i < flow->count; i = flow_behind(flow, i))
    for (unsigned way = 0; way < 2; way++)
      if (flow->next[i][way] != FLOW_NONE) flow->before_first[flow->next[i][way] + 1]++;
  for (uint32_t i = 0; i < flow->count; i++)
    flow->before_first[i + 1] += flow->before_first[i];
  for (uint32_t i = 0; i < flow->count; i = flow_behind(flow, i)) {
    for (unsigned way = 0; way < 2; way++) {
      uint32_t to = flow->next[i][way];
      if (to != FLOW_NONE) flow->before[flow->before_first[to]++] = i;
    }
  }
  /* Filling moved each start to the next one's. */
  for (uint32_t i = flow->count; i > 0; i--)
    flow->before_first[i] = flow->before_first[i - 1];
  flow->before_first[0] = 0;
}

int flow_build(struct flow *flow, const struct proof_input *input) {
  size_t count = input->insn_count;
  *flow = (struct flow){.insns = input->insns, .count = input->insn_count};
  flow->next = memory_alloc(count * sizeof(*flow->next));
  flow->function = memory_alloc(count * sizeof(*flow->function));
  flow->before_first = memory_alloc((count + 2) * sizeof(*flow->before_first));
  flow->before = memory_alloc(2 * count * sizeof(*flow->before));
  if (!flow->next || !flow->function || !flow->before_first || !flow->before) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < flow->count; i = flow_behind(flow, i))
    find_next(flow, i);
  find_functions(flow, input);
  find_before(flow);
  return 0;
}

void flow_free(struct flow *flow) {
  memory_free(flow->next);
  memory_free(flow->function);
  memory_free(flow->before_first);
  memory_free(flow->before);
  *flow = (struct flow){.count = 0};
}

enum { REACHED = 1, REACHES = 2 };

/* Marks what a slot leads to (REACHED), or what leads to it (REACHES), by sweeps until nothing is new: code is mostly in order, so
 * few are needed. */
static void spread(const struct flow *flow, uint32_t first, uint32_t last, uint8_t *marks) {
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = first; i <= last; i++) {
      for (unsigned way = 0; way < 2; way++) {
        uint32_t to = flow->next[i][way];
        if (!(marks[i] & REACHED) || to == FLOW_NONE || to > last || (marks[to] & REACHED)) continue;
        marks[to] |= REACHED;
        changed |= to < i;
      }
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = last + 1; i-- > first;) {
      if (!(marks[i] & REACHES)) continue;
      for (uint32_t j = flow->before_first[i]; j < flow->before_first[i + 1]; j++) {
        uint32_t from = flow->before[j];
        if (from < first || (marks[from] & REACHES)) continue;
        marks[from] |= REACHES;
        changed |= from > i;
      }
    }
  }
}

uint32_t flow_loop_end(const struct flow *flow, uint32_t head, uint8_t *marks) {
  uint32_t function = flow->function[head], last = head, end = head;
  while (last + 1 < flow->count && flow->function[last + 1] == function)
    last++;
  memset(marks, 0, flow->count);
  marks[head] = REACHED | REACHES;
  spread(flow, head, last, marks);
  for (uint32_t i = 0; i < flow->count; i++) {
    marks[i] = marks[i] == (REACHED | REACHES);
    if (marks[i]) end = i;
  }
  return end;
}
