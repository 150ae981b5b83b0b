/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The trial: the checker's walk is watched, and then packets go through the program step by step beside it.
 */
#include "tests/soundness/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/proto.h"
#include "lib/memory.h"
#include "tests/soundness/member.h"
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

static void print_program(const struct bpf_program *program) {
  for (uint32_t i = 0; i < program->insn_count; i++) {
    const struct bpf_insn insn = program->insns[i];
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

static _Noreturn void fail(const struct subject *s, const char *what, const struct steps_result *r) {
  print_program(&s->program);
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

/* --- walking --- */

struct watch {
  const struct subject *s;
  struct walked walked;
  struct visited *visited;
};

static bool is_access(struct bpf_insn insn) {
  const unsigned class = BPF_CLASS(insn.code);
  return class == BPF_LDX || class == BPF_ST || class == BPF_STX;
}

static void visit(void *context, const struct proof_state *state) {
  struct watch *w = context;
  const struct bpf_insn insn = w->s->program.insns[state->pc];
  const unsigned base = BPF_CLASS(insn.code) == BPF_LDX ? bpf_src(insn) : bpf_dst(insn);
  if (is_access(insn) && base < PROOF_REGISTERS) {
    const struct proof_value *v = &state->reg[base];
    if (v->kind == PROOF_PACKET && !proof_number_is_constant(&v->number)) w->walked.has_variable = true;
  }
  if ((BPF_CLASS(insn.code) == BPF_JMP || BPF_CLASS(insn.code) == BPF_JMP32) && BPF_OP(insn.code) < BPF_CALL &&
      insn.off < 0) {
    w->walked.has_loop = true;
  }
  if (insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_HELPER && insn.imm == BPF_HELPER_LOOP) {
    w->walked.has_loop = true;
  }
  if (w->visited->count < VISITS_MAX) visited_add(w->visited, state);
}

static void arrives(void *context, uint32_t entry, const struct proof_state *arrival, bool back) {
  struct watch *w = context;
  w->walked.inclusions++;
}

/* --- running --- */

/* The proof was accepted: nothing may happen that it excludes. */
static void run(struct subject *s, const struct visited *visited, const struct bpf_fact *facts, uint64_t bound,
                struct choices *c, struct tally *tally) {
  for (unsigned i = 0; i < PACKETS; i++) {
    struct bpf_input input;
    struct bpf_result result;
    world_packet(c, &input);
    if (visited->count < VISITS_MAX) {
      struct steps_result r = steps_run(&s->program, &world_environment, &input, visited, facts, STEPS_MAX);
      tally->steps += r.executed;
      if (r.verdict == STEPS_FAULT) fail(s, "accepted, and faults", &r);
      if (r.verdict == STEPS_NO_MEMBER) fail(s, "a value is no member of any state visited there", &r);
      if (r.verdict == STEPS_FALSE_FACT) fail(s, "a fact does not hold", &r);
      if (r.executed > bound) fail(s, "executes more than the bound", &r);
    }
    bpf_run(&s->program, &world_environment, &input, &result);
    tally->runs++;
    struct steps_result r = {
        .verdict = STEPS_FAULT, .slot = result.fault_insn, .fault = result.fault, .executed = result.executed};
    if (result.fault != BPF_FAULT_NONE) fail(s, "accepted, and faults", &r);
    if (result.executed > bound) fail(s, "executes more than the bound", &r);
    world_drain(s->program.maps, s->program.map_count);
  }
}

/* The unikernel's way from bytes to facts, watched. */
static bool check(struct subject *s, const uint8_t *proof, size_t length, struct watch *w, struct bpf_fact *facts,
                  struct proof_verdict *verdict, bool *decoded) {
  static uint8_t arena[PROOF_MAX_ARENA] __attribute__((aligned(64)));
  struct proof_plan plan;
  const struct proof_hooks hooks = {.context = w, .visit = visit, .arrives = arrives};
  *decoded = false;
  verdict->accepted = false;
  /* Without anybody watching; any bytes may be given. */
  size_t size = proof_check_memory(&s->input, proof, length);
  if (size > sizeof arena) fail(s, "asks for more memory than the limit", NULL);
  const bool accepted = size != 0 && proof_check(&s->input, proof, length, arena, facts, verdict);
  size = proof_plan_memory(proof, length);
  if (size == 0) return false;
  void *memory = memory_alloc(size);
  if (memory == NULL) abort();
  *decoded = proof_plan_decode(proof, length, memory, &plan);
  if (*decoded) {
    size = proof_walk_memory(&s->input, &plan);
    bool again = size != 0 && size <= sizeof arena && proof_walk(&s->input, &plan, arena, &hooks, facts, verdict);
    if (again != accepted) fail(s, "accepted with hooks and not without, or the other way round", NULL);
  } else if (accepted) {
    fail(s, "accepted, and cannot be decoded", NULL);
  }
  memory_free(memory);
  return accepted;
}

struct walked trial_check(struct subject *s, const uint8_t *proof, size_t length, struct choices *c,
                          struct tally *tally) {
  static struct proof_verdict verdict;
  struct visited visited;
  struct bpf_fact *facts = calloc(s->program.insn_count, sizeof *facts);
  struct watch w = {.s = s, .visited = &visited};
  bool decoded;
  if (facts == NULL) abort();
  visited_begin(&visited, s->program.insn_count);
  w.walked.accepted = check(s, proof, length, &w, facts, &verdict, &decoded);
  if (w.walked.accepted) run(s, &visited, facts, verdict.root[0].cost.insns, c, tally);
  visited_end(&visited);
  free(facts);
  return w.walked;
}

struct walked trial_verify(struct subject *s, struct choices *c, struct tally *tally, struct text *proof) {
  static struct verify_result result;
  struct walked w = {0};
  *proof = (struct text){0};
  verify(&s->input, &result);
  tally->programs++;
  tally->exhausted += result.end == VERIFY_EXHAUSTED;
  if (result.end == VERIFY_PROVEN) {
    w = trial_check(s, (const uint8_t *)result.proof.data, result.proof.length, c, tally);
    if (!w.accepted) fail(s, "the checker refuses what the verifier emits", NULL);
    tally->accepted++;
    tally->with_loop += w.has_loop;
    tally->with_variable += w.has_variable;
    text_add_bytes(proof, result.proof.data, result.proof.length);
  }
  verify_free(&result);
  return w;
}

/* --- subjects --- */

bool subject_make(struct subject *s, const struct bpf_map_def *defs, const struct slice *initial, uint32_t map_count,
                  enum bpf_program_kind kind, struct choices *c) {
  *s = (struct subject){.program = {.kind = kind, .map_count = map_count}};
  s->program.maps = calloc(map_count + 1, sizeof s->program.maps[0]);
  if (s->program.maps == NULL) abort();
  if (!world_maps(s->program.maps, defs, initial, map_count, c)) {
    subject_free(s);
    return false;
  }
  for (uint32_t i = 0; i < map_count; i++) {
    s->maps[i].def = &s->program.maps[i]->def;
    if ((s->maps[i].def->flags & BPF_F_RDONLY_PROG) && s->maps[i].def->max_entries == 1) {
      s->maps[i].constant = s->program.maps[i]->values;
    }
  }
  s->input = (struct proof_input){.programs = &s->extent,
                                  .program_count = 1,
                                  .kind = kind,
                                  .maps = s->maps,
                                  .map_count = map_count,
                                  .max_insns = BPF_MAX_EXECUTED};
  return true;
}

bool subject_set(struct subject *s, const struct bpf_insn *insns, uint32_t count) {
  s->program.insns = realloc(s->program.insns, count * sizeof insns[0]);
  if (s->program.insns == NULL) abort();
  memcpy(s->program.insns, insns, count * sizeof insns[0]);
  s->program.insn_count = s->input.insn_count = s->extent.count = count;
  s->input.insns = s->program.insns;
  memory_free(s->program.functions);
  s->program.functions = NULL;
  s->program.function_count = 0;
  return bpf_program_prepare(&s->program, NULL) == 0;
}

void subject_free(struct subject *s) {
  for (uint32_t i = 0; i < s->program.map_count; i++) {
    if (s->program.maps[i] != NULL) bpf_map_release(s->program.maps[i]);
  }
  free(s->program.maps);
  free(s->program.insns);
  memory_free(s->program.functions);
}
