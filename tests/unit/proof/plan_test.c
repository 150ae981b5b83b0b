/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Proofs as bytes: malformed ones are refused, and whatever the bytes the checker ends, having asked for no more than it stated.
 */
#include "tests/unit/proof/proof_case.h"

#include "proof/plan_format.h"

/* for (r6 = 0; r6 < 10; r6++) r0 += r6; written by hand from docs/proof.md. */
static const struct bpf_insn program[] = {
    MOV_IMM(6, 0), MOV_IMM(0, 0), ADD(0, 6), ADD_IMM(6, 1), JUMP_IMM(BPF_JLT, 6, 10, -3), EXIT()};
static const uint8_t good[] = {
    1,              /* version */
    40, 4, 0,       /* work, states, slots */
    1,  1, 1, 2,    /* roots, entries, records, changes */
    0,  0, 1,       /* root: slot 0, a program, 1 entry */
    2,  2,          /* a loop, depth 0, nothing in common; slot 2 */
    0,  6,          /* slack 0; body 3 instructions, no calls */
    0,  2,          /* from slot 2 - 0 to 2 + 2 */
    6,  2,          /* measure r6; step 1 */
    1,  2,          /* 1 record of 2 changes */
    0,  1, 0,       /* r0: a number, any */
    5,  1, 1, 0, 9, /* r6: a number, without a sign 0 to 0 + 9 */
};

static struct proof_verdict check(const uint8_t *proof, size_t length) {
  struct bpf_fact facts[COUNT(program)];
  struct proof_program whole;
  const struct proof_input input = case_input(program, COUNT(program), &whole);
  struct proof_verdict verdict;
  const size_t size = proof_check_memory(&input, proof, length);
  assert_true(size <= PROOF_MAX_ARENA);
  void *arena = malloc(size != 0 ? size : 1);
  proof_check(&input, proof, length, arena, facts, &verdict);
  free(arena);
  assert_int_equal(verdict.accepted, verdict.failure.kind == PROOF_OK);
  return verdict;
}

/* The format is what its specification says: bytes written by hand are a proof. */
static void test_written_by_hand(void **state) {
  const struct proof_verdict verdict = check(good, sizeof good);
  assert_int_equal(verdict.failure.kind, PROOF_OK);
  assert_int_equal(verdict.root[0].cost.insns, 2 + 9 * 3 + 4);
}

/* Cut off anywhere, or with a byte too many, it is none. */
static void test_length(void **state) {
  uint8_t longer[sizeof good + 1] = {0};
  for (size_t length = 0; length < sizeof good; length++) {
    assert_int_equal(check(good, length).failure.kind, PROOF_BAD_PROOF);
  }
  memcpy(longer, good, sizeof good);
  assert_int_equal(check(longer, sizeof longer).failure.kind, PROOF_BAD_PROOF);
}

/* One byte changed, and what is wrong then. */
static void test_changed(void **state) {
  static const struct {
    const char *says;
    unsigned at;
    uint8_t byte;
    enum proof_failure_kind kind;
  } rows[] = {
      {"another version", 0, 2, PROOF_BAD_PROOF},
      {"too little work", 1, 5, PROOF_NO_WORK},
      {"too few states", 2, 1, PROOF_NO_STATES},
      {"two roots of which one is there", 4, 2, PROOF_BAD_PROOF},
      {"two entries of which one is there", 5, 2, PROOF_BAD_PROOF},
      {"no entries but one", 5, 0, PROOF_BAD_PROOF},
      {"more records than there are", 6, 2, PROOF_BAD_PROOF},
      {"more changes than there are", 7, 3, PROOF_BAD_PROOF},
      {"no root", 8, 3, PROOF_NO_POINT},
      {"a root of timers", 9, 1, PROOF_NO_POINT},
      {"a split instead of the loop, and its fields left", 11, 0, PROOF_BAD_PROOF},
      {"an entry at depth 1", 11, 6, PROOF_BAD_PROOF},
      {"something in common with nothing", 11, 34, PROOF_BAD_PROOF},
      {"an entry elsewhere", 12, 3, PROOF_NO_POINT},
      {"body too short", 14, 4, PROOF_BODY},
      {"it begins before the first slot", 15, 3, PROOF_BAD_PROOF},
      {"a measure that is no location", 17, 12, PROOF_BAD_PROOF},
      {"another measure", 17, 1, PROOF_BAD_MEASURE},
      {"a step of 0", 18, 0, PROOF_BAD_PROOF},
      {"down instead of up", 18, 1, PROOF_NO_MEASURE},
      {"r0 a packet pointer", 22, PROOF_PACKET, PROOF_BAD_PROOF},
      {"r0 the context", 22, PROOF_CONTEXT, PROOF_NOT_WITHIN},
      {"a kind that there is not", 22, 15, PROOF_BAD_PROOF},
      {"a function out of nothing", 22, PROOF_FUNCTION, PROOF_BAD_PROOF},
      {"r6 twice", 24, 255, PROOF_BAD_PROOF},
      {"r6 up to 8", 28, 8, PROOF_NOT_WITHIN},
      {"r6 from 1", 27, 1, PROOF_NOT_WITHIN},
  };
  for (unsigned i = 0; i < COUNT(rows); i++) {
    uint8_t proof[sizeof good];
    memcpy(proof, good, sizeof good);
    proof[rows[i].at] = rows[i].byte;
    const struct proof_verdict verdict = check(proof, sizeof proof);
    if (verdict.failure.kind != rows[i].kind) fail_msg("%s: refusal %d", rows[i].says, (int)verdict.failure.kind);
  }
}

/* Counts that no proof of this length can have cost no memory. */
static void test_large_counts(void **state) {
  static const uint8_t many[] = {1, 1, 1, 0, 0, 0, 0xff, 0xff, 0x03, 0};
  static const uint8_t states[] = {1, 1, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0};
  static const uint8_t work[] = {1, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 0, 0};
  static const uint8_t endless[] = {1,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0,    0,    0,    0,    0,    0};
  assert_int_equal(proof_plan_memory(many, sizeof many), 0);
  assert_int_equal(proof_plan_memory(states, sizeof states), 0);
  assert_int_equal(proof_plan_memory(work, sizeof work), 0);
  assert_int_equal(proof_plan_memory(endless, sizeof endless), 0);
}

/* Any bytes: it ends, and claims no less than the 33 instructions that the program takes. */
static void test_any_bytes(void **state) {
  uint64_t seed = 0x9e3779b97f4a7c15;
  unsigned decoded = 0, accepted = 0;
  for (unsigned round = 0; round < 20000; round++) {
    uint8_t proof[sizeof good];
    memcpy(proof, good, sizeof good);
    for (unsigned changes = 1 + round % 4; changes > 0; changes--) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      proof[(seed >> 33) % sizeof good] = (uint8_t)((seed >> 20) % 3 == 0 ? seed >> 50 : seed >> 50 & 7);
    }
    const struct proof_verdict verdict = check(proof, sizeof proof);
    decoded += verdict.failure.kind != PROOF_BAD_PROOF;
    accepted += verdict.accepted;
    if (verdict.accepted) assert_true(verdict.root[0].cost.insns >= 33);
  }
  assert_true(decoded > 1000);
  assert_true(accepted > 10);
}

/* What the writer writes the reader reads: each kind of value, and each part of a number. */
static void test_values(void **state) {
  struct proof_number odd = proof_number_between_signed(-5, 100);
  odd.value |= 1;
  odd.mask &= ~(uint64_t)1;
  assert_true(proof_number_settle(&odd));
  struct proof_change changes[] = {
      {.location = 0, .value = {.kind = PROOF_SCALAR, .origin = 2, .moved_min = -3, .moved_max = 4, .number = odd}},
      {.location = 1, .value = {.kind = PROOF_CONTEXT, .delta = 4, .number = proof_number_constant(0)}},
      {.location = 2, .value = {.kind = PROOF_PACKET, .delta = -14, .room = -2, .number = proof_number_between(0, 60)}},
      {.location = 3, .value = {.kind = PROOF_META, .room = PROOF_NO_ROOM, .number = proof_number_constant(0)}},
      {.location = 4, .value = {.kind = PROOF_PACKET_END, .number = proof_number_constant(0)}},
      {.location = 5,
       .value = {.kind = PROOF_MAP_VALUE, .object = 3, .or_null = true, .number = proof_number_constant(0)}},
      {.location = 6, .value = {.kind = PROOF_STACK, .object = 1, .delta = -8, .number = proof_number_between(0, 7)}},
      {.location = 7,
       .linked = true,
       .link = 2,
       .value = {.kind = PROOF_SCALAR, .delta = 9, .number = proof_number_between(5, 1u << 31)}},
      {.location = 8, .value = {.kind = PROOF_MAP, .object = 1 | PROOF_INNER, .number = proof_number_constant(0)}},
      {.location = PROOF_FIRST_SLOT,
       .written = 0xff,
       .at = 0,
       .size = 8,
       .value = {.kind = PROOF_RECORD, .room = 24, .number = proof_number_constant(0)}},
      {.location = PROOF_FIRST_SLOT + 3,
       .written = 0xf3,
       .at = 4,
       .size = 4,
       .value = {.kind = PROOF_SCALAR, .number = proof_number_constant(77)}},
      {.location = PROOF_FIRST_SLOT + 9, .written = 0x0f},
      {.location = PROOF_FIRST_SLOT + 70},
  };
  struct proof_root root = {.map = PROOF_NO_MAP, .entry_count = 1};
  struct proof_entry entry = {.kind = PROOF_MERGE, .depth = 1, .key = {4, 9}, .slack = {3, 2}, .record_count = 1};
  struct proof_record record = {0, COUNT(changes)};
  const struct proof_plan plan = {{100, 10, 5}, &root, 1, &entry, 1, &record, 1, changes, COUNT(changes)};
  struct proof_plan read;
  uint8_t proof[512];
  _Alignas(8) uint8_t memory[4096];
  const size_t length = proof_plan_encode(&plan, proof, sizeof proof);
  assert_in_range(length, 1, sizeof proof);
  assert_in_range(proof_plan_memory(proof, length), 1, sizeof memory);
  assert_true(proof_plan_decode(proof, length, memory, &read));
  assert_int_equal(read.change_count, COUNT(changes));
  assert_memory_equal(&read.entries[0].key, &entry.key, sizeof entry.key);
  assert_memory_equal(&read.entries[0].slack, &entry.slack, sizeof entry.slack);
  for (unsigned i = 0; i < COUNT(changes); i++) {
    struct proof_change expected = changes[i];
    if (expected.value.kind == PROOF_UNREADABLE) expected.value.number = proof_number_constant(0);
    assert_int_equal(read.changes[i].location, expected.location);
    assert_int_equal(read.changes[i].written, expected.written);
    assert_int_equal(read.changes[i].linked, expected.linked);
    assert_int_equal(read.changes[i].link, expected.link);
    if (memcmp(&read.changes[i].value, &expected.value, sizeof expected.value) != 0)
      fail_msg("change %u is another", i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_written_by_hand), cmocka_unit_test(test_length),
                                     cmocka_unit_test(test_changed),         cmocka_unit_test(test_large_counts),
                                     cmocka_unit_test(test_any_bytes),       cmocka_unit_test(test_values)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
