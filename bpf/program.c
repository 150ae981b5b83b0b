/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Life of a linked program, and the texts of its faults.
 */
#include "bpf/program.h"

#include "lib/memory.h"

const char *bpf_fault_text(enum bpf_fault_kind kind) {
  static const char *const texts[] = {
      [BPF_FAULT_NONE] = "no fault",
      [BPF_FAULT_MEMORY] =
          "memory access outside packet, stack, context and map values, or a store to what is read-only",
      [BPF_FAULT_ALIGNMENT] = "atomic access to an address that is not aligned",
      [BPF_FAULT_INSTRUCTION] = "not a supported instruction",
      [BPF_FAULT_JUMP] = "jump out of the program or into a 64-bit immediate",
      [BPF_FAULT_BUDGET] = "instruction budget used up",
      [BPF_FAULT_FRAMES] = "calls nested too deeply",
      [BPF_FAULT_HELPER] = "unknown helper or wrong helper argument",
  };
  if ((unsigned)kind >= sizeof texts / sizeof texts[0]) return "unknown fault";
  return texts[kind];
}

void bpf_program_destroy(struct bpf_program *program) {
  for (uint32_t i = 0; i < program->map_count; i++) {
    bpf_map_release(program->maps[i]);
  }
  memory_free(program->maps);
  memory_free(program->insns);
  *program = (struct bpf_program){0};
}
