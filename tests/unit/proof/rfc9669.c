/* SPDX-License-Identifier: BSD-3-Clause
 *
 * RFC 9669 on values. Everything is computed exactly in 128 bits and then cut to the width.
 */
#include "tests/unit/proof/rfc9669.h"

typedef __int128 exact;

static exact with_sign(uint64_t v, unsigned bits) {
  exact modulus = (exact)1 << bits, r = (exact)v % modulus;
  return r >= modulus / 2 ? r - modulus : r;
}
static exact without_sign(uint64_t v, unsigned bits) { return (exact)v % ((exact)1 << bits); }

uint64_t rfc_extend(uint64_t value, unsigned bits, bool is_signed) {
  return (uint64_t)(is_signed ? with_sign(value, bits) : without_sign(value, bits));
}

static uint64_t reverse(uint64_t v, int bits) {
  uint64_t r = 0;
  for (int i = 0; i < bits; i += 8)
    r = r << 8 | (v >> i & 0xff);
  return r;
}

static exact divide(exact a, exact b) { return b == 0 ? 0 : a / b; }
static exact modulo(exact a, exact b) { return b == 0 ? a : a % b; }

uint64_t rfc_alu(struct bpf_insn insn, uint64_t dst, uint64_t operand) {
  unsigned bits = BPF_CLASS(insn.code) == BPF_ALU64 ? 64 : 32;
  bool is_signed = insn.off == 1;
  exact a = is_signed ? with_sign(dst, bits) : without_sign(dst, bits);
  exact b = is_signed ? with_sign(operand, bits) : without_sign(operand, bits);
  unsigned amount = (unsigned)(operand % bits);
  exact r = 0;
  switch (BPF_OP(insn.code)) {
    case BPF_ADD:
      r = a + b;
      break;
    case BPF_SUB:
      r = a - b;
      break;
    case BPF_MUL:
      r = (exact)((unsigned __int128)a * (unsigned __int128)b);
      break;
    case BPF_DIV:
      r = divide(a, b);
      break;
    case BPF_MOD:
      r = modulo(a, b);
      break;
    case BPF_OR:
      r = a | b;
      break;
    case BPF_AND:
      r = a & b;
      break;
    case BPF_XOR:
      r = a ^ b;
      break;
    case BPF_LSH:
      r = (exact)((unsigned __int128)a << amount);
      break;
    case BPF_RSH:
      r = a >> amount;
      break;
    case BPF_ARSH:
      r = with_sign(dst, bits) >> amount;
      break;
    case BPF_NEG:
      r = -a;
      break;
    case BPF_MOV:
      r = insn.off != 0 ? with_sign(operand, (unsigned)insn.off) : b;
      break;
    case BPF_END:
      if (BPF_CLASS(insn.code) == BPF_ALU && BPF_SRC(insn.code) == BPF_K)
        return rfc_extend(dst, (unsigned)insn.imm, false);
      return reverse(dst, insn.imm);
    default:
      break;
  }
  return rfc_extend((uint64_t)r, bits, false);
}

bool rfc_jumps(uint8_t code, uint64_t dst, uint64_t operand) {
  unsigned bits = BPF_CLASS(code) == BPF_JMP ? 64 : 32;
  exact a = without_sign(dst, bits), b = without_sign(operand, bits);
  exact c = with_sign(dst, bits), d = with_sign(operand, bits);
  switch (BPF_OP(code)) {
    case BPF_JEQ:
      return a == b;
    case BPF_JNE:
      return a != b;
    case BPF_JGT:
      return a > b;
    case BPF_JGE:
      return a >= b;
    case BPF_JLT:
      return a < b;
    case BPF_JLE:
      return a <= b;
    case BPF_JSGT:
      return c > d;
    case BPF_JSGE:
      return c >= d;
    case BPF_JSLT:
      return c < d;
    case BPF_JSLE:
      return c <= d;
    default:
      return (a & b) != 0;
  }
}
