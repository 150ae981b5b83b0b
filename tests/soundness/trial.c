/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The trial: the checker's walk is watched, and then packets go through the program step by step beside it.
 */
#include "tests/soundness/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/proto.h"
#include "bpf/timer.h"
#include "lib/memory.h"
#include "tests/soundness/steps.h"
#include "tests/soundness/world.h"
#include "verifier/verify.h"

enum { PACKETS = 6, STEPS_MAX = 2000, VISITS_MAX = 60000 };

static struct {
  const char *what;
  uint64_t number;
} trial;

void trial_name(const char *what, uint64_t number) {
  trial.what = what;
  trial.number = number;
}

/* --- messages --- */

static void print_program(const struct proof_input *input) {
  for (uint32_t i = 0; i < input->insn_count; i++) {
    const struct bpf_insn insn = input->insns[i];
    for (uint32_t p = 1; p < input->program_count; p++) {
      if (input->programs[p].start == i) fprintf(stderr, "program %u:\n", p);
    }
    fprintf(stderr, "%4u: code %02x dst r%u src r%u off %d imm %d\n", i, insn.code, bpf_dst(insn), bpf_src(insn),
            insn.off, insn.imm);
  }
}

static void print_value(const struct proof_value *v) {
  const struct proof_number *n = &v->number;
  fprintf(
      stderr,
      "kind %u object %u id %u delta %lld room %d bits %#llx/%#llx u %#llx..%#llx s %lld..%lld u32 %#x..%#x s32 %d..%d\n",
      v->kind, v->object, v->id, (long long)v->delta, v->room, (unsigned long long)n->value,
      (unsigned long long)n->mask, (unsigned long long)n->wide.umin, (unsigned long long)n->wide.umax,
      (long long)n->wide.smin, (long long)n->wide.smax, (unsigned)n->low.umin, (unsigned)n->low.umax, (int)n->low.smin,
      (int)n->low.smax);
}

static _Noreturn void fail(const struct candidate *candidate, const char *what, const struct steps_result *r) {
  print_program(&candidate->input);
  fprintf(stderr, "%s %llu: %s", trial.what, (unsigned long long)trial.number, what);
  if (r != NULL) {
    fprintf(stderr, "; slot %u, %s, after %llu instructions, location %d holds %#llx", r->slot,
            bpf_fault_text(r->fault), (unsigned long long)r->executed, r->location, (unsigned long long)r->value);
  }
  fprintf(stderr, "\n");
  if (r != NULL && r->verdict == STEPS_NO_MEMBER && r->nearest != NULL && r->location >= 0) {
    const struct proof_value *v = proof_state_value(r->nearest, (unsigned)r->location);
    if (v != NULL) print_value(v);
  }
  exit(1);
}

static void judge(const struct candidate *candidate, const struct steps_result *r) {
  static const char *const what[] = {
      [STEPS_FAULT] = "accepted, and faults",
      [STEPS_NO_MEMBER] = "a value is no member of any state visited there",
      [STEPS_FALSE_FACT] = "a fact does not hold",
      [STEPS_OVER_BOUND] = "executes more than the bound",
      [STEPS_USES_UNSET] = "something depends on what was never set",
      [STEPS_LEAKS] = "gives an address away",
      [STEPS_HOLDS] = "a record or lock is held in the end",
      [STEPS_NO_ROOT] = "a timer calls what is no root of the proof",
  };
  if (r->verdict != STEPS_GOOD) fail(candidate, what[r->verdict], r);
}

/* --- walking --- */

struct watch {
  const struct candidate *candidate;
  struct walked walked;
  struct visited *visited;
  const struct proof_verdict *verdict; /* as far as it is known */
};

static bool is_access(struct bpf_insn insn) {
  const unsigned class = BPF_CLASS(insn.code);
  return class == BPF_LDX || class == BPF_ST || class == BPF_STX;
}

static void visit(void *context, const struct proof_state *state) {
  struct watch *w = context;
  const struct bpf_insn insn = w->candidate->insns[state->pc];
  const unsigned base = BPF_CLASS(insn.code) == BPF_LDX ? bpf_src(insn) : bpf_dst(insn);
  if (is_access(insn) && base < PROOF_REGISTERS) {
    const struct proof_value *v = &state->reg[base];
    if (v->kind == PROOF_PACKET && !proof_number_is_constant(&v->number)) w->walked.has_variable = true;
  }
  if ((BPF_CLASS(insn.code) == BPF_JMP || BPF_CLASS(insn.code) == BPF_JMP32) && BPF_OP(insn.code) < BPF_CALL &&
      insn.off < 0) {
    w->walked.has_loop = true;
  }
  if (insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_HELPER) {
    const struct bpf_proto *proto = bpf_proto_find((uint32_t)insn.imm);
    if (proto->effects & BPF_EFFECT_CALLBACK) w->walked.has_callback = true;
    if (insn.imm == BPF_HELPER_TAIL_CALL && w->candidate->input.target_count > 0) w->walked.has_tail_call = true;
  }
  const uint32_t map = w->verdict->root[state->root].map;
  if (map == PROOF_ALONE) w->walked.has_alone = true;
  if (map != PROOF_NO_MAP && map != PROOF_ALONE) w->walked.has_timer = true;
  if (w->visited->count < VISITS_MAX) visited_add(w->visited, state);
}

static void arrives(void *context, uint32_t entry, const struct proof_state *arrival, bool back) {
  struct watch *w = context;
  w->walked.inclusions++;
}

/* --- running --- */

static void count_steps(const struct candidate *candidate, const struct steps_result *r, struct tally *tally) {
  tally->steps += r->executed;
  tally->through_callback += r->in_callback > 0;
  tally->through_tail_call += r->behind_tail > 0;
  tally->through_timer += r->in_timer > 0;
  judge(candidate, r);
}

/* One packet, and then the timers that it set, beside the states. */
static void run_beside(struct candidate *candidate, const struct steps_claims *claims, const struct bpf_input *input,
                       struct tally *tally) {
  struct steps_timers timers = {.count = 0};
  struct steps_result r = steps_run(claims, &world_environment, input, STEPS_MAX, &timers);
  tally->watched++;
  tally->whole += !r.is_cut;
  count_steps(candidate, &r, tally);
  for (unsigned i = 0; i < timers.count; i++) {
    r = steps_run_timer(claims, &world_environment, &timers.timer[i], STEPS_MAX, &timers);
    count_steps(candidate, &r, tally);
  }
}

static void judge_result(const struct candidate *candidate, const struct bpf_result *result, uint64_t bound) {
  struct steps_result r = {.verdict = result->fault != BPF_FAULT_NONE ? STEPS_FAULT
                                      : result->executed > bound      ? STEPS_OVER_BOUND
                                                                      : STEPS_GOOD,
                           .slot = result->fault_insn,
                           .fault = result->fault,
                           .executed = result->executed};
  if (result->fault_program != NULL) {
    r.slot += candidate->extent[result->fault_program - candidate->program].start;
  }
  judge(candidate, &r);
}

/* The proof was accepted: nothing may happen that it excludes. */
static void run(struct candidate *candidate, const struct steps_claims *claims, struct choices *c,
                struct tally *tally) {
  enum { TIMERS = 8 };
  for (unsigned i = 0; i < PACKETS; i++) {
    struct bpf_input input;
    struct bpf_result result;
    world_packet(c, &input);
    if (claims->visited->count < VISITS_MAX) run_beside(candidate, claims, &input, tally);
    bpf_run(candidate->program, &world_environment, &input, &result);
    judge_result(candidate, &result, claims->verdict->root[0].cost.insns);
    for (uint32_t m = 0; m < candidate->map_count; m++) {
      (void)bpf_timers_run(candidate->maps[m], &world_environment, BPF_TIMERS_IDLE - 1, 0, TIMERS, &result);
      judge_result(candidate, &result, BPF_MAX_EXECUTED);
    }
    tally->runs++;
    world_drain(candidate->maps, candidate->map_count);
  }
}

/* The unikernel's way from bytes to facts, watched. */
static bool check(struct candidate *candidate, const uint8_t *proof, size_t length, struct watch *w,
                  struct bpf_fact *facts, struct proof_verdict *verdict, bool *decoded) {
  static uint8_t arena[PROOF_MAX_ARENA] __attribute__((aligned(64)));
  struct proof_plan plan;
  const struct proof_hooks hooks = {.context = w, .visit = visit, .arrives = arrives};
  *decoded = false;
  verdict->accepted = false;
  /* Without anybody watching; any bytes may be given. */
  size_t size = proof_check_memory(&candidate->input, proof, length);
  if (size > sizeof arena) fail(candidate, "asks for more memory than the limit", NULL);
  const bool accepted = size != 0 && proof_check(&candidate->input, proof, length, arena, facts, verdict);
  size = proof_plan_memory(proof, length);
  if (size == 0) return false;
  void *memory = memory_alloc(size);
  if (memory == NULL) abort();
  *decoded = proof_plan_decode(proof, length, memory, &plan);
  if (*decoded) {
    size = proof_walk_memory(&candidate->input, &plan);
    bool again =
        size != 0 && size <= sizeof arena && proof_walk(&candidate->input, &plan, arena, &hooks, facts, verdict);
    if (again != accepted) fail(candidate, "accepted with hooks and not without, or the other way round", NULL);
  } else if (accepted) {
    fail(candidate, "accepted, and cannot be decoded", NULL);
  }
  memory_free(memory);
  return accepted;
}

struct walked trial_check(struct candidate *candidate, const uint8_t *proof, size_t length, struct choices *c,
                          struct tally *tally) {
  static struct proof_verdict verdict;
  struct visited visited;
  const uint32_t slots = candidate->input.insn_count;
  struct bpf_fact *facts = calloc(slots, sizeof *facts);
  struct watch w = {.candidate = candidate, .visited = &visited, .verdict = &verdict};
  bool decoded;
  if (facts == NULL) abort();
  visited_begin(&visited, slots);
  w.walked.accepted = check(candidate, proof, length, &w, facts, &verdict, &decoded);
  const struct steps_claims claims = {&candidate->input, candidate->program, &visited, facts, &verdict};
  if (w.walked.accepted) run(candidate, &claims, c, tally);
  visited_end(&visited);
  free(facts);
  return w.walked;
}

struct walked trial_verify(struct candidate *candidate, struct choices *c, struct tally *tally, struct text *proof) {
  static struct verify_result result;
  struct walked w = {0};
  *proof = (struct text){0};
  verify(&candidate->input, candidate->functions, candidate->function_count, &result);
  tally->programs++;
  tally->exhausted += result.end == VERIFY_EXHAUSTED;
  if (result.end == VERIFY_PROVEN) {
    w = trial_check(candidate, (const uint8_t *)result.proof.data, result.proof.length, c, tally);
    if (!w.accepted) fail(candidate, "the checker refuses what the verifier emits", NULL);
    tally->accepted++;
    tally->with_loop += w.has_loop;
    tally->with_variable += w.has_variable;
    tally->with_callback += w.has_callback;
    tally->with_tail_call += w.has_tail_call;
    tally->with_timer += w.has_timer;
    tally->with_alone += w.has_alone;
    text_add_bytes(proof, result.proof.data, result.proof.length);
  }
  verify_free(&result);
  return w;
}
