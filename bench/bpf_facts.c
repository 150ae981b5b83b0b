/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/bpf_facts.h"

#include <stdlib.h>

#include "bpf/proto.h"

static bool is_backward(struct bpf_insn insn) {
  unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
  if ((class != BPF_JMP && class != BPF_JMP32) || op == BPF_CALL || op == BPF_EXIT) return false;
  return insn.code == (BPF_JMP32 | BPF_JA) ? insn.imm < 0 : insn.off < 0;
}

/* The map that r1 was last set to in front of the call, in line, as clang writes it. UINT32_MAX: something else. */
static uint32_t map_argument(const struct bpf_program *program, uint32_t call) {
  for (uint32_t at = call; at-- > 0;) {
    struct bpf_insn insn = program->insns[at];
    unsigned class = BPF_CLASS(insn.code);
    if (class == BPF_JMP || class == BPF_JMP32) break;
    bool second_half = at > 0 && program->insns[at - 1].code == (BPF_LD | BPF_IMM | BPF_DW);
    if (second_half || class == BPF_ST || class == BPF_STX || bpf_dst(insn) != 1) continue;
    bool is_map = insn.code == (BPF_LD | BPF_IMM | BPF_DW) && bpf_src(insn) == BPF_PSEUDO_MAP;
    return is_map ? (uint32_t)insn.imm : UINT32_MAX;
  }
  return UINT32_MAX;
}

static void assume_call(const struct bpf_program *program, uint32_t at, struct bpf_fact *facts) {
  uint32_t map = map_argument(program, at);
  facts[at].known = BPF_FACT_ARGUMENTS;
  if (map == UINT32_MAX) return;
  facts[at].known |= BPF_FACT_MAP;
  facts[at].map = (uint8_t)map;
  uint32_t type = program->maps[map]->def.type;
  if (program->insns[at].imm != BPF_HELPER_MAP_LOOKUP_ELEM ||
      (type != BPF_MAP_TYPE_ARRAY && type != BPF_MAP_TYPE_PERCPU_ARRAY)) {
    return;
  }
  facts[at].known |= BPF_FACT_KEY;
  if (at + 1 == program->insn_count) return;
  struct bpf_insn next = program->insns[at + 1];
  if (bpf_dst(next) != 0 || next.imm != 0) return;
  if (next.code == (BPF_JMP | BPF_JEQ | BPF_K)) facts[at + 1].known |= BPF_FACT_NEVER;
  if (next.code == (BPF_JMP | BPF_JNE | BPF_K)) facts[at + 1].known |= BPF_FACT_ALWAYS;
}

struct bpf_fact *bpf_facts_assume(const struct bpf_program *program) {
  struct bpf_fact *facts = calloc(program->insn_count, sizeof *facts);
  if (facts == NULL) return NULL;
  facts[0].known = BPF_FACT_FRAME;
  for (uint32_t i = 0; i < program->function_count; i++)
    facts[program->functions[i]].known |= BPF_FACT_FRAME;
  for (uint32_t at = 0; at < program->insn_count; at++) {
    struct bpf_insn insn = program->insns[at];
    unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
    if (insn.code == (BPF_LD | BPF_IMM | BPF_DW)) {
      at++;
    } else if (class == BPF_LDX || class == BPF_ST || class == BPF_STX) {
      facts[at].known |= BPF_FACT_ACCESS;
    } else if ((class == BPF_ALU || class == BPF_ALU64) && (op == BPF_DIV || op == BPF_MOD)) {
      facts[at].known |= BPF_FACT_DIVISOR;
    } else if (insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_CALL) {
      facts[at].known |= BPF_FACT_BOUNDED;
      facts[at + 1 + (uint32_t)insn.imm].known |= BPF_FACT_FRAME;
    } else if (insn.code == (BPF_JMP | BPF_CALL)) {
      assume_call(program, at, facts);
    } else if (is_backward(insn)) {
      facts[at].known |= BPF_FACT_BOUNDED;
    }
  }
  return facts;
}
