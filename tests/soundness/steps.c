/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Single steps by a budget of one instruction. What passes control on in the midst of an instruction, helpers that call back and tail
 * calls, is done here as the interpreter does it, so that nothing is passed over.
 */
#include "tests/soundness/steps.h"

#include <string.h>

#include "bpf/helper.h"
#include "tests/soundness/leak.h"
#include "tests/soundness/member.h"
#include "tests/soundness/set.h"

enum { CHARGE = BPF_MAX_EXECUTED }; /* the budget that helpers find, who charge for more than an instruction */

struct stepper {
  struct running r; /* first, so that helpers give back the whole */
  const struct steps_claims *claims;
  struct steps_timers *timers;
  struct steps_result *result;
  uint32_t root; /* what it began with */
  uint64_t limit;
  uint64_t insns, calls; /* executed; helpers called */
  unsigned callbacks;    /* that are being run */
};

static bool is_over(const struct stepper *s) {
  return s->result->is_cut || s->result->verdict != STEPS_GOOD || s->r.m.fault != BPF_FAULT_NONE;
}

static uint32_t start_of(const struct stepper *s) {
  return s->claims->input->programs[s->r.active[s->r.active_count - 1].program].start;
}

static bool is_alone(const struct stepper *s, const struct activation *a) {
  return s->claims->verdict->root[a->root].map == PROOF_ALONE;
}

static void count(struct stepper *s, uint64_t insns) {
  struct activation *now = running_now(&s->r);
  now->insns += insns;
  s->insns += insns;
  if (s->callbacks > 0) s->result->in_callback += insns;
  if (s->r.m.tail_calls > 0) s->result->behind_tail += insns;
  if (s->root >= s->claims->input->program_count) s->result->in_timer += insns;
}

/* --- states --- */

static bool same_point(const struct running *r, const struct proof_state *state) {
  const struct activation *now = &r->active[r->active_count - 1];
  if (state->root != now->root || state->depth != r->m.depth - now->base) return false;
  for (unsigned i = 0; i < state->depth; i++) {
    if (state->site[i] != r->site[now->base + i]) return false;
  }
  return true;
}

/* The second of two shifts that the checker takes as one extension: it comes by at the first. */
static bool is_passed_over(const struct stepper *s, uint32_t slot) {
  if (slot == start_of(s) || s->claims->visited->first[slot] != 0) return false;
  const struct bpf_insn left = s->claims->input->insns[slot - 1], right = s->claims->input->insns[slot];
  return left.code == (BPF_ALU64 | BPF_LSH | BPF_K) && left.regs == right.regs && left.imm == right.imm;
}

/* False: no state that was visited at `slot` has the program as a member. */
static bool is_covered(struct stepper *s, uint32_t slot) {
  const struct visited *v = s->claims->visited;
  struct steps_result *result = s->result;
  if (is_passed_over(s, slot)) return true;
  result->location = -2;
  for (uint32_t i = v->first[slot]; i != 0; i = v->next[i - 1]) {
    const struct proof_state *state = v->list[i - 1];
    if (!same_point(&s->r, state)) continue;
    int location = member(&s->r, state);
    if (location == MEMBER_OF) return true;
    if (location <= result->location) continue;
    result->location = location;
    result->nearest = state;
    result->value = member_value(&s->r, (unsigned)location);
  }
  return false;
}

/* --- facts that hold or not before or behind one instruction; of accesses and arguments a fault tells --- */

static bool divides(struct bpf_insn insn) {
  const unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
  return (class == BPF_ALU || class == BPF_ALU64) && (op == BPF_DIV || op == BPF_MOD);
}

static bool calls(struct bpf_insn insn) {
  return insn.code == (BPF_JMP | BPF_CALL) || insn.code == (BPF_JMP | BPF_CALL | BPF_X);
}
static bool calls_helper(struct bpf_insn insn) {
  return insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_HELPER;
}

static bool within_bound(const struct stepper *s) {
  const struct proof_cost bound = s->claims->verdict->root[s->root].cost;
  return s->insns <= bound.insns && s->calls <= bound.calls;
}

static bool holds_before(struct stepper *s, struct bpf_insn insn, struct bpf_fact fact) {
  const struct bpf_machine *m = &s->r.m;
  if ((fact.known & BPF_FACT_DIVISOR) && divides(insn)) {
    const uint64_t divisor = BPF_SRC(insn.code) == BPF_X ? m->reg[bpf_src(insn)] : (uint64_t)(int64_t)insn.imm;
    if ((BPF_CLASS(insn.code) == BPF_ALU64 ? divisor : (uint32_t)divisor) == 0) return false;
  }
  if (fact.known & BPF_FACT_BOUNDED) {
    const bool calls_function = calls(insn) && !calls_helper(insn);
    if (!within_bound(s) || (calls_function && m->depth == BPF_MAX_FRAMES - 1)) return false;
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

/* --- one instruction --- */

/* All that can be said before it is executed; notes what it sets. */
static void judge(struct stepper *s, uint32_t slot, struct bpf_insn insn) {
  struct steps_result *result = s->result;
  result->slot = slot;
  if (!within_bound(s)) result->verdict = STEPS_OVER_BOUND;
  if (!is_covered(s, slot)) result->verdict = STEPS_NO_MEMBER;
  if (result->verdict != STEPS_GOOD) return;
  if (!holds_before(s, insn, s->claims->facts[slot])) result->verdict = STEPS_FALSE_FACT;
  if (leak_is_near(&s->r, insn)) result->verdict = STEPS_LEAKS;
  const enum set_verdict set = set_step(&s->r, insn);
  if (set == SET_FALSE_FRAME) result->verdict = STEPS_FALSE_FACT;
  if (set == SET_USES_UNSET) result->verdict = STEPS_USES_UNSET;
}

/* A function begins, in a new frame. */
static void enter(struct stepper *s, uint32_t at, unsigned registers) {
  set_enter(&s->r, registers);
  s->r.set.framed[s->r.m.depth] = (s->claims->facts[start_of(s) + at].known & BPF_FACT_FRAME) != 0;
}

/* If the function that begins at the slot was checked alone, its states know nothing of what waits. */
static void stand_alone(struct stepper *s, uint32_t slot) {
  const struct proof_verdict *verdict = s->claims->verdict;
  const uint32_t program = running_now(&s->r)->program;
  for (uint32_t i = 0; i < verdict->root_count; i++) {
    if (verdict->root[i].map != PROOF_ALONE || verdict->root[i].pc != slot) continue;
    s->r.active[s->r.active_count++] =
        (struct activation){.root = i, .program = program, .base = s->r.m.depth, .held = running_records(&s->r.m)};
    return;
  }
}

/* Executes the instruction at *at, in the interpreter. A fault is left in the machine. */
static void execute(struct stepper *s, uint32_t *at) {
  struct bpf_machine *m = &s->r.m;
  const uint32_t from = *at;
  const unsigned depth = m->depth, registers = s->r.set.registers;
  set_call(&s->r);
  m->budget = 1;
  (void)bpf_interpret(m, from);
  if (m->fault != BPF_FAULT_BUDGET) return;
  m->fault = BPF_FAULT_NONE;
  m->fault_program = NULL;
  *at = m->fault_insn;
  if (m->depth == depth) return;
  s->r.site[depth] = start_of(s) + from;
  enter(s, *at, registers & 0x3e);
  stand_alone(s, start_of(s) + *at);
}

/* A function exits to one that waits in a frame before: where that goes on. */
static uint32_t leave(struct stepper *s) {
  struct bpf_machine *m = &s->r.m;
  bpf_machine_set_frame(m, m->depth - 1);
  memcpy(&m->reg[BPF_FIRST_SAVED_REGISTER], m->frame[m->depth].saved, sizeof m->frame[0].saved);
  memset(&m->reg[1], 0, 5 * sizeof m->reg[0]);
  m->program = m->frame[m->depth].program;
  while (running_now(&s->r)->base > m->depth) {
    const struct activation ended = *running_now(&s->r);
    s->r.active_count--;
    if (!is_alone(s, &ended)) continue;
    running_now(&s->r)->insns += ended.insns;
    running_now(&s->r)->calls += ended.calls;
  }
  set_return(&s->r);
  return m->frame[m->depth].return_to;
}

/* The program that the tail call goes on in begins; or there is none. */
static uint32_t tail_call(struct stepper *s, uint32_t at) {
  struct bpf_machine *m = &s->r.m;
  if (!bpf_helper_judge(m, bpf_proto_find(BPF_HELPER_TAIL_CALL), &m->reg[1])) {
    m->fault = BPF_FAULT_HELPER;
    return at;
  }
  const struct bpf_program *target = bpf_machine_tail_target(m, bpf_machine_map(m, m->reg[2]), (uint32_t)m->reg[3]);
  memset(&m->reg[2], 0, 4 * sizeof m->reg[0]);
  if (target == NULL) {
    m->reg[0] = (uint64_t)-BPF_EINVAL;
    m->reg[1] = 0;
    return at + 1;
  }
  if (m->depth > running_now(&s->r)->base) s->r.active_count++;
  const uint32_t number = (uint32_t)(target - s->claims->programs);
  *running_now(&s->r) = (struct activation){.root = number, .program = number, .base = m->depth};
  m->reg[0] = 0;
  m->program = target;
  bpf_machine_enter_frame(m, m->depth);
  enter(s, 0, 1u << 1);
  return 0;
}

static uint64_t run(struct stepper *s, uint32_t at);

/* What the helper charged since it was looked at last. */
static void settle(struct stepper *s) {
  count(s, (uint64_t)(CHARGE - s->r.m.budget));
  s->r.m.budget = CHARGE;
}

/* m->call of the machine: as bpf_interpret_call. */
static uint64_t call_function(struct bpf_machine *m, uint64_t function, uint64_t r1, uint64_t r2, uint64_t r3,
                              uint64_t r4) {
  struct stepper *s = (struct stepper *)(void *)m;
  const struct bpf_program *caller = m->program;
  const unsigned depth = m->depth, active = s->r.active_count, registers = s->r.set.registers;
  const bool each = caller->insns[s->r.site[depth] - start_of(s)].imm == BPF_HELPER_FOR_EACH_MAP_ELEM;
  uint64_t saved[BPF_REGISTERS], r0 = 0;
  uint32_t entry;
  settle(s);
  if (!bpf_program_function(caller, function, &entry)) {
    m->fault = BPF_FAULT_FUNCTION;
  } else if (depth == BPF_MAX_FRAMES - 1) {
    m->fault = BPF_FAULT_FRAMES;
  } else {
    memcpy(saved, m->reg, sizeof saved);
    memcpy(m->frame[depth].saved, &saved[BPF_FIRST_SAVED_REGISTER], sizeof m->frame[depth].saved);
    set_call(&s->r);
    memset(m->reg, 0, sizeof m->reg);
    m->reg[1] = r1;
    m->reg[2] = r2;
    m->reg[3] = r3;
    m->reg[4] = r4;
    if (!each) s->r.handed[depth][1] = r1;
    bpf_machine_enter_frame(m, depth + 1);
    enter(s, entry, each ? 0x1e : 0x6);
    s->callbacks++;
    r0 = run(s, entry);
    s->callbacks--;
    bpf_machine_set_frame(m, depth);
    memcpy(m->reg, saved, sizeof saved);
    m->program = caller;
    s->r.active_count = active;
    s->r.set.registers = (uint16_t)registers;
  }
  m->budget = CHARGE;
  if (is_over(s) && m->fault == BPF_FAULT_NONE) m->fault = BPF_FAULT_BUDGET; /* so that the helper ends */
  return r0;
}

static void call_helper(struct stepper *s, uint32_t at, uint32_t id) {
  struct bpf_machine *m = &s->r.m;
  uint64_t *reg = m->reg;
  if (!bpf_helper_judge(m, bpf_proto_find(id), &reg[1])) {
    m->fault = BPF_FAULT_HELPER;
    return;
  }
  s->r.site[m->depth] = start_of(s) + at;
  s->r.handed[m->depth][0] = reg[3];
  s->r.handed[m->depth][1] = reg[1];
  s->r.handed[m->depth][2] = reg[2];
  m->call = call_function;
  m->budget = CHARGE;
  reg[0] = bpf_helper_code(id)(reg[1], reg[2], reg[3], reg[4], reg[5], m);
  settle(s);
  memset(&reg[1], 0, 5 * sizeof reg[0]);
}

/* bpf_timer_set_callback is about to be called. */
static void note_timer(struct stepper *s) {
  const struct bpf_machine *m = &s->r.m;
  struct steps_timers *timers = s->timers;
  uint64_t value;
  uint32_t entry;
  const struct bpf_map *map = bpf_machine_value(m, m->reg[1], &value);
  if (timers->count == STEPS_TIMERS_MAX || map == NULL || !bpf_program_function(m->program, m->reg[2], &entry)) return;
  uint32_t index = 0;
  while (m->program->maps[index] != map)
    index++;
  const uint32_t slot = (uint32_t)((value - (uint64_t)(uintptr_t)map->values) / map->value_stride);
  timers->timer[timers->count++] = (struct steps_timer){running_now(&s->r)->program, start_of(s) + entry, index, slot};
}

/* From slot `at` of the program until the current function exits; gives its r0. */
static uint64_t run(struct stepper *s, uint32_t at) {
  struct bpf_machine *m = &s->r.m;
  const unsigned floor = m->depth;
  while (!is_over(s)) {
    const struct bpf_insn insn = m->program->insns[at];
    const uint32_t slot = start_of(s) + at;
    if (s->insns >= s->limit) {
      s->result->is_cut = true;
      break;
    }
    judge(s, slot, insn);
    if (is_over(s)) break;
    count(s, 1);
    const bool helper = calls_helper(insn);
    const struct bpf_proto *proto = helper ? bpf_proto_find((uint32_t)insn.imm) : NULL;
    if (helper) {
      running_now(&s->r)->calls++;
      s->calls++;
    }
    if (helper && insn.imm == BPF_HELPER_TIMER_SET_CALLBACK) note_timer(s);
    if (helper && insn.imm == BPF_HELPER_TAIL_CALL) {
      at = tail_call(s, at);
    } else if (proto != NULL && (proto->effects & BPF_EFFECT_CALLBACK)) {
      call_helper(s, at++, (uint32_t)insn.imm);
    } else if (insn.code == (BPF_JMP | BPF_EXIT)) {
      if (m->depth == floor) return m->reg[0];
      at = leave(s);
    } else {
      const uint32_t from = at;
      execute(s, &at);
      if (m->fault == BPF_FAULT_NONE && !holds_behind(insn, s->claims->facts[slot], from, at)) {
        s->result->verdict = STEPS_FALSE_FACT;
      }
    }
  }
  return 0;
}

/* --- runs --- */

static struct steps_result finish(struct stepper *s, uint32_t at) {
  struct steps_result *result = s->result;
  s->r.insns = s->claims->input->insns;
  s->root = s->r.active[0].root;
  enter(s, at, s->r.set.registers);
  (void)run(s, at);
  result->executed = s->insns;
  if (!s->result->is_cut && result->verdict == STEPS_GOOD) {
    result->fault = s->r.m.fault;
    if (result->fault != BPF_FAULT_NONE) {
      result->verdict = STEPS_FAULT;
    } else if (running_holds(&s->r)) {
      result->verdict = STEPS_HOLDS;
    } else if (!within_bound(s)) {
      result->verdict = STEPS_OVER_BOUND;
    }
  }
  running_end(&s->r);
  return *result;
}

struct steps_result steps_run(const struct steps_claims *claims, const struct bpf_environment *environment,
                              const struct bpf_input *input, uint64_t limit, struct steps_timers *timers) {
  struct steps_result result = {.verdict = STEPS_GOOD};
  struct stepper s = {.claims = claims, .timers = timers, .result = &result, .limit = limit};
  running_begin(&s.r, claims->programs, environment, input);
  return finish(&s, 0);
}

struct steps_result steps_run_timer(const struct steps_claims *claims, const struct bpf_environment *environment,
                                    const struct steps_timer *timer, uint64_t limit, struct steps_timers *timers) {
  struct steps_result result = {.verdict = STEPS_GOOD, .slot = timer->function};
  struct stepper s = {.claims = claims, .timers = timers, .result = &result, .limit = limit};
  const struct proof_verdict *verdict = claims->verdict;
  const uint32_t start = claims->input->programs[timer->program].start;
  uint8_t key[BPF_MAP_MAX_KEY];
  uint32_t root = claims->input->program_count;
  while (root < verdict->root_count &&
         (verdict->root[root].pc != timer->function || verdict->root[root].map != timer->map))
    root++;
  if (root == verdict->root_count) {
    result.verdict = STEPS_NO_ROOT;
    return result;
  }
  if (!running_begin_timer(&s.r, &claims->programs[timer->program], environment, root, timer->program, timer->map,
                           timer->slot, key)) {
    return result;
  }
  return finish(&s, timer->function - start);
}
