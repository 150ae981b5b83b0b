/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table, by class (RFC 9669, sections 4 and 5).
 */
#include "bpf/jit_opcode.h"

/* A division uses r0 and r3, which are rax and rdx; an atomic operation r0. */
enum { DIVISION = 1 << 0 | 1 << 3, R0 = 1 << 0, BOTH = OPERAND_DST | OPERAND_SRC };

/* In 32 bits. */
#define NARROW(need) ((need) == NEED_NONE ? NEED_NONE : NEED_LOW)
/* Both widths, with a constant and with a register. */
#define ARITHMETIC(op, others, of_dst, of_src, low)                                                                 \
  [BPF_ALU | (op) |                                                                                                 \
      BPF_K] = {OPERAND_DST, OPERAND_DST, others, NARROW(of_dst), NEED_NONE, LOW_SET, LIFE_RESULT},                 \
      [BPF_ALU | (op) | BPF_X] = {BOTH, OPERAND_DST, others, NARROW(of_dst), NARROW(of_src), LOW_SET, LIFE_RESULT}, \
      [BPF_ALU64 | (op) | BPF_K] = {OPERAND_DST, OPERAND_DST, others, of_dst, NEED_NONE, low, LIFE_RESULT},         \
      [BPF_ALU64 | (op) | BPF_X] = {BOTH, OPERAND_DST, others, of_dst, of_src, low, LIFE_RESULT}

#define COMPARISON(op)                                                                                          \
  [BPF_JMP | (op) | BPF_K] = {OPERAND_DST, 0, 0, NEED_WHOLE, NEED_NONE, LOW_KEPT, LIFE_USED},                   \
                    [BPF_JMP | (op) | BPF_X] = {BOTH, 0, 0, NEED_WHOLE, NEED_WHOLE, LOW_KEPT, LIFE_USED},       \
                    [BPF_JMP32 | (op) | BPF_K] = {OPERAND_DST, 0, 0, NEED_LOW, NEED_NONE, LOW_KEPT, LIFE_USED}, \
                    [BPF_JMP32 | (op) | BPF_X] = {BOTH, 0, 0, NEED_LOW, NEED_LOW, LOW_KEPT, LIFE_USED}

#define LOAD(mode, size, low) \
  [BPF_LDX | (mode) | (size)] = {BOTH, OPERAND_DST, 0, NEED_NONE, NEED_WHOLE, low, LIFE_USED}

#define STORE(size, need)                                                                        \
  [BPF_ST | BPF_MEM | (size)] = {OPERAND_DST, 0, 0, NEED_WHOLE, NEED_NONE, LOW_KEPT, LIFE_USED}, \
                      [BPF_STX | BPF_MEM | (size)] = {BOTH, 0, 0, NEED_WHOLE, need, LOW_KEPT, LIFE_USED}

#define ATOMIC(size) [BPF_STX | BPF_ATOMIC | (size)] = {BOTH, OPERAND_SRC, R0, 0, 0, LOW_ATOMIC, LIFE_SPECIAL}

#define SPECIAL(code, named, writes, low) [code] = {named, writes, 0, 0, 0, low, LIFE_SPECIAL}

const struct jit_opcode jit_opcodes[256] = {
    ARITHMETIC(BPF_ADD, 0, NEED_SAME, NEED_SAME, LOW_CLEAR),
    ARITHMETIC(BPF_SUB, 0, NEED_SAME, NEED_SAME, LOW_CLEAR),
    ARITHMETIC(BPF_MUL, 0, NEED_SAME, NEED_SAME, LOW_CLEAR),
    ARITHMETIC(BPF_DIV, DIVISION, NEED_WHOLE, NEED_WHOLE, LOW_WAS),
    ARITHMETIC(BPF_OR, 0, NEED_SAME, NEED_SAME, LOW_BOTH),
    ARITHMETIC(BPF_AND, 0, NEED_SAME, NEED_SAME, LOW_EITHER),
    ARITHMETIC(BPF_LSH, 0, NEED_SAME, NEED_LOW, LOW_CLEAR),
    ARITHMETIC(BPF_RSH, 0, NEED_WHOLE, NEED_LOW, LOW_SHIFTED),
    ARITHMETIC(BPF_NEG, 0, NEED_SAME, NEED_NONE, LOW_CLEAR),
    ARITHMETIC(BPF_MOD, DIVISION, NEED_WHOLE, NEED_WHOLE, LOW_WAS),
    ARITHMETIC(BPF_XOR, 0, NEED_SAME, NEED_SAME, LOW_BOTH),
    ARITHMETIC(BPF_MOV, 0, NEED_NONE, NEED_SAME, LOW_MOVE),
    ARITHMETIC(BPF_ARSH, 0, NEED_WHOLE, NEED_LOW, LOW_CLEAR),
    SPECIAL(BPF_ALU | BPF_END | BPF_K, OPERAND_DST, OPERAND_DST, LOW_END),
    SPECIAL(BPF_ALU | BPF_END | BPF_X, OPERAND_DST, OPERAND_DST, LOW_END),
    SPECIAL(BPF_ALU64 | BPF_END | BPF_K, OPERAND_DST, OPERAND_DST, LOW_END),
    COMPARISON(BPF_JEQ),
    COMPARISON(BPF_JGT),
    COMPARISON(BPF_JGE),
    COMPARISON(BPF_JSET),
    COMPARISON(BPF_JNE),
    COMPARISON(BPF_JSGT),
    COMPARISON(BPF_JSGE),
    COMPARISON(BPF_JLT),
    COMPARISON(BPF_JLE),
    COMPARISON(BPF_JSLT),
    COMPARISON(BPF_JSLE),
    [BPF_JMP | BPF_JA] = {.life = LIFE_USED},
    [BPF_JMP32 | BPF_JA] = {.life = LIFE_USED},
    SPECIAL(BPF_JMP | BPF_EXIT, 0, 0, LOW_KEPT),
    SPECIAL(BPF_JMP | BPF_CALL, 0, 0, LOW_CALL),
    SPECIAL(BPF_JMP | BPF_CALL | BPF_X, OPERAND_DST, 0, LOW_CALL),
    LOAD(BPF_MEM, BPF_B, LOW_SET),
    LOAD(BPF_MEM, BPF_H, LOW_SET),
    LOAD(BPF_MEM, BPF_W, LOW_SET),
    LOAD(BPF_MEM, BPF_DW, LOW_CLEAR),
    LOAD(BPF_MEMSX, BPF_B, LOW_CLEAR),
    LOAD(BPF_MEMSX, BPF_H, LOW_CLEAR),
    LOAD(BPF_MEMSX, BPF_W, LOW_CLEAR),
    STORE(BPF_B, NEED_LOW),
    STORE(BPF_H, NEED_LOW),
    STORE(BPF_W, NEED_LOW),
    STORE(BPF_DW, NEED_WHOLE),
    ATOMIC(BPF_W),
    ATOMIC(BPF_DW),
    [BPF_LD | BPF_IMM | BPF_DW] = {OPERAND_DST, OPERAND_DST, 0, NEED_NONE, NEED_NONE, LOW_IMMEDIATE, LIFE_USED},
};
