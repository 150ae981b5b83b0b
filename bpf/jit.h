/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Native code for x86-64. BPF registers are machine registers, one to one; everything that no fact covers is checked at run time, as
 * the interpreter checks it, so that both agree on every program that both may run.
 */
#ifndef IMAGO_BPF_JIT_H
#define IMAGO_BPF_JIT_H

#include <stdbool.h>

#include "bpf/facts.h"
#include "bpf/program.h"

/* What the processor offers beyond x86-64 itself. */
struct bpf_jit_cpu {
  bool bmi1, bmi2, movbe;
};

/* What the JIT does better than one instruction at a time, so that tests can tell whether they met it. */
enum bpf_jit_rule {
  BPF_JIT_ROTATE,
  BPF_JIT_ROTATE_KEPT,
  BPF_JIT_TEST,
  BPF_JIT_LEA,
  BPF_JIT_SCALED,
  BPF_JIT_MASKED,
  BPF_JIT_EXTEND,
  BPF_JIT_RECIPROCAL,
  BPF_JIT_ANDN,
  BPF_JIT_IN_PLACE,
  BPF_JIT_COMPARE_MEMORY,
  BPF_JIT_OPERAND,
  BPF_JIT_SWAPPED_LOAD,
  BPF_JIT_NARROW_LOAD,
  BPF_JIT_CMOV,
  BPF_JIT_FOLDED_SUM,
  BPF_JIT_FOLDED_MOVE,
  BPF_JIT_FOLDED_VALUE,
  BPF_JIT_FOLDED_GLOBAL,
  BPF_JIT_KEY_CONSTANT,
  BPF_JIT_KEY_ALWAYS_NULL,
  BPF_JIT_KEY_REGISTER,
  BPF_JIT_KEY_EXTENDED,
  BPF_JIT_KEY_MEMORY,
  BPF_JIT_KEY_BOUNDED,
  BPF_JIT_HASH_DIRECT,
  BPF_JIT_NULL_FUSED,
  BPF_JIT_BRANCH_TURNED,
  BPF_JIT_LOOP_TURNED,
  BPF_JIT_PASSAGE,
  BPF_JIT_LOOP_HEAD,
  BPF_JIT_TAIL_IN_LINE,
  BPF_JIT_TAIL_CONSTANT,
  BPF_JIT_TAIL_CALLED,
  BPF_JIT_GROUP,
  BPF_JIT_RANGE,
  BPF_JIT_RULES
};
const char *bpf_jit_rule_name(enum bpf_jit_rule rule);

struct bpf_jit_options {
  /* The program runs by bpf_run_memory, not by bpf_run: r1 is no context. */
  bool memory;
  /* Constants of the program don't stand in the code as they are, so that nobody plants instructions in them. */
  bool blind;
  uint64_t blind_seed; /* random */
  struct bpf_jit_cpu cpu;
  /* NULL, or room for a number per slot: where in the code that of the slot begins; UINT32_MAX: none was needed. For display. */
  uint32_t *places;
  /* NULL, or a number per slot, where bit r is set for every rule r that its code uses. */
  uint64_t *rules;
  /* NULL, or a byte per slot in the first 2 GiB of memory: set to 1 by the slot's code, for tests that ask what was executed. */
  uint8_t *executed;
};

/* What this processor has. */
struct bpf_jit_cpu bpf_jit_this_cpu(void);

/* Translates a program that bpf_check and bpf_program_prepare accept, with its maps in place, and sets program->code; bpf_run uses it
 * from then on. `facts`: one per slot, or NULL: everything is checked. `options`: NULL for none, on this processor. The program, its
 * instructions and maps must not move or change while the code lives; bpf_program_destroy frees it.
 *
 * Returns 0, or leaves the program as it was: -ERROR_NO_MEMORY (also of code memory, see lib/code_memory.h), or -ERROR_UNSUPPORTED,
 * when functions run into each other or call the first one. Then the interpreter runs it as well. */
int bpf_jit(struct bpf_program *program, const struct bpf_fact *facts, const struct bpf_jit_options *options,
            struct report *report) __attribute__((warn_unused_result));

/* The machine code of a program that bpf_jit translated, for display and tests. */
struct bpf_native {
  const uint8_t *bytes; /* where it runs */
  uint32_t length;
};
struct bpf_native bpf_jit_code(const struct bpf_program *program);

#endif
