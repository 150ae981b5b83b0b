/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Single steps by a budget of one instruction. A helper that calls back runs to the instruction behind it, which is made one that
 * faults meanwhile; its callbacks are not looked into.
 */
#include "tests/soundness/steps.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/helper.h"
#include "bpf/ring.h"
#include "tests/soundness/member.h"

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

static bool same_point(const struct bpf_machine *m, const struct proof_state *state) {
  if (state->depth != m->depth) return false;
  for (unsigned i = 0; i < m->depth; i++) {
    if (state->site[i] + 1 != m->frame[i].return_to) return false;
  }
  return true;
}

/* The second of two shifts that the checker takes as one extension: it comes by at the first. */
static bool is_passed_over(const struct bpf_machine *m, const struct visited *v, uint32_t slot) {
  if (slot == 0 || v->first[slot] != 0) return false;
  const struct bpf_insn left = m->program->insns[slot - 1], right = m->program->insns[slot];
  return left.code == (BPF_ALU64 | BPF_LSH | BPF_K) && left.regs == right.regs && left.imm == right.imm;
}

/* False: no state that was visited at `slot` has the machine as a member. */
static bool is_covered(const struct bpf_machine *m, const struct visited *v, uint32_t slot, struct steps_result *r) {
  if (is_passed_over(m, v, slot)) return true;
  r->location = -2;
  for (uint32_t i = v->first[slot]; i != 0; i = v->next[i - 1]) {
    const struct proof_state *state = v->list[i - 1];
    if (!same_point(m, state)) continue;
    int location = member(m, state, r->executed);
    if (location == MEMBER_OF) return true;
    if (location <= r->location) continue;
    r->location = location;
    r->nearest = state;
    r->value = member_value(m, (unsigned)location);
  }
  return false;
}

/* What the program holds when it is left in the middle. */
static void give_back(struct bpf_machine *m) {
  if (m->spin_lock != 0) *(uint32_t *)(uintptr_t)m->spin_lock = 0;
  for (unsigned i = 0; i < m->held_count; i++) {
    if (m->held[i].used && m->held[i].map != NULL) bpf_ring_submit((void *)(uintptr_t)m->held[i].address, true);
  }
}

static void begin(struct bpf_machine *m, const struct bpf_program *program, const struct bpf_environment *environment,
                  const struct bpf_input *input) {
  memset(m, 0, sizeof *m);
  m->program = program;
  m->environment = environment;
  m->data = input->data;
  m->data_length = input->data_end - input->data;
  m->data_meta = input->data_meta != 0 ? input->data_meta : input->data;
  m->buffer_start = input->buffer_start;
  m->buffer_end = input->buffer_end;
  m->has_context = true;
  m->kind = program->kind;
  uint32_t data = (uint32_t)input->data, end = (uint32_t)input->data_end, meta = (uint32_t)m->data_meta;
  if (m->kind == BPF_PROGRAM_XDP) {
    m->context.xdp = (struct xdp_md){data, end, meta, input->ingress_ifindex, input->rx_queue_index, 0};
  } else {
    m->context.skb = (struct bpf_skb){.len = end - data, .data = data, .data_end = end, .data_meta = meta};
  }
  bpf_machine_enter_frame(m, 0);
  m->reg[1] = bpf_machine_context(m);
}

/* --- facts that hold or not before or behind one instruction; of the others a fault tells --- */

static bool divides(struct bpf_insn insn) {
  const unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
  return (class == BPF_ALU || class == BPF_ALU64) && (op == BPF_DIV || op == BPF_MOD);
}

static bool calls_helper(struct bpf_insn insn) {
  return insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_HELPER;
}

static bool holds_before(const struct bpf_machine *m, struct bpf_insn insn, struct bpf_fact fact) {
  if ((fact.known & BPF_FACT_DIVISOR) && divides(insn)) {
    const uint64_t divisor = BPF_SRC(insn.code) == BPF_X ? m->reg[bpf_src(insn)] : (uint64_t)(int64_t)insn.imm;
    if ((BPF_CLASS(insn.code) == BPF_ALU64 ? divisor : (uint32_t)divisor) == 0) return false;
  }
  if (!calls_helper(insn) || !(fact.known & (BPF_FACT_KEY | BPF_FACT_MAP))) return true;
  const struct bpf_proto *proto = bpf_proto_find((uint32_t)insn.imm);
  const uint64_t *argument = &m->reg[proto->args[0] == BPF_ARG_MAP ? 1 : 2]; /* the map */
  if (*argument != bpf_machine_map_handle(m, fact.map)) return false;
  if (!(fact.known & BPF_FACT_KEY)) return true;
  uint32_t key;
  memcpy(&key, (const void *)(uintptr_t)argument[1], sizeof key);
  return key < m->program->maps[fact.map]->def.max_entries;
}

static bool holds_behind(struct bpf_insn insn, struct bpf_fact fact, uint32_t at, uint32_t next) {
  const uint32_t target = at + 1 + (uint32_t)(int32_t)insn.off;
  if (insn.off == 0) return true;
  return !((fact.known & BPF_FACT_NEVER) && next == target) && !((fact.known & BPF_FACT_ALWAYS) && next != target);
}

static bool calls_back(struct bpf_insn insn) {
  if (!calls_helper(insn)) return false;
  const struct bpf_proto *proto = bpf_proto_find((uint32_t)insn.imm);
  return proto != NULL && (proto->effects & BPF_EFFECT_CALLBACK);
}

/* Executes the instruction at *at. True: it was the exit of the outermost function. A fault is left in the machine. */
static bool step(struct bpf_machine *m, struct bpf_program *program, uint32_t *at, uint64_t *executed) {
  const bool breaks = calls_back(program->insns[*at]);
  struct bpf_insn *const behind = &program->insns[*at + breaks], kept = *behind;
  if (breaks) *behind = (struct bpf_insn){.code = 0xff};
  const int64_t budget = breaks ? BPF_MAX_EXECUTED : 1;
  const unsigned depth = m->depth;
  m->budget = budget;
  const uint64_t r0 = bpf_interpret(m, *at);
  bool goes_on = m->fault == BPF_FAULT_BUDGET;
  if (breaks) {
    *behind = kept;
    *executed += (uint64_t)(budget - m->budget);
    goes_on = m->fault == BPF_FAULT_INSTRUCTION && m->fault_insn == *at + 1 && m->depth == depth;
    if (goes_on) (*executed)--; /* the one that faults */
  } else {
    ++*executed;
  }
  if (goes_on) {
    *at = m->fault_insn;
    m->fault = BPF_FAULT_NONE;
    m->fault_program = NULL;
    return false;
  }
  if (m->fault != BPF_FAULT_NONE || m->depth == 0) return true;
  /* The exit of a function, which the interpreter took for the one that it was called with. */
  m->reg[0] = r0;
  bpf_machine_set_frame(m, m->depth - 1);
  memcpy(&m->reg[BPF_FIRST_SAVED_REGISTER], m->frame[m->depth].saved, sizeof m->frame[0].saved);
  *at = m->frame[m->depth].return_to;
  return false;
}

struct steps_result steps_run(struct bpf_program *program, const struct bpf_environment *environment,
                              const struct bpf_input *input, const struct visited *visited,
                              const struct bpf_fact *facts, uint64_t limit) {
  struct bpf_machine m;
  struct steps_result r = {.verdict = STEPS_GOOD};
  uint32_t at = 0;
  begin(&m, program, environment, input);
  for (bool ended = false; !ended && r.executed < limit;) {
    const struct bpf_insn insn = program->insns[at];
    const struct bpf_fact fact = facts[at];
    r.slot = at;
    if (!is_covered(&m, visited, at, &r)) r.verdict = STEPS_NO_MEMBER;
    if (!holds_before(&m, insn, fact)) r.verdict = STEPS_FALSE_FACT;
    ended = step(&m, program, &at, &r.executed);
    if (!ended && !holds_behind(insn, fact, r.slot, at)) r.verdict = STEPS_FALSE_FACT;
    if (r.verdict != STEPS_GOOD) break;
  }
  r.fault = m.fault;
  r.r0 = m.reg[0];
  if (m.fault != BPF_FAULT_NONE) {
    r.verdict = STEPS_FAULT;
    r.slot = m.fault_insn;
  }
  give_back(&m);
  return r;
}
