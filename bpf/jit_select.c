/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sequences of instructions for which the processor has fewer. Each rule is a function that looks at the instructions from `at` on, all in
 * one block, and either translates them and says how many slots that were, or leaves everything as it was and says 0.
 */
#include "bpf/jit_emit.h"

enum { NO_MATCH = 0 };

static struct bpf_insn insn_at(const struct jit *j, uint32_t at) { return j->p.insns[at]; }

/* Whether `count` instructions of one slot stand from `at` on in the block that is being translated. */
static bool room(const struct jit *j, uint32_t at, uint32_t count) { return at + count <= j->block_end; }

static bool dead(const struct jit *j, uint32_t at, unsigned reg) { return !(jit_live(j, at) & LIVE_LOW(reg)); }

static bool is_alu(struct bpf_insn insn, unsigned op, unsigned source) {
  unsigned class = BPF_CLASS(insn.code);
  return (class == BPF_ALU || class == BPF_ALU64) && BPF_OP(insn.code) == op && (insn.code & BPF_X) == source;
}

static bool is_wide_class(struct bpf_insn insn) { return BPF_CLASS(insn.code) == BPF_ALU64; }

/* A plain copy of a register. */
static bool is_copy(struct bpf_insn insn) { return is_alu(insn, BPF_MOV, BPF_X) && insn.off == 0; }

/* --- addresses: t = a; t += b; t += imm --- */

/* rbp and r13 as base cost a byte more; as index they don't. */
static struct jit_rm sum(unsigned a, unsigned b) {
  return (a & 7) == RBP ? jit_indexed(b, a, 0, 0) : jit_indexed(a, b, 0, 0);
}

/* What the addition leaves if its destination was a copy of `from` (a BPF register); false: not in one instruction. */
static bool sum_of(const struct jit *j, struct bpf_insn add, unsigned from, struct jit_rm *sum_rm) {
  unsigned native = jit_native(from);
  if (is_alu(add, BPF_ADD, BPF_X)) {
    *sum_rm = sum(native, bpf_src(add) == bpf_dst(add) ? native : jit_native(bpf_src(add)));
    return true;
  }
  bool adds = is_alu(add, BPF_ADD, BPF_K), subtracts = is_alu(add, BPF_SUB, BPF_K) && add.imm != INT32_MIN;
  if ((!adds && !subtracts) || (j->options.blind && !jit_fits8(add.imm))) return false;
  *sum_rm = jit_mem(native, adds ? add.imm : -add.imm);
  return true;
}

static uint32_t select_lea(struct jit *j, uint32_t at) {
  if (!room(j, at, 2) || !is_copy(insn_at(j, at))) return NO_MATCH;
  struct bpf_insn copy = insn_at(j, at), add = insn_at(j, at + 1);
  unsigned d = bpf_dst(copy), from = bpf_src(copy);
  struct jit_rm rm;
  bool wide = is_wide_class(add) && jit_upper_live(j, at + 1, d);
  if (bpf_dst(add) != d || !sum_of(j, add, from, &rm)) return NO_MATCH;
  /* A 32-bit copy in front of a 64-bit sum clears what the sum would add. */
  if (wide && !is_wide_class(copy) && !jit_is_low(j, from)) return NO_MATCH;
  if (wide && !is_wide_class(copy) && (add.code & BPF_X) && bpf_src(add) == d) return NO_MATCH;
  unsigned parts = 1u << from | (add.code & BPF_X && bpf_src(add) != d ? 1u << bpf_src(add) : 0);
  if (is_wide_class(add) && is_wide_class(copy) && from != d && jit_fold(j, at + 2, d, rm, parts)) {
    jit_used(j, BPF_JIT_FOLDED_SUM);
    return 2;
  }
  jit_used(j, BPF_JIT_LEA);
  jit_lea(&j->c, wide, jit_native(d), rm);
  return 2;
}

/* The same without a copy, where only the address is wanted: t += b, or imm */
static uint32_t select_moved(struct jit *j, uint32_t at) {
  struct bpf_insn add = insn_at(j, at);
  unsigned d = bpf_dst(add);
  struct jit_rm rm;
  if (!is_wide_class(add) || (BPF_OP(add.code) != BPF_ADD && BPF_OP(add.code) != BPF_SUB) || !sum_of(j, add, d, &rm) ||
      ((add.code & BPF_X) && bpf_src(add) == d))
    return NO_MATCH;
  return jit_fold(j, at + 1, d, rm, add.code & BPF_X ? 1u << bpf_src(add) : 0) ? 1 : NO_MATCH;
}

/* --- products: t = a; t *= k; t += imm, with or without the copy and the sum --- */

/* k = 1 + 2, 4 or 8: the scale, else 0. */
static unsigned lea_scale(int32_t k) {
  return k == 3 || k == 5 || k == 9 ? (unsigned)__builtin_ctz((unsigned)k - 1) : 0;
}

static uint32_t select_scaled(struct jit *j, uint32_t at) {
  uint32_t next = at;
  unsigned d = bpf_dst(insn_at(j, at)), from = d;
  if (is_copy(insn_at(j, next))) from = bpf_src(insn_at(j, next++));
  if (!room(j, at, next - at + 1)) return NO_MATCH;
  struct bpf_insn product = insn_at(j, next);
  unsigned class = BPF_CLASS(product.code), scale = lea_scale(product.imm);
  if (!is_alu(product, BPF_MUL, BPF_K) || bpf_dst(product) != d || BPF_CLASS(insn_at(j, at).code) != class)
    return NO_MATCH;
  if (j->options.blind && !jit_fits8(product.imm)) return NO_MATCH;
  unsigned native = jit_native(from);
  if (scale == 0) {
    if (next == at || ((uint32_t)product.imm & ((uint32_t)product.imm - 1)) == 0)
      return NO_MATCH; /* jit_emit_alu has better */
    jit_multiply_imm(&j->c, is_wide_class(product) && jit_upper_live(j, next, d), jit_native(d), native, product.imm);
    return next + 1 - at;
  }
  int32_t added = 0;
  if (room(j, at, next - at + 2)) {
    struct bpf_insn sum = insn_at(j, next + 1);
    bool plain = !j->options.blind || jit_fits8(sum.imm);
    if (is_alu(sum, BPF_ADD, BPF_K) && bpf_dst(sum) == d && BPF_CLASS(sum.code) == class && plain) {
      added = sum.imm;
      next++;
    }
  }
  if (next == at) return NO_MATCH;
  bool wide = class == BPF_ALU64 && jit_upper_live(j, next, d);
  jit_lea(&j->c, wide, jit_native(d), jit_indexed(native, native, scale, added));
  return next + 1 - at;
}

/* --- the low byte or two of another register: t = a; t &= mask --- */

static uint32_t select_masked(struct jit *j, uint32_t at) {
  if (!room(j, at, 2) || !is_copy(insn_at(j, at))) return NO_MATCH;
  struct bpf_insn copy = insn_at(j, at), and = insn_at(j, at + 1);
  unsigned d = bpf_dst(copy);
  if (!is_alu(and, BPF_AND, BPF_K) || bpf_dst(and) != d || (and.imm != 0xff && and.imm != 0xffff)) return NO_MATCH;
  unsigned op = OP_0F | (and.imm == 0xff ? 0xb6u | OP_BYTE_RM : 0xb7u);
  jit_op(&j->c, op, jit_native(d), jit_reg(jit_native(bpf_src(copy)))); /* movzx */
  return 2;
}

/* --- rotation: t = a; t <<= n; a >>= w - n; one of them |= the other --- */

/* Whether these two shift to the left and to the right what together makes a rotation; *count: to the left by how much. */
static bool is_rotation(struct bpf_insn first, struct bpf_insn second, unsigned *count) {
  unsigned bits = is_wide_class(first) ? 64 : 32;
  bool left_first = is_alu(first, BPF_LSH, BPF_K) && is_alu(second, BPF_RSH, BPF_K);
  bool right_first = is_alu(first, BPF_RSH, BPF_K) && is_alu(second, BPF_LSH, BPF_K);
  if ((!left_first && !right_first) || first.imm <= 0 || second.imm <= 0) return false;
  *count = (unsigned)(left_first ? first.imm : second.imm);
  return (unsigned)first.imm + (unsigned)second.imm == bits;
}

static bool joins_halves(struct bpf_insn insn) {
  return is_alu(insn, BPF_OR, BPF_X) || is_alu(insn, BPF_XOR, BPF_X) || is_alu(insn, BPF_ADD, BPF_X);
}

/* to = from, rotated to the left */
static void emit_rotate(struct jit *j, bool wide, unsigned to, unsigned from, unsigned count) {
  if (to != from && j->options.cpu.bmi2) {
    jit_vex(&j->c, 0xf0 | OP_0F3A | jit_width(wide), 3, to, 0, jit_reg(from)); /* rorx */
    jit_byte(&j->c, (wide ? 64 : 32) - count);
    return;
  }
  if (to != from) jit_mov(&j->c, wide, to, from);
  jit_shift_imm(&j->c, wide, SHIFT_ROL, to, count);
}

static uint32_t select_rotate(struct jit *j, uint32_t at) {
  if (!room(j, at, 4) || !is_copy(insn_at(j, at))) return NO_MATCH;
  struct bpf_insn copy = insn_at(j, at), first = insn_at(j, at + 1), second = insn_at(j, at + 2),
                  both = insn_at(j, at + 3);
  unsigned t = bpf_dst(copy), a = bpf_src(copy), class = BPF_CLASS(copy.code), count;
  if (BPF_CLASS(first.code) != class || BPF_CLASS(second.code) != class || BPF_CLASS(both.code) != class)
    return NO_MATCH;
  bool apart = (bpf_dst(first) == t && bpf_dst(second) == a) || (bpf_dst(first) == a && bpf_dst(second) == t);
  if (t == a || !apart || !is_rotation(first, second, &count) || !joins_halves(both)) return NO_MATCH;
  unsigned result = bpf_dst(both), other = result == t ? a : t;
  if (bpf_src(both) != other || (result != t && result != a) || !dead(j, at + 3, other)) return NO_MATCH;
  emit_rotate(j, class == BPF_ALU64, jit_native(result), jit_native(a), count);
  return 4;
}

/* t = a; t <<= n; u = a; u >>= w - n; one of them |= the other: compilers that keep a. */
static uint32_t select_rotate_kept(struct jit *j, uint32_t at) {
  if (!room(j, at, 5) || !is_copy(insn_at(j, at)) || !is_copy(insn_at(j, at + 2))) return NO_MATCH;
  struct bpf_insn copy = insn_at(j, at), first = insn_at(j, at + 1), again = insn_at(j, at + 2),
                  second = insn_at(j, at + 3), both = insn_at(j, at + 4);
  unsigned t = bpf_dst(copy), u = bpf_dst(again), a = bpf_src(copy), class = BPF_CLASS(copy.code), count;
  if (BPF_CLASS(first.code) != class || BPF_CLASS(again.code) != class || BPF_CLASS(second.code) != class ||
      BPF_CLASS(both.code) != class)
    return NO_MATCH;
  if (bpf_src(again) != a || t == a || u == a || t == u || bpf_dst(first) != t || bpf_dst(second) != u) return NO_MATCH;
  if (!is_rotation(first, second, &count) || !joins_halves(both)) return NO_MATCH;
  unsigned result = bpf_dst(both), other = result == t ? u : t;
  if (bpf_src(both) != other || (result != t && result != u) || !dead(j, at + 4, other)) return NO_MATCH;
  emit_rotate(j, class == BPF_ALU64, jit_native(result), jit_native(a), count);
  return 5;
}

/* --- extension: a <<= 32; a >>= 32 --- */

static uint32_t select_extend(struct jit *j, uint32_t at) {
  if (!room(j, at, 2)) return NO_MATCH;
  struct bpf_insn left = insn_at(j, at), right = insn_at(j, at + 1);
  unsigned d = bpf_dst(left), reg = jit_native(d);
  if (left.code != (BPF_ALU64 | BPF_LSH | BPF_K) || left.imm != 32 || right.imm != 32 || bpf_dst(right) != d)
    return NO_MATCH;
  if (right.code == (BPF_ALU64 | BPF_ARSH | BPF_K)) {
    jit_op(&j->c, 0x63 | OP_WIDE, reg, jit_reg(reg)); /* movsxd */
    return 2;
  }
  if (right.code != (BPF_ALU64 | BPF_RSH | BPF_K)) return NO_MATCH;
  /* Not even if nobody reads the upper half: from here on it counts as zero. */
  if (!jit_is_low(j, d)) jit_mov(&j->c, false, reg, reg);
  return 2;
}

/* --- and-not: a ^= -1; a &= b --- */

static uint32_t select_andn(struct jit *j, uint32_t at) {
  if (!room(j, at, 2) || !j->options.cpu.bmi1) return NO_MATCH;
  struct bpf_insn not = insn_at(j, at), and = insn_at(j, at + 1);
  unsigned d = bpf_dst(not );
  if (!is_alu(not, BPF_XOR, BPF_K) || not .imm != -1 || !is_alu(and, BPF_AND, BPF_X)) return NO_MATCH;
  if (BPF_CLASS(not .code) != BPF_CLASS(and.code) || bpf_dst(and) != d || bpf_src(and) == d) return NO_MATCH;
  bool wide = is_wide_class(and) && jit_upper_live(j, at + 1, d);
  jit_vex(&j->c, 0xf2 | OP_0F38 | jit_width(wide), 0, jit_native(d), jit_native(d), jit_reg(jit_native(bpf_src(and))));
  return 2;
}

/* Charges for the conditional jump at `at` before the flags are set for it; false: it goes back, where more is to do. */
static bool charge_forward(struct jit *j, uint32_t at) {
  if (j->counts && jit_target(insn_at(j, at), at) <= at) return false;
  jit_charge(j, at);
  return true;
}

/* --- a bit or mask that is only asked for: t = a; t >>= n; t &= m; if t != 0 --- */

static uint32_t select_test(struct jit *j, uint32_t at) {
  uint32_t next = at;
  unsigned shift = 0, t = bpf_dst(insn_at(j, at)), from = t;
  if (!room(j, at, 2)) return NO_MATCH;
  if (is_copy(insn_at(j, next))) from = bpf_src(insn_at(j, next++));
  if (!room(j, next, 2)) return NO_MATCH;
  /* Bits that a 32-bit copy drops are not among those that the mask keeps. */
  if (is_alu(insn_at(j, next), BPF_RSH, BPF_K) && bpf_dst(insn_at(j, next)) == t)
    shift = (unsigned)insn_at(j, next++).imm;
  if (!room(j, next, 2)) return NO_MATCH;
  struct bpf_insn and = insn_at(j, next), jump = insn_at(j, next + 1);
  if (!is_alu(and, BPF_AND, BPF_K) || bpf_dst(and) != t || and.imm < 0 || (j->options.blind && !jit_fits8(and.imm)))
    return NO_MATCH;
  if (!jit_is_jump(jump) || (jump.code & BPF_X) || jump.imm != 0 || bpf_dst(jump) != t || !dead(j, next + 1, t))
    return NO_MATCH;
  if ((BPF_OP(jump.code) != BPF_JEQ && BPF_OP(jump.code) != BPF_JNE) || (jit_fact(&j->p, next + 1) & JIT_DECIDED) != 0)
    return NO_MATCH;
  unsigned reg = jit_native(from), if_zero = BPF_OP(jump.code) == BPF_JEQ;
  if ((shift != 0 && (and.imm != 1 || shift > 31)) || !charge_forward(j, next + 1)) return NO_MATCH;
  if (shift != 0) {
    jit_op(&j->c, 0xba | OP_0F, 4, jit_reg(reg)); /* bt */
    jit_byte(&j->c, shift);
    jit_branch(j, next + 1, if_zero ? CC_ABOVE_EQUAL : CC_BELOW);
  } else {
    jit_test_imm(&j->c, false, reg, and.imm);
    jit_branch(j, next + 1, if_zero ? CC_EQUAL : CC_NOT_EQUAL);
  }
  return next + 2 - at;
}

/* --- one of two values: if (c) skip the copy --- */

static uint32_t select_cmov(struct jit *j, uint32_t at) {
  struct bpf_insn jump = insn_at(j, at);
  if (!jit_is_jump(jump) || BPF_OP(jump.code) == BPF_JA || jump.off != 1 || (jit_fact(&j->p, at) & JIT_DECIDED) != 0)
    return NO_MATCH;
  uint32_t block = j->p.block_of[at] + 1;
  if (j->p.blocks[block].end != at + 2 || (j->p.flags[at + 1] & SLOT_TARGET)) return NO_MATCH;
  struct bpf_insn move = insn_at(j, at + 1);
  unsigned d = bpf_dst(move), s = bpf_src(move);
  bool wide = jit_upper_live(j, at + 1, d), constant = is_alu(move, BPF_MOV, BPF_K);
  if (!constant && !is_copy(move)) return NO_MATCH;
  /* All of d moves or none of it: a 32-bit copy must be one that 64 bits do as well. */
  if (wide && !constant && !is_wide_class(move) && !jit_is_low(j, s)) return NO_MATCH;
  if (!(jit_live(j, at) & LIVE_LOW(d)) && dead(j, at + 1, d)) return NO_MATCH;
  unsigned from = constant ? SCRATCH_2 : jit_native(s);
  if (constant && j->options.blind) return NO_MATCH;
  jit_charge(j, at);
  if (constant)
    jit_mov_imm(&j->c, SCRATCH_2, is_wide_class(move) && wide ? (uint64_t)(int64_t)move.imm : (uint32_t)move.imm);
  unsigned condition = jit_emit_comparison(j, at);
  jit_op(&j->c, 0x40 | OP_0F | (condition ^ 1) | jit_width(wide), jit_native(d), jit_reg(from));
  j->merged = block;
  return 2;
}

/* --- memory --- */

static bool is_load(struct bpf_insn insn) { return BPF_CLASS(insn.code) == BPF_LDX && BPF_MODE(insn.code) == BPF_MEM; }

static unsigned alu_of(unsigned op) {
  switch (op) {
    case BPF_ADD:
      return ALU_ADD;
    case BPF_SUB:
      return ALU_SUB;
    case BPF_OR:
      return ALU_OR;
    case BPF_AND:
      return ALU_AND;
    case BPF_XOR:
      return ALU_XOR;
    default:
      return ALU_CMP; /* none of those */
  }
}

/* t = *p; a op= t, and t is not used again. */
static uint32_t select_operand(struct jit *j, uint32_t at) {
  if (!room(j, at, 2) || !is_load(insn_at(j, at))) return NO_MATCH;
  struct bpf_insn load = insn_at(j, at), op = insn_at(j, at + 1);
  unsigned t = bpf_dst(load), d = bpf_dst(op), size = BPF_SIZE(load.code);
  bool alu = BPF_CLASS(op.code) == BPF_ALU || is_wide_class(op);
  if (!alu || !(op.code & BPF_X) || bpf_src(op) != t || d == t || !dead(j, at + 1, t)) return NO_MATCH;
  bool wide = is_wide_class(op) && jit_upper_live(j, at + 1, d);
  if (size != BPF_DW && (size != BPF_W || wide)) return NO_MATCH;
  if (alu_of(BPF_OP(op.code)) == ALU_CMP) return NO_MATCH;
  struct jit_rm from = jit_checked(j, at, bpf_src(load), BPF_ACCESS_READ | BPF_ACCESS_CONTEXT);
  jit_alu(&j->c, wide, (enum jit_alu)alu_of(BPF_OP(op.code)), jit_native(d), from);
  return 2;
}

/* t = *p; t op= x; *p = t, and t is not used again. */
bool jit_is_in_place(const struct jit *j, uint32_t at) {
  /* In whatever block. */
  if (at + 3 > j->p.blocks[j->p.block_of[at]].end || !is_load(insn_at(j, at))) return false;
  struct bpf_insn load = insn_at(j, at), op = insn_at(j, at + 1), store = insn_at(j, at + 2);
  unsigned t = bpf_dst(load), base = bpf_src(load), size = BPF_SIZE(load.code);
  if (store.code != (BPF_STX | BPF_MEM | size) || bpf_src(store) != t || bpf_dst(store) != base ||
      store.off != load.off)
    return false;
  bool alu = BPF_CLASS(op.code) == BPF_ALU || is_wide_class(op), constant = !(op.code & BPF_X);
  if (!alu || bpf_dst(op) != t || alu_of(BPF_OP(op.code)) == ALU_CMP || t == base || !dead(j, at + 2, t)) return false;
  if ((size == BPF_DW && !is_wide_class(op)) || (!constant && bpf_src(op) == t)) return false;
  return !constant || (size != BPF_B && size != BPF_H && !j->options.blind) || jit_fits8(op.imm);
}

static uint32_t select_in_place(struct jit *j, uint32_t at) {
  if (!jit_is_in_place(j, at)) return NO_MATCH;
  struct bpf_insn load = insn_at(j, at), op = insn_at(j, at + 1);
  unsigned base = bpf_src(load), size = BPF_SIZE(load.code), operation = alu_of(BPF_OP(op.code));
  bool constant = !(op.code & BPF_X);
  /* Only where neither access can fault: the store's fault would come too early. */
  if (!jit_is_safe(j, at, base, BPF_ACCESS_READ) || !jit_is_safe(j, at + 2, base, BPF_ACCESS_WRITE)) return NO_MATCH;
  struct jit_rm place = jit_operand(j, at, base, load.off);
  unsigned width = size == BPF_DW ? OP_WIDE : size == BPF_H ? OP_HALF : 0;
  if (!constant) {
    unsigned byte = size == BPF_B ? OP_BYTE_REG : 1;
    jit_op(&j->c, operation << 3 | byte | width, jit_native(bpf_src(op)), place);
  } else if (op.imm == 1 && (operation == ALU_ADD || operation == ALU_SUB)) {
    jit_op(&j->c, (size == BPF_B ? 0xfeu : 0xffu) | width, operation == ALU_SUB, place); /* inc, dec */
  } else if (size == BPF_B || size == BPF_H) {
    jit_op(&j->c, (size == BPF_B ? 0x80u : 0x83u) | width, operation, place);
    jit_byte(&j->c, (uint8_t)op.imm);
  } else {
    jit_alu_imm(&j->c, size == BPF_DW, (enum jit_alu)operation, place, op.imm);
  }
  return 3;
}

/* t = *p; t &= a mask of the low byte or two: the rest need not be loaded. */
static uint32_t select_narrow(struct jit *j, uint32_t at) {
  if (!room(j, at, 2) || !is_load(insn_at(j, at))) return NO_MATCH;
  struct bpf_insn load = insn_at(j, at), and = insn_at(j, at + 1);
  unsigned t = bpf_dst(load);
  if (!is_alu(and, BPF_AND, BPF_K) || bpf_dst(and) != t || (and.imm != 0xff && and.imm != 0xffff)) return NO_MATCH;
  struct jit_rm from = jit_checked(j, at, bpf_src(load), BPF_ACCESS_READ | BPF_ACCESS_CONTEXT);
  bool byte = and.imm == 0xff || BPF_SIZE(load.code) == BPF_B;
  jit_op(&j->c, OP_0F | (byte ? 0xb6u : 0xb7u), jit_native(t), from); /* movzx */
  return 2;
}

/* t = *p; t = bswap(t) */
static uint32_t select_swapped_load(struct jit *j, uint32_t at) {
  if (!room(j, at, 2) || !is_load(insn_at(j, at))) return NO_MATCH;
  struct bpf_insn load = insn_at(j, at), end = insn_at(j, at + 1);
  unsigned t = bpf_dst(load), size = BPF_SIZE(load.code);
  bool swaps = end.code == (BPF_ALU64 | BPF_END) || end.code == (BPF_ALU | BPF_END | BPF_X);
  if (!swaps || bpf_dst(end) != t) return NO_MATCH;
  bool word = size == BPF_W && end.imm == 32, quad = size == BPF_DW && end.imm == 64;
  if ((word || quad) && j->options.cpu.movbe) {
    struct jit_rm from = jit_checked(j, at, bpf_src(load), BPF_ACCESS_READ | BPF_ACCESS_CONTEXT);
    jit_op(&j->c, 0xf0 | OP_0F38 | jit_width(quad), jit_native(t), from); /* movbe */
    return 2;
  }
  if (size != BPF_H || end.imm != 16) return NO_MATCH;
  struct jit_rm from = jit_checked(j, at, bpf_src(load), BPF_ACCESS_READ | BPF_ACCESS_CONTEXT);
  jit_op(&j->c, 0xb7 | OP_0F, jit_native(t), from);
  jit_op(&j->c, 0xc1 | OP_HALF, SHIFT_ROL, jit_reg(jit_native(t)));
  jit_byte(&j->c, 8);
  return 2;
}

/* t = *p; if t ? x, and t is not used again. */
static uint32_t select_compare(struct jit *j, uint32_t at) {
  if (!room(j, at, 2) || !is_load(insn_at(j, at))) return NO_MATCH;
  struct bpf_insn load = insn_at(j, at), jump = insn_at(j, at + 1);
  unsigned t = bpf_dst(load), size = BPF_SIZE(load.code), op = BPF_OP(jump.code);
  if (!jit_is_jump(jump) || op == BPF_JA || op == BPF_JSET || (jit_fact(&j->p, at + 1) & JIT_DECIDED) != 0 ||
      !dead(j, at + 1, t))
    return NO_MATCH;
  bool is_signed = op == BPF_JSGT || op == BPF_JSGE || op == BPF_JSLT || op == BPF_JSLE,
       narrow = BPF_CLASS(jump.code) == BPF_JMP32;
  if (jump.code & BPF_X) {
    bool left = bpf_dst(jump) == t;
    if ((left && bpf_src(jump) == t) || (!left && bpf_src(jump) != t)) return NO_MATCH;
    if ((!(size == BPF_W && narrow) && !(size == BPF_DW && !narrow)) || !charge_forward(j, at + 1)) return NO_MATCH;
    struct jit_rm from = jit_checked(j, at, bpf_src(load), BPF_ACCESS_READ | BPF_ACCESS_CONTEXT);
    jit_op(&j->c, (left ? 0x39u : 0x3bu) | jit_width(!narrow), jit_native(left ? bpf_src(jump) : bpf_dst(jump)), from);
  } else {
    /* What was zero-extended compares in its own width with a constant that fits, unless signs count. */
    bool fits = size == BPF_W    ? narrow || (!is_signed && jump.imm >= 0)
                : size == BPF_DW ? !narrow
                                 : !is_signed && jump.imm >= 0 && jump.imm <= 0x7f;
    if (bpf_dst(jump) != t || !fits || (j->options.blind && !jit_fits8(jump.imm)) || !charge_forward(j, at + 1))
      return NO_MATCH;
    struct jit_rm from = jit_checked(j, at, bpf_src(load), BPF_ACCESS_READ | BPF_ACCESS_CONTEXT);
    if (size == BPF_B) {
      jit_op(&j->c, 0x80, ALU_CMP, from);
      jit_byte(&j->c, (unsigned)jump.imm);
    } else if (size == BPF_H) {
      jit_op(&j->c, 0x83 | OP_HALF, ALU_CMP, from);
      jit_byte(&j->c, (unsigned)jump.imm);
    } else {
      jit_alu_imm(&j->c, size == BPF_DW, ALU_CMP, from, jump.imm);
    }
  }
  jit_branch(j, at + 1, jit_condition_of(op));
  return 2;
}

/* --- all of them --- */

struct rule {
  uint32_t (*select)(struct jit *j, uint32_t at);
  enum bpf_jit_rule name; /* BPF_JIT_RULES: it says itself what it did */
};

static uint32_t try(struct jit *j, uint32_t at, struct rule rule) {
  uint32_t slots = rule.select(j, at);
  if (slots != NO_MATCH && rule.name != BPF_JIT_RULES) jit_used(j, rule.name);
  return slots;
}

static uint32_t first_match(struct jit *j, uint32_t at, const struct rule *rules, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t slots = try(j, at, rules[i]);
    if (slots != NO_MATCH) return slots;
  }
  return NO_MATCH;
}

/* What is loaded is used at once. */
static uint32_t select_of_load(struct jit *j, uint32_t at) {
  static const struct rule rules[] = {{select_in_place, BPF_JIT_IN_PLACE},
                                      {select_compare, BPF_JIT_COMPARE_MEMORY},
                                      {select_operand, BPF_JIT_OPERAND},
                                      {select_swapped_load, BPF_JIT_SWAPPED_LOAD},
                                      {select_narrow, BPF_JIT_NARROW_LOAD}};
  if (!room(j, at, 2) || !(jit_mentioned(insn_at(j, at + 1)) >> bpf_dst(insn_at(j, at)) & 1)) return NO_MATCH;
  return first_match(j, at, rules, sizeof rules / sizeof rules[0]);
}

/* By what is done with the copy. */
static uint32_t select_of_copy(struct jit *j, uint32_t at) {
  static const struct rule of_shift[] = {{select_rotate, BPF_JIT_ROTATE},
                                         {select_rotate_kept, BPF_JIT_ROTATE_KEPT},
                                         {select_test, BPF_JIT_TEST}},
                           of_mask[] = {{select_test, BPF_JIT_TEST}, {select_masked, BPF_JIT_MASKED}};
  if (!room(j, at, 2)) return NO_MATCH;
  const unsigned class = BPF_CLASS(insn_at(j, at + 1).code);
  if (class != BPF_ALU && class != BPF_ALU64) return NO_MATCH;
  switch (BPF_OP(insn_at(j, at + 1).code)) {
    case BPF_LSH:
    case BPF_RSH:
      return first_match(j, at, of_shift, sizeof of_shift / sizeof of_shift[0]);
    case BPF_AND:
      return first_match(j, at, of_mask, sizeof of_mask / sizeof of_mask[0]);
    case BPF_ADD:
    case BPF_SUB:
      return select_lea(j, at);
    case BPF_MUL:
      return try(j, at, (struct rule){select_scaled, BPF_JIT_SCALED});
    default:
      return NO_MATCH;
  }
}

uint32_t jit_emit_selected(struct jit *j, uint32_t at) {
  struct bpf_insn insn = insn_at(j, at);
  switch (BPF_CLASS(insn.code)) {
    case BPF_LDX:
      return select_of_load(j, at);
    case BPF_JMP:
    case BPF_JMP32:
      return try(j, at, (struct rule){select_cmov, BPF_JIT_CMOV});
    case BPF_ALU:
    case BPF_ALU64:
      break;
    default:
      return NO_MATCH;
  }
  switch (BPF_OP(insn.code)) {
    case BPF_MOV:
      return insn.code & BPF_X ? select_of_copy(j, at) : NO_MATCH;
    case BPF_ADD:
    case BPF_SUB:
      return try(j, at, (struct rule){select_moved, BPF_JIT_FOLDED_MOVE});
    case BPF_MUL:
      return try(j, at, (struct rule){select_scaled, BPF_JIT_SCALED});
    case BPF_RSH:
    case BPF_AND:
      return try(j, at, (struct rule){select_test, BPF_JIT_TEST});
    case BPF_LSH:
      return try(j, at, (struct rule){select_extend, BPF_JIT_EXTEND});
    case BPF_XOR:
      return try(j, at, (struct rule){select_andn, BPF_JIT_ANDN});
    default:
      return NO_MATCH;
  }
}
