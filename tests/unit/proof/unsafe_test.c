/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Programs of every class that a verifier must refuse are refused, at the instruction at fault and for the reason that is true of it; their
 * safe twins are accepted, and the checker alone accepts the twins' proofs. Linux's verifier says the same of them, where we may ask it,
 * but for the differences that rows explain.
 */
#include "tests/unit/proof/unsafe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/proof/unsafe_linux.h"
#include "verifier/verify.h"

enum {
  LEAST_CLASSES = 80,
  INSNS_MOST = 4000, /* that may be executed: few, so that what has no end is refused soon */
};

static const struct unsafe_table *const tables[] = {&unsafe_packet,  &unsafe_context,  &unsafe_number,
                                                    &unsafe_pointer, &unsafe_stack,    &unsafe_record,
                                                    &unsafe_lock,    &unsafe_argument, &unsafe_control};

static const struct bpf_map_def definitions[UNSAFE_MAPS] = {
    [MAP_ARRAY] = {.name = "array",
                   .type = BPF_MAP_TYPE_ARRAY,
                   .key_size = 4,
                   .value_size = UNSAFE_VALUE,
                   .max_entries = UNSAFE_ENTRIES},
    [MAP_HASH] = {.name = "hash",
                  .type = BPF_MAP_TYPE_HASH,
                  .key_size = 4,
                  .value_size = UNSAFE_VALUE,
                  .max_entries = UNSAFE_ENTRIES},
    [MAP_LOCKED] = {.name = "locked",
                    .type = BPF_MAP_TYPE_ARRAY,
                    .key_size = 4,
                    .value_size = UNSAFE_VALUE,
                    .max_entries = UNSAFE_ENTRIES,
                    .spin_lock = 1},
    [MAP_RING] = {.name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = UNSAFE_RING},
    [MAP_PROGRAMS] = {.name = "programs",
                      .type = BPF_MAP_TYPE_PROG_ARRAY,
                      .key_size = 4,
                      .value_size = 4,
                      .max_entries = UNSAFE_ENTRIES},
    [MAP_CONSTANT] = {.name = "constant",
                      .type = BPF_MAP_TYPE_ARRAY,
                      .key_size = 4,
                      .value_size = UNSAFE_VALUE,
                      .max_entries = 1,
                      .flags = BPF_F_RDONLY_PROG},
};

/* The verdict on these instructions. */
static bool judge(struct unsafe_code code, struct proof_failure *failure) {
  *failure = (struct proof_failure){.kind = PROOF_BAD_PROGRAM};
  if (bpf_check(code.insns, code.count, UNSAFE_MAPS, NULL) != 0) return false;
  struct proof_map maps[UNSAFE_MAPS];
  for (int i = 0; i < UNSAFE_MAPS; i++)
    maps[i] = (struct proof_map){.def = &definitions[i]};
  const struct proof_program program = {0, code.count};
  const struct proof_input input = {.insns = code.insns,
                                    .insn_count = code.count,
                                    .programs = &program,
                                    .program_count = 1,
                                    .kind = BPF_PROGRAM_XDP,
                                    .maps = maps,
                                    .map_count = UNSAFE_MAPS,
                                    .max_insns = INSNS_MOST};
  struct verify_result result;
  verify(&input, NULL, 0, &result);
  bool accepted = result.end == VERIFY_PROVEN;
  *failure = result.verdict.failure;
  if (accepted) {
    const uint8_t *proof = (const uint8_t *)result.proof.data;
    size_t size = proof_check_memory(&input, proof, result.proof.length);
    void *arena = malloc(size);
    struct bpf_fact *facts = calloc(code.count, sizeof *facts);
    struct proof_verdict verdict;
    assert_true(size > 0 && arena != NULL && facts != NULL);
    assert_true(proof_check(&input, proof, result.proof.length, arena, facts, &verdict));
    free(facts);
    free(arena);
  }
  verify_free(&result);
  return accepted;
}

/* A loop without an end can be followed until the states or the instructions are used up, or be asked for a measure: which of them comes first
 * is up to the search, and so is the place in the loop. */
static bool is_endless(enum proof_failure_kind kind) {
  return kind == PROOF_NO_MEASURE || kind == PROOF_NO_STATES || kind == PROOF_NO_WORK || kind == PROOF_BODY ||
         kind == PROOF_COST || kind == PROOF_TOO_LONG || kind == PROOF_BAD_MEASURE;
}

static bool is_right(const struct unsafe *row, const struct proof_failure *failure) {
  if (is_endless(row->kind)) return is_endless(failure->kind) && failure->pc <= row->at;
  return failure->kind == row->kind && (row->kind == PROOF_BAD_PROGRAM || failure->pc == row->at);
}

/* Each is refused, where and why it must be. */
static void unsafe_programs_are_refused(void **state) {
  uint32_t wrong = 0, classes = 0;
  for (size_t t = 0; t < COUNT(tables); t++) {
    for (const struct unsafe *row = tables[t]->rows; row < tables[t]->rows + tables[t]->count; row++, classes++) {
      struct proof_failure failure;
      bool accepted = judge(row->code, &failure);
      if (!accepted && is_right(row, &failure)) continue;
      print_error("%s: %s: %s kind %d at %u, not kind %d at %u\n", tables[t]->name, row->what,
                  accepted ? "accepted:" : "refused:", (int)failure.kind, failure.pc, (int)row->kind, row->at);
      wrong++;
    }
  }
  assert_int_equal(wrong, 0);
  assert_true(classes >= LEAST_CLASSES);
}

/* What differs from them in what makes it safe is accepted, and its proof too. */
static void their_safe_twins_are_accepted(void **state) {
  uint32_t wrong = 0, twins = 0;
  for (size_t t = 0; t < COUNT(tables); t++) {
    for (const struct unsafe *row = tables[t]->rows; row < tables[t]->rows + tables[t]->count; row++) {
      struct proof_failure failure;
      if (row->safe.count == 0) continue;
      twins++;
      if (judge(row->safe, &failure)) continue;
      print_error("%s: safe twin of %s: refused: kind %d at %u\n", tables[t]->name, row->what, (int)failure.kind,
                  failure.pc);
      wrong++;
    }
  }
  assert_int_equal(wrong, 0);
  assert_true(twins >= LEAST_CLASSES);
}

static void linux_on(const struct unsafe_table *table, const struct unsafe *row, struct unsafe_code code, bool expected,
                     uint32_t *wrong) {
  char why[256] = "";
  if (code.count == 0 || (unsafe_linux_load(code.insns, code.count, why, sizeof why) == 0) == expected) return;
  print_error("%s: %s%s: Linux %s %s\n", table->name, expected ? "safe twin of " : "", row->what,
              expected ? "refuses:" : "accepts", why);
  ++*wrong;
}

/* Linux refuses and accepts the same, but for what rows explain. */
static void linux_says_the_same(void **state) {
  struct unsafe_linux_map maps[UNSAFE_MAPS];
  for (int i = 0; i < UNSAFE_MAPS; i++)
    maps[i] =
        (struct unsafe_linux_map){(uint32_t)definitions[i].type, definitions[i].key_size, definitions[i].value_size,
                                  definitions[i].max_entries,    definitions[i].flags,    i == MAP_LOCKED};
  if (unsafe_linux_open(maps, UNSAFE_MAPS) != 0) {
    print_message("no comparison with Linux: bpf(BPF_MAP_CREATE) is refused\n");
    skip();
  }
  uint32_t wrong = 0;
  for (size_t t = 0; t < COUNT(tables); t++) {
    for (const struct unsafe *row = tables[t]->rows; row < tables[t]->rows + tables[t]->count; row++) {
      linux_on(tables[t], row, row->code, row->linux_accepts != NULL, &wrong);
      linux_on(tables[t], row, row->safe, row->linux_refuses == NULL, &wrong);
    }
  }
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unsafe_programs_are_refused),
      cmocka_unit_test(their_safe_twins_are_accepted),
      cmocka_unit_test(linux_says_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
