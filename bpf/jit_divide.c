/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Division and modulo (RFC 9669, section 4.1). By a constant they are a multiplication by its reciprocal, rounded up, and shifts: Granlund,
 * Montgomery, Division by invariant integers using multiplication, 1994.
 */
#include "bpf/jit_emit.h"

enum { OP_IMUL = 0xaf | OP_0F };

struct division {
  unsigned to, bpf_to;
  bool wide, is_signed, modulo;
  bool keep_rax, keep_rdx; /* somebody reads r0, r3 behind it */
};

/* to = to / SCRATCH_2; the divisor is such that the processor divides without a fault. */
static void divide(struct jit_code *c, struct division d) {
  unsigned result = d.modulo ? RDX : RAX;
  if (d.to != RAX) {
    if (d.keep_rax) jit_mov(c, true, SCRATCH, RAX);
    jit_mov(c, true, RAX, d.to);
  }
  if (d.to != RDX && d.keep_rdx) jit_push(c, RDX);
  if (d.is_signed) {
    if (d.wide) jit_byte(c, 0x48);
    jit_byte(c, 0x99); /* cdq, cqo */
  } else {
    jit_mov_imm(c, RDX, 0);
  }
  jit_op(c, 0xf7 | jit_width(d.wide), d.is_signed ? 7 : 6, jit_reg(SCRATCH_2));
  if (d.to != result) jit_mov(c, true, d.to, result);
  if (d.to != RAX && d.keep_rax) jit_mov(c, true, RAX, SCRATCH);
  if (d.to != RDX && d.keep_rdx) jit_pop(c, RDX);
}

/* Division by zero gives 0, modulo by zero the dividend. */
static void divide_by_zero(struct jit_code *c, struct division d) {
  if (!d.modulo) {
    jit_mov_imm(c, d.to, 0);
  } else if (!d.wide) {
    jit_mov(c, false, d.to, d.to);
  }
}

/* Signed division by -1 negates; its modulo is 0. The processor would fault on the one quotient that does not fit. */
static void divide_by_minus_one(struct jit_code *c, struct division d) {
  if (d.modulo) {
    jit_mov_imm(c, d.to, 0);
  } else {
    jit_op(c, 0xf7 | jit_width(d.wide), 3, jit_reg(d.to));
  }
}

/* --- unsigned, by a constant that is no power of two --- */

/* x / d = (t + (x - t) / 2) >> shift with `adds`, else t >> shift; t is the upper half of (x >> before) * factor. */
struct reciprocal {
  uint64_t factor;
  unsigned before, shift;
  bool adds;
};

/* a * 2^bits / d for a below d, and the rest; d is below 2^31, `bits` 32 or 64. */
static uint64_t long_quotient(uint64_t a, unsigned bits, uint32_t d, uint64_t *rest) {
  uint64_t quotient = 0;
  for (; bits > 0; bits -= 32) {
    quotient = quotient << 32 | (a << 32) / d;
    a = (a << 32) % d;
  }
  *rest = a;
  return quotient;
}

static struct reciprocal reciprocal_of(uint32_t d, unsigned bits) {
  struct reciprocal r = {.before = 0};
  unsigned length = 32 - (unsigned)__builtin_clz(d); /* d is between 2^(length - 1) and 2^length */
  uint64_t rest;
  r.factor = long_quotient((uint64_t)1 << (length - 1), bits, d, &rest) + 1;
  r.shift = length - 1;
  /* What rounding up added stays below the next quotient for every x of so many bits. */
  if (d - rest <= (uint64_t)1 << (length - 1)) return r;
  r.before = (unsigned)__builtin_ctz(d);
  if (r.before > 0) {
    /* Fewer bits leave it more room. */
    r.factor = long_quotient((uint64_t)1 << (length - 1 - r.before), bits, d >> r.before, &rest) + 1;
    r.shift -= r.before;
    return r;
  }
  r.factor = long_quotient(((uint64_t)1 << length) - d, bits, d, &rest) + 1; /* and 2^bits */
  r.adds = true;
  return r;
}

/* The dividend has 32 bits, so that 64 hold the product. */
static void multiply_32(struct jit_code *c, struct division d, uint32_t divisor) {
  const struct reciprocal r = reciprocal_of(divisor, 32);
  jit_mov(c, false, SCRATCH_2, d.to);
  if (r.before > 0) jit_shift_imm(c, false, SHIFT_SHR, SCRATCH_2, r.before);
  jit_mov_imm(c, SCRATCH, r.factor);
  jit_op(c, OP_IMUL | OP_WIDE, SCRATCH, jit_reg(SCRATCH_2));
  if (r.adds) {
    jit_shift_imm(c, true, SHIFT_SHR, SCRATCH, 32);
    jit_alu(c, true, ALU_ADD, SCRATCH, jit_reg(SCRATCH_2));
    jit_shift_imm(c, true, SHIFT_SHR, SCRATCH, r.shift + 1);
  } else {
    jit_shift_imm(c, true, SHIFT_SHR, SCRATCH, 32 + r.shift);
  }
  if (!d.modulo) {
    jit_mov(c, false, d.to, SCRATCH);
    return;
  }
  jit_multiply_imm(c, false, SCRATCH, SCRATCH, (int32_t)divisor);
  jit_alu(c, false, ALU_SUB, d.to, jit_reg(SCRATCH));
}

static void multiply_64(struct jit_code *c, struct division d, uint32_t divisor) {
  const struct reciprocal r = reciprocal_of(divisor, 64);
  const bool keeps_rax = d.keep_rax && d.to != RAX, keeps_rdx = d.keep_rdx && d.to != RDX;
  if (keeps_rax) jit_push(c, RAX);
  if (keeps_rdx) jit_push(c, RDX);
  jit_mov(c, true, SCRATCH, d.to);
  if (d.to != RAX) jit_mov(c, true, RAX, d.to);
  if (r.before > 0) jit_shift_imm(c, true, SHIFT_SHR, RAX, r.before);
  jit_mov_imm(c, SCRATCH_2, r.factor);
  jit_op(c, 0xf7 | OP_WIDE, 4, jit_reg(SCRATCH_2)); /* mul: to rdx and rax */
  if (r.adds) {
    jit_mov(c, true, RAX, SCRATCH);
    jit_alu(c, true, ALU_SUB, RAX, jit_reg(RDX));
    jit_shift_imm(c, true, SHIFT_SHR, RAX, 1);
    jit_alu(c, true, ALU_ADD, RDX, jit_reg(RAX));
  }
  if (r.shift > 0) jit_shift_imm(c, true, SHIFT_SHR, RDX, r.shift);
  if (d.modulo) {
    jit_multiply_imm(c, true, RDX, RDX, (int32_t)divisor);
    jit_alu(c, true, ALU_SUB, SCRATCH, jit_reg(RDX));
  } else {
    jit_mov(c, true, SCRATCH, RDX);
  }
  if (keeps_rdx) jit_pop(c, RDX);
  if (keeps_rax) jit_pop(c, RAX);
  jit_mov(c, true, d.to, SCRATCH);
}

/* --- all of them --- */

static void divide_by_constant(struct jit *j, struct division d, int32_t imm) {
  struct jit_code *c = &j->c;
  if (imm == 0) {
    divide_by_zero(c, d);
  } else if (imm == -1 && d.is_signed) {
    divide_by_minus_one(c, d);
  } else if (imm > 0 && (imm & (imm - 1)) == 0 && !d.is_signed) {
    unsigned bits = (unsigned)__builtin_ctz((unsigned)imm);
    if (d.modulo) {
      jit_alu_imm(c, false, ALU_AND, jit_reg(d.to), imm - 1);
    } else if (bits != 0) {
      jit_shift_imm(c, d.wide, SHIFT_SHR, d.to, bits);
    } else if (!d.wide) {
      jit_mov(c, false, d.to, d.to);
    }
  } else if (imm > 0 && !d.is_signed && !j->options.blind) {
    jit_used(j, BPF_JIT_RECIPROCAL);
    if (d.wide && !jit_is_low(j, d.bpf_to)) {
      multiply_64(c, d, (uint32_t)imm);
    } else {
      multiply_32(c, d, (uint32_t)imm);
    }
  } else {
    uint64_t divisor = d.wide ? (uint64_t)(int64_t)imm : (uint32_t)imm;
    if (j->options.blind) {
      jit_load_constant(j, SCRATCH, divisor);
      jit_mov(c, true, SCRATCH_2, SCRATCH);
    } else {
      jit_mov_imm(c, SCRATCH_2, divisor);
    }
    divide(c, d);
  }
}

void jit_emit_division(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  struct jit_code *c = &j->c;
  struct division d = {
      .to = jit_native(bpf_dst(insn)),
      .bpf_to = bpf_dst(insn),
      .wide = BPF_CLASS(insn.code) == BPF_ALU64,
      .is_signed = insn.off == 1,
      .modulo = BPF_OP(insn.code) == BPF_MOD,
      .keep_rax = (jit_live(j, at) & LIVE_LOW(0)) != 0,
      .keep_rdx = (jit_live(j, at) & LIVE_LOW(3)) != 0,
  };
  if (!(insn.code & BPF_X)) {
    divide_by_constant(j, d, insn.imm);
    return;
  }
  uint32_t end = jit_label_new(c), next = 0;
  jit_mov(c, d.wide, SCRATCH_2, jit_native(bpf_src(insn)));
  if (!(jit_fact(&j->p, at) & BPF_FACT_DIVISOR)) {
    next = jit_label_new(c);
    jit_test(c, d.wide, SCRATCH_2, SCRATCH_2);
    jit_jump_if(c, CC_NOT_EQUAL, next);
    divide_by_zero(c, d);
    jit_jump(c, end);
    jit_label_set(c, next);
  }
  if (d.is_signed) {
    next = jit_label_new(c);
    jit_alu_imm(c, d.wide, ALU_CMP, jit_reg(SCRATCH_2), -1);
    jit_jump_if(c, CC_NOT_EQUAL, next);
    divide_by_minus_one(c, d);
    jit_jump(c, end);
    jit_label_set(c, next);
  }
  divide(c, d);
  jit_label_set(c, end);
}
