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

/* In the slots from `from` to `to`, inclusive. */
static int32_t count_instructions(const struct jit *j, uint32_t from, uint32_t to) {
  int32_t count = 0;
  for (uint32_t slot = from; slot <= to; slot++)
    count += !(j->p.flags[slot] & SLOT_SECOND);
  return count;
}

void jit_charge(struct jit *j, uint32_t at) {
  if (!j->counts || j->charged > at) return;
  const int32_t count = count_instructions(j, j->charged, at);
  j->charged = at + 1;
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
  const uint32_t last = block->end - 1;
  const struct bpf_insn jump = j->p.insns[last];
  if (!jit_is_jump(jump) || is_always(jump) || block->next == NO_BLOCK || (jit_fact(&j->p, last) & JIT_DECIDED) != 0)
    return false;
  /* A copy is paid for in advance, and looks at the budget nowhere. */
  const uint32_t target = jit_target(jump, last);
  if (j->counts && target <= last) return false;
  /* Code goes on behind the block: what stands there must not be taken into the jump, as a conditional move. */
  return target != block->end + 1 || BPF_OP(j->p.insns[block->end].code) != BPF_MOV;
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

/* Back to the head of a loop, after what was not charged for yet. A copy of the head is paid for in advance: whoever gets here passes all of
 * it. */
static void emit_back(struct jit *j, uint32_t at, uint32_t head) {
  const uint32_t index = j->p.block_of[head];
  const bool copies = may_be_copied(j, index);
  uint32_t target = head;
  if (j->counts) {
    int32_t count = count_instructions(j, j->charged, at);
    if (copies) count += count_instructions(j, head, j->p.blocks[index].end - 1);
    j->charged = at + 1;
    jit_alu_imm(&j->c, true, ALU_SUB, jit_reg(BUDGET), count);
    jit_fault_if(j, CC_SIGN, BPF_FAULT_BUDGET, at);
  }
  if (copies) {
    jit_used(j, BPF_JIT_LOOP_HEAD);
    target = j->p.blocks[index].end;
    jit_emit_copy(j, index);
  }
  if (target != at + 1) jit_jump(&j->c, jit_goal(j, target));
}

/* Where instructions are counted, a loop that ends in `if (c) leave; jump back`: both blocks are charged for at once by who goes back. */
static bool emit_loop_end(struct jit *j, uint32_t at) {
  const uint32_t back = at + 1, leave = jit_target(j->p.insns[at], at);
  if (!j->counts || j->copying || leave <= back || back >= j->p.count || (jit_fact(&j->p, at) & JIT_DECIDED) != 0)
    return false;
  if (is_always(j->p.insns[at]) || !is_always(j->p.insns[back]) || (j->p.flags[back] & (SLOT_TARGET | SLOT_FUNCTION)))
    return false;
  const uint32_t head = jit_target(j->p.insns[back], back);
  /* Copies of this block would go on at the jump. */
  const uint32_t own = j->p.block_of[at];
  if (head > at || ((j->p.flags[j->p.blocks[own].first] & SLOT_LOOP) && may_be_copied(j, own))) return false;
  const unsigned condition = jit_emit_comparison(j, at);
  struct jit_stub *stub = jit_stub_new(j, STUB_SPEND, at);
  if (stub == NULL) return false;
  stub->slots = (uint16_t)count_instructions(j, j->charged, at);
  stub->back = jit_goal(j, leave);
  jit_jump_if(&j->c, condition, stub->label);
  j->merged = j->p.block_of[back];
  jit_used(j, BPF_JIT_LOOP_TURNED);
  emit_back(j, back, head);
  return true;
}

uint32_t jit_emit_jump(struct jit *j, uint32_t at) {
  const uint32_t target = jit_target(j->p.insns[at], at);
  const bool always = is_always(j->p.insns[at]) || (jit_fact(&j->p, at) & BPF_FACT_ALWAYS);
  if (always && target <= at) {
    emit_back(j, at, target);
    return 1;
  }
  if (emit_loop_end(j, at)) return 1;
  jit_charge(j, at);
  if (j->counts && target <= at) jit_fault_if(j, CC_SIGN, BPF_FAULT_BUDGET, at);
  if (always) {
    if (target != at + 1) jit_jump(&j->c, jit_goal(j, target));
  } else if (!(jit_fact(&j->p, at) & BPF_FACT_NEVER)) {
    jit_branch(j, at, jit_emit_comparison(j, at));
  }
  return 1;
}
