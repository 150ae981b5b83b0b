/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Life of a linked program, and the texts of its faults.
 */
#include "bpf/program.h"

#include "bpf/proto.h"
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
      [BPF_FAULT_FUNCTION] = "call to what is no function of the program",
  };
  if ((unsigned)kind >= sizeof texts / sizeof texts[0]) return "unknown fault";
  return texts[kind];
}

static bool is_wide(struct bpf_insn insn) { return insn.code == (BPF_LD | BPF_IMM | BPF_DW); }

/* What bpf_check could not see of an instruction. */
static int check_with_program(const struct bpf_program *program, uint32_t at, struct report *report) {
  const struct bpf_insn insn = program->insns[at];
  if (is_wide(insn) && bpf_src(insn) == BPF_PSEUDO_MAP_VALUE) {
    const struct bpf_map_def *def = &program->maps[insn.imm]->def;
    uint32_t offset = (uint32_t)program->insns[at + 1].imm;
    if (def->type == BPF_MAP_TYPE_ARRAY && def->max_entries == 1 && offset < def->value_size) return 0;
    return report_error(report, ERROR_INVALID,
                        "instruction %u: address of byte %u of map %s, which is not an array of one value that long",
                        at, offset, def->name);
  }
  if (insn.code != (BPF_JMP | BPF_CALL) || bpf_src(insn) != BPF_PSEUDO_HELPER) return 0;
  const struct bpf_proto *proto = bpf_proto_find((uint32_t)insn.imm);
  if (proto->programs & (program->kind == BPF_PROGRAM_XDP ? BPF_FOR_XDP : BPF_FOR_TC)) return 0;
  return report_error(report, ERROR_UNSUPPORTED, "instruction %u: helper %s is not for SEC(\"%s\") programs", at,
                      proto->name, program->kind == BPF_PROGRAM_XDP ? "xdp" : "tc");
}

int bpf_program_prepare(struct bpf_program *program, struct report *report) {
  program->well_formed = false;
  memory_free(program->functions);
  program->functions = NULL;
  program->function_count = 0;
  int status = bpf_check(program->insns, program->insn_count, program->map_count, report);
  if (status != 0) return status;
  /* One bit per slot, so that however often a function is named, it is found once and in order. */
  size_t words = program->insn_count / 64 + 1;
  uint64_t *named = memory_alloc(words * sizeof named[0]);
  if (named == NULL) goto out_of_memory;
  uint32_t count = 0;
  for (uint32_t at = 0; at < program->insn_count; at++) {
    status = check_with_program(program, at, report);
    if (status != 0) goto out;
    const struct bpf_insn insn = program->insns[at];
    if (!is_wide(insn)) continue;
    if (bpf_src(insn) == BPF_PSEUDO_FUNC) {
      uint32_t slot = at + 1 + (uint32_t)insn.imm;
      uint64_t bit = (uint64_t)1 << (slot % 64);
      count += (named[slot / 64] & bit) == 0;
      named[slot / 64] |= bit;
    }
    at++;
  }
  if (count != 0) {
    program->functions = memory_alloc(count * sizeof program->functions[0]);
    if (program->functions == NULL) goto out_of_memory;
  }
  for (uint32_t slot = 0; program->function_count < count; slot++) {
    if (named[slot / 64] >> (slot % 64) & 1) program->functions[program->function_count++] = slot;
  }
  program->well_formed = true;
out:
  memory_free(named);
  return status;
out_of_memory:
  memory_free(named);
  return report_error(report, ERROR_NO_MEMORY, "no memory for the functions of a program of %u slots",
                      program->insn_count);
}

bool bpf_program_function(const struct bpf_program *program, uint64_t value, uint32_t *slot) {
  uint64_t offset = value - (uint64_t)(uintptr_t)program->insns;
  uint64_t wanted = offset / sizeof program->insns[0];
  if (offset % sizeof program->insns[0] != 0) return false;
  uint32_t low = 0, high = program->function_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (program->functions[middle] < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == program->function_count || program->functions[low] != wanted) return false;
  *slot = (uint32_t)wanted;
  return true;
}

void bpf_program_destroy(struct bpf_program *program) {
  if (program->code != NULL) program->code->release(program->code);
  for (uint32_t i = 0; i < program->map_count; i++) {
    bpf_map_release(program->maps[i]);
  }
  memory_free(program->maps);
  memory_free(program->functions);
  memory_free(program->insns);
  *program = (struct bpf_program){0};
}
