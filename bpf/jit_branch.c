/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Jumps (RFC 9669, section 4.3).
 */
#include "bpf/jit_emit.h"

unsigned jit_condition_of(unsigned op) {
  switch (op) {
    case BPF_JEQ:
      return CC_EQUAL;
    case BPF_JGT:
      return CC_ABOVE;
    case BPF_JGE:
      return CC_ABOVE_EQUAL;
    case BPF_JSGT:
      return CC_GREATER;
    case BPF_JSGE:
      return CC_GREATER_EQUAL;
    case BPF_JLT:
      return CC_BELOW;
    case BPF_JLE:
      return CC_BELOW_EQUAL;
    case BPF_JSLT:
      return CC_LESS;
    case BPF_JSLE:
      return CC_LESS_EQUAL;
    default: /* JNE, JSET */
      return CC_NOT_EQUAL;
  }
}

static void compare(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  struct jit_code *c = &j->c;
  unsigned op = BPF_OP(insn.code), a = jit_native(bpf_dst(insn)), b = jit_native(bpf_src(insn));
  bool wide = BPF_CLASS(insn.code) == BPF_JMP;
  if (!(insn.code & BPF_X)) {
    if (j->options.blind && !jit_fits8(insn.imm)) {
      jit_load_constant(j, SCRATCH, (uint64_t)(int64_t)insn.imm);
      b = SCRATCH;
    } else {
      /* With nothing in the upper half, and nothing to compare there, 32 bits decide as well. */
      bool is_signed = op >= BPF_JSLT || op == BPF_JSGT || op == BPF_JSGE;
      if (wide && jit_is_low(j, bpf_dst(insn)) && insn.imm >= 0 && !is_signed) wide = false;
      if (op == BPF_JSET) {
        jit_test_imm(c, wide, a, insn.imm);
      } else if (insn.imm == 0) {
        jit_test(c, wide, a, a);
      } else {
        jit_alu_imm(c, wide, ALU_CMP, jit_reg(a), insn.imm);
      }
      return;
    }
  }
  if (op == BPF_JSET) {
    jit_test(c, wide, a, b);
  } else {
    jit_alu(c, wide, ALU_CMP, a, jit_reg(b));
  }
}

unsigned jit_emit_comparison(struct jit *j, uint32_t at) {
  compare(j, at);
  return jit_condition_of(BPF_OP(j->p.insns[at].code));
}

void jit_charge(struct jit *j, uint32_t at) {
  if (!j->counts) return;
  int32_t count = 0;
  for (; j->charged <= at; j->charged++) {
    count += !(j->p.flags[j->charged] & SLOT_SECOND);
  }
  if (count > 0) jit_alu_imm(&j->c, true, ALU_SUB, jit_reg(BUDGET), count);
}

/* --- where jumps go --- */

static bool is_always(struct bpf_insn insn) { return jit_is_jump(insn) && BPF_OP(insn.code) == BPF_JA; }

/* Where instructions are counted each must be passed. A jump to a jump is none, as those may go in circles. */
bool jit_is_passage(const struct jit *j, uint32_t slot) {
  struct bpf_insn insn = j->p.insns[slot];
  if (j->counts) return false;
  return jit_is_exit(insn) || (is_always(insn) && !is_always(j->p.insns[jit_target(insn, slot)]));
}

uint32_t jit_goal(struct jit *j, uint32_t slot) {
  if (jit_is_passage(j, slot)) jit_used(j, BPF_JIT_PASSAGE);
  if (jit_is_passage(j, slot) && !jit_is_exit(j->p.insns[slot])) slot = jit_target(j->p.insns[slot], slot);
  if (!jit_is_passage(j, slot)) return slot;
  return j->function == 0 ? j->exit_label : j->function_exit;
}

/* --- loops --- */

/* Whether the block is short, and ends in a conditional jump that is its only one: a loop that jumps back to it does better with a copy
 * in place of the jump (64 counters: 82 ns, 61 with it; a whole body twice gained nothing). */
static bool may_be_copied(const struct jit *j, uint32_t index) {
  enum { MOST = 6 }; /* slots */
  const struct jit_block *block = &j->p.blocks[index];
  if (j->copying || block->end - block->first > MOST || !j->know.entry[index].reached) return false;
  for (uint32_t at = block->first; at < block->end - 1; at++) {
    if (jit_ends_line(j->p.insns[at])) return false;
  }
  return jit_is_jump(j->p.insns[block->end - 1]) && !is_always(j->p.insns[block->end - 1]) && block->next != NO_BLOCK &&
         !(jit_fact(&j->p, block->end - 1) & JIT_DECIDED);
}

void jit_branch(struct jit *j, uint32_t at, unsigned condition) {
  uint32_t target = jit_target(j->p.insns[at], at);
  if (!j->copying && target == at + 2 && jit_is_passage(j, at + 1)) {
    /* Over a jump: the other way round it is one. */
    jit_jump_if(&j->c, condition ^ 1, jit_goal(j, at + 1));
    j->merged = j->p.block_of[at + 1];
    jit_used(j, BPF_JIT_BRANCH_TURNED);
    return;
  }
  jit_jump_if(&j->c, condition, jit_goal(j, target));
}

uint32_t jit_emit_jump(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  struct jit_code *c = &j->c;
  uint32_t target = jit_target(insn, at);
  bool always = BPF_OP(insn.code) == BPF_JA || (jit_fact(&j->p, at) & BPF_FACT_ALWAYS);
  jit_charge(j, at);
  if (j->counts && target <= at) jit_fault_if(j, CC_SIGN, BPF_FAULT_BUDGET, at);
  if (always) {
    if (target <= at && may_be_copied(j, j->p.block_of[target])) {
      jit_used(j, BPF_JIT_LOOP_HEAD);
      target = j->p.blocks[j->p.block_of[target]].end;
      jit_emit_copy(j, j->p.block_of[target - 1]);
    }
    if (target != at + 1) jit_jump(c, jit_goal(j, target));
  } else if (!(jit_fact(&j->p, at) & BPF_FACT_NEVER)) {
    jit_branch(j, at, jit_emit_comparison(j, at));
  }
  return 1;
}
