/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Each rule by which the JIT saves instructions, by the bytes it must write (encodings: Intel SDM volume 2, assembled by hand), and what
 * translation refuses. That the rules keep the meaning is what tests/differential shows.
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/jit_encode.h"
#include "tests/unit/bpf/native.h"

#define ALU(op, source) (BPF_ALU | (op) | (source))
#define ALU64(op, source) (BPF_ALU64 | (op) | (source))
#define R1_FROM_CONTEXT LOAD(BPF_W, 1, 1, 12)
#define R2_FROM_CONTEXT LOAD(BPF_W, 2, 1, 16)

enum { ROW_INSNS = 10, ROW_BYTES = 24 };

static const struct bpf_jit_cpu all_cpu = {true, true, true};

/* Translates and gives the code; the caller releases it. */
static struct bpf_native translate(struct bpf_program *program, const struct bpf_fact *facts,
                                   const struct bpf_jit_options *options) {
  assert_int_equal(bpf_check(program->insns, program->insn_count, program->map_count, NULL), 0);
  assert_int_equal(bpf_jit(program, facts, options, NULL), 0);
  return bpf_jit_code(program);
}

static void release(struct bpf_program *program) {
  program->code->release(program->code);
  program->code = NULL;
}

static bool holds(struct bpf_native code, const uint8_t *bytes, size_t length) {
  return memmem(code.bytes, code.length, bytes, length) != NULL;
}

static void show(struct bpf_native code) {
  for (uint32_t i = 0; i < code.length; i++)
    print_message("%02x ", code.bytes[i]);
  print_message("\n");
}

/* A program that exits at its last instruction, and what its code must hold. Arguments come out of the context, so that nothing is
 * known about them but that their upper halves are zero. */
struct row {
  const char *rule;
  struct bpf_insn insns[ROW_INSNS];
  uint32_t count;
  uint8_t length;
  uint8_t bytes[ROW_BYTES];
};
#define CODE(...) {__VA_ARGS__}, sizeof((struct bpf_insn[]){__VA_ARGS__}) / sizeof(struct bpf_insn)

static const struct row rows[] = {
    {"xor for zero", CODE(MOV_IMM(0, 0), EXIT()), 3, {0x31, 0xc0, 0xc3}},
    {"32-bit form of a positive constant", CODE(MOV_IMM(0, 2), EXIT()), 6, {0xb8, 2, 0, 0, 0, 0xc3}},
    {"sign-extended form of a negative one",
     CODE(MOV_IMM(0, -2), EXIT()),
     8,
     {0x48, 0xc7, 0xc0, 0xfe, 0xff, 0xff, 0xff, 0xc3}},
    {"8-bit immediate",
     CODE(R1_FROM_CONTEXT, MOV(0, 1), INSN(ALU64(BPF_OR, BPF_K), 0, 0, 0, 3), EXIT()),
     4,
     {0x48, 0x83, 0xc8, 3}},
    {"-128 instead of 128", CODE(LOAD(BPF_W, 0, 1, 12), ADD_IMM(0, 128), EXIT()), 4, {0x48, 0x83, 0xe8, 0x80}},
    {"inc", CODE(LOAD(BPF_W, 0, 1, 12), ADD_IMM(0, 1), EXIT()), 3, {0x48, 0xff, 0xc0}},
    {"lea for a multiplication by 5",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU64(BPF_MUL, BPF_K), 0, 0, 0, 5), EXIT()),
     4,
     {0x48, 0x8d, 0x04, 0x80}},
    {"not", CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_XOR, BPF_K), 0, 0, 0, -1), EXIT()), 2, {0xf7, 0xd0}},
    {"movzx for a mask of a byte",
     CODE(LOAD(BPF_W, 0, 1, 12), ADD_IMM(0, 5), INSN(ALU(BPF_AND, BPF_K), 0, 0, 0, 255), EXIT()),
     6,
     {0x83, 0xc0, 5, 0x0f, 0xb6, 0xc0}},
    {"movzx out of another register",
     CODE(R1_FROM_CONTEXT, MOV(0, 1), INSN(ALU64(BPF_AND, BPF_K), 0, 0, 0, 255), EXIT()),
     5,
     {0x40, 0x0f, 0xb6, 0xc7, 0xc3}},
    {"product of another register",
     CODE(R1_FROM_CONTEXT, MOV(0, 1), INSN(ALU64(BPF_MUL, BPF_K), 0, 0, 0, 20), EXIT()),
     5,
     {0x48, 0x6b, 0xc7, 20, 0xc3}},
    {"lea for product and sum",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU64(BPF_MUL, BPF_K), 0, 0, 0, 5), ADD_IMM(0, 7), EXIT()),
     5,
     {0x48, 0x8d, 0x44, 0x80, 7}},
    {"lea for a 64-bit copy and a 32-bit sum",
     CODE(R2_FROM_CONTEXT, R1_FROM_CONTEXT, MOV(0, 1), INSN(ALU(BPF_ADD, BPF_X), 0, 2, 0, 0), EXIT()),
     4,
     {0x8d, 0x04, 0x37, 0xc3}},
    {"load of the byte that a mask leaves",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_AND, BPF_K), 0, 0, 0, 255), EXIT()),
     5,
     {0x0f, 0xb6, 0x47, 12, 0xc3}},
    {"load of the two bytes that a mask leaves",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU64(BPF_AND, BPF_K), 0, 0, 0, 0xffff), EXIT()),
     5,
     {0x0f, 0xb7, 0x47, 12, 0xc3}},
    {"address and constant in the operand",
     CODE(MOV(2, 10), ADD_IMM(2, -8), LOAD(BPF_DW, 0, 2, 0), EXIT()),
     5,
     {0x48, 0x8b, 0x45, 0xf8, 0x5d}},
    {"moved address in the operand",
     CODE(MOV(2, 10), STORE_IMM(BPF_B, 10, -7, 0), ADD_IMM(2, -16), LOAD(BPF_B, 0, 2, 9), EXIT()),
     4,
     {0x0f, 0xb6, 0x46, 0xf9}},
    {"jump over an exit turned round",
     CODE(R2_FROM_CONTEXT, MOV_IMM(0, 1), JUMP_IMM(BPF_JEQ, 2, 9, 1), EXIT(), ADD_IMM(0, 9), EXIT()),
     9,
     {0x83, 0xfe, 9, 0x75, 0x04, 0x48, 0x83, 0xc0, 9}},
    {"no zero-extension of what is zero-extended",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_MOV, BPF_X), 0, 0, 0, 0), EXIT()),
     8,
     {0x48, 0x8b, 0x7f, 0x08, 0x8b, 0x47, 12, 0xc3}},
    {"32 bits where nobody reads the upper half",
     CODE(LOAD(BPF_W, 0, 1, 12), ADD_IMM(0, 5), INSN(ALU(BPF_MOV, BPF_X), 0, 0, 0, 0), EXIT()),
     5,
     {0x83, 0xc0, 5, 0x8b, 0xc0}},
    {"shift pair of old compilers",
     CODE(LOAD(BPF_W, 0, 1, 12), ADD_IMM(0, 5), INSN(ALU64(BPF_LSH, BPF_K), 0, 0, 0, 32),
          INSN(ALU64(BPF_RSH, BPF_K), 0, 0, 0, 32), EXIT()),
     3,
     {0x8b, 0xc0, 0xc3}},
    {"shift pair as sign-extension",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU64(BPF_LSH, BPF_K), 0, 0, 0, 32), INSN(ALU64(BPF_ARSH, BPF_K), 0, 0, 0, 32),
          EXIT()),
     4,
     {0x48, 0x63, 0xc0, 0xc3}},
    {"lea for copy and constant", CODE(R1_FROM_CONTEXT, MOV(0, 1), ADD_IMM(0, 14), EXIT()), 4, {0x48, 0x8d, 0x47, 14}},
    {"lea for copy and subtracted constant",
     CODE(R1_FROM_CONTEXT, MOV(0, 1), INSN(ALU64(BPF_SUB, BPF_K), 0, 0, 0, 8), EXIT()),
     4,
     {0x48, 0x8d, 0x47, 0xf8}},
    {"lea for a sum",
     CODE(R2_FROM_CONTEXT, R1_FROM_CONTEXT, MOV(0, 1), ADD(0, 2), EXIT()),
     4,
     {0x48, 0x8d, 0x04, 0x37}},
    {"rotate in place",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_MOV, BPF_X), 2, 0, 0, 0), INSN(ALU(BPF_LSH, BPF_K), 2, 0, 0, 7),
          INSN(ALU(BPF_RSH, BPF_K), 0, 0, 0, 25), INSN(ALU(BPF_OR, BPF_X), 0, 2, 0, 0), EXIT()),
     4,
     {0xc1, 0xc0, 7, 0xc3}},
    {"rorx into another register",
     CODE(R1_FROM_CONTEXT, MOV(0, 1), INSN(ALU64(BPF_RSH, BPF_K), 0, 0, 0, 41),
          INSN(ALU64(BPF_LSH, BPF_K), 1, 0, 0, 23), INSN(ALU64(BPF_OR, BPF_X), 0, 1, 0, 0), EXIT()),
     6,
     {0xc4, 0xe3, 0xfb, 0xf0, 0xc7, 41}},
    {"rorx of a register that is kept",
     CODE(R1_FROM_CONTEXT, INSN(ALU(BPF_MOV, BPF_X), 0, 1, 0, 0), INSN(ALU(BPF_RSH, BPF_K), 0, 0, 0, 28),
          INSN(ALU(BPF_MOV, BPF_X), 2, 1, 0, 0), INSN(ALU(BPF_LSH, BPF_K), 2, 0, 0, 4),
          INSN(ALU(BPF_OR, BPF_X), 2, 0, 0, 0), MOV(0, 1), ADD(0, 2), EXIT()),
     6,
     {0xc4, 0xe3, 0x7b, 0xf0, 0xf7, 28}},
    {"shift by a register without cl",
     CODE(R2_FROM_CONTEXT, LOAD(BPF_W, 0, 1, 12), INSN(ALU64(BPF_LSH, BPF_X), 0, 2, 0, 0), EXIT()),
     5,
     {0xc4, 0xe2, 0xc9, 0xf7, 0xc0}},
    {"andn",
     CODE(R2_FROM_CONTEXT, LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_XOR, BPF_K), 0, 0, 0, -1),
          INSN(ALU(BPF_AND, BPF_X), 0, 2, 0, 0), EXIT()),
     5,
     {0xc4, 0xe2, 0x78, 0xf2, 0xc6}},
    {"multiplication by a power of two",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU64(BPF_MUL, BPF_K), 0, 0, 0, 8), EXIT()),
     4,
     {0x48, 0xc1, 0xe0, 3}},
    {"multiplication with three operands' form",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_MUL, BPF_K), 0, 0, 0, 20), EXIT()),
     3,
     {0x6b, 0xc0, 20}},
    {"division by a power of two",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_DIV, BPF_K), 0, 0, 0, 16), EXIT()),
     3,
     {0xc1, 0xe8, 4}},
    {"modulo by a power of two",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_MOD, BPF_K), 0, 0, 0, 16), EXIT()),
     3,
     {0x83, 0xe0, 15}},
    {"movbe",
     CODE(LOAD(BPF_W, 0, 1, 12), INSN(ALU(BPF_END, BPF_X), 0, 0, 0, 32), EXIT()),
     5,
     {0x0f, 0x38, 0xf0, 0x47, 12}},
    {"cmov for a copy",
     CODE(R2_FROM_CONTEXT, LOAD(BPF_W, 0, 1, 12), INSN(BPF_JMP | BPF_JGT | BPF_X, 0, 2, 1, 0), MOV(0, 2), EXIT()),
     8,
     {0x48, 0x3b, 0xc6, 0x48, 0x0f, 0x46, 0xc6, 0xc3}},
    {"cmov for a constant",
     CODE(R2_FROM_CONTEXT, MOV_IMM(0, 1), INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1, 9), MOV_IMM(0, 2), EXIT()),
     7,
     {0x83, 0xfe, 9, 0x49, 0x0f, 0x45, 0xc2}},
    {"test for a mask",
     CODE(R2_FROM_CONTEXT, MOV_IMM(0, 1), MOV(3, 2), INSN(ALU64(BPF_AND, BPF_K), 3, 0, 0, 6),
          JUMP_IMM(BPF_JNE, 3, 0, 2), ADD_IMM(0, 7), ADD_IMM(0, 9), EXIT()),
     6,
     {0x40, 0xf6, 0xc6, 6, 0x75, 0x08}},
    {"bt for a single bit",
     CODE(R2_FROM_CONTEXT, MOV_IMM(0, 1), INSN(ALU64(BPF_RSH, BPF_K), 2, 0, 0, 5),
          INSN(ALU64(BPF_AND, BPF_K), 2, 0, 0, 1), JUMP_IMM(BPF_JEQ, 2, 0, 2), ADD_IMM(0, 7), ADD_IMM(0, 9), EXIT()),
     6,
     {0x0f, 0xba, 0xe6, 5, 0x73, 0x08}},
    {"comparison with zero",
     CODE(R2_FROM_CONTEXT, MOV_IMM(0, 1), JUMP_IMM(BPF_JEQ, 2, 0, 2), ADD_IMM(0, 7), ADD_IMM(0, 9), EXIT()),
     4,
     {0x85, 0xf6, 0x74, 0x08}},
    {"comparison in memory",
     CODE(MOV_IMM(0, 1), LOAD(BPF_W, 2, 1, 12), JUMP_IMM(BPF_JEQ, 2, 9, 2), ADD_IMM(0, 7), ADD_IMM(0, 9), EXIT()),
     6,
     {0x83, 0x7f, 12, 9, 0x74, 0x08}},
    {"operand in memory",
     CODE(LOAD(BPF_W, 0, 1, 12), LOAD(BPF_W, 2, 1, 16), INSN(ALU(BPF_ADD, BPF_X), 0, 2, 0, 0), EXIT()),
     3,
     {0x03, 0x47, 16}},
    {"counter in place",
     CODE(LOAD(BPF_DW, 2, 10, -8), ADD_IMM(2, 1), STORE(BPF_DW, 10, 2, -8), MOV_IMM(0, 0), EXIT()),
     4,
     {0x48, 0xff, 0x45, 0xf8}},
    {"sum in place",
     CODE(LOAD(BPF_W, 3, 1, 12), LOAD(BPF_W, 2, 10, -8), INSN(ALU(BPF_ADD, BPF_X), 2, 3, 0, 0), STORE(BPF_W, 10, 2, -8),
          MOV_IMM(0, 0), EXIT()),
     3,
     {0x01, 0x55, 0xf8}},
};

/* Every rule fires where it should, on a processor that has everything. */
static void test_rules(void **state) {
  const struct bpf_jit_options options = {.cpu = all_cpu};
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_program program = {.insns = (struct bpf_insn *)rows[i].insns, .insn_count = rows[i].count};
    struct bpf_native code = translate(&program, NULL, &options);
    if (!holds(code, rows[i].bytes, rows[i].length)) {
      show(code);
      fail_msg("%s", rows[i].rule);
    }
    release(&program);
  }
}

/* Instructions that the processor lacks are not written: the prefix of VEX stands in none of these programs. */
static void test_plain_processor(void **state) {
  const struct bpf_jit_options options = {.cpu = {false, false, false}};
  static const uint8_t vex[] = {0xc4}, movbe[] = {0x0f, 0x38};
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_program program = {.insns = (struct bpf_insn *)rows[i].insns, .insn_count = rows[i].count};
    struct bpf_native code = translate(&program, NULL, &options);
    assert_false(holds(code, vex, sizeof vex) || holds(code, movbe, sizeof movbe));
    release(&program);
  }
}

/* The empty program has neither prologue nor epilogue; one that calls nothing and needs no machine neither. */
static void test_no_frame(void **state) {
  const struct bpf_insn insns[] = {MOV_IMM(0, 2), EXIT()};
  struct bpf_program program = {.insns = (struct bpf_insn *)insns, .insn_count = COUNT(insns)};
  assert_int_equal(translate(&program, NULL, NULL).length, 6);
  release(&program);
}

/* Accesses behind a comparison with data_end need no check, facts or none; before it they do. */
static void test_packet_bounds(void **state) {
  struct bpf_insn insns[] = {
      LOAD(BPF_W, 2, 1, 0),
      LOAD(BPF_W, 3, 1, 4),
      MOV(4, 2),
      ADD_IMM(4, 34),
      MOV_IMM(0, 1),
      INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 1, 0),
      LOAD(BPF_W, 0, 2, 30),
      EXIT(),
  };
  struct bpf_program program = {.insns = insns, .insn_count = COUNT(insns)};
  uint32_t inside = translate(&program, NULL, NULL).length;
  release(&program);
  insns[6].off = 31;
  uint32_t beyond = translate(&program, NULL, NULL).length;
  release(&program);
  const struct bpf_fact facts[COUNT(insns)] = {[6] = {.known = BPF_FACT_ACCESS}};
  uint32_t known = translate(&program, facts, NULL).length;
  release(&program);
  assert_true(inside < 40);
  assert_int_equal(known, inside);
  assert_true(beyond > 2 * inside);
}

/* A walk by an index, or by a pointer beside a counter, needs no check as long as its last step stays inside what was compared with
 * data_end; one byte further, or with a counter that jumps over the end or is changed besides, it does. */
static void test_walks(void **state) {
  enum { BYTES = 64, START = 6, STEP = 11, LAST = 13, LENGTH_CHECKED = 200 };
  struct bpf_insn insns[] = {
      LOAD(BPF_W, 2, 1, 0),
      LOAD(BPF_W, 3, 1, 4),
      MOV(4, 2),
      ADD_IMM(4, BYTES),
      MOV_IMM(0, 1),
      INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 8, 0),
      MOV_IMM(1, 0),
      MOV(5, 2),
      ADD(5, 1),
      LOAD(BPF_W, 0, 5, 0),
      LOAD(BPF_W, 0, 2, 0),
      ADD_IMM(1, 4),
      ADD_IMM(2, 0),
      JUMP_IMM(BPF_JNE, 1, BYTES, -7),
      EXIT(),
  };
  static const struct {
    int start, step, along, limit, offset;
    uint8_t comparison;
    bool safe;
  } rows[] = {
      {0, 4, 0, 64, 0, BPF_JNE, true},  {0, 4, 0, 64, 1, BPF_JNE, false},  {0, 4, 0, 60, 4, BPF_JNE, true},
      {0, 4, 0, 62, 0, BPF_JNE, false}, /* never equal */
      {0, 4, 0, 61, 0, BPF_JLT, true},  {0, 4, 0, 65, 0, BPF_JLT, false},  {1, 4, 0, 61, 0, BPF_JLE, false},
      {0, 4, 0, 60, 0, BPF_JLE, true},  {0, -4, 0, 64, 0, BPF_JNE, false}, {0, 1, 4, 16, 0, BPF_JLT, true},
      {0, 1, 4, 17, 0, BPF_JLT, false}, {0, 1, -4, 2, 0, BPF_JLT, false},  {0, 1, 4, -1, 0, BPF_JLT, false},
      {0, 1, 4, 16, 0, BPF_JGT, false}, {0, 1, 4, 16, 0, BPF_JSLT, false},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    /* By the index, or, with a pointer that moves along, by that. */
    insns[START].imm = rows[i].start;
    insns[START + 2] = rows[i].along != 0 ? (struct bpf_insn)ADD_IMM(5, 0) : (struct bpf_insn)ADD(5, 1);
    insns[START + 3].off = (int16_t)rows[i].offset;
    insns[START + 4].off = (int16_t)(rows[i].along != 0 ? rows[i].offset : 0);
    insns[STEP].imm = rows[i].step;
    insns[STEP + 1].imm = rows[i].along;
    insns[LAST] = (struct bpf_insn)JUMP_IMM(rows[i].comparison, 1, rows[i].limit, -7);
    struct bpf_program program = {.insns = insns, .insn_count = COUNT(insns)};
    const uint32_t length = translate(&program, NULL, NULL).length;
    release(&program);
    if ((length < LENGTH_CHECKED) != rows[i].safe) {
      print_message("row %zu: %u bytes\n", i, length);
      fail();
    }
  }
}

/* The head of a loop that ends in a choice of values, which is one instruction, is not copied to the loop's end without that. */
static void test_loop_head_that_chooses(void **state) {
  const struct bpf_insn insns[] = {
      MOV_IMM(1, 0), MOV_IMM(2, 5), MOV_IMM(3, 0), INSN(BPF_JMP | BPF_JGT | BPF_X, 1, 2, 1, 0),
      MOV(1, 2),     ADD_IMM(3, 1), ADD_IMM(2, 2), JUMP_IMM(BPF_JEQ, 3, 10, 1),
      JUMP(-6),      MOV(0, 1),     EXIT(),
  };
  assert_int_equal(RUN(insns).r0, 5 + 9 * 2);
}

/* Quotients and rests by constants are those of C, in both widths and in every kind of register, and r0 and r3 stay as they are: small
 * divisors, those whose reciprocal doesn't fit (7, 21, 641 and its cofactor), neighbours of powers of two; dividends around multiples of them. */
static void test_division_by_constants(void **state) {
  static const uint32_t divisors[] = {
      3,  5,   6,   7,   9,   10,   11,   12,    14,    19,      21,           25,         28,         31,
      33, 100, 127, 255, 641, 1000, 1500, 65535, 65537, 6700417, 1u << 30 | 1, 1000000007, 2147483646, INT32_MAX};
  static const uint8_t registers[] = {0, 3, 7};
  for (size_t i = 0; i < COUNT(divisors) * 8; i++) {
    const uint64_t d = divisors[i / 8], dividends[] = {0,
                                                       1,
                                                       d - 1,
                                                       d,
                                                       2 * d - 1,
                                                       UINT32_MAX / d * d - 1,
                                                       UINT32_MAX,
                                                       (uint64_t)UINT32_MAX + 1,
                                                       (uint64_t)INT64_MAX / d * d - 1,
                                                       (uint64_t)1 << 63,
                                                       UINT64_MAX / d * d - 1,
                                                       UINT64_MAX / d * d,
                                                       UINT64_MAX};
    const bool wide = (i & 1) != 0, modulo = (i & 2) != 0;
    for (size_t x = 0; x < COUNT(dividends); x++) {
      const unsigned r = registers[(x + i / 4) % COUNT(registers)];
      struct bpf_insn insns[] = {
          MOV_IMM(0, 1000),
          MOV_IMM(3, 2000),
          LOAD(BPF_DW, r, 1, 0),
          INSN((wide ? BPF_ALU64 : BPF_ALU) | (modulo ? BPF_MOD : BPF_DIV) | BPF_K, r, 0, 0, (int32_t)d),
          ADD(0, r == 0 ? 3 : r),
          ADD_IMM(r == 0 ? 1 : 0, r == 7 ? 1 : 0),
          EXIT(),
      };
      const uint64_t dividend = wide ? dividends[x] : (uint32_t)dividends[x];
      const uint64_t value = modulo ? dividend % d : dividend / d;
      uint64_t memory = dividends[x];
      struct bpf_result result = run_both(insns, COUNT(insns), &memory, sizeof memory, NULL, 0);
      assert_int_equal(result.fault, BPF_FAULT_NONE);
      assert_int_equal(result.r0, value + (r == 0 ? 2000 : 1000) + (r == 7));
    }
  }
}

static uint32_t count_calls(struct bpf_native code) {
  uint32_t calls = 0;
  for (uint32_t i = 0; i < code.length; i++)
    calls += code.bytes[i] == 0xe8;
  return calls;
}

/* A lookup in an array is no call; its bound stands in the code unless a fact covers it. */
static void test_array_lookup(void **state) {
  const struct bpf_map_def def = {
      .name = "a", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 0x123};
  const struct hash_key seed = {1, 2};
  struct bpf_map *map;
  assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), 0);
  const struct bpf_insn insns[] = {
      STORE_IMM(BPF_W, 10, -4, 5),
      MOV(2, 10),
      ADD_IMM(2, -4),
      LOAD_MAP(1, 0),
      CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM),
      JUMP_IMM(BPF_JEQ, 0, 0, 1),
      LOAD(BPF_DW, 0, 0, 0),
      EXIT(),
  };
  static const uint8_t bound[] = {0x3d, 0x23, 0x01, 0, 0}; /* cmp eax, 0x123 */
  struct bpf_program program = {(struct bpf_insn *)insns, COUNT(insns), &map, 1};
  struct bpf_native code = translate(&program, NULL, NULL);
  assert_true(holds(code, bound, sizeof bound));
  assert_int_equal(count_calls(code), 0);
  release(&program);
  const struct bpf_fact facts[COUNT(insns)] = {[5] = {.known = BPF_FACT_KEY, .map = 0}};
  code = translate(&program, facts, NULL);
  assert_false(holds(code, bound, sizeof bound));
  release(&program);
  bpf_map_release(map);
}

/* The key of a lookup is what lies in the frame at the call, however it came there; and an address that is not computed is the one that it
 * would have been, whatever is lost in between. Values by hand: entry i of the map holds 10 + i. */
static void test_lookup_keys(void **state) {
#define KEY_AND_CALL MOV(2, 10), ADD_IMM(2, -4), LOAD_MAP(1, 0), CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM)
#define RESULT JUMP_IMM(BPF_JNE, 0, 0, 2), MOV_IMM(0, 99), EXIT(), LOAD(BPF_DW, 0, 0, 0), EXIT()
  enum { INSNS = 20 };
  static const struct {
    const char *what;
    struct bpf_insn insns[INSNS];
    uint32_t count;
    uint64_t expected;
  } cases[] = {
      {"constant", CODE(MOV_IMM(0, 0), STORE_IMM(BPF_W, 10, -4, 2), KEY_AND_CALL, RESULT), 12},
      {"constant out of bounds", CODE(MOV_IMM(0, 0), STORE_IMM(BPF_W, 10, -4, 4), KEY_AND_CALL, RESULT), 99},
      {"register with an upper half", CODE(LOAD_64(3, 0x500000001), STORE(BPF_W, 10, 3, -4), KEY_AND_CALL, RESULT), 11},
      {"register out of bounds", CODE(LOAD_64(3, 0xffffffff), STORE(BPF_W, 10, 3, -4), KEY_AND_CALL, RESULT), 99},
      {"register kept", CODE(MOV_IMM(6, 3), STORE(BPF_W, 10, 6, -4), KEY_AND_CALL, RESULT), 13},
      {"register of the map", CODE(MOV_IMM(1, 3), STORE(BPF_W, 10, 1, -4), KEY_AND_CALL, RESULT), 13},
      {"changed in place",
       CODE(MOV_IMM(0, 0), STORE_IMM(BPF_W, 10, -4, 1), LOAD(BPF_W, 1, 10, -4), ADD_IMM(1, 1), STORE(BPF_W, 10, 1, -4),
            KEY_AND_CALL, RESULT),
       12},
      {"byte stored over it",
       CODE(MOV_IMM(0, 0), STORE_IMM(BPF_W, 10, -4, 0x100), STORE_IMM(BPF_B, 10, -3, 0), KEY_AND_CALL, RESULT), 10},
      {"stored through another register",
       CODE(MOV_IMM(3, 1), STORE(BPF_W, 10, 3, -4), MOV(4, 10), STORE_IMM(BPF_W, 4, -4, 3), KEY_AND_CALL, RESULT), 13},
      {"register changed behind the store",
       CODE(MOV_IMM(3, 1), STORE(BPF_W, 10, 3, -4), MOV_IMM(3, 2), KEY_AND_CALL, RESULT), 11},
      {"register lost in a division",
       CODE(MOV_IMM(5, 700), MOV_IMM(3, 1), STORE(BPF_W, 10, 3, -4), INSN(ALU64(BPF_DIV, BPF_K), 5, 0, 0, 7),
            STORE(BPF_DW, 10, 5, -16), KEY_AND_CALL, RESULT),
       11},
      {"part of an address lost in a division",
       CODE(MOV_IMM(5, 700), STORE_IMM(BPF_DW, 10, -8, 55), MOV_IMM(3, 8), MOV(4, 10), ADD(4, 3),
            INSN(ALU64(BPF_MOD, BPF_K), 5, 0, 0, 3), LOAD(BPF_DW, 0, 4, -16), ADD(0, 5), EXIT()),
       56},
      {"part of an address changed",
       CODE(MOV_IMM(5, 0), STORE_IMM(BPF_DW, 10, -8, 55), MOV_IMM(3, 8), MOV(4, 10), ADD(4, 3), MOV_IMM(3, 16),
            LOAD(BPF_DW, 0, 4, -16), EXIT()),
       55},
  };
  const struct bpf_map_def def = {
      .name = "a", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4};
  const struct hash_key seed = {1, 2};
  struct bpf_map *map;
  assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), 0);
  for (uint32_t key = 0; key < def.max_entries; key++) {
    const uint64_t value = 10 + key;
    assert_int_equal(map->ops->update(map, &key, &value, BPF_ANY, 0), 0);
  }
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct bpf_result result = run_both(cases[i].insns, cases[i].count, NULL, 0, &map, 1);
    if (result.r0 != cases[i].expected) fail_msg("%s: %llu", cases[i].what, (unsigned long long)result.r0);
  }
  bpf_map_release(map);
}

/* Blinded, the constants of a program do not stand in its code. */
static void test_blinding(void **state) {
  const struct bpf_insn insns[] = {
      LOAD_64(2, 0x1122334455667788),
      STORE(BPF_DW, 10, 2, -16),
      MOV_IMM(0, 7),
      INSN(ALU64(BPF_XOR, BPF_K), 0, 0, 0, 0x3c3c3c3c),
      INSN(ALU(BPF_MUL, BPF_K), 0, 0, 0, 0x3c3c3c3c),
      INSN(ALU(BPF_DIV, BPF_K), 0, 0, 0, 0x3c3c3c3c),
      STORE_IMM(BPF_W, 10, -4, 0x3c3c3c3c),
      JUMP_IMM(BPF_JEQ, 0, 0x3c3c3c3c, 0),
      EXIT(),
  };
  static const uint8_t word[] = {0x3c, 0x3c, 0x3c, 0x3c}, wide[] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
  struct bpf_program program = {.insns = (struct bpf_insn *)insns, .insn_count = COUNT(insns)};
  struct bpf_native code = translate(&program, NULL, NULL);
  assert_true(holds(code, word, sizeof word) && holds(code, wide, sizeof wide));
  release(&program);
  const struct bpf_jit_options options = {.blind = true, .blind_seed = 99};
  code = translate(&program, NULL, &options);
  assert_false(holds(code, word, sizeof word) || holds(code, wide, sizeof wide));
  release(&program);
}

/* Jumps reach as far as they must: at the edges of the short form, and across the largest program. */
static void test_jump_lengths(void **state) {
  static struct bpf_insn insns[BPF_MAX_INSNS];
  static const uint32_t distances[] = {1, 40, 41, 42, 43, 44, 45, 1000, 32000};
  for (size_t i = 0; i < COUNT(distances); i++) {
    uint32_t n = 0;
    insns[n++] = (struct bpf_insn)MOV_IMM(0, 1);
    insns[n++] = (struct bpf_insn)INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, distances[i], 0);
    for (uint32_t k = 0; k < distances[i]; k++)
      insns[n++] = (struct bpf_insn)INSN(ALU64(BPF_ADD, BPF_K), 0, 0, 0, 1);
    insns[n++] = (struct bpf_insn)EXIT();
    assert_int_equal(run_both(insns, n, NULL, 0, NULL, 0).r0, 1);
  }
  uint32_t n = 0;
  insns[n++] = (struct bpf_insn)INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, BPF_MAX_INSNS - 2);
  while (n < BPF_MAX_INSNS - 1)
    insns[n++] = (struct bpf_insn)INSN(ALU64(BPF_ADD, BPF_K), 0, 0, 0, 1);
  insns[n++] = (struct bpf_insn)EXIT();
  assert_int_equal(run_both(insns, n, NULL, 0, NULL, 0).r0, 0);
}

/* Programs whose functions run into each other, or that call their own beginning, are refused in a sentence and stay interpretable. */
static void test_refused(void **state) {
  const struct bpf_insn into[] = {CALL(1), MOV_IMM(0, 1), MOV_IMM(0, 2), EXIT()};
  const struct bpf_insn itself[] = {CALL(-1), EXIT()};
  struct bpf_program programs[] = {{(struct bpf_insn *)into, COUNT(into)}, {(struct bpf_insn *)itself, COUNT(itself)}};
  for (size_t i = 0; i < COUNT(programs); i++) {
    struct report report = {0};
    assert_int_equal(bpf_jit(&programs[i], NULL, NULL, &report), -ERROR_UNSUPPORTED);
    assert_null(programs[i].code);
    assert_int_equal(report.errors, 1);
    report_free(&report);
  }
}

/* An endless program ends, whatever shape its loop has. */
static void test_budget(void **state) {
  const struct bpf_insn loop[] = {JUMP(-1)};
  const struct bpf_insn calls[] = {MOV_IMM(6, 0), CALL(1), JUMP(-2), MOV_IMM(0, 0), EXIT()};
  assert_int_equal(RUN(loop).fault, BPF_FAULT_BUDGET);
  assert_int_equal(RUN(calls).fault, BPF_FAULT_BUDGET);
}

/* A callee that looks at the lowest bytes of its caller's frame, which the caller does not name, finds zeros there too. */
static void test_caller_frame_is_zeroed(void **state) {
  const struct bpf_insn leave[] = {STORE_IMM(BPF_DW, 10, -512, -1), MOV_IMM(0, 0), EXIT()};
  const struct bpf_insn look[] = {CALL(1), EXIT(), LOAD(BPF_DW, 0, 10, 0), EXIT()};
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(RUN(leave).fault, BPF_FAULT_NONE);
    assert_int_equal(RUN(look).r0, 0);
  }
}

/* One test in front of several accesses lets each fault in its turn: what was stored before is stored, and the first that is out of
 * bounds is named. run_both compares memory, instruction and address. */
static void test_groups(void **state) {
  const struct bpf_insn insns[] = {
      LOAD(BPF_B, 2, 1, 0),
      LOAD(BPF_H, 3, 1, 4),
      ADD(2, 3),
      LOAD(BPF_W, 3, 1, 8),
      ADD(2, 3),
      STORE(BPF_W, 1, 2, 12),
      LOAD(BPF_DW, 3, 1, 2),
      LOAD(BPF_DW, 4, 1, 20),
      ADD(3, 4),
      MOV(0, 3),
      EXIT(),
  };
  static const struct {
    uint32_t length;
    int at; /* the faulting instruction; -1: none */
  } cases[] = {{0, 0}, {1, 1}, {5, 1}, {6, 3}, {11, 3}, {12, 5}, {15, 5}, {16, 7}, {27, 7}, {28, -1}, {64, -1}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint8_t memory[64];
    for (unsigned k = 0; k < sizeof memory; k++)
      memory[k] = (uint8_t)(k * 7 + 1);
    struct bpf_result result = run_both(insns, COUNT(insns), memory, cases[i].length, NULL, 0);
    assert_int_equal(result.fault, cases[i].at < 0 ? BPF_FAULT_NONE : BPF_FAULT_MEMORY);
    if (cases[i].at >= 0) assert_int_equal(result.fault_insn, cases[i].at);
  }
}

/* What counts as zero-extended is, though nobody read the upper half before it was zero-extended again. */
static void test_extended_twice(void **state) {
  const struct bpf_insn insns[] = {
      LOAD_64(0, 0xfedcba9876543210),
      INSN(ALU64(BPF_LSH, BPF_K), 0, 0, 0, 32),
      INSN(ALU64(BPF_RSH, BPF_K), 0, 0, 0, 32),
      INSN(ALU(BPF_MOV, BPF_X), 0, 0, 0, 0),
      EXIT(),
  };
  assert_int_equal(RUN(insns).r0, 0x76543210);
}

/* A helper calls functions of the program back: with its registers, a zeroed frame of its own, and the caller's afterwards; a fault or the
 * end of the budget inside ends the program. Both engines, as run_both compares them. */
static void test_callbacks(void **state) {
  /* r6 = sum of i * 3 by a callback that keeps its own r6; context in the caller's frame. */
  struct bpf_insn insns[] = {
      STORE_IMM(BPF_DW, 10, -8, 5),
      MOV_IMM(6, 77),
      MOV_IMM(1, 10),
      LOAD_KIND(2, BPF_PSEUDO_FUNC, 9, 0), /* slot 3 -> 13 */
      MOV(3, 10),
      ADD_IMM(3, -8),
      MOV_IMM(4, 0),
      CALL_HELPER(BPF_HELPER_LOOP),
      LOAD(BPF_DW, 1, 10, -8),
      ADD(0, 1),
      ADD(0, 6),
      EXIT(),
      LOAD(BPF_DW, 6, 2, 0), /* 13: callback(i, context) */
      INSN(ALU64(BPF_MUL, BPF_K), 1, 0, 0, 3),
      ADD(6, 1),
      LOAD(BPF_DW, 3, 10, -16),
      ADD(6, 3),
      STORE(BPF_DW, 2, 6, 0),
      STORE_IMM(BPF_DW, 10, -16, 1000),
      MOV_IMM(0, 0),
      EXIT(),
  };
  assert_int_equal(RUN(insns).fault, BPF_FAULT_NONE);
  assert_int_equal(RUN(insns).r0, 10 + 5 + 3 * 45 + 77);
  insns[12 + 1].off = 8; /* past the caller's frame */
  assert_int_equal(RUN(insns).fault, BPF_FAULT_MEMORY);
  insns[12 + 1].off = 0;
  insns[2].imm = 1000000;
  assert_int_equal(RUN(insns).fault, BPF_FAULT_BUDGET);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rules),
      cmocka_unit_test(test_plain_processor),
      cmocka_unit_test(test_no_frame),
      cmocka_unit_test(test_packet_bounds),
      cmocka_unit_test(test_walks),
      cmocka_unit_test(test_loop_head_that_chooses),
      cmocka_unit_test(test_division_by_constants),
      cmocka_unit_test(test_array_lookup),
      cmocka_unit_test(test_lookup_keys),
      cmocka_unit_test(test_blinding),
      cmocka_unit_test(test_jump_lengths),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_budget),
      cmocka_unit_test(test_callbacks),
      cmocka_unit_test(test_extended_twice),
      cmocka_unit_test(test_caller_frame_is_zeroed),
      cmocka_unit_test(test_groups),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
