/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Choices: numbers at which something changes, instructions of every kind.
 */
#include "tests/differential/choices.h"

#include "tests/unit/bpf/asm.h"

static uint64_t random_number(struct choices *c) {
  c->seed ^= c->seed << 13; /* Marsaglia, Xorshift RNGs, 2003 */
  c->seed ^= c->seed >> 7;
  c->seed ^= c->seed << 17;
  return c->seed;
}

uint64_t choose(struct choices *c, uint64_t below) {
  uint64_t value = 0;
  if (c->size > 0) {
    for (uint64_t rest = below - 1; rest > 0 && c->size > 0; rest >>= 8) {
      value = value << 8 | *c->bytes++;
      c->size--;
    }
  } else if (c->seed != 0) {
    value = random_number(c) >> 11;
  }
  return value % below;
}

uint64_t choose_number(struct choices *c) {
  static const uint64_t edges[] = {0,           1,          2,          7,          8,
                                   31,          32,         63,         64,         0x7f,
                                   0x80,        0xff,       0x100,      0x7fff,     0x8000,
                                   0xffff,      0x10000,    0x7fffffff, 0x80000000, 0xffffffff,
                                   0x100000000, UINT64_MAX, INT64_MAX,  1ull << 63, UINT64_MAX - 1,
                                   14,          34,         512};
  uint64_t kind = choose(c, 4);
  if (kind < 2) return edges[choose(c, COUNT(edges))];
  if (kind == 2) return choose(c, 256);
  return choose(c, UINT64_MAX);
}

static bool coin(struct choices *c) { return choose(c, 2) == 1; }

struct bpf_insn choose_arithmetic(struct choices *c, unsigned dst, unsigned src, bool tame) {
  static const uint8_t operations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,  BPF_AND,  BPF_LSH,
                                       BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH, BPF_END};
  unsigned op = operations[choose(c, COUNT(operations))], class = coin(c) ? BPF_ALU : BPF_ALU64;
  bool x = coin(c);
  int off = 0;
  uint64_t imm = choose_number(c);
  if (op == BPF_END) {
    static const uint8_t widths[] = {16, 32, 64};
    return (struct bpf_insn)INSN(class | BPF_END | (class == BPF_ALU && x ? BPF_X : 0), dst, 0, 0,
                                 widths[choose(c, 3)]);
  }
  if (op == BPF_NEG) return (struct bpf_insn)INSN(class | BPF_NEG, dst, 0, 0, 0);
  if ((op == BPF_DIV || op == BPF_MOD) && coin(c)) off = 1;
  if (op == BPF_MOV && x) {
    static const uint8_t widths[] = {0, 0, 8, 16, 32};
    off = widths[choose(c, class == BPF_ALU64 ? 5 : 4)];
  }
  /* Linux refuses constants that the RFC gives a meaning to. */
  bool shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
  if (tame && shift) imm &= class == BPF_ALU64 ? 63 : 31;
  if (tame && (op == BPF_DIV || op == BPF_MOD) && (int32_t)imm == 0) imm = 3;
  return (struct bpf_insn)INSN(class | op | (x ? BPF_X : BPF_K), dst, x ? src : 0, off, x ? 0 : imm);
}

uint8_t choose_comparison(struct choices *c) {
  static const uint8_t operations[] = {BPF_JEQ,  BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT,
                                       BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE};
  return operations[choose(c, COUNT(operations))] | (coin(c) ? BPF_JMP : BPF_JMP32);
}

uint8_t choose_atomic(struct choices *c) {
  static const uint8_t operations[] = {BPF_ADD,
                                       BPF_OR,
                                       BPF_AND,
                                       BPF_XOR,
                                       BPF_ADD | BPF_FETCH,
                                       BPF_OR | BPF_FETCH,
                                       BPF_XCHG,
                                       BPF_CMPXCHG,
                                       BPF_AND | BPF_FETCH,
                                       BPF_XOR | BPF_FETCH};
  return operations[choose(c, COUNT(operations))];
}
