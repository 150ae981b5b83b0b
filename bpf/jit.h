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

struct bpf_jit_options {
  /* The program runs by bpf_run_memory, not by bpf_run: r1 is no context. */
  bool memory;
  /* Constants of the program don't stand in the code as they are, so that nobody plants instructions in them. */
  bool blind;
  uint64_t blind_seed; /* random */
  struct bpf_jit_cpu cpu;
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
  const uint32_t *places; /* per slot: where its code begins; UINT32_MAX: none was needed */
};
struct bpf_native bpf_jit_code(const struct bpf_program *program);

#endif
