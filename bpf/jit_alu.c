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
  } else {
    jit_multiply_imm(&j->c, wide, to, to, insn.imm);
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
      jit_emit_division(j, at);
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
