/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Walking one case.
 */
#include "tests/unit/proof/proof_case.h"

static const struct bpf_map_def defs[CASE_MAPS] = {
    [ARRAY] = {.name = "array", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 4},
    [LOCKED] = {.name = "locked",
                .type = BPF_MAP_TYPE_HASH,
                .key_size = 4,
                .value_size = 16,
                .max_entries = 8,
                .spin_lock = 1},
    [RING] = {.name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
    [CONSTANT] = {.name = ".rodata",
                  .type = BPF_MAP_TYPE_ARRAY,
                  .key_size = 4,
                  .value_size = 16,
                  .max_entries = 1,
                  .flags = BPF_F_RDONLY_PROG},
    [PROGRAMS] =
        {.name = "programs", .type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2},
    [HASH] = {.name = "hash", .type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 8},
    [GLOBAL] = {.name = ".bss", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 1},
    [TIMERS] =
        {.name = "timers", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 24, .max_entries = 2, .timer = 1},
    [OUTER] = {.name = "outer",
               .type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
               .key_size = 4,
               .value_size = 4,
               .max_entries = 2,
               .inner = {BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0}},
    [READ_ONLY] = {.name = "ro",
                   .type = BPF_MAP_TYPE_ARRAY,
                   .key_size = 4,
                   .value_size = 8,
                   .max_entries = 4,
                   .flags = BPF_F_RDONLY_PROG},
};

static const uint8_t constant[16] = "hi %d\0\0\0\x05\0\0\0\xff\xff\xff\xff";

const struct proof_map case_maps[CASE_MAPS] = {
    {&defs[0], NULL}, {&defs[1], NULL}, {&defs[2], NULL}, {&defs[3], constant}, {&defs[4], NULL},
    {&defs[5], NULL}, {&defs[6], NULL}, {&defs[7], NULL}, {&defs[8], NULL},     {&defs[9], NULL},
};

struct proof_input case_input(const struct bpf_insn *insns, uint32_t count, struct proof_program *program) {
  *program = (struct proof_program){0, count};
  return (struct proof_input){.insns = insns,
                              .insn_count = count,
                              .programs = program,
                              .program_count = 1,
                              .kind = BPF_PROGRAM_XDP,
                              .maps = case_maps,
                              .map_count = CASE_MAPS,
                              .max_insns = BPF_MAX_EXECUTED};
}

struct proof_verdict case_walk(const struct proof_case *c, struct bpf_fact *facts) {
  struct proof_entry entries[CASE_ENTRIES];
  struct proof_record records[CASE_ENTRIES];
  struct proof_change changes[CASE_CHANGES];
  struct proof_root roots[CASE_ALONE + 1];
  struct proof_plan plan = {{100000, 64, 64}, roots, 0, entries, c->entry_count, records, c->entry_count, changes, 0};
  struct proof_program program;
  const struct proof_input input = case_input(c->insns, c->count, &program);
  for (uint32_t i = 0; i < CASE_ALONE && c->alone[i].map == PROOF_ALONE; i++) {
    roots[plan.root_count++] = c->alone[i];
  }
  roots[plan.root_count++] = (struct proof_root){.map = PROOF_NO_MAP, .entry_count = c->entry_count};
  memcpy(entries, c->entries, sizeof entries);
  for (uint32_t e = 0; e < c->entry_count; e++) {
    records[e] = (struct proof_record){plan.change_count, 0};
    entries[e].first_record = e;
    entries[e].record_count = entries[e].kind == PROOF_SPLIT ? 0 : 1;
    for (uint32_t i = 0; i < c->change_count; i++) {
      if (c->changes[i].entry != e) continue;
      changes[plan.change_count] = c->changes[i].change;
      struct proof_number *number = &changes[plan.change_count++].value.number;
      assert_true(proof_number_settle(number));
      records[e].change_count++;
    }
  }
  struct proof_verdict verdict, checked;
  void *arena = malloc(proof_walk_memory(&input, &plan));
  assert_non_null(arena);
  proof_walk(&input, &plan, arena, NULL, facts, &verdict);
  free(arena);
  /* What is written and read again says the same. */
  uint8_t proof[CASE_PROOF];
  const size_t length = proof_plan_encode(&plan, proof, sizeof proof);
  assert_true(length <= sizeof proof);
  arena = malloc(proof_check_memory(&input, proof, length));
  assert_non_null(arena);
  proof_check(&input, proof, length, arena, facts, &checked);
  free(arena);
  assert_int_equal(checked.failure.kind, verdict.failure.kind);
  assert_int_equal(checked.failure.pc, verdict.failure.pc);
  assert_memory_equal(&checked.root[0].cost, &verdict.root[0].cost, sizeof verdict.root[0].cost);
  return verdict;
}

static bool case_is_wrong(const struct proof_case *c) {
  struct bpf_fact facts[CASE_INSNS];
  const struct proof_verdict verdict = case_walk(c, facts);
  if (verdict.failure.kind == c->kind && (c->kind == PROOF_OK || verdict.failure.pc == c->pc) &&
      verdict.accepted == (c->kind == PROOF_OK) &&
      (c->insns_at_most == 0 || verdict.root[0].cost.insns == c->insns_at_most)) {
    return false;
  }
  print_error("%s: refusal %d at %u, location %u, bound %u; expected %d at %u, bound %u\n", c->says,
              (int)verdict.failure.kind, verdict.failure.pc, verdict.failure.location, verdict.root[0].cost.insns,
              (int)c->kind, c->pc, c->insns_at_most);
  return true;
}

void cases_run(const struct proof_case *cases, unsigned count) {
  unsigned wrong = 0;
  for (unsigned i = 0; i < count; i++) {
    wrong += case_is_wrong(&cases[i]);
  }
  assert_int_equal(wrong, 0);
}
