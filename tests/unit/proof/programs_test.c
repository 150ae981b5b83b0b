/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What concerns whole bundles: tail calls from program to program, functions that timers call, tunables, the context of tc programs, and
 * the facts that an accepted program gives the JIT.
 */
#include "tests/unit/proof/proof_case.h"

#define RETURN_0 MOV_IMM(0, 0), EXIT()
#define TAIL_CALL LOAD_MAP(2, PROGRAMS), MOV_IMM(3, 0), CALL_HELPER(BPF_HELPER_TAIL_CALL)
#define KEY_ON_STACK STORE_IMM(BPF_W, 10, -4, 0), MOV(2, 10), ADD_IMM(2, -4)
#define LOOKUP(map) LOAD_MAP(1, map), KEY_ON_STACK, CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM)
#define FUNCTION(reg, distance) LOAD_KIND(reg, BPF_PSEUDO_FUNC, distance, 0)

enum { INSNS_MAX = 64 };

static struct proof_verdict walk(const struct proof_input *input, struct bpf_fact *facts) {
  const struct proof_plan plan = {.limits = {10000, 64, 32}};
  struct proof_verdict verdict;
  void *arena = malloc(proof_walk_memory(input, &plan));
  assert_non_null(arena);
  proof_walk(input, &plan, arena, NULL, facts, &verdict);
  free(arena);
  return verdict;
}

/* A program goes on in another, or behind the call if there is none: the bound is that of the longer way. */
static void test_tail_call(void **state) {
  static const struct bpf_insn insns[] = {
      TAIL_CALL,     RETURN_0, /* 0: 4 instructions to the call, 2 behind it */
      MOV_IMM(0, 0), MOV_IMM(0, 0), MOV_IMM(0, 0), MOV_IMM(0, 0), MOV_IMM(0, 0), EXIT(), /* 6: 6 */
  };
  static const struct proof_program programs[] = {{0, 6}, {6, 6}};
  static const struct proof_target target = {PROGRAMS, 1};
  struct bpf_fact facts[INSNS_MAX];
  struct proof_program unused;
  struct proof_input input = case_input(insns, COUNT(insns), &unused);
  input.programs = programs;
  input.program_count = 2;
  struct proof_verdict verdict = walk(&input, facts);
  assert_true(verdict.accepted);
  assert_int_equal(verdict.root[0].cost.insns, 3 + 2); /* nothing in the map */
  input.targets = &target;
  input.target_count = 1;
  verdict = walk(&input, facts);
  assert_true(verdict.accepted);
  assert_int_equal(verdict.root[0].cost.insns, 3 + 6);
  assert_int_equal(verdict.root[1].cost.insns, 6);
}

/* A program that goes on in itself does so 33 times at most, and then goes on behind the call. */
static void test_tail_call_to_itself(void **state) {
  static const struct bpf_insn insns[] = {TAIL_CALL, RETURN_0};
  static const struct proof_target target = {PROGRAMS, 0};
  struct bpf_fact facts[INSNS_MAX];
  struct proof_program whole;
  struct proof_input input = case_input(insns, COUNT(insns), &whole);
  input.targets = &target;
  input.target_count = 1;
  const struct proof_verdict verdict = walk(&input, facts);
  assert_true(verdict.accepted);
  assert_int_equal(verdict.root[0].cost.insns, 33 * 3 + 5);
  input.max_insns = 33 * 3 + 4;
  assert_int_equal(walk(&input, facts).failure.kind, PROOF_TOO_LONG);
}

/* A function that makes a tail call and is called from depth 1 adds its frames each time: Linux limits these chains, too. */
static void test_tail_call_in_functions(void **state) {
  static const struct bpf_insn insns[] = {CALL(1), EXIT(), TAIL_CALL, RETURN_0};
  static const struct proof_target to_itself = {PROGRAMS, 0};
  struct bpf_fact facts[INSNS_MAX];
  struct proof_program whole;
  struct proof_input input = case_input(insns, COUNT(insns), &whole);
  assert_true(walk(&input, facts).accepted);
  input.targets = &to_itself;
  input.target_count = 1;
  assert_int_equal(walk(&input, facts).failure.kind, PROOF_TOO_DEEP);
}

/* The program that was called may have moved the packet: its caller's pointers lapse. */
static void test_tail_call_moves_packet(void **state) {
  static const struct bpf_insn insns[] = {
      LOAD(BPF_W, 6, 1, 0),
      LOAD(BPF_W, 3, 1, 4),
      MOV(4, 6),
      ADD_IMM(4, 14),
      INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 2, 0),
      CALL(3),
      LOAD(BPF_B, 0, 6, 0),
      MOV_IMM(0, 0),
      EXIT(),
      TAIL_CALL,
      RETURN_0, /* 9 */
      RETURN_0, /* 15: the other program */
  };
  static const struct proof_program programs[] = {{0, 15}, {15, 2}};
  static const struct proof_target target = {PROGRAMS, 1};
  struct bpf_fact facts[INSNS_MAX];
  struct proof_program unused;
  struct proof_input input = case_input(insns, COUNT(insns), &unused);
  input.programs = programs;
  input.program_count = 2;
  assert_true(walk(&input, facts).accepted);
  input.targets = &target;
  input.target_count = 1;
  const struct proof_verdict verdict = walk(&input, facts);
  assert_int_equal(verdict.failure.kind, PROOF_READS_UNREADABLE);
  assert_int_equal(verdict.failure.pc, 6);
}

/* if (value) bpf_timer_set_callback(value's timer, f): f is checked with the map's handle, a key and a value, not a context. */
#define TIMER(...)                                                                                                   \
  LOOKUP(TIMERS), JUMP_IMM(BPF_JEQ, 0, 0, 4), MOV(1, 0), FUNCTION(2, 4), CALL_HELPER(BPF_HELPER_TIMER_SET_CALLBACK), \
      RETURN_0, __VA_ARGS__
static void test_timer(void **state) {
  static const struct bpf_insn reads_key_and_value[] = {
      TIMER(LOAD(BPF_W, 4, 2, 0), LOAD(BPF_DW, 5, 3, 16), MOV_IMM(0, 0), EXIT())};
  static const struct bpf_insn writes_key[] = {TIMER(STORE_IMM(BPF_W, 2, 0, 1), MOV_IMM(0, 0), EXIT())};
  static const struct bpf_insn touches_timer[] = {TIMER(LOAD(BPF_DW, 5, 3, 0), MOV_IMM(0, 0), EXIT())};
  static const struct bpf_insn reads_context[] = {TIMER(LOAD(BPF_W, 4, 1, 0), MOV_IMM(0, 0), EXIT())};
  static const struct {
    const struct bpf_insn *insns;
    uint32_t count;
    enum proof_failure_kind kind;
  } rows[] = {
      {reads_key_and_value, COUNT(reads_key_and_value), PROOF_OK},
      {writes_key, COUNT(writes_key), PROOF_NOT_WRITABLE},
      {touches_timer, COUNT(touches_timer), PROOF_HIDDEN_FIELD},
      {reads_context, COUNT(reads_context), PROOF_NOT_POINTER},
  };
  for (unsigned i = 0; i < COUNT(rows); i++) {
    struct bpf_fact facts[INSNS_MAX];
    struct proof_program whole;
    const struct proof_input input = case_input(rows[i].insns, rows[i].count, &whole);
    const struct proof_verdict verdict = walk(&input, facts);
    assert_int_equal(verdict.failure.kind, rows[i].kind);
    assert_int_equal(verdict.root_count, 2);
    assert_int_equal(verdict.root[1].map, TIMERS);
  }
}

/* Whatever calls a timer's function has a frame of its own, so seven functions may wait for each other there, and not eight: native code
 * looks at the depth no more, and the eighth frame would lie outside of the stack. */
static void test_frames_of_a_timer(void **state) {
  for (uint32_t functions = BPF_MAX_FRAMES - 1; functions <= BPF_MAX_FRAMES; functions++) {
    struct bpf_insn insns[INSNS_MAX] = {TIMER(EXIT())};
    struct bpf_fact facts[INSNS_MAX];
    struct proof_program whole;
    uint32_t count = COUNT(((struct bpf_insn[]){TIMER()}));
    for (uint32_t i = 1; i < functions; i++) { /* each calls the next */
      insns[count++] = (struct bpf_insn)CALL(1);
      insns[count++] = (struct bpf_insn)EXIT();
    }
    insns[count++] = (struct bpf_insn)MOV_IMM(0, 0);
    insns[count++] = (struct bpf_insn)EXIT();
    const struct proof_input input = case_input(insns, count, &whole);
    const struct proof_verdict verdict = walk(&input, facts);
    assert_int_equal(verdict.failure.kind, functions < BPF_MAX_FRAMES ? PROOF_OK : PROOF_TOO_DEEP);
    struct bpf_map *maps[CASE_MAPS] = {NULL};
    for (unsigned i = 0; i < CASE_MAPS; i++) {
      struct bpf_map_def def = *case_maps[i].def;
      assert_int_equal(bpf_map_create(&def, &(struct hash_key){1, 2}, &maps[i], NULL), 0);
    }
    struct bpf_program program = {.insns = insns, .insn_count = count, .maps = maps, .map_count = CASE_MAPS};
    struct bpf_result result;
    const uint32_t key = 0;
    assert_int_equal(bpf_program_prepare(&program, NULL), 0);
    bpf_run_callback(&program, &test_environment, 0, (uint64_t)(uintptr_t)&insns[verdict.root[1].pc], maps[TIMERS], 0,
                     &key, &result);
    assert_int_equal(result.fault, functions < BPF_MAX_FRAMES ? BPF_FAULT_NONE : BPF_FAULT_FRAMES);
    memory_free(program.functions);
    for (unsigned i = 0; i < CASE_MAPS; i++)
      bpf_map_release(maps[i]);
  }
}

/* A tunable is any value of its range, at every read; bytes around it are what the bundle carries. */
static void test_tunable(void **state) {
  static const struct bpf_insn insns[] = {LOAD_KIND(2, BPF_PSEUDO_MAP_VALUE, CONSTANT, 0),
                                          LOAD(BPF_B, 3, 2, 8),
                                          LOAD_KIND(4, BPF_PSEUDO_MAP_VALUE, GLOBAL, 0),
                                          ADD(4, 3),
                                          LOAD(BPF_B, 0, 4, 0),
                                          EXIT()};
  struct proof_tunable tunable = {CONSTANT, 8, 1, false, 0, 15};
  struct bpf_fact facts[INSNS_MAX];
  struct proof_program whole;
  struct proof_input input = case_input(insns, COUNT(insns), &whole);
  input.tunables = &tunable;
  input.tunable_count = 1;
  assert_true(walk(&input, facts).accepted);
  tunable.high = 16;
  assert_int_equal(walk(&input, facts).failure.kind, PROOF_OUTSIDE);
  tunable.offset = 9;
  assert_true(walk(&input, facts).accepted);
}

/* tc programs write some fields of their context, and read data where it is in theirs. */
static void test_tc(void **state) {
  static const struct bpf_insn good[] = {STORE_IMM(BPF_W, 1, 8, 1),
                                         LOAD(BPF_W, 2, 1, offsetof(struct bpf_skb, data)),
                                         LOAD(BPF_W, 3, 1, offsetof(struct bpf_skb, data_end)),
                                         MOV(4, 2),
                                         ADD_IMM(4, 14),
                                         INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 1, 0),
                                         STORE_IMM(BPF_H, 2, 12, 8),
                                         RETURN_0};
  static const struct bpf_insn bad[] = {STORE_IMM(BPF_W, 1, 0, 1), RETURN_0};
  struct bpf_fact facts[INSNS_MAX];
  struct proof_program whole;
  struct proof_input input = case_input(good, COUNT(good), &whole);
  input.kind = BPF_PROGRAM_TC;
  assert_true(walk(&input, facts).accepted);
  input = case_input(bad, COUNT(bad), &whole);
  input.kind = BPF_PROGRAM_TC;
  assert_int_equal(walk(&input, facts).failure.kind, PROOF_CONTEXT_FIELD);
}

/* Facts are what held on every visit, and nothing when the program is refused. */
static void test_facts(void **state) {
  static const struct bpf_insn insns[] = {
      LOAD(BPF_W, 6, 1, 12),                         /* 0 */
      LOOKUP(ARRAY),                                 /* 1 to 6: key 0 is one of 4 */
      JUMP_IMM(BPF_JEQ, 0, 0, 2),                    /* 7: never */
      LOAD(BPF_DW, 1, 0, 8),                         /* 8 */
      INSN(BPF_ALU64 | BPF_DIV | BPF_X, 1, 6, 0, 0), /* 9: by what may be 0 */
      LOOKUP(HASH),                                  /* 10 to 15 */
      JUMP_IMM(BPF_JEQ, 0, 0, 0),                    /* 16: either */
      INSN(BPF_ALU64 | BPF_DIV | BPF_K, 6, 0, 0, 3), /* 17 */
      RETURN_0,
  };
  struct bpf_fact facts[INSNS_MAX];
  struct proof_program whole;
  struct proof_input input = case_input(insns, COUNT(insns), &whole);
  assert_true(walk(&input, facts).accepted);
  assert_true(facts[0].known & BPF_FACT_FRAME);
  assert_true(facts[0].known & BPF_FACT_ACCESS);
  assert_int_equal(facts[6].known & (BPF_FACT_ARGUMENTS | BPF_FACT_KEY | BPF_FACT_MAP),
                   BPF_FACT_ARGUMENTS | BPF_FACT_KEY | BPF_FACT_MAP);
  assert_int_equal(facts[6].map, ARRAY);
  assert_int_equal(facts[7].known & (BPF_FACT_NEVER | BPF_FACT_ALWAYS), BPF_FACT_NEVER);
  assert_int_equal(facts[9].known & BPF_FACT_DIVISOR, 0);
  assert_int_equal(facts[15].known & (BPF_FACT_ARGUMENTS | BPF_FACT_KEY | BPF_FACT_MAP),
                   BPF_FACT_ARGUMENTS | BPF_FACT_MAP);
  assert_int_equal(facts[15].map, HASH);
  assert_int_equal(facts[16].known & (BPF_FACT_NEVER | BPF_FACT_ALWAYS), 0);
  assert_int_equal(facts[17].known & BPF_FACT_DIVISOR, BPF_FACT_DIVISOR);
  input.max_insns = 5;
  assert_false(walk(&input, facts).accepted);
  for (unsigned i = 0; i < COUNT(insns); i++) {
    assert_int_equal(facts[i].known, 0);
  }
}

/* Instructions that bpf_check refuses are refused, whatever the proof. */
static void test_malformed_program(void **state) {
  static const struct bpf_insn insns[] = {JUMP(5), EXIT()};
  struct bpf_fact facts[INSNS_MAX];
  struct proof_program whole;
  struct proof_input input = case_input(insns, COUNT(insns), &whole);
  assert_int_equal(walk(&input, facts).failure.kind, PROOF_BAD_PROGRAM);
  whole.count = 3;
  assert_int_equal(walk(&input, facts).failure.kind, PROOF_BAD_PROGRAM);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tail_call),
      cmocka_unit_test(test_tail_call_to_itself),
      cmocka_unit_test(test_tail_call_in_functions),
      cmocka_unit_test(test_tail_call_moves_packet),
      cmocka_unit_test(test_timer),
      cmocka_unit_test(test_frames_of_a_timer),
      cmocka_unit_test(test_tunable),
      cmocka_unit_test(test_tc),
      cmocka_unit_test(test_facts),
      cmocka_unit_test(test_malformed_program),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
