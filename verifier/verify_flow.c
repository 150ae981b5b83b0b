/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Successors come from the encoding, loops from one search in depth over the successors.
 */
#include "verifier/verify_flow.h"

#include "bpf/isa.h"
#include "lib/memory.h"

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

uint32_t flow_function_named(const struct flow *flow, uint32_t slot) {
  struct bpf_insn insn = flow->insns[slot];
  bool calls = insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_CALL;
  return calls || (is_wide(insn) && bpf_src(insn) == BPF_PSEUDO_FUNC) ? target_of(flow, slot) : FLOW_NONE;
}

/* First every start of a function is marked by itself, then the slots behind take the last start. */
static void find_functions(struct flow *flow, const struct proof_input *input) {
  for (uint32_t i = 0; i < flow->count; i++)
    flow->function[i] = FLOW_NONE;
  for (uint32_t i = 0; i < input->program_count; i++)
    flow->function[input->programs[i].start] = input->programs[i].start;
  for (uint32_t i = 0; i < flow->count; i = flow_behind(flow, i)) {
    uint32_t named = flow_function_named(flow, i);
    if (named != FLOW_NONE) flow->function[named] = named;
  }
  for (uint32_t i = 0, start = 0; i < flow->count; i++) {
    if (flow->function[i] != FLOW_NONE) start = i;
    flow->function[i] = start;
  }
}

/* --- loops --- */

/* A search in depth from the start of each function, which tells each slot the innermost head around it in the same pass ("A New Algorithm
 * for Identifying Loops in Decompilation", Wei, Mao, Zou, Chen, SAS 2007). The way back to a slot that is on the current path makes it a head. */
struct search_step {
  uint32_t slot;
  unsigned way; /* that is to be tried next */
};

/* `head` is around `slot`, and the heads that were known so far take their places by how deep they are on the path. */
static void put_around(struct flow *flow, const uint32_t *position, uint32_t slot, uint32_t head) {
  while (head != FLOW_NONE && slot != head) {
    uint32_t known = flow->around[slot];
    if (known == head) return;
    if (known == FLOW_NONE || position[known] < position[head]) {
      flow->around[slot] = head;
      slot = head;
      head = known;
    } else {
      slot = known;
    }
  }
}

/* `to` follows `from` and was seen before; position 0: it is not on the path. */
static void meet(struct flow *flow, const uint32_t *position, uint32_t from, uint32_t to) {
  if (position[to] > 0) {
    flow->is_head[to] = 1;
    put_around(flow, position, from, to);
    return;
  }
  /* Around it, those that are not on the path were entered past their head. */
  uint32_t head = flow->around[to];
  while (head != FLOW_NONE && position[head] == 0)
    head = flow->around[head];
  put_around(flow, position, from, head);
}

static void find_loops_from(struct flow *flow, uint32_t start, struct search_step *path, uint32_t *position,
                            uint8_t *seen) {
  uint32_t length = 0;
  path[length++] = (struct search_step){start, 0};
  position[start] = length;
  seen[start] = 1;
  while (length > 0) {
    struct search_step *step = &path[length - 1];
    if (step->way == 2) {
      position[step->slot] = 0;
      if (--length > 0) put_around(flow, position, path[length - 1].slot, flow->around[step->slot]);
      continue;
    }
    uint32_t to = flow->next[step->slot][step->way++];
    if (to == FLOW_NONE) continue;
    if (seen[to]) {
      meet(flow, position, step->slot, to);
      continue;
    }
    path[length++] = (struct search_step){to, 0};
    position[to] = length;
    seen[to] = 1;
  }
}

static int find_loops(struct flow *flow) {
  struct search_step *path = memory_alloc(flow->count * sizeof(*path));
  uint32_t *position = memory_alloc(flow->count * sizeof(*position));
  uint8_t *seen = memory_alloc(flow->count);
  bool found = path && position && seen;
  for (uint32_t i = 0; i < flow->count; i++)
    flow->around[i] = FLOW_NONE;
  for (uint32_t i = 0; found && i < flow->count; i++)
    if (flow->function[i] == i) find_loops_from(flow, i, path, position, seen);
  memory_free(path);
  memory_free(position);
  memory_free(seen);
  return found ? 0 : -ERROR_NO_MEMORY;
}

bool flow_is_head(const struct flow *flow, uint32_t slot) { return flow->is_head[slot] != 0; }

uint32_t flow_head_of(const struct flow *flow, uint32_t slot) {
  return flow->is_head[slot] ? slot : flow->around[slot];
}

static bool is_in_loop(const struct flow *flow, uint32_t slot, uint32_t head) {
  while (slot != FLOW_NONE && slot != head)
    slot = flow->around[slot];
  return slot == head;
}

void flow_loop_range(const struct flow *flow, uint32_t head, uint32_t *first, uint32_t *last) {
  *first = *last = head;
  for (uint32_t i = 0; i < flow->count; i++) {
    if (!is_in_loop(flow, i, head)) continue;
    if (i < *first) *first = i;
    if (i > *last) *last = i;
  }
}

/* --- all --- */

int flow_build(struct flow *flow, const struct proof_input *input) {
  size_t count = input->insn_count;
  *flow = (struct flow){.insns = input->insns, .count = input->insn_count};
  flow->next = memory_alloc(count * sizeof(*flow->next));
  flow->function = memory_alloc(count * sizeof(*flow->function));
  flow->around = memory_alloc(count * sizeof(*flow->around));
  flow->is_head = memory_alloc(count);
  if (!flow->next || !flow->function || !flow->around || !flow->is_head) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < flow->count; i = flow_behind(flow, i))
    find_next(flow, i);
  find_functions(flow, input);
  return find_loops(flow);
}

void flow_free(struct flow *flow) {
  memory_free(flow->next);
  memory_free(flow->function);
  memory_free(flow->around);
  memory_free(flow->is_head);
  *flow = (struct flow){.count = 0};
}
