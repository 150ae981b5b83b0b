/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The BPF instruction set of RFC 9669: encodings and limits. Numbers are the RFC's; names are Linux's where it has them.
 */
#ifndef IMAGO_BPF_ISA_H
#define IMAGO_BPF_ISA_H

#include <stdint.h>

/* Section 3: basic instruction encoding, little-endian. */
struct bpf_insn {
  uint8_t code;
  uint8_t regs; /* low nibble destination, high nibble source */
  int16_t off;
  int32_t imm;
};

static inline unsigned bpf_dst(struct bpf_insn i) { return i.regs & 15u; }
static inline unsigned bpf_src(struct bpf_insn i) { return (unsigned)i.regs >> 4; }

/* Section 3.3: classes. */
enum { BPF_LD = 0, BPF_LDX = 1, BPF_ST = 2, BPF_STX = 3, BPF_ALU = 4, BPF_JMP = 5, BPF_JMP32 = 6, BPF_ALU64 = 7 };
#define BPF_CLASS(code) ((code)&7u)
#define BPF_OP(code) ((code)&0xf0u)
#define BPF_SIZE(code) ((code)&0x18u)
#define BPF_MODE(code) ((code)&0xe0u)
#define BPF_SRC(code) ((code)&8u)
enum { BPF_K = 0, BPF_X = 8 };

/* Section 4.1: arithmetic. */
enum {
  BPF_ADD = 0x00,
  BPF_SUB = 0x10,
  BPF_MUL = 0x20,
  BPF_DIV = 0x30,
  BPF_OR = 0x40,
  BPF_AND = 0x50,
  BPF_LSH = 0x60,
  BPF_RSH = 0x70,
  BPF_NEG = 0x80,
  BPF_MOD = 0x90,
  BPF_XOR = 0xa0,
  BPF_MOV = 0xb0,
  BPF_ARSH = 0xc0,
  BPF_END = 0xd0,
};
/* Section 4.3: jumps. */
enum {
  BPF_JA = 0x00,
  BPF_JEQ = 0x10,
  BPF_JGT = 0x20,
  BPF_JGE = 0x30,
  BPF_JSET = 0x40,
  BPF_JNE = 0x50,
  BPF_JSGT = 0x60,
  BPF_JSGE = 0x70,
  BPF_CALL = 0x80,
  BPF_EXIT = 0x90,
  BPF_JLT = 0xa0,
  BPF_JLE = 0xb0,
  BPF_JSLT = 0xc0,
  BPF_JSLE = 0xd0,
};
/* Section 5: loads and stores. */
enum { BPF_W = 0x00, BPF_H = 0x08, BPF_B = 0x10, BPF_DW = 0x18 };
enum { BPF_IMM = 0x00, BPF_ABS = 0x20, BPF_IND = 0x40, BPF_MEM = 0x60, BPF_MEMSX = 0x80, BPF_ATOMIC = 0xc0 };
enum { BPF_FETCH = 0x01, BPF_XCHG = 0xe1, BPF_CMPXCHG = 0xf1 };
/* Section 5.4: 64-bit immediates, by source register. In a linked program (bundle) only these four stand; imm is the index
 * of the map in the bundle, for BPF_PSEUDO_MAP_VALUE imm of the second slot is the offset into the value; for
 * BPF_PSEUDO_FUNC imm is relative as in a local call. */
enum { BPF_PSEUDO_IMM = 0, BPF_PSEUDO_MAP = 1, BPF_PSEUDO_MAP_VALUE = 2, BPF_PSEUDO_FUNC = 4 };
/* Section 4.3.1: calls, by source register. BPF_CALL | BPF_X (callx) calls the function whose value the destination
 * register holds, as clang 19 encodes it; the other fields are zero. */
enum { BPF_PSEUDO_HELPER = 0, BPF_PSEUDO_CALL = 1, BPF_PSEUDO_BTF_CALL = 2 };

enum {
  BPF_REGISTERS = 11,
  BPF_FRAME_REGISTER = 10,
  BPF_STACK_SIZE = 512, /* per frame */
  BPF_MAX_FRAMES = 8,
  BPF_MAX_INSNS = 65536,      /* per linked program, in 8-byte slots */
  BPF_MAX_EXECUTED = 1000000, /* per packet */
  BPF_MAX_MAPS = 64,          /* per program */
};

#endif
