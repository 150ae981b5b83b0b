/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Programs written by hand, in a row with what the checker must say about each: accepted, or why not and where.
 */
#ifndef IMAGO_TESTS_PROOF_CASE_H
#define IMAGO_TESTS_PROOF_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proof/check.h"
#include "tests/unit/bpf/asm.h"

enum { CASE_INSNS = 40, CASE_ENTRIES = 3, CASE_CHANGES = 4, CASE_ALONE = 2, CASE_PROOF = 512 };

/* Maps that all programs may use. */
enum { ARRAY, LOCKED, RING, CONSTANT, PROGRAMS, HASH, GLOBAL, TIMERS, OUTER, READ_ONLY, CASE_MAPS };

struct proof_case {
  const char *says; /* the sentence that it proves */
  enum proof_failure_kind kind;
  uint32_t pc; /* of the refusal */
  struct bpf_insn insns[CASE_INSNS];
  uint32_t count;
  struct proof_root alone[CASE_ALONE]; /* functions that are checked alone; others have map 0 */
  uint32_t entry_count;
  struct proof_entry entries[CASE_ENTRIES]; /* of the program */
  /* One record for each entry but splits, with the changes that name it. */
  struct {
    uint32_t entry;
    struct proof_change change;
  } changes[CASE_CHANGES];
  uint32_t change_count;
  uint32_t insns_at_most; /* the bound expected; 0: not looked at */
};
#define INSNS(...) .insns = {__VA_ARGS__}, .count = sizeof((struct bpf_insn[]){__VA_ARGS__}) / sizeof(struct bpf_insn)

extern const struct proof_map case_maps[CASE_MAPS];

/* The input for a single XDP program. */
struct proof_input case_input(const struct bpf_insn *insns, uint32_t count, struct proof_program *program);
/* Walks it. */
struct proof_verdict case_walk(const struct proof_case *c, struct bpf_fact *facts);
/* The verdict of each is the one that it states. */
void cases_run(const struct proof_case *cases, unsigned count);
#define RUN_CASES(cases) cases_run(cases, COUNT(cases))

/* Values for changes: any number, or one in a range of which nothing is deduced. */
/* clang-format off */
#define CASE_BETWEEN(low, high) {.kind = PROOF_SCALAR, .number = \
  {0, UINT64_MAX, {low, high, INT64_MIN, INT64_MAX}, {0, UINT32_MAX, INT32_MIN, INT32_MAX}}}
/* clang-format on */
#define CASE_ANY CASE_BETWEEN(0, UINT64_MAX)
#endif
