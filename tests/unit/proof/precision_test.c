/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Precision of proof/number.h: results are at least as narrow as these, which are worked out by hand or are what Linux's verifier
 * derives (named by the selftest or the commit that added it). Without a remark: the exact hull of all results.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proof/number.h"

/* How a row writes a number. */
struct set {
  enum { CONSTANT, ANY, UNSIGNED, SIGNED, BITS, LOW_UNSIGNED, LOW_SIGNED, NOTHING } kind;
  uint64_t a, b;
};
#define C(v) \
  { CONSTANT, (uint64_t)(v), 0 }
#define ALL \
  { ANY, 0, 0 }
#define U(low, high) \
  { UNSIGNED, (uint64_t)(low), (uint64_t)(high) }
#define S(low, high) \
  { SIGNED, (uint64_t)(low), (uint64_t)(high) }
/* Known bits, unknown bits. */
#define B(value, mask) \
  { BITS, (uint64_t)(value), (uint64_t)(mask) }
/* Of the lower half. */
#define LU(low, high) \
  { LOW_UNSIGNED, (uint64_t)(low), (uint64_t)(high) }
#define LS(low, high) \
  { LOW_SIGNED, (uint64_t)(low), (uint64_t)(high) }
#define NONE \
  { NOTHING, 0, 0 }

static struct proof_number make(struct set s) {
  struct proof_number n = proof_number_unknown();
  switch (s.kind) {
    case CONSTANT:
      return proof_number_constant(s.a);
    case UNSIGNED:
      return proof_number_between(s.a, s.b);
    case SIGNED:
      return proof_number_between_signed((int64_t)s.a, (int64_t)s.b);
    case BITS:
      n.value = s.a;
      n.mask = s.b;
      break;
    case LOW_UNSIGNED:
      n.low.umin = s.a;
      n.low.umax = s.b;
      break;
    case LOW_SIGNED:
      n.low.smin = (int32_t)s.a;
      n.low.smax = (int32_t)s.b;
      break;
    default:
      break;
  }
  assert_true(proof_number_settle(&n));
  return n;
}

static void assert_narrow(const char *what, unsigned row, const struct proof_number *n, struct set expected) {
  struct proof_number most = make(expected);
  if (proof_number_within(n, &most)) return;
  fail_msg("%s row %u: bits %#llx/%#llx, %#llx..%#llx, %lld..%lld, lower half %#x..%#x, %d..%d", what, row,
           (unsigned long long)n->value, (unsigned long long)n->mask, (unsigned long long)n->wide.umin,
           (unsigned long long)n->wide.umax, (long long)n->wide.smin, (long long)n->wide.smax, (unsigned)n->low.umin,
           (unsigned)n->low.umax, (int)n->low.smin, (int)n->low.smax);
}

#define WIDE(op) BPF_ALU64 | (op) | BPF_X
#define NARROW(op) BPF_ALU | (op) | BPF_X

static const struct {
  uint8_t code;
  int16_t off;
  int32_t imm;
  struct set dst, src, expected;
} arithmetic[] = {
    /* Sums and differences, where they don't wrap and where all of them do. */
    {WIDE(BPF_ADD), 0, 0, U(1, 5), U(10, 20), U(11, 25)},
    {WIDE(BPF_ADD), 0, 0, S(-5, 5), C(10), U(5, 15)},
    {WIDE(BPF_ADD), 0, 0, U(-16, -8), C(16), U(0, 8)},
    {WIDE(BPF_ADD), 0, 0, B(0x100, 0xf0), B(2, 1), B(0x102, 0xf1)},
    /* Unaligned variable part of an offset plus a constant: Linux, tnum_add. */
    {WIDE(BPF_ADD), 0, 0, B(0, 0x3c), C(14), B(2, 0x7c)},
    {WIDE(BPF_SUB), 0, 0, U(10, 20), U(1, 5), U(5, 19)},
    {WIDE(BPF_SUB), 0, 0, U(0, 8), C(16), S(-16, -8)},
    {WIDE(BPF_SUB), 0, 0, S(-3, 3), S(-3, 3), S(-6, 6)},
    /* The 32-bit form of a signed range: zero-extended. */
    {NARROW(BPF_ADD), 0, 0, S(-5, -1), C(10), U(5, 9)},
    {NARROW(BPF_ADD), 0, 0, U(UINT32_MAX - 1, UINT32_MAX), C(2), U(0, 1)},
    {NARROW(BPF_SUB), 0, 0, U(0, 8), C(16), U(0xfffffff0, 0xfffffff8)},
    /* The lower half of a 64-bit sum is the sum of the lower halves: Linux, scalar32_min_max_add. */
    {WIDE(BPF_ADD), 0, 0, LU(1, 2), C(5), LU(6, 7)},
    {WIDE(BPF_SUB), 0, 0, LS(-2, 2), C(5), LS(-7, -3)},
    {WIDE(BPF_MUL), 0, 0, LU(1, 2), C(5), LU(5, 10)},
    /* Products of all signs: Linux, "Improve MUL range tracking" (mul_precise). */
    {WIDE(BPF_MUL), 0, 0, U(2, 3), U(5, 7), U(10, 21)},
    {WIDE(BPF_MUL), 0, 0, S(-2, 3), S(-5, 7), S(-15, 21)},
    {WIDE(BPF_MUL), 0, 0, S(-3, -2), S(5, 7), S(-21, -10)},
    {WIDE(BPF_MUL), 0, 0, U(0, 10), C(4), B(0, 0x3c)},
    {NARROW(BPF_MUL), 0, 0, S(-3, -2), C(2), U(0xfffffffa, 0xfffffffc)},
    /* Bits. A mask bounds whatever it is applied to. */
    {WIDE(BPF_AND), 0, 0, ALL, C(0xff), B(0, 0xff)},
    {WIDE(BPF_AND), 0, 0, U(0, 5), ALL, U(0, 5)},
    {WIDE(BPF_AND), 0, 0, C(-1), S(-7, -2), S(-8, -1)},
    /* x s>> 63 & C, which compilers make of a comparison: Linux, "improve signed ranges inference for BPF_AND". */
    {WIDE(BPF_AND), 0, 0, S(-1, 0), C(-13), S(-16, 0)},
    {WIDE(BPF_AND), 0, 0, S(-4, 10), S(-3, 20), S(-4, 20)},
    {WIDE(BPF_OR), 0, 0, U(16, 20), U(1, 3), U(16, 23)},
    {WIDE(BPF_OR), 0, 0, S(-8, -5), ALL, S(-8, -1)},
    {WIDE(BPF_XOR), 0, 0, U(0, 15), C(16), U(16, 31)},
    {WIDE(BPF_XOR), 0, 0, U(3, 9), C(-1), S(-16, -1)},
    {NARROW(BPF_XOR), 0, 0, U(3, 9), C(-1), U(0xfffffff0, 0xffffffff)},
    /* Shifts; amounts modulo the width. */
    {WIDE(BPF_LSH), 0, 0, U(1, 3), C(4), B(0, 0x30)},
    {WIDE(BPF_LSH), 0, 0, U(1, 3), C(68), U(16, 48)},
    {WIDE(BPF_LSH), 0, 0, U(1, 3), U(0, 2), U(1, 12)},
    {WIDE(BPF_LSH), 0, 0, S(-3, 2), C(4), S(-48, 32)},
    {WIDE(BPF_LSH), 0, 0, C(1), U(0, 31), U(1, 0x80000000)},
    {NARROW(BPF_LSH), 0, 0, U(1, 3), ALL, B(0, 0xffffffff)},
    /* Left and right by 32 as sign extension: Linux, __scalar64_min_max_lsh. */
    {WIDE(BPF_LSH), 0, 0, LS(-5, 7), C(32), S(-5ll * 4294967296, 7ll << 32)},
    {WIDE(BPF_RSH), 0, 0, ALL, C(60), U(0, 15)},
    {WIDE(BPF_RSH), 0, 0, U(100, 200), U(1, 2), U(25, 100)},
    {WIDE(BPF_RSH), 0, 0, ALL, U(32, 48), U(0, 0xffffffff)},
    {NARROW(BPF_RSH), 0, 0, ALL, C(24), U(0, 255)},
    {WIDE(BPF_ARSH), 0, 0, ALL, C(63), S(-1, 0)},
    {WIDE(BPF_ARSH), 0, 0, S(-100, 50), C(2), S(-25, 12)},
    {WIDE(BPF_ARSH), 0, 0, S(-5ll * 4294967296, 7ll << 32), C(32), S(-5, 7)},
    {NARROW(BPF_ARSH), 0, 0, LS(-100, -50), C(2), U(0xffffffe7, 0xfffffff3)},
    /* Division and modulo: Linux, "Add range tracking for BPF_DIV and BPF_MOD"; by zero 0 and the dividend. */
    {WIDE(BPF_DIV), 0, 0, U(100, 200), C(7), U(14, 28)},
    {WIDE(BPF_DIV), 0, 0, U(100, 200), U(5, 10), U(10, 40)},
    {WIDE(BPF_DIV), 0, 0, U(100, 200), U(0, 10), U(0, 200)},
    {WIDE(BPF_DIV), 0, 0, ALL, C(0), C(0)},
    {WIDE(BPF_DIV), 0, 0, ALL, C(16), B(0, 0x0fffffffffffffff)},
    {WIDE(BPF_DIV), 1, 0, S(-100, 50), C(7), S(-14, 7)},
    {WIDE(BPF_DIV), 1, 0, S(-100, 50), C(-7), S(-7, 14)},
    {WIDE(BPF_DIV), 1, 0, U(100, 200), U(5, 10), U(10, 40)},
    {NARROW(BPF_DIV), 1, 0, LS(-100, -50), C(10), U(0xfffffff6, 0xfffffffb)},
    {WIDE(BPF_MOD), 0, 0, ALL, C(10), U(0, 9)},
    {WIDE(BPF_MOD), 0, 0, U(3, 5), C(10), U(3, 5)},
    {WIDE(BPF_MOD), 0, 0, U(23, 27), C(10), U(0, 9)},
    {WIDE(BPF_MOD), 0, 0, ALL, C(8), B(0, 7)},
    {WIDE(BPF_MOD), 0, 0, U(0, 100), U(0, 10), U(0, 100)},
    {WIDE(BPF_MOD), 0, 0, U(0, 100), U(1, 10), U(0, 9)},
    {WIDE(BPF_MOD), 0, 0, U(7, 9), C(0), U(7, 9)},
    {WIDE(BPF_MOD), 1, 0, ALL, C(10), S(-9, 9)},
    {WIDE(BPF_MOD), 1, 0, S(-100, 0), C(-10), S(-9, 0)},
    {WIDE(BPF_MOD), 1, 0, S(-5, 3), C(-10), S(-5, 3)},
    {NARROW(BPF_MOD), 0, 0, ALL, C(10), U(0, 9)},
    /* Moves and negation. */
    {BPF_ALU64 | BPF_NEG, 0, 0, S(-3, 7), ALL, S(-7, 3)},
    {BPF_ALU | BPF_NEG, 0, 0, U(1, 7), ALL, U(0xfffffff9, 0xffffffff)},
    {WIDE(BPF_MOV), 0, 0, ALL, S(-3, 7), S(-3, 7)},
    {NARROW(BPF_MOV), 0, 0, ALL, S(-7, -3), U(0xfffffff9, 0xfffffffd)},
    {WIDE(BPF_MOV), 8, 0, ALL, ALL, S(-128, 127)},
    {WIDE(BPF_MOV), 8, 0, ALL, U(250, 255), S(-6, -1)},
    {WIDE(BPF_MOV), 16, 0, ALL, S(-3, 7), S(-3, 7)},
    {WIDE(BPF_MOV), 32, 0, ALL, U(0, 100), U(0, 100)},
    {WIDE(BPF_MOV), 32, 0, ALL, LS(-3, 7), S(-3, 7)},
    {NARROW(BPF_MOV), 8, 0, ALL, U(0x80, 0xff), U(0xffffff80, 0xffffffff)},
    {BPF_ALU64 | BPF_MOV | BPF_K, 0, -5, ALL, ALL, C(-5)},
    {BPF_ALU | BPF_MOV | BPF_K, 0, -5, ALL, ALL, C(0xfffffffb)},
    /* Byte order: ntohs of a field that is compared. */
    {BPF_ALU | BPF_END | BPF_X, 0, 16, ALL, ALL, U(0, 0xffff)},
    {BPF_ALU | BPF_END | BPF_X, 0, 16, C(0x1234), ALL, C(0x3412)},
    {BPF_ALU | BPF_END | BPF_X, 0, 32, B(0, 0xff), ALL, B(0, 0xff000000)},
    {BPF_ALU | BPF_END | BPF_K, 0, 16, U(0x10001, 0x10009), ALL, U(1, 9)},
    {BPF_ALU64 | BPF_END, 0, 64, C(0x0102030405060708), ALL, C(0x0807060504030201)},
};

static void test_arithmetic_is_this_precise(void **state) {
  for (unsigned i = 0; i < sizeof arithmetic / sizeof *arithmetic; i++) {
    struct proof_number dst = make(arithmetic[i].dst), src = make(arithmetic[i].src);
    struct bpf_insn insn = {.code = arithmetic[i].code, .off = arithmetic[i].off, .imm = arithmetic[i].imm};
    proof_number_alu(&dst, insn, &src);
    assert_narrow("arithmetic", i, &dst, arithmetic[i].expected);
  }
}

/* "If src is the same object, both operands are the same value." */
static void test_a_register_with_itself(void **state) {
  static const uint8_t zero[] = {WIDE(BPF_SUB), WIDE(BPF_XOR), NARROW(BPF_SUB), NARROW(BPF_XOR)};
  for (unsigned i = 0; i < sizeof zero; i++) {
    struct proof_number n = proof_number_unknown();
    proof_number_alu(&n, (struct bpf_insn){.code = zero[i]}, &n);
    assert_narrow("same register", i, &n, (struct set)C(0));
  }
}

#define J(op) BPF_JMP | (op) | BPF_X
#define J32(op) BPF_JMP32 | (op) | BPF_X

/* What is known of both sides when the jump is taken; `not` instead: when it isn't. */
static const struct {
  uint8_t code;
  bool taken;
  struct set left, right, left_after, right_after;
} branches[] = {
    {J(BPF_JEQ), true, ALL, C(7), C(7), C(7)},
    {J(BPF_JEQ), true, U(0, 10), U(5, 20), U(5, 10), U(5, 10)},
    {J(BPF_JEQ), true, B(0, 6), B(0, 5), B(0, 4), B(0, 4)},
    {J(BPF_JEQ), true, U(0, 4), U(5, 20), NONE, NONE},
    {J(BPF_JEQ), true, B(1, 6), B(0, 6), NONE, NONE},
    {J(BPF_JEQ), false, U(0, 4), C(0), U(1, 4), C(0)},
    {J(BPF_JEQ), false, U(0, 4), C(4), U(0, 3), C(4)},
    {J(BPF_JEQ), false, C(4), C(4), NONE, NONE},
    {J(BPF_JNE), true, C(0), U(0, 1), C(0), C(1)},
    {J(BPF_JNE), false, ALL, S(-3, -1), S(-3, -1), S(-3, -1)},
    /* A step of 4 from 0 that isn't 0 is at least 4. */
    {J(BPF_JNE), true, B(0, 0xfc), C(0), U(4, 252), C(0)},
    {J(BPF_JGT), true, ALL, C(7), U(8, UINT64_MAX), C(7)},
    {J(BPF_JGT), false, ALL, C(7), U(0, 7), C(7)},
    {J(BPF_JGT), true, U(3, 9), U(5, 12), U(6, 9), U(5, 8)},
    {J(BPF_JGT), true, ALL, C(UINT64_MAX), NONE, NONE},
    {J(BPF_JGE), true, U(0, 4), C(4), C(4), C(4)},
    {J(BPF_JGE), false, U(0, 4), C(4), U(0, 3), C(4)},
    {J(BPF_JGE), false, ALL, C(0), NONE, NONE},
    {J(BPF_JLT), true, ALL, C(16), U(0, 15), C(16)},
    {J(BPF_JLT), true, ALL, C(0), NONE, NONE},
    {J(BPF_JLE), false, U(0, 4), U(2, 9), U(3, 4), U(2, 3)},
    {J(BPF_JSGT), true, ALL, C(-1), U(0, INT64_MAX), C(-1)},
    {J(BPF_JSGT), false, S(-5, 5), C(-1), S(-5, -1), C(-1)},
    {J(BPF_JSGT), true, ALL, C(INT64_MAX), NONE, NONE},
    {J(BPF_JSGE), true, S(-5, 5), C(0), U(0, 5), C(0)},
    {J(BPF_JSLT), true, S(-5, 5), C(0), S(-5, -1), C(0)},
    {J(BPF_JSLT), true, ALL, C(INT64_MIN), NONE, NONE},
    {J(BPF_JSLE), false, S(-5, 5), S(-2, 9), S(-1, 5), S(-2, 4)},
    /* Signed and unsigned tests together: 0 <= x < 16. */
    {J(BPF_JSLT), true, U(0, INT64_MAX), C(16), U(0, 15), C(16)},
    /* Bits. */
    {J(BPF_JSET), true, ALL, C(8), B(8, ~8ull), C(8)},
    {J(BPF_JSET), false, ALL, C(0xf0), B(0, ~0xf0ull), C(0xf0)},
    {J(BPF_JSET), true, U(0, 7), C(8), NONE, NONE},
    {J(BPF_JSET), false, B(9, 6), C(8), NONE, NONE},
    {J(BPF_JSET), true, B(0, 12), B(0, 6), B(4, 8), B(4, 2)},
    /* The lower halves only. */
    {J32(BPF_JEQ), true, ALL, C(7), LU(7, 7), C(7)},
    {J32(BPF_JEQ), true, U(0, UINT32_MAX), C(7), C(7), C(7)},
    {J32(BPF_JLT), true, ALL, C(16), LU(0, 15), C(16)},
    {J32(BPF_JLT), true, U(0, UINT32_MAX), C(16), U(0, 15), C(16)},
    {J32(BPF_JLT), false, U(0, 15), C(16), NONE, NONE},
    /* A sign-extended 32-bit value keeps its signed range: Linux, "bpf: deduce signed 64-bit ranges from 32-bit ones". */
    {J32(BPF_JSGT), true, S(INT32_MIN, INT32_MAX), C(-1), U(0, INT32_MAX), C(-1)},
    {J32(BPF_JSLT), true, S(INT32_MIN, INT32_MAX), C(-5), S(INT32_MIN, -6), C(-5)},
    {J32(BPF_JSET), false, ALL, C(-1), B(0, 0xffffffff00000000), C(-1)},
    {J32(BPF_JNE), false, B(0, 0xffffffff), C(5), C(5), C(5)},
};

static void test_jumps_teach_this_much(void **state) {
  for (unsigned i = 0; i < sizeof branches / sizeof *branches; i++) {
    struct proof_number left = make(branches[i].left), right = make(branches[i].right);
    bool feasible = proof_number_branch(branches[i].code, branches[i].taken, &left, &right);
    if (feasible != (branches[i].left_after.kind != NOTHING)) fail_msg("row %u: feasible %d", i, feasible);
    if (!feasible) continue;
    assert_narrow("left", i, &left, branches[i].left_after);
    assert_narrow("right", i, &right, branches[i].right_after);
  }
}

/* Bits, both readings and both halves deduce each other. Rows: two facts of one value, and what follows from both. */
static const struct {
  struct set one, other, both;
} deductions[] = {
    {B(4, 3), ALL, U(4, 7)},
    {B(0, 0xfc), U(1, 250), U(4, 248)},
    {U(0, 100), S(-5, 50), U(0, 50)},
    {U(10, -3), S(-100, 5), S(-100, -3)}, /* no value from 0 to 9, so all are negative */
    {U(0x100000000, 0x1000000ff), ALL, LU(0, 0xff)},
    {U(0x7ffffff0, 0x80000010), ALL, LU(0x7ffffff0, 0x80000010)},
    {U(0xfffffff0, 0x100000010), ALL, LS(-16, 16)},
    {U(0, UINT32_MAX), LU(3, 9), U(3, 9)},
    {U(0x100000005, 0x300000005), LU(7, 9), U(0x100000005, 0x300000005)},
    {S(-5, INT32_MAX), LS(-3, 4), S(-3, 4)},
    {S(-5, 5), LU(0, 3), U(0, 3)},
    {U(0x40, 0x4f), ALL, B(0x40, 0xf)},
    {LU(0x40, 0x4f), ALL, B(0x40, 0xffffffff0000000f)},
    {U(0, 4), U(4, 9), C(4)},
    {U(0, 4), U(5, 9), NONE},
    {B(0, 0xf0), U(1, 15), NONE},
    {S(-5, -1), LS(0, 9), NONE},
};

static void test_deductions(void **state) {
  for (unsigned i = 0; i < sizeof deductions / sizeof *deductions; i++) {
    struct proof_number n = make(deductions[i].one), other = make(deductions[i].other);
    bool some = proof_number_meet(&n, &other);
    if (some != (deductions[i].both.kind != NOTHING)) fail_msg("row %u: has members %d", i, some);
    if (some) assert_narrow("deduction", i, &n, deductions[i].both);
  }
}

/* A join is the hull, an inclusion is seen where it holds. */
static void test_join_and_inclusion(void **state) {
  struct proof_number a = make((struct set)U(1, 3)), b = make((struct set)U(8, 9)), join = proof_number_join(&a, &b);
  assert_narrow("join", 0, &join, (struct set)U(1, 9));
  a = proof_number_constant(0);
  b = proof_number_constant(4);
  join = proof_number_join(&a, &b);
  assert_narrow("join", 1, &join, (struct set)B(0, 4));
  assert_true(proof_number_within(&a, &join));
  assert_false(proof_number_within(&join, &a));
  struct proof_number all = proof_number_unknown();
  assert_true(proof_number_within(&join, &all));
  assert_false(proof_number_within(&all, &join));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arithmetic_is_this_precise), cmocka_unit_test(test_a_register_with_itself),
      cmocka_unit_test(test_jumps_teach_this_much),      cmocka_unit_test(test_deductions),
      cmocka_unit_test(test_join_and_inclusion),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
