/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Running eBPF of tests in both engines: every program that bpf_check accepts runs as native code too, with all checks, plain and with
 * blinded constants, with and without the newer instructions, and must end as it does in the interpreter. Include after cmocka.h.
 */
#ifndef IMAGO_TESTS_BPF_NATIVE_H
#define IMAGO_TESTS_BPF_NATIVE_H

#include <stdlib.h>

#include "bpf/jit.h"
#include "tests/unit/bpf/asm.h"

/* AddressSanitizer gives every call of a function another place for its variables, and so the machine. */
#if defined(__SANITIZE_ADDRESS__)
static const bool stack_moves = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
static const bool stack_moves = true;
#else
static const bool stack_moves = false;
#endif
#else
static const bool stack_moves = false;
#endif

static const struct bpf_jit_options native_variants[] = {
    {.memory = true},
    {.memory = true, .cpu = {true, true, true}},
    {.memory = true, .blind = true, .blind_seed = 0x0123456789abcdef},
};

/* The result as native code; `memory` is as it was afterwards. */
static inline struct bpf_result run_native(struct bpf_program *program, const struct bpf_jit_options *options,
                                           void *memory, uint32_t length) {
  struct bpf_jit_options here = *options;
  struct bpf_jit_cpu cpu = bpf_jit_this_cpu();
  here.cpu = (struct bpf_jit_cpu){here.cpu.bmi1 && cpu.bmi1, here.cpu.bmi2 && cpu.bmi2, here.cpu.movbe && cpu.movbe};
  int error = bpf_jit(program, NULL, &here, NULL);
  struct bpf_result result;
  bpf_run_memory(program, &test_environment, memory, length, &result);
  if (error == -ERROR_UNSUPPORTED) return result; /* by the interpreter, as it should then */
  assert_int_equal(error, 0);
  program->code->release(program->code);
  program->code = NULL;
  return result;
}

/* Maps are not put back between the runs: what the program does to them must be the same the second time. */
static inline struct bpf_result run_both(const struct bpf_insn *insns, uint32_t count, void *memory, uint32_t length,
                                         struct bpf_map **maps, uint32_t map_count) {
  struct bpf_program program = {(struct bpf_insn *)insns, count, maps, map_count};
  const bool good = bpf_check(insns, count, map_count, NULL) == 0 && bpf_program_prepare(&program, NULL) == 0;
  uint8_t *before = test_malloc(length + 1), *after = test_malloc(length + 1);
  struct bpf_result expected;
  if (length > 0) memcpy(before, memory, length);
  bpf_run_memory(&program, &test_environment, memory, length, &expected);
  if (length > 0) memcpy(after, memory, length);
  for (size_t i = 0; good && i < COUNT(native_variants); i++) {
    if (length > 0) memcpy(memory, before, length);
    struct bpf_result result = run_native(&program, &native_variants[i], memory, length);
    assert_int_equal(result.r0, expected.r0);
    assert_int_equal(result.fault, expected.fault);
    if (expected.fault != BPF_FAULT_NONE && expected.fault != BPF_FAULT_BUDGET) {
      assert_int_equal(result.fault_insn, expected.fault_insn);
      if (!stack_moves) assert_int_equal(result.fault_address, expected.fault_address);
    }
    if (length > 0) assert_memory_equal(memory, after, length);
  }
  free(program.functions);
  test_free(before);
  test_free(after);
  return expected;
}

#undef RUN
#define RUN(insns) run_both(insns, COUNT(insns), NULL, 0, NULL, 0)
#define run_with run_both

#endif
