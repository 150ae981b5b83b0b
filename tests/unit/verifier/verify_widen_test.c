/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Widening by thresholds. Expected bounds follow from the rule in verify_widen.h by hand.
 */
#include "verifier/verify_widen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* r1 != 63 and w2 < 100 are compared, r3 is masked with 0xf0 and taken modulo 10, r4 + 77 bounds nothing. */
static const struct bpf_insn code[] = {
    {.code = BPF_JMP | BPF_JNE | BPF_K, .regs = 1, .imm = 63},
    {.code = BPF_JMP32 | BPF_JLT | BPF_K, .regs = 2, .imm = 100},
    {.code = BPF_ALU64 | BPF_AND | BPF_K, .regs = 3, .imm = 240},
    {.code = BPF_ALU64 | BPF_MOD | BPF_K, .regs = 3, .imm = 10},
    {.code = BPF_ALU64 | BPF_ADD | BPF_K, .regs = 4, .imm = 77},
    {.code = BPF_JMP | BPF_EXIT},
};

static bool has(const struct thresholds *t, uint64_t value) {
  for (uint32_t i = 0; i < t->count; i++)
    if (t->values[i] == value) return true;
  return false;
}

/* Thresholds are what the program compares with and one beside, what its masks and remainders leave, map sizes; in order. */
static void thresholds_are_the_programs_numbers(void **state) {
  static const uint64_t in[] = {62, 63, 64, 99, 100, 101, 240, 8, 9, 10, 4095, 4096, 4097, 65535, 255, 127, UINT64_MAX};
  static const uint64_t out[] = {61, 77, 76, 98, 102, 4098, 3, 1023};
  const struct bpf_map_def map = {.max_entries = 4096};
  static struct thresholds t;
  thresholds_collect(&t, code, 0, COUNT(code) - 1, &map, 1);
  for (size_t i = 0; i < COUNT(in); i++)
    assert_true(has(&t, in[i]));
  for (size_t i = 0; i < COUNT(out); i++)
    assert_false(has(&t, out[i]));
  for (uint32_t i = 1; i < t.count; i++)
    assert_true(t.values[i - 1] < t.values[i]);
  thresholds_collect(&t, code, 2, 2, NULL, 0);
  assert_false(has(&t, 100));
}

/* A bound that grows goes to the next threshold, one that doesn't stays. */
static void bounds_go_to_the_next_threshold(void **state) {
  static const struct {
    int64_t known[2], arrival[2], widened[2];
  } rows[] = {
      {{0, 0}, {1, 1}, {0, 8}},       /* one less than the largest remainder of % 10 */
      {{0, 8}, {1, 9}, {0, 9}},       /* the remainder */
      {{0, 31}, {1, 32}, {0, 62}},    /* one less than the 63 that is compared with */
      {{0, 62}, {1, 62}, {0, 62}},    /* nothing grew */
      {{0, 62}, {1, 65}, {0, 99}},    /* one less than 100 */
      {{64, 64}, {60, 60}, {12, 64}}, /* downwards to 10, and both are multiples of 4 */
      {{0, 255}, {1, 256}, {0, 32767}}, {{-1, 0}, {-3, -2}, {-128, 0}}, /* no constant below 0: the limit of 8 bits */
      {{-4, 5}, {-4, 5}, {-4, 5}},
  };
  static struct thresholds t;
  thresholds_collect(&t, code, 0, COUNT(code) - 1, NULL, 0);
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct proof_number known = proof_number_between_signed(rows[i].known[0], rows[i].known[1]);
    struct proof_number arrival = proof_number_between_signed(rows[i].arrival[0], rows[i].arrival[1]);
    struct proof_number n = widen(&known, &arrival, &t);
    assert_int_equal(n.wide.smin, rows[i].widened[0]);
    assert_int_equal(n.wide.smax, rows[i].widened[1]);
    assert_true(proof_number_within(&known, &n) && proof_number_within(&arrival, &n));
  }
}

/* A counter that goes up by 4 keeps its alignment, and comes to rest. */
static void alignment_survives_and_widening_ends(void **state) {
  static struct thresholds t;
  struct proof_number n = proof_number_constant(0);
  unsigned steps = 0;
  thresholds_coarse(&t);
  for (; steps < 200; steps++) {
    struct proof_number next = proof_number_add(&n, 4);
    if (proof_number_within(&next, &n)) break;
    n = widen(&n, &next, &t);
  }
  assert_true(steps < 24); /* 12 limits, with and without sign */
  assert_int_equal(n.mask & 3, 0);
  assert_int_equal(n.value & 3, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(thresholds_are_the_programs_numbers),
      cmocka_unit_test(bounds_go_to_the_next_threshold),
      cmocka_unit_test(alignment_survives_and_widening_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
