/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What each opcode does to registers, as a table, so that the JIT's passes over a program look up instead of asking. Private to the JIT.
 */
#ifndef IMAGO_BPF_JIT_OPCODE_H
#define IMAGO_BPF_JIT_OPCODE_H

#include "bpf/isa.h"

/* Operands, as a set. */
enum { OPERAND_DST = 1, OPERAND_SRC = 2 };

/* What an operand must have so that the result has the halves that are wanted of it: nothing, the lower one, the same ones, both. */
enum { NEED_NONE, NEED_LOW, NEED_SAME, NEED_WHOLE };

/* When the upper half of the destination is zero behind the instruction. */
enum jit_low {
  LOW_KEPT, /* as before */
  LOW_SET,  /* always */
  LOW_CLEAR,
  LOW_WAS,    /* if it was */
  LOW_EITHER, /* if it was, or that of the source is, or the constant is not negative */
  LOW_BOTH,   /* if it was, and one of those */
  LOW_MOVE,   /* if one of those, as long as it is no extension */
  /* The others depend on more than that. */
  LOW_SHIFTED,
  LOW_END,
  LOW_IMMEDIATE,
  LOW_ATOMIC,
  LOW_CALL,
};

/* How the registers that are live in front of it follow from those behind. */
enum jit_life {
  LIFE_USED,    /* operands are needed in any case */
  LIFE_RESULT,  /* operands are needed if the result is */
  LIFE_SPECIAL, /* depends on more than the opcode */
};

struct jit_opcode {
  uint8_t named;          /* operands that are registers */
  uint8_t writes;         /* operands that it changes; calls aside */
  uint8_t others;         /* registers that native code may change besides, if nobody reads them behind it: a set */
  uint8_t of_dst, of_src; /* NEED_ */
  uint8_t low, life;
};

/* What is no instruction has nothing. */
extern const struct jit_opcode jit_opcodes[256];

static inline unsigned jit_operands(struct bpf_insn insn, unsigned which) {
  return (which & OPERAND_DST) << bpf_dst(insn) | (which / OPERAND_SRC) << bpf_src(insn);
}
/* The registers that an instruction names, as a set. */
static inline unsigned jit_mentioned(struct bpf_insn insn) { return jit_operands(insn, jit_opcodes[insn.code].named); }
/* Those that it may change, calls aside. */
static inline unsigned jit_written(struct bpf_insn insn) {
  const struct jit_opcode *o = &jit_opcodes[insn.code];
  return jit_operands(insn, o->writes) | o->others;
}

#endif
