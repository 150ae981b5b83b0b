/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tail calls between native code and the interpreter in every mixture. Expected values by hand, from the instructions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/jit.h"
#include "lib/memory.h"
#include "tests/unit/bpf/asm.h"

enum { PROGRAMS = 3, MIXTURES = 1 << PROGRAMS, MOST_INSNS = 12 };

struct chain {
  struct bpf_program program[PROGRAMS];
  struct bpf_map *map; /* program i at i */
};

/* The programs of the bits in `native` are compiled, and told that arguments are good if `proven`. */
static void make_chain(struct chain *chain, struct bpf_insn insns[PROGRAMS][MOST_INSNS], const uint32_t *counts,
                       unsigned native, bool proven) {
  static const struct hash_key seed = {1, 2};
  static struct bpf_fact facts[MOST_INSNS];
  const struct bpf_map_def def = {
      .name = "chain", .type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = PROGRAMS};
  const struct bpf_program *old;
  assert_int_equal(bpf_map_create(&def, &seed, &chain->map, NULL), 0);
  for (unsigned i = 0; i < PROGRAMS; i++) {
    struct bpf_program *program = &chain->program[i];
    *program = (struct bpf_program){insns[i], counts[i], &chain->map, 1};
    assert_int_equal(bpf_check(insns[i], counts[i], 1, NULL), 0);
    assert_int_equal(bpf_program_prepare(program, NULL), 0);
    memset(facts, 0, sizeof facts);
    for (uint32_t at = 0; at < counts[i] && proven; at++)
      if (insns[i][at].code == (BPF_JMP | BPF_CALL)) facts[at].known = BPF_FACT_ARGUMENTS;
    if (native >> i & 1) assert_int_equal(bpf_jit(program, facts, NULL, NULL), 0);
    assert_int_equal(bpf_map_put_program(chain->map, i, program, &old), 0);
  }
}

static void free_chain(struct chain *chain) {
  for (unsigned i = 0; i < PROGRAMS; i++) {
    if (chain->program[i].code != NULL) chain->program[i].code->release(chain->program[i].code);
    memory_free(chain->program[i].functions);
  }
  bpf_map_release(chain->map);
}

static struct bpf_result run_chain(const struct chain *chain) {
  const struct bpf_input input = {.data = 4096, .data_end = 4096};
  struct bpf_result result;
  bpf_run(&chain->program[0], &test_environment, &input, &result);
  return result;
}

/* r6 to r9 go along, also through a program that doesn't name them; the frame is zeroed; the last one's r0 is the verdict, and nobody
 * returns. A program names another set of registers than the next, so that each must give the host back its own. */
static void test_registers(void **state) {
  struct bpf_insn insns[PROGRAMS][MOST_INSNS] = {
      {MOV_IMM(6, 10), MOV_IMM(7, 700), STORE_IMM(BPF_DW, 10, -8, 99), LOAD_MAP(2, 0), MOV_IMM(3, 1), CALL_HELPER(12),
       MOV_IMM(0, 1), EXIT()},
      {LOAD(BPF_DW, 6, 10, -8), MOV_IMM(8, 5), LOAD_MAP(2, 0), MOV_IMM(3, 2), CALL_HELPER(12), MOV_IMM(0, 2), EXIT()},
      {MOV(0, 7), ADD(0, 6), ADD(0, 8), EXIT()},
  };
  static const uint32_t counts[PROGRAMS] = {9, 8, 4};
  for (unsigned i = 0; i < 2 * MIXTURES; i++) {
    struct chain chain;
    make_chain(&chain, insns, counts, i % MIXTURES, i >= MIXTURES);
    struct bpf_result result = run_chain(&chain);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal(result.r0, 700 + 0 + 5);
    free_chain(&chain);
  }
}

/* A fault names the program that it is in, wherever control came from. */
static void test_fault(void **state) {
  struct bpf_insn insns[PROGRAMS][MOST_INSNS] = {
      {LOAD_MAP(2, 0), MOV_IMM(3, 1), CALL_HELPER(12), EXIT()},
      {LOAD_MAP(2, 0), MOV_IMM(3, 2), CALL_HELPER(12), EXIT()},
      {MOV_IMM(0, 0), MOV_IMM(6, 6), LOAD(BPF_B, 0, 0, 0), EXIT()},
  };
  static const uint32_t counts[PROGRAMS] = {5, 5, 4};
  for (unsigned native = 0; native < MIXTURES; native++) {
    struct chain chain;
    make_chain(&chain, insns, counts, native, false);
    struct bpf_result result = run_chain(&chain);
    assert_int_equal(result.fault, BPF_FAULT_MEMORY);
    assert_int_equal(result.fault_insn, 2);
    assert_ptr_equal(result.fault_program, &chain.program[2]);
    free_chain(&chain);
  }
}

/* A function that makes a tail call leaves its callers' frames as they are, also where facts cover everything else. */
static void test_frame_of_caller(void **state) {
  struct bpf_insn insns[PROGRAMS][MOST_INSNS] = {
      {STORE_IMM(BPF_DW, 10, -8, 5), CALL(2), LOAD(BPF_DW, 0, 10, -8), EXIT(), LOAD_MAP(2, 0), MOV_IMM(3, 1),
       CALL_HELPER(12), EXIT()},
      {STORE_IMM(BPF_DW, 10, -8, 9), MOV_IMM(0, 7), EXIT()},
      {MOV_IMM(0, 0), EXIT()},
  };
  static const uint32_t counts[PROGRAMS] = {9, 3, 2};
  for (unsigned i = 0; i < 2 * MIXTURES; i++) {
    struct chain chain;
    make_chain(&chain, insns, counts, i % MIXTURES, i >= MIXTURES);
    struct bpf_result result = run_chain(&chain);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal(result.r0, 5);
    free_chain(&chain);
  }
}

/* Programs that call each other without end stop after 33 calls (Linux's MAX_TAIL_CALL_CNT), in the one that made the 34th, which goes
 * on behind its call: the second, as the first is called by every other one. */
static void test_limit(void **state) {
  struct bpf_insn insns[PROGRAMS][MOST_INSNS] = {
      {LOAD_MAP(2, 0), MOV_IMM(3, 1), CALL_HELPER(12), ADD_IMM(0, 1000), EXIT()},
      {LOAD_MAP(2, 0), MOV_IMM(3, 0), CALL_HELPER(12), ADD_IMM(0, 2000), EXIT()},
      {MOV_IMM(0, 0), EXIT()},
  };
  static const uint32_t counts[PROGRAMS] = {6, 6, 2};
  for (unsigned i = 0; i < 2 * MIXTURES; i++) {
    struct chain chain;
    make_chain(&chain, insns, counts, i % MIXTURES, i >= MIXTURES);
    struct bpf_result result = run_chain(&chain);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, 2000 - BPF_EINVAL);
    free_chain(&chain);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_registers), cmocka_unit_test(test_fault),
                                     cmocka_unit_test(test_frame_of_caller), cmocka_unit_test(test_limit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
