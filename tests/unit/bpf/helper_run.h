/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What tests of helpers have in common: maps, and runs of a program with a context. Include after cmocka.h.
 */
#ifndef IMAGO_TESTS_BPF_HELPER_RUN_H
#define IMAGO_TESTS_BPF_HELPER_RUN_H

#include <string.h>

#include "lib/memory.h"
#include "tests/unit/bpf/asm.h"

static inline struct bpf_map *make(struct bpf_map_def def) {
  static const struct hash_key seed = {1, 2};
  struct bpf_map *map = NULL;
  const char *why = "";
  memcpy(def.name, "m", sizeof "m");
  if (bpf_map_create(&def, &seed, &map, &why) != 0) fail_msg("%s", why);
  return map;
}

/* Runs with a context and an empty packet, prepared, on processor 1. */
static inline struct bpf_result run_in(const struct bpf_environment *environment, const struct bpf_insn *insns,
                                       uint32_t count, struct bpf_map **maps, uint32_t map_count) {
  struct bpf_program program = {(struct bpf_insn *)insns, count, maps, map_count};
  const struct bpf_input input = {.data = 4096, .data_end = 4096, .processor = 1};
  struct bpf_result result;
  struct report report = {0};
  if (bpf_check(insns, count, map_count, &report) != 0) fail_msg("%s", text_string(&report.text));
  assert_int_equal(bpf_program_prepare(&program, NULL), 0);
  bpf_run(&program, environment, &input, &result);
  memory_free(program.functions);
  return result;
}
#define RUN_MAPS(insns, maps) run_in(&test_environment, insns, COUNT(insns), maps, COUNT(maps))

#endif
