/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every instruction of RFC 9669 against values worked out by hand from the sections named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bpf/native.h"

#define MIN64 0x8000000000000000u
#define MAX64 0x7fffffffffffffffu
#define MIN32 0x80000000u
#define MAX32 0x7fffffffu
#define ALL 0xffffffffffffffffu

struct row {
  unsigned code;
  int off, imm;
  uint64_t a, b, expected;
};

/* r0 = a; r1 = b; r0 op= r1 or imm. */
static const struct row arithmetic[] = {
    /* Section 4.1, ADD, SUB, MUL: modulo 2^64 and 2^32; 32-bit results are zero-extended. */
    {0x0f, 0, 0, 1, 2, 3},
    {0x0f, 0, 0, ALL, 1, 0},
    {0x07, 0, -1, 0, 0, ALL},
    {0x07, 0, MAX32, MAX32, 0, 0xfffffffe},
    {0x0c, 0, 0, 0xffffffff, 1, 0},
    {0x0c, 0, 0, 0x1ffffffff, 0x200000002, 1},
    {0x04, 0, -1, 0, 0, 0xffffffff},
    {0x1f, 0, 0, 0, 1, ALL},
    {0x1f, 0, 0, MIN64, 1, MAX64},
    {0x17, 0, -1, ALL, 0, 0},
    {0x1c, 0, 0, 0, 1, 0xffffffff},
    {0x14, 0, 1, 0x100000000, 0, 0xffffffff},
    {0x2f, 0, 0, 0x100000000, 0x100000000, 0},
    {0x2f, 0, 0, ALL, ALL, 1},
    {0x27, 0, -2, 3, 0, (uint64_t)-6},
    {0x2c, 0, 0, 0x10000, 0x10000, 0},
    {0x2c, 0, 0, 0xffffffff, 0xffffffff, 1},
    {0x24, 0, 3, 0x700000005, 0, 15},
    /* DIV, MOD unsigned: by zero 0 and the dividend; imm sign-extended at 64 bits, taken as unsigned 32 bits at 32. */
    {0x3f, 0, 0, ALL, 2, MAX64},
    {0x3f, 0, 0, 7, 0, 0},
    {0x37, 0, 0, 7, 0, 0},
    {0x37, 0, -1, ALL, 0, 1},
    {0x37, 0, -1, 0xffffffff, 0, 0},
    {0x3c, 0, 0, 0x1fffffffe, 2, 0x7fffffff},
    {0x3c, 0, 0, 0x700000007, 0x100000000, 0},
    {0x34, 0, -1, 0xffffffff, 0, 1},
    {0x34, 0, 0, 7, 0, 0},
    {0x9f, 0, 0, 7, 4, 3},
    {0x9f, 0, 0, ALL, 0, ALL},
    {0x97, 0, 0, ALL, 0, ALL},
    {0x97, 0, -1, ALL, 0, 0},
    {0x9c, 0, 0, 0x100000007, 4, 3},
    {0x9c, 0, 0, 0x500000007, 0xf00000000, 7},
    {0x94, 0, 0, 0x500000007, 0, 7},
    {0x94, 0, 10, 0xffffffff, 0, 5},
    /* SDIV, SMOD: towards zero; sign of the dividend; the one quotient that does not fit. */
    {0x3f, 1, 0, (uint64_t)-13, 3, (uint64_t)-4},
    {0x3f, 1, 0, 13, (uint64_t)-3, (uint64_t)-4},
    {0x3f, 1, 0, MIN64, ALL, MIN64},
    {0x3f, 1, 0, MIN64, 0, 0},
    {0x37, 1, -1, MIN64, 0, MIN64},
    {0x37, 1, -2, 10, 0, (uint64_t)-5},
    {0x37, 1, 0, 10, 0, 0},
    {0x3c, 1, 0, 0xfffffff3, 3, 0xfffffffc},
    {0x3c, 1, 0, MIN32, 0xffffffff, MIN32},
    {0x3c, 1, 0, 0x1ffffffff, 0x100000000, 0},
    {0x34, 1, -1, 0xf80000000, 0, MIN32},
    {0x34, 1, -4, 13, 0, 0xfffffffd},
    {0x9f, 1, 0, (uint64_t)-13, 3, ALL},
    {0x9f, 1, 0, 13, (uint64_t)-3, 1},
    {0x9f, 1, 0, MIN64, ALL, 0},
    {0x9f, 1, 0, MIN64, 0, MIN64},
    {0x97, 1, -1, MIN64, 0, 0},
    {0x97, 1, 0, ALL, 0, ALL},
    {0x9c, 1, 0, 0xfffffff3, 3, 0xffffffff},
    {0x9c, 1, 0, MIN32, 0xffffffff, 0},
    {0x9c, 1, 0, 0x1fffffff3, 0, 0xfffffff3},
    {0x94, 1, -3, 0xf0000000d, 0, 1},
    {0x94, 1, 0, 0xffffffffffffffff, 0, 0xffffffff},
    /* OR, AND, XOR. */
    {0x4f, 0, 0, 0xf0f0f0f0f0f0f0f0, 0x0f0f0f0f0f0f0f0f, ALL},
    {0x47, 0, MIN32, 0, 0, 0xffffffff80000000},
    {0x4c, 0, 0, 0xf00000001, 0xf00000002, 3},
    {0x44, 0, -1, 0, 0, 0xffffffff},
    {0x5f, 0, 0, 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0, 0x0f000f000f000f00},
    {0x57, 0, -16, ALL, 0, 0xfffffffffffffff0},
    {0x5c, 0, 0, ALL, 0xf0000000f, 0xf},
    {0x54, 0, -2, ALL, 0, 0xfffffffe},
    {0xaf, 0, 0, ALL, 0xff, 0xffffffffffffff00},
    {0xa7, 0, -1, 0, 0, ALL},
    {0xac, 0, 0, 0xf000000ff, 0x0f, 0xf0},
    {0xa4, 0, -1, 0, 0, 0xffffffff},
    /* LSH, RSH, ARSH: the count is masked with 63 or 31. */
    {0x6f, 0, 0, 1, 63, MIN64},
    {0x6f, 0, 0, 1, 64, 1},
    {0x67, 0, 32, 0xffffffff, 0, 0xffffffff00000000},
    {0x6c, 0, 0, 1, 31, MIN32},
    {0x6c, 0, 0, 1, 33, 2},
    {0x6c, 0, 0, 0x180000000, 1, 0},
    {0x64, 0, 4, 0xf0000001, 0, 0x10},
    {0x7f, 0, 0, MIN64, 63, 1},
    {0x7f, 0, 0, MIN64, 65, 0x4000000000000000},
    {0x77, 0, 4, ALL, 0, 0x0fffffffffffffff},
    {0x7c, 0, 0, 0xf80000000, 31, 1},
    {0x7c, 0, 0, 4, 0xffffffff00000021, 2},
    {0x74, 0, 1, 0xffffffff, 0, MAX32},
    {0xcf, 0, 0, MIN64, 63, ALL},
    {0xcf, 0, 0, MIN64, 64, MIN64},
    {0xc7, 0, 4, MAX64, 0, 0x07ffffffffffffff},
    {0xcc, 0, 0, 0x180000000, 31, 0xffffffff},
    {0xcc, 0, 0, MIN32, 32, MIN32},
    {0xc4, 0, 1, 0xffffffff7fffffff, 0, 0x3fffffff},
    /* NEG. */
    {0x87, 0, 0, 1, 0, ALL},
    {0x87, 0, 0, MIN64, 0, MIN64},
    {0x84, 0, 0, 0xf00000001, 0, 0xffffffff},
    {0x84, 0, 0, MIN32, 0, MIN32},
    /* MOV and MOVSX: an immediate is sign-extended at 64 bits; 32-bit moves zero-extend what they produced. */
    {0xbf, 0, 0, 1, ALL, ALL},
    {0xb7, 0, -1, 0, 0, ALL},
    {0xbc, 0, 0, 1, ALL, 0xffffffff},
    {0xb4, 0, -1, 0, 0, 0xffffffff},
    {0xbf, 8, 0, 0, 0x17f, 0x7f},
    {0xbf, 8, 0, 0, 0x80, 0xffffffffffffff80},
    {0xbf, 16, 0, 0, 0x18000, 0xffffffffffff8000},
    {0xbf, 32, 0, 0, 0x180000000, 0xffffffff80000000},
    {0xbf, 32, 0, 0, 0xf7fffffff, 0x7fffffff},
    {0xbc, 8, 0, 0, 0x180, 0xffffff80},
    {0xbc, 16, 0, 0, 0x18000, 0xffff8000},
    {0xbc, 16, 0, 0, 0x17fff, 0x7fff},
    /* Section 4.2: to little-endian truncates on this host, to big-endian and BSWAP swap; narrow results zero-extend. */
    {0xd4, 0, 16, 0x1122334455667788, 0, 0x7788},
    {0xd4, 0, 32, 0x1122334455667788, 0, 0x55667788},
    {0xd4, 0, 64, 0x1122334455667788, 0, 0x1122334455667788},
    {0xdc, 0, 16, 0x1122334455667788, 0, 0x8877},
    {0xdc, 0, 32, 0x1122334455667788, 0, 0x88776655},
    {0xdc, 0, 64, 0x1122334455667788, 0, 0x8877665544332211},
    {0xd7, 0, 16, 0x1122334455667788, 0, 0x8877},
    {0xd7, 0, 32, 0x1122334455667788, 0, 0x88776655},
    {0xd7, 0, 64, 0x1122334455667788, 0, 0x8877665544332211},
};

static uint64_t run_row(const struct row *row) {
  unsigned source = (row->code & BPF_X) && (row->code & 0xf0) != BPF_END ? 1 : 0;
  const struct bpf_insn insns[] = {
      LOAD_64(0, row->a),
      LOAD_64(1, row->b),
      INSN(row->code, 0, source, row->off, row->imm),
      EXIT(),
  };
  assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
  struct bpf_result result = RUN(insns);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.executed, 4);
  return result.r0;
}

/* Arithmetic gives what RFC 9669 says, edge values included. */
static void test_arithmetic(void **state) {
  for (size_t i = 0; i < COUNT(arithmetic); i++) {
    const struct row *row = &arithmetic[i];
    uint64_t got = run_row(row);
    if (got != row->expected) {
      fail_msg("row %zu: opcode %#x off %d imm %d of %#llx, %#llx: %#llx, expected %#llx", i, row->code, row->off,
               row->imm, (unsigned long long)row->a, (unsigned long long)row->b, (unsigned long long)got,
               (unsigned long long)row->expected);
    }
  }
}

/* Section 4.3: for each condition three pairs a, b; whether it holds at 64 bits, and at 32. */
static const struct {
  unsigned op;
  uint64_t a, b;
  int holds64, holds32;
} jumps[] = {
    {BPF_JEQ, 5, 5, 1, 1},      {BPF_JEQ, 0x100000005, 5, 0, 1}, {BPF_JEQ, ALL, 0xffffffff, 0, 1},
    {BPF_JNE, 5, 5, 0, 0},      {BPF_JNE, 0x100000005, 5, 1, 0}, {BPF_JNE, 4, 5, 1, 1},
    {BPF_JSET, 6, 2, 1, 1},     {BPF_JSET, 6, 8, 0, 0},          {BPF_JSET, 0x100000000, 0x100000000, 1, 0},
    {BPF_JGT, ALL, 1, 1, 1},    {BPF_JGT, 1, 1, 0, 0},           {BPF_JGT, 0x100000000, 1, 1, 0},
    {BPF_JGE, 1, 1, 1, 1},      {BPF_JGE, 0, ALL, 0, 0},         {BPF_JGE, 0x100000000, 1, 1, 0},
    {BPF_JLT, 1, ALL, 1, 1},    {BPF_JLT, 1, 1, 0, 0},           {BPF_JLT, 0x100000000, 1, 0, 1},
    {BPF_JLE, 1, 1, 1, 1},      {BPF_JLE, ALL, 0, 0, 0},         {BPF_JLE, 0x100000000, 1, 0, 1},
    {BPF_JSGT, 1, ALL, 1, 1},   {BPF_JSGT, MIN64, 0, 0, 0},      {BPF_JSGT, MIN32, 0, 1, 0},
    {BPF_JSGE, ALL, ALL, 1, 1}, {BPF_JSGE, MIN64, MAX64, 0, 1},  {BPF_JSGE, MIN32, 0, 1, 0},
    {BPF_JSLT, ALL, 0, 1, 1},   {BPF_JSLT, 0, ALL, 0, 0},        {BPF_JSLT, MIN32, 0, 0, 1},
    {BPF_JSLE, ALL, ALL, 1, 1}, {BPF_JSLE, MAX64, MIN64, 0, 1},  {BPF_JSLE, MIN32, 0, 0, 1},
};

static int taken(unsigned code, uint64_t a, uint64_t b) {
  const struct bpf_insn insns[] = {
      LOAD_64(1, a), LOAD_64(2, b), INSN(code, 1, code & BPF_X ? 2 : 0, 1, code & BPF_X ? 0 : (int32_t)b),
      EXIT(),        MOV_IMM(0, 1), EXIT(),
  };
  assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
  struct bpf_result result = RUN(insns);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  return (int)result.r0;
}

/* Conditional jumps compare as RFC 9669 says: register and immediate, 64 and 32 bits. */
static void test_jumps(void **state) {
  for (size_t i = 0; i < COUNT(jumps); i++) {
    unsigned op = jumps[i].op;
    uint64_t a = jumps[i].a, b = jumps[i].b;
    assert_int_equal(taken(BPF_JMP | op | BPF_X, a, b), jumps[i].holds64);
    assert_int_equal(taken(BPF_JMP32 | op | BPF_X, a, b), jumps[i].holds32);
    assert_int_equal(taken(BPF_JMP32 | op | BPF_K, a, b), jumps[i].holds32);
    /* The immediate of a 64-bit comparison is sign-extended. */
    if (b == (uint64_t)(int32_t)b) assert_int_equal(taken(BPF_JMP | op | BPF_K, a, b), jumps[i].holds64);
  }
}

/* Section 4.3: JA takes its distance from off, JMP32 JA from imm; both may be negative. */
static void test_jump_always(void **state) {
  const struct bpf_insn insns[] = {
      JUMP(2),                               /* 0 -> 3 */
      MOV_IMM(0, 7),                         /* 1 */
      EXIT(),                                /* 2 */
      INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 1),  /* 3 -> 5 */
      JUMP(-4),                              /* 4 -> 1 */
      INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, -2), /* 5 -> 4 */
  };
  assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
  struct bpf_result result = RUN(insns);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 7);
  assert_int_equal(result.executed, 6);
}

/* Section 5.1 and 5.2: loads of each size, zero- and sign-extended, at any alignment. */
static void test_loads(void **state) {
  static const struct {
    unsigned code;
    int off;
    uint64_t expected;
  } rows[] = {
      {0x71, 0, 0x80},       {0x91, 0, 0xffffffffffffff80}, {0x91, 3, 0x11},
      {0x69, 1, 0x9291},     {0x89, 1, 0xffffffffffff9291}, {0x89, 3, 0x2211},
      {0x61, 1, 0x22119291}, {0x81, 1, 0x22119291},         {0x81, 5, 0xffffffff98765433},
      {0x61, 5, 0x98765433}, {0x79, 1, 0x9876543322119291},
  };
  uint8_t memory[] = {0x80, 0x91, 0x92, 0x11, 0x22, 0x33, 0x54, 0x76, 0x98};
  for (size_t i = 0; i < COUNT(rows); i++) {
    const struct bpf_insn insns[] = {INSN(rows[i].code, 0, 1, rows[i].off, 0), EXIT()};
    assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
    struct bpf_result result = run_with(insns, COUNT(insns), memory, sizeof memory, NULL, 0);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal(result.r0, rows[i].expected);
  }
}

/* Section 5.1: stores write exactly their size; a 64-bit immediate store sign-extends. */
static void test_stores(void **state) {
  static const struct {
    unsigned code;
    int imm;
    uint8_t expected[10];
  } rows[] = {
      {0x73, 0, {0xee, 0x88, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}},
      {0x6b, 0, {0xee, 0x88, 0x77, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}},
      {0x63, 0, {0xee, 0x88, 0x77, 0x66, 0x55, 0xee, 0xee, 0xee, 0xee, 0xee}},
      {0x7b, 0, {0xee, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xee}},
      {0x72, -2, {0xee, 0xfe, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}},
      {0x6a, 0x12345, {0xee, 0x45, 0x23, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}},
      {0x62, -2, {0xee, 0xfe, 0xff, 0xff, 0xff, 0xee, 0xee, 0xee, 0xee, 0xee}},
      {0x7a, -2, {0xee, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xee}},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint8_t memory[10];
    memset(memory, 0xee, sizeof memory);
    unsigned source = (rows[i].code & 7) == BPF_STX ? 3 : 0;
    const struct bpf_insn insns[] = {
        LOAD_64(3, 0x1122334455667788),
        INSN(rows[i].code, 1, source, 1, rows[i].imm),
        EXIT(),
    };
    assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
    struct bpf_result result = run_with(insns, COUNT(insns), memory, sizeof memory, NULL, 0);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_memory_equal(memory, rows[i].expected, sizeof memory);
  }
}

/* Section 5.3: atomic operations of 0x33.. on 0xf0..: what memory and the source register hold afterwards. */
static void test_atomics(void **state) {
  const uint64_t old = 0xf0f0f0f0f0f0f0f0, operand = 0x3333333333333333;
  static const struct {
    int op;
    uint64_t memory64, memory32; /* of memory32 the low half counts */
    int fetches;
  } rows[] = {
      {BPF_ADD, 0x2424242424242423, 0x24242423, 0},  {BPF_ADD | BPF_FETCH, 0x2424242424242423, 0x24242423, 1},
      {BPF_OR, 0xf3f3f3f3f3f3f3f3, 0xf3f3f3f3, 0},   {BPF_OR | BPF_FETCH, 0xf3f3f3f3f3f3f3f3, 0xf3f3f3f3, 1},
      {BPF_AND, 0x3030303030303030, 0x30303030, 0},  {BPF_AND | BPF_FETCH, 0x3030303030303030, 0x30303030, 1},
      {BPF_XOR, 0xc3c3c3c3c3c3c3c3, 0xc3c3c3c3, 0},  {BPF_XOR | BPF_FETCH, 0xc3c3c3c3c3c3c3c3, 0xc3c3c3c3, 1},
      {BPF_XCHG, 0x3333333333333333, 0x33333333, 1},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    for (unsigned wide = 0; wide < 2; wide++) {
      uint64_t memory[2] = {old, old};
      /* What r3 holds afterwards goes to the second word. */
      const struct bpf_insn insns[] = {
          LOAD_64(3, operand),
          ATOMIC(wide ? BPF_DW : BPF_W, 1, 3, 0, rows[i].op),
          STORE(BPF_DW, 1, 3, 8),
          EXIT(),
      };
      assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
      struct bpf_result result = run_with(insns, COUNT(insns), memory, sizeof memory, NULL, 0);
      assert_int_equal(result.fault, BPF_FAULT_NONE);
      assert_int_equal(memory[0], wide ? rows[i].memory64 : ((old & 0xffffffff00000000) | rows[i].memory32));
      assert_int_equal(memory[1], !rows[i].fetches ? operand : wide ? old : (uint32_t)old);
    }
  }
}

/* Section 5.3: CMPXCHG stores the source when r0 equals memory; r0 gets the old value, zero-extended at 32 bits; the source
 * stays. */
static void test_compare_exchange(void **state) {
  static const struct {
    unsigned size;
    uint64_t memory, r0, source, after, r0_after;
  } rows[] = {
      {BPF_DW, 5, 5, 9, 9, 5},
      {BPF_DW, 0x100000005, 5, 9, 0x100000005, 0x100000005},
      {BPF_W, 0x700000005, 0x800000005, 0x1200000009, 0x700000009, 5},
      {BPF_W, 0xffffffff80000000, 1, 9, 0xffffffff80000000, 0x80000000},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint64_t memory[2] = {rows[i].memory, 0};
    const struct bpf_insn insns[] = {
        LOAD_64(0, rows[i].r0),
        LOAD_64(3, rows[i].source),
        ATOMIC(rows[i].size, 1, 3, 0, BPF_CMPXCHG),
        STORE(BPF_DW, 1, 3, 8),
        EXIT(),
    };
    assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
    struct bpf_result result = run_with(insns, COUNT(insns), memory, sizeof memory, NULL, 0);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal(result.r0, rows[i].r0_after);
    assert_int_equal(memory[0], rows[i].after);
    assert_int_equal(memory[1], rows[i].source);
  }
}

/* Section 5.4: a 64-bit immediate is two slots, low half first, and counts as one instruction. */
static void test_wide_immediate(void **state) {
  const struct bpf_insn insns[] = {LOAD_64(0, 0xfedcba9876543210), EXIT()};
  struct bpf_result result = RUN(insns);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 0xfedcba9876543210);
  assert_int_equal(result.executed, 2);
}

/* Appendix A of RFC 9669 without legacy packet access, and callx (0x8d) as clang 19 emits it: these opcodes exist, and no
 * others. */
static void test_opcode_space(void **state) {
  static const uint8_t offered[] = {
      0x04, 0x05, 0x06, 0x07, 0x0c, 0x0f, 0x14, 0x15, 0x16, 0x17, 0x18, 0x1c, 0x1d, 0x1e, 0x1f, 0x24, 0x25, 0x26,
      0x27, 0x2c, 0x2d, 0x2e, 0x2f, 0x34, 0x35, 0x36, 0x37, 0x3c, 0x3d, 0x3e, 0x3f, 0x44, 0x45, 0x46, 0x47, 0x4c,
      0x4d, 0x4e, 0x4f, 0x54, 0x55, 0x56, 0x57, 0x5c, 0x5d, 0x5e, 0x5f, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67,
      0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x79, 0x7a, 0x7b, 0x7c,
      0x7d, 0x7e, 0x7f, 0x81, 0x84, 0x85, 0x87, 0x89, 0x8d, 0x91, 0x94, 0x95, 0x97, 0x9c, 0x9f, 0xa4, 0xa5, 0xa6,
      0xa7, 0xac, 0xad, 0xae, 0xaf, 0xb4, 0xb5, 0xb6, 0xb7, 0xbc, 0xbd, 0xbe, 0xbf, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
      0xcc, 0xcd, 0xce, 0xcf, 0xd4, 0xd5, 0xd6, 0xd7, 0xdb, 0xdc, 0xdd, 0xde,
  };
  for (unsigned code = 0; code < 256; code++) {
    bool exists = memchr(offered, (int)code, sizeof offered) != NULL;
    bool legacy = code == 0x20 || code == 0x28 || code == 0x30 || code == 0x40 || code == 0x48 || code == 0x50;
    bool swap = (code & 0xf0) == BPF_END && (BPF_CLASS(code) == BPF_ALU || BPF_CLASS(code) == BPF_ALU64);
    int imm = swap ? 16 : code == 0x85 ? BPF_HELPER_KTIME_GET_NS : 0;
    const struct bpf_insn insns[] = {
        INSN(code, 0, 0, 0, imm),
        INSN(code == 0x18 ? 0 : 0x95, 0, 0, 0, 0),
        EXIT(),
    };
    int error = bpf_check(insns, COUNT(insns), 0, NULL);
    if (error != (exists ? 0 : legacy ? -ERROR_UNSUPPORTED : -ERROR_INVALID))
      fail_msg("opcode %#x: check %d", code, error);
    struct bpf_result result = RUN(insns);
    if ((result.fault == BPF_FAULT_INSTRUCTION) == exists) fail_msg("opcode %#x: fault %d", code, result.fault);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_opcode_space),   cmocka_unit_test(test_arithmetic),
      cmocka_unit_test(test_jumps),          cmocka_unit_test(test_jump_always),
      cmocka_unit_test(test_loads),          cmocka_unit_test(test_stores),
      cmocka_unit_test(test_atomics),        cmocka_unit_test(test_compare_exchange),
      cmocka_unit_test(test_wide_immediate),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
