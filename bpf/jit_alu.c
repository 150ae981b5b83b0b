/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arithmetic (RFC 9669, sections 4.1 and 4.2). A 64-bit operation whose upper half nobody reads is done in 32 bits, which spares a
 * prefix; a 32-bit operation clears the upper half by itself, as the RFC wants it.
 */
#include "bpf/jit_emit.h"

enum { OP_IMUL = 0xaf | OP_0F, OP_MOVZX8 = 0xb6 | OP_0F | OP_BYTE_RM, OP_MOVZX16 = 0xb7 | OP_0F };

static bool is_wide(const struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  return BPF_CLASS(insn.code) == BPF_ALU64 && jit_upper_live(j, at, bpf_dst(insn));
}

/* Whether an immediate may stand in the code as it is. */
static bool plain(const struct jit *j, int32_t imm) { return !j->options.blind || jit_fits8(imm); }

void jit_load_constant(struct jit *j, unsigned reg, uint64_t value) {
  if (!j->options.blind || jit_fits8((int64_t)value)) {
    jit_mov_imm(&j->c, reg, value);
    return;
  }
  j->options.blind_seed = j->options.blind_seed * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
  uint64_t key = j->options.blind_seed;
  jit_mov_imm(&j->c, SCRATCH_2, key);
  jit_mov_imm(&j->c, reg, value ^ key);
  jit_alu(&j->c, true, ALU_XOR, reg, jit_reg(SCRATCH_2));
}

/* --- moves --- */

static void emit_mov(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  unsigned bpf_to = bpf_dst(insn), bpf_from = bpf_src(insn), to = jit_native(bpf_to), from = jit_native(bpf_from);
  bool wide = is_wide(j, at);
  if (!(insn.code & BPF_X)) {
    jit_load_constant(j, to, wide ? (uint64_t)(int64_t)insn.imm : (uint32_t)insn.imm);
    return;
  }
  switch (insn.off) {
    case 0:
      if (BPF_CLASS(insn.code) == BPF_ALU64) {
        if (to != from) jit_mov(&j->c, wide && !jit_is_low(j, bpf_from), to, from);
      } else if (to != from || !jit_is_low(j, bpf_from)) {
        jit_mov(&j->c, false, to, from);
      }
      return;
    case 8:
      jit_op(&j->c, 0xbe | OP_0F | OP_BYTE_RM | jit_width(wide), to, jit_reg(from));
      return;
    case 16:
      jit_op(&j->c, 0xbf | OP_0F | jit_width(wide), to, jit_reg(from));
      return;
    default:
      jit_op(&j->c, 0x63 | jit_width(wide), to, jit_reg(from));
      return;
  }
}

/* --- operations with two operands --- */

static void emit_two(struct jit *j, uint32_t at, enum jit_alu operation) {
  struct bpf_insn insn = j->p.insns[at];
  unsigned to = jit_native(bpf_dst(insn));
  bool wide = is_wide(j, at);
  if (insn.code & BPF_X) {
    jit_alu(&j->c, wide, operation, to, jit_reg(jit_native(bpf_src(insn))));
    return;
  }
  int32_t imm = insn.imm;
  if (!plain(j, imm)) {
    jit_load_constant(j, SCRATCH, (uint64_t)(int64_t)imm);
    jit_alu(&j->c, wide, operation, to, jit_reg(SCRATCH));
    return;
  }
  if (operation == ALU_AND && imm >= 0) wide = false; /* clears the upper half in any case */
  if (operation == ALU_AND && imm == 0xff) {
    jit_op(&j->c, OP_MOVZX8, to, jit_reg(to));
  } else if (operation == ALU_AND && imm == 0xffff) {
    jit_op(&j->c, OP_MOVZX16, to, jit_reg(to));
  } else if (operation == ALU_XOR && imm == -1) {
    jit_op(&j->c, 0xf7 | jit_width(wide), 2, jit_reg(to)); /* not */
  } else if ((operation == ALU_ADD && imm == 1) || (operation == ALU_SUB && imm == -1)) {
    jit_op(&j->c, 0xff | jit_width(wide), 0, jit_reg(to)); /* inc */
  } else if ((operation == ALU_ADD && imm == -1) || (operation == ALU_SUB && imm == 1)) {
    jit_op(&j->c, 0xff | jit_width(wide), 1, jit_reg(to)); /* dec */
  } else if ((operation == ALU_ADD || operation == ALU_SUB) && imm == 128) {
    /* -128 has the short form. */
    jit_alu_imm(&j->c, wide, operation == ALU_ADD ? ALU_SUB : ALU_ADD, jit_reg(to), -128);
  } else {
    jit_alu_imm(&j->c, wide, operation, jit_reg(to), imm);
  }
}

static void emit_mul(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  unsigned to = jit_native(bpf_dst(insn));
  bool wide = is_wide(j, at);
  if (insn.code & BPF_X) {
    jit_op(&j->c, OP_IMUL | jit_width(wide), to, jit_reg(jit_native(bpf_src(insn))));
    return;
  }
  if (!plain(j, insn.imm)) {
    jit_load_constant(j, SCRATCH, (uint64_t)(int64_t)insn.imm);
    jit_op(&j->c, OP_IMUL | jit_width(wide), to, jit_reg(SCRATCH));
  } else if (insn.imm > 0 && (insn.imm & (insn.imm - 1)) == 0) {
    unsigned count = (unsigned)__builtin_ctz((unsigned)insn.imm);
    if (count != 0) {
      jit_shift_imm(&j->c, wide, SHIFT_SHL, to, count);
    } else if (!wide) {
      jit_mov(&j->c, false, to, to);
    }
  } else if (insn.imm == 3 || insn.imm == 5 || insn.imm == 9) {
    /* A cycle, where imul takes three. */
    jit_lea(&j->c, wide, to, jit_indexed(to, to, (unsigned)__builtin_ctz((unsigned)insn.imm - 1), 0));
  } else if (jit_fits8(insn.imm)) {
    jit_op(&j->c, 0x6b | jit_width(wide), to, jit_reg(to));
    jit_byte(&j->c, (uint8_t)insn.imm);
  } else {
    jit_op(&j->c, 0x69 | jit_width(wide), to, jit_reg(to));
    jit_long(&j->c, (uint32_t)insn.imm);
  }
}

/* --- shifts --- */

static void emit_shift(struct jit *j, uint32_t at, enum jit_shift shift) {
  struct bpf_insn insn = j->p.insns[at];
  unsigned to = jit_native(bpf_dst(insn)), count = jit_native(bpf_src(insn));
  bool wide = BPF_CLASS(insn.code) == BPF_ALU64;
  struct jit_code *c = &j->c;
  if (!(insn.code & BPF_X)) {
    unsigned bits = (unsigned)insn.imm & (wide ? 63 : 31);
    if (shift == SHIFT_SHL && bits < 32) wide = is_wide(j, at);
    if (bits != 0) {
      jit_shift_imm(c, wide, shift, to, bits);
    } else if (!wide) {
      jit_mov(c, false, to, to);
    }
    return;
  }
  if (j->options.cpu.bmi2) {
    unsigned pp = shift == SHIFT_SHL ? 1 : shift == SHIFT_SAR ? 2 : 3;
    jit_vex(c, 0xf7 | OP_0F38 | jit_width(wide), pp, to, count, jit_reg(to));
    return;
  }
  /* The count must be in cl, which is r4. */
  const unsigned op = 0xd3u | jit_width(wide);
  if (to == RCX) {
    jit_mov(c, true, SCRATCH, RCX);
    if (count != RCX) jit_mov(c, false, RCX, count);
    jit_op(c, op, shift, jit_reg(SCRATCH));
    jit_mov(c, true, RCX, SCRATCH);
  } else if (count == RCX) {
    jit_op(c, op, shift, jit_reg(to));
  } else {
    jit_mov(c, true, SCRATCH, RCX);
    jit_mov(c, false, RCX, count);
    jit_op(c, op, shift, jit_reg(to));
    jit_mov(c, true, RCX, SCRATCH);
  }
}

/* --- byte order --- */

static void emit_end(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  unsigned to = jit_native(bpf_dst(insn));
  bool swap = BPF_CLASS(insn.code) == BPF_ALU64 || (insn.code & BPF_X);
  struct jit_code *c = &j->c;
  if (insn.imm == 16) {
    if (swap) {
      jit_op(c, 0xc1 | OP_HALF, SHIFT_ROL, jit_reg(to));
      jit_byte(c, 8);
    }
    jit_op(c, OP_MOVZX16, to, jit_reg(to));
  } else if (!swap) {
    if (insn.imm == 32) jit_mov(c, false, to, to);
  } else {
    unsigned rex = (insn.imm == 64 ? 0x48u : 0) | (to >= R8 ? 0x41u : 0);
    if (rex != 0) jit_byte(c, rex);
    jit_byte(c, 0x0f);
    jit_byte(c, 0xc8 | (to & 7));
  }
}

/* --- division --- */

struct division {
  unsigned to;
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

static void emit_division(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  struct jit_code *c = &j->c;
  struct division d = {
      .to = jit_native(bpf_dst(insn)),
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

/* --- all of them --- */

uint32_t jit_emit_alu(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  switch (BPF_OP(insn.code)) {
    case BPF_ADD:
      emit_two(j, at, ALU_ADD);
      break;
    case BPF_SUB:
      emit_two(j, at, ALU_SUB);
      break;
    case BPF_OR:
      emit_two(j, at, ALU_OR);
      break;
    case BPF_AND:
      emit_two(j, at, ALU_AND);
      break;
    case BPF_XOR:
      emit_two(j, at, ALU_XOR);
      break;
    case BPF_MUL:
      emit_mul(j, at);
      break;
    case BPF_DIV:
    case BPF_MOD:
      emit_division(j, at);
      break;
    case BPF_LSH:
      emit_shift(j, at, SHIFT_SHL);
      break;
    case BPF_RSH:
      emit_shift(j, at, SHIFT_SHR);
      break;
    case BPF_ARSH:
      emit_shift(j, at, SHIFT_SAR);
      break;
    case BPF_NEG:
      jit_op(&j->c, 0xf7 | jit_width(is_wide(j, at)), 3, jit_reg(jit_native(bpf_dst(insn))));
      break;
    case BPF_MOV:
      emit_mov(j, at);
      break;
    default:
      emit_end(j, at);
      break;
  }
  return 1;
}
