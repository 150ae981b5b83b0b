/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An assembler for x86-64 in 64-bit mode (Intel SDM volume 2). Instructions go into a buffer; jumps and calls are only noted there,
 * by label, because their size depends on the distance. jit_layout settles sizes and places, jit_link writes the code.
 */
#ifndef IMAGO_BPF_JIT_ENCODE_H
#define IMAGO_BPF_JIT_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"

enum jit_register { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REGISTER };

/* Condition codes: the low four bits of Jcc, SETcc and CMOVcc. Their lowest bit negates. */
enum jit_condition {
  CC_BELOW = 2,
  CC_ABOVE_EQUAL = 3,
  CC_EQUAL = 4,
  CC_NOT_EQUAL = 5,
  CC_BELOW_EQUAL = 6,
  CC_ABOVE = 7,
  CC_SIGN = 8,
  CC_NO_SIGN = 9,
  CC_LESS = 12,
  CC_GREATER_EQUAL = 13,
  CC_LESS_EQUAL = 14,
  CC_GREATER = 15,
};

/* The eight operations that share encodings: the digit of 81 /digit, and bits 3 to 5 of the opcodes 00 to 3b. */
enum jit_alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
/* The digit of C1 /digit. */
enum jit_shift { SHIFT_ROL = 0, SHIFT_ROR = 1, SHIFT_SHL = 4, SHIFT_SHR = 5, SHIFT_SAR = 7 };

/* An opcode is its last byte and these. */
enum {
  OP_0F = 0x100,
  OP_0F38 = 0x200,
  OP_0F3A = 0x300,
  OP_WIDE = 0x1000,     /* REX.W: 64 bits */
  OP_HALF = 0x2000,     /* operand-size prefix: 16 bits */
  OP_BYTE_REG = 0x4000, /* the register field names an 8-bit register */
  OP_BYTE_RM = 0x8000,  /* the other operand, if a register, is an 8-bit one */
  OP_LOCK = 0x10000,
};

/* The operand that is a register or memory. */
struct jit_rm {
  uint8_t base;  /* register; NO_REGISTER: none */
  uint8_t index; /* NO_REGISTER: none */
  uint8_t scale; /* of index: 0 to 3 for 1, 2, 4, 8 */
  bool memory;
  int32_t displacement;
};

static inline struct jit_rm jit_reg(unsigned reg) {
  return (struct jit_rm){.base = (uint8_t)reg, .index = NO_REGISTER};
}
static inline struct jit_rm jit_mem(unsigned base, int32_t displacement) {
  return (struct jit_rm){.base = (uint8_t)base, .index = NO_REGISTER, .memory = true, .displacement = displacement};
}
static inline struct jit_rm jit_indexed(unsigned base, unsigned index, unsigned scale, int32_t displacement) {
  return (struct jit_rm){(uint8_t)base, (uint8_t)index, (uint8_t)scale, true, displacement};
}

/* Without a base: index * 1, 2, 4 or 8 (scale 0 to 3) + displacement. */
static inline struct jit_rm jit_scaled(unsigned index, unsigned scale, int32_t displacement) {
  return jit_indexed(NO_REGISTER, index, scale, displacement);
}
static inline struct jit_rm jit_absolute(int32_t address) { return jit_scaled(NO_REGISTER, 0, address); }

enum jit_fixup_kind {
  FIXUP_JUMP,      /* to a label; 2 or 5 bytes */
  FIXUP_CONDITION, /* to a label; 2 or 6 bytes */
  FIXUP_CALL,      /* of a label; 5 bytes */
  FIXUP_ADDRESS,   /* call of an absolute address; 5 bytes, or 12 through rax where that is too far */
  FIXUP_ALIGN,     /* no-operations up to a multiple of 16, unless that takes more than `target` bytes */
};

/* Something of a size not yet known, in front of the byte at `at` of the buffer. */
struct jit_fixup {
  uint32_t at;
  uint8_t kind;
  uint8_t condition;
  bool large;
  uint64_t target; /* label, or address */
  uint32_t place;  /* where it ends in the final code, counted from its start; set by jit_layout */
};

enum { LABEL_UNSET = UINT32_MAX };

struct jit_label {
  uint32_t at;     /* in the buffer */
  uint32_t fixups; /* how many fixups lie in front of it */
};

struct jit_code {
  uint8_t *bytes;
  uint32_t length, capacity;
  struct jit_fixup *fixups;
  uint32_t fixup_count, fixup_capacity;
  struct jit_label *labels;
  uint32_t label_count, label_capacity;
  uint32_t start; /* what lies in front of this byte of the buffer is not part of the code */
  bool failed;    /* out of memory: nothing more is added */
};

/* Ready for labels 0 to labels - 1, about `bytes` bytes and `fixups` fixups. False: no memory. jit_code_free in any case. */
bool jit_code_init(struct jit_code *c, uint32_t labels, uint32_t bytes, uint32_t fixups);
void jit_code_free(struct jit_code *c);
/* Makes room for what one step adds: at most JIT_STEP bytes and JIT_STEP_FIXUPS fixups. To be called in between. */
enum { JIT_STEP = 512, JIT_STEP_FIXUPS = 32 };
bool jit_code_grow(struct jit_code *c); /* the seldom half of jit_code_reserve */
static inline bool jit_code_reserve(struct jit_code *c) {
  bool room = c->capacity - c->length >= JIT_STEP && c->fixup_capacity - c->fixup_count >= JIT_STEP_FIXUPS &&
              c->label_capacity - c->label_count >= JIT_STEP_FIXUPS;
  return (room && !c->failed) || jit_code_grow(c);
}

static inline uint32_t jit_label_new(struct jit_code *c) {
  c->labels[c->label_count].at = LABEL_UNSET;
  return c->label_count++;
}
static inline void jit_label_set(struct jit_code *c, uint32_t label) {
  c->labels[label] = (struct jit_label){c->length, c->fixup_count};
}

/* --- instructions --- */

static inline void jit_byte(struct jit_code *c, unsigned byte) { c->bytes[c->length++] = (uint8_t)byte; }
static inline void jit_long(struct jit_code *c, uint32_t value) {
  store_le32(c->bytes + c->length, value);
  c->length += 4;
}
/* Opcode with a register (or digit) and an operand. */
void jit_op(struct jit_code *c, unsigned op, unsigned reg, struct jit_rm rm);
/* The same with VEX prefix and a third operand; `pp`: 0 none, 1 66, 2 F3, 3 F2. */
void jit_vex(struct jit_code *c, unsigned op, unsigned pp, unsigned reg, unsigned third, struct jit_rm rm);

static inline unsigned jit_width(bool wide) { return wide ? OP_WIDE : 0; }
static inline bool jit_fits8(int64_t v) { return v == (int8_t)v; }
static inline bool jit_fits32(int64_t v) { return v == (int32_t)v; }

static inline void jit_mov(struct jit_code *c, bool wide, unsigned to, unsigned from) {
  jit_op(c, 0x8b | jit_width(wide), to, jit_reg(from));
}
static inline void jit_lea(struct jit_code *c, bool wide, unsigned to, struct jit_rm from) {
  jit_op(c, 0x8d | jit_width(wide), to, from);
}
static inline void jit_alu(struct jit_code *c, bool wide, enum jit_alu operation, unsigned to, struct jit_rm from) {
  jit_op(c, ((unsigned)operation << 3 | 3) | jit_width(wide), to, from);
}
/* Of a register or of memory; shortest form. */
void jit_alu_imm(struct jit_code *c, bool wide, enum jit_alu operation, struct jit_rm to, int32_t value);
/* to = from * value */
void jit_multiply_imm(struct jit_code *c, bool wide, unsigned to, unsigned from, int32_t value);
/* Loads the whole register, in the shortest form. Flags are lost. */
void jit_mov_imm(struct jit_code *c, unsigned to, uint64_t value);
/* Flags that say how the register compares with zero. */
static inline void jit_test(struct jit_code *c, bool wide, unsigned a, unsigned b) {
  jit_op(c, 0x85 | jit_width(wide), b, jit_reg(a));
}
void jit_test_imm(struct jit_code *c, bool wide, unsigned reg, int32_t value);
void jit_shift_imm(struct jit_code *c, bool wide, enum jit_shift shift, unsigned reg, unsigned count);
void jit_push(struct jit_code *c, unsigned reg);
void jit_pop(struct jit_code *c, unsigned reg);
static inline void jit_ret(struct jit_code *c) { jit_byte(c, 0xc3); }

/* --- control --- */

void jit_jump(struct jit_code *c, uint32_t label);
void jit_jump_if(struct jit_code *c, unsigned condition, uint32_t label);
void jit_call(struct jit_code *c, uint32_t label);
/* Of an absolute address. Loses rax, which calls lose anyway. */
void jit_call_address(struct jit_code *c, uint64_t address);
/* Skips at most `most` bytes to the next multiple of 16. */
void jit_align(struct jit_code *c, unsigned most);

/* --- the end --- */

/* Settles the size of every fixup for code that will run at `base`, or, when base is 0, anywhere within reach of absolute calls of 5
 * bytes if `near`, else with 12. Returns the length of the code. */
uint32_t jit_layout(struct jit_code *c, bool near);
/* Writes the code that jit_layout measured to `out`, to run at `base`. */
void jit_link(const struct jit_code *c, uint8_t *out, uint64_t base);
/* Where a label lies in the final code. After jit_layout. */
uint32_t jit_label_place(const struct jit_code *c, uint32_t label);

#endif
