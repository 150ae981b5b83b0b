/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Soundness of proof/number.h: every member of the operands, through the definition of RFC 9669, is a member of the result.
 * Small numbers with all their members around the values where ranges wrap, then random ones with some of theirs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proof/number.h"
#include "tests/unit/proof/number_test.h"
#include "tests/unit/proof/rfc9669.h"

enum { MEMBERS = 16, NUMBERS = 80, ROUNDS = 1000 };

struct sample {
  struct proof_number number;
  uint64_t member[MEMBERS];
  unsigned count;
};

/* Every ALU and ALU64 operation that bpf_check accepts, with a register as operand: all but the variants by offset or width. */
static const struct bpf_insn *operations(unsigned *count) {
  static struct bpf_insn list[128];
  static unsigned filled;
  if (filled == 0) {
    for (unsigned class = BPF_ALU; class <= BPF_ALU64; class += BPF_ALU64 - BPF_ALU) {
      for (unsigned op = BPF_ADD; op <= BPF_ARSH; op += 0x10) {
        int variants = op == BPF_DIV || op == BPF_MOD ? 2 : 1;
        unsigned source = op == BPF_NEG ? BPF_K : BPF_X;
        for (int off = 0; off < variants; off++)
          list[filled++] = (struct bpf_insn){.code = (uint8_t)(class | op | source), .off = (int16_t)off};
      }
      for (int bits = 8; bits <= (class == BPF_ALU64 ? 32 : 16); bits *= 2) {
        list[filled++] = (struct bpf_insn){.code = (uint8_t)(class | BPF_MOV | BPF_X), .off = (int16_t)bits};
      }
      for (int bits = 16; bits <= 64; bits *= 2) {
        list[filled++] = (struct bpf_insn){.code = (uint8_t)(class | BPF_END), .imm = bits};
        if (class == BPF_ALU) list[filled++] = (struct bpf_insn){.code = BPF_ALU | BPF_END | BPF_X, .imm = bits};
      }
    }
  }
  *count = filled;
  return list;
}

static const uint8_t comparisons[] = {BPF_JEQ,  BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT,
                                      BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE};

static void print_number(const char *name, const struct proof_number *n) {
  printf("%s: bits %#llx/%#llx u %#llx..%#llx s %lld..%lld u32 %#x..%#x s32 %d..%d\n", name,
         (unsigned long long)n->value, (unsigned long long)n->mask, (unsigned long long)n->wide.umin,
         (unsigned long long)n->wide.umax, (long long)n->wide.smin, (long long)n->wide.smax, (unsigned)n->low.umin,
         (unsigned)n->low.umax, (int)n->low.smin, (int)n->low.smax);
}

static void fail_with(const char *what, unsigned code, int off, const struct sample *a, const struct sample *b,
                      uint64_t x, uint64_t y, const struct proof_number *result) {
  print_number("left", &a->number);
  print_number("right", &b->number);
  print_number("result", result);
  fail_msg("%s, opcode %#x offset %d: %#llx and %#llx", what, code, off, (unsigned long long)x, (unsigned long long)y);
}

/* --- the properties --- */

/* "From members to members", also when an operand is an immediate or both are one register. */
static void check_alu(struct bpf_insn insn, const struct sample *a, const struct sample *b) {
  struct proof_number r = a->number;
  proof_number_alu(&r, insn, &b->number);
  for (unsigned i = 0; i < a->count; i++) {
    for (unsigned j = 0; j < b->count; j++) {
      uint64_t x = a->member[i], y = b->member[j];
      if (!proof_number_has(&r, rfc_alu(insn, x, y))) fail_with("arithmetic", insn.code, insn.off, a, b, x, y, &r);
    }
  }
  if (BPF_OP(insn.code) == BPF_END || BPF_OP(insn.code) == BPF_NEG) return;
  r = a->number;
  proof_number_alu(&r, insn, &r);
  for (unsigned i = 0; i < a->count; i++) {
    uint64_t x = a->member[i];
    if (!proof_number_has(&r, rfc_alu(insn, x, x))) fail_with("same register", insn.code, insn.off, a, a, x, x, &r);
  }
  if (BPF_OP(insn.code) == BPF_MOV && insn.off != 0) return;
  insn.code &= (uint8_t)~BPF_X;
  insn.imm = (int32_t)b->member[0];
  r = a->number;
  proof_number_alu(&r, insn, NULL);
  for (unsigned i = 0; i < a->count; i++) {
    uint64_t x = a->member[i], y = (uint64_t)(int64_t)insn.imm;
    if (!proof_number_has(&r, rfc_alu(insn, x, y))) fail_with("immediate", insn.code, insn.off, a, b, x, y, &r);
  }
}

/* "What is known of both operands after the jump was taken or not; false: that cannot happen." */
static void check_branch(uint8_t code, const struct sample *a, const struct sample *b) {
  struct proof_number left[2] = {a->number, a->number}, right[2] = {b->number, b->number};
  bool feasible[2];
  for (unsigned taken = 0; taken < 2; taken++)
    feasible[taken] = proof_number_branch(code, taken, &left[taken], &right[taken]);
  for (unsigned i = 0; i < a->count; i++) {
    for (unsigned j = 0; j < b->count; j++) {
      uint64_t x = a->member[i], y = b->member[j];
      unsigned taken = rfc_jumps(code, x, y);
      if (!feasible[taken]) fail_with("infeasible jump", code, (int)taken, a, b, x, y, &left[taken]);
      if (!proof_number_has(&left[taken], x)) fail_with("left of jump", code, (int)taken, a, b, x, y, &left[taken]);
      if (!proof_number_has(&right[taken], y)) fail_with("right of jump", code, (int)taken, a, b, x, y, &right[taken]);
    }
  }
}

/* A join has the members of both and both are within it; a meet has what both have; an inclusion that is seen holds. */
static void check_sets(const struct sample *a, const struct sample *b) {
  struct proof_number join = proof_number_join(&a->number, &b->number), meet = a->number;
  bool common = proof_number_meet(&meet, &b->number);
  bool within = proof_number_within(&a->number, &b->number);
  assert_true(proof_number_within(&a->number, &join) && proof_number_within(&b->number, &join));
  for (unsigned i = 0; i < a->count; i++) {
    uint64_t x = a->member[i];
    bool in_both = proof_number_has(&b->number, x);
    if (!proof_number_has(&join, x)) fail_with("join", 0, 0, a, b, x, x, &join);
    if (within && !in_both) fail_with("within", 0, 0, a, b, x, x, &join);
    if (in_both && (!common || !proof_number_has(&meet, x))) fail_with("meet", 0, 0, a, b, x, x, &meet);
  }
}

static void check_one(const struct sample *a) {
  for (unsigned bits = 1; bits <= 64; bits++) {
    for (unsigned is_signed = 0; is_signed < 2; is_signed++) {
      struct proof_number r = a->number;
      proof_number_extend(&r, bits, is_signed);
      for (unsigned i = 0; i < a->count; i++) {
        uint64_t x = a->member[i];
        if (!proof_number_has(&r, rfc_extend(x, bits, is_signed)))
          fail_with("extension", bits, (int)is_signed, a, a, x, x, &r);
      }
    }
  }
}

static void check_pair(const struct sample *a, const struct sample *b) {
  unsigned count;
  const struct bpf_insn *list = operations(&count);
  for (unsigned i = 0; i < count; i++)
    check_alu(list[i], a, b);
  for (unsigned i = 0; i < sizeof comparisons; i++) {
    check_branch(BPF_JMP | comparisons[i], a, b);
    check_branch(BPF_JMP32 | comparisons[i], a, b);
  }
  check_sets(a, b);
}

/* --- small numbers, with all their members --- */

static void collect_range(struct sample *s, uint64_t low, uint64_t high) {
  for (uint64_t v = low;; v++) {
    if (proof_number_has(&s->number, v)) s->member[s->count++] = v;
    if (v == high || s->count == MEMBERS) break;
  }
}

static void collect_bits(struct sample *s) {
  for (uint64_t part = 0;; part = (part - s->number.mask) & s->number.mask) {
    uint64_t v = s->number.value | part;
    if (proof_number_has(&s->number, v)) s->member[s->count++] = v;
    if (part == s->number.mask || s->count == MEMBERS) break;
  }
}

static const uint64_t edges[] = {0, 0x7f, INT32_MAX, UINT32_MAX, 0x1234567800000000, INT64_MAX, UINT64_MAX};
static const uint64_t masks[] = {1, 6, 0x80000001, 0x100000000, 0x8000000080000002};

static unsigned small_numbers(struct sample *list) {
  unsigned count = 0;
  for (unsigned e = 0; e < sizeof edges / sizeof *edges; e++) {
    /* Around the edge, wrapping over it where signed order doesn't. */
    for (unsigned width = 0; width < 5; width += 4) {
      struct sample *s = &list[count++];
      uint64_t low = edges[e] - width / 2, high = low + width;
      *s = (struct sample){low <= high ? proof_number_between(low, high)
                                       : proof_number_between_signed((int64_t)low, (int64_t)high)};
      collect_range(s, low, high);
      assert_int_equal(s->count, width + 1);
    }
    for (unsigned m = 0; m < sizeof masks / sizeof *masks; m++) {
      struct sample *s = &list[count++];
      *s = (struct sample){proof_number_unknown()};
      s->number.mask = masks[m];
      s->number.value = edges[e] & ~masks[m];
      assert_true(proof_number_settle(&s->number));
      collect_bits(s);
      assert_int_equal(s->count, 1u << __builtin_popcountll(masks[m]));
    }
  }
  assert_true(count <= NUMBERS);
  return count;
}

static void test_small_numbers_with_all_members(void **state) {
  static struct sample list[NUMBERS];
  unsigned count = small_numbers(list);
  for (unsigned i = 0; i < count; i++) {
    check_one(&list[i]);
    for (unsigned j = 0; j < count; j++)
      check_pair(&list[i], &list[j]);
  }
}

/* --- random numbers, with some members --- */

static uint64_t next_random(uint64_t *seed) {
  uint64_t z = *seed += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

/* Of any magnitude and sign, or near an edge: those where ranges change direction. */
static uint64_t random_value(uint64_t *seed) {
  uint64_t r = next_random(seed);
  if (r % 3 == 0) return edges[(r >> 8) % (sizeof edges / sizeof *edges)] + (r >> 16) % 9 - 4;
  uint64_t v = next_random(seed) >> (r >> 8) % 64;
  return r & 4 ? -v : v;
}

/* The join of some values, narrowed by jumps that the first of them passes: all kinds of knowledge at once. */
static void random_sample(struct sample *s, uint64_t *seed) {
  unsigned values = 1 + (unsigned)(next_random(seed) % 6);
  uint64_t kept = random_value(seed);
  s->number = proof_number_constant(kept);
  uint64_t candidate[MEMBERS] = {kept};
  unsigned candidates = 1;
  for (; candidates < values; candidates++) {
    uint64_t r = next_random(seed);
    uint64_t v = candidate[candidates] = r & 3 ? kept ^ (next_random(seed) >> r % 64) : random_value(seed);
    struct proof_number one = proof_number_constant(v);
    s->number = proof_number_join(&s->number, &one);
  }
  if (next_random(seed) % 8 == 0) s->number = proof_number_unknown();
  for (uint64_t narrow = next_random(seed) % 3; narrow > 0; narrow--) {
    uint64_t r = next_random(seed), bound = r & 1 ? random_value(seed) : kept + r % 5 - 2;
    uint8_t code = comparisons[(r >> 8) % sizeof comparisons] | (uint8_t)(r & 2 ? BPF_JMP : BPF_JMP32);
    struct proof_number limit = proof_number_constant(bound);
    assert_true(proof_number_branch(code, rfc_jumps(code, kept, bound), &s->number, &limit));
  }
  while (candidates < MEMBERS)
    candidate[candidates++] = random_value(seed);
  const uint64_t ends[] = {s->number.wide.umin, s->number.wide.umax, (uint64_t)s->number.wide.smin,
                           (uint64_t)s->number.wide.smax};
  for (unsigned i = 0; i < 4; i++)
    candidate[MEMBERS - 1 - i] = ends[i];
  s->count = 0;
  for (unsigned i = 0; i < MEMBERS; i++) {
    if (proof_number_has(&s->number, candidate[i])) s->member[s->count++] = candidate[i];
  }
  assert_true(proof_number_has(&s->number, kept));
}

static void test_random_numbers_with_sampled_members(void **state) {
  uint64_t seed = 1;
  for (unsigned round = 0; round < ROUNDS; round++) {
    struct sample a, b;
    random_sample(&a, &seed);
    random_sample(&b, &seed);
    check_one(&a);
    check_pair(&a, &b);
  }
}

/* A number without members is said to be so and is 0 then, so that nothing divides by a crossed range. */
static void test_contradictions_are_found_and_harmless(void **state) {
  struct proof_number n = proof_number_between(3, 5);
  struct proof_number other = proof_number_between(6, 9);
  assert_false(proof_number_meet(&n, &other));
  assert_true(proof_number_is_constant(&n) && proof_number_value(&n) == 0);
  n = proof_number_unknown();
  n.wide.umin = 5;
  n.wide.umax = 0;
  assert_false(proof_number_settle(&n));
  assert_true(proof_number_is_constant(&n) && proof_number_value(&n) == 0);
}

int number_test(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_small_numbers_with_all_members),
      cmocka_unit_test(test_random_numbers_with_sampled_members),
      cmocka_unit_test(test_contradictions_are_found_and_harmless),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
