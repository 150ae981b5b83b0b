/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_spin_lock and bpf_spin_unlock, as in Linux's kernel/bpf/helpers.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bpf/helper_run.h"

/* Lock, change, unlock. While it is held no other helper may be called, it cannot be taken twice, nor another be released, and what
 * a program forgets is released for it. The lock's bytes are out of reach, at any width. */
static void test_spin_lock(void **state) {
  struct bpf_map *maps[] = {make((struct bpf_map_def){
      .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 1, .spin_lock = 5})};
  struct bpf_insn insns[] = {
      /* 0 */ LOAD_KIND(6, BPF_PSEUDO_MAP_VALUE, 0, 0),
      MOV(1, 6),
      ADD_IMM(1, 4),
      CALL_HELPER(93),
      /* 5 */ LOAD(BPF_DW, 7, 6, 8),
      ADD_IMM(7, 1),
      STORE(BPF_DW, 6, 7, 8),
      MOV(1, 6),
      ADD_IMM(1, 4),
      CALL_HELPER(94),
      EXIT(),
  };
  const struct bpf_insn original[] = {insns[5], insns[9], insns[10]};
  const uint32_t key = 0;
  const uint8_t *value = maps[0]->ops->lookup(maps[0], &key);
  for (uint8_t round = 1; round < 5; round++) {
    assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_NONE);
    assert_int_equal(value[8], round);
    assert_int_equal(value[4], 0);
  }
  static const struct {
    unsigned at;
    struct bpf_insn insn;
    enum bpf_fault_kind fault;
  } rows[] = {
      {5, CALL_HELPER(5), BPF_FAULT_HELPER},
      {5, CALL_HELPER(93), BPF_FAULT_HELPER},
      {10, CALL_HELPER(93), BPF_FAULT_HELPER},
      {9, ADD_IMM(1, 5), BPF_FAULT_HELPER},
      {10, EXIT(), BPF_FAULT_NONE},
      {5, LOAD(BPF_B, 7, 6, 4), BPF_FAULT_MEMORY},
      {5, LOAD(BPF_B, 7, 6, 7), BPF_FAULT_MEMORY},
      {5, LOAD(BPF_W, 7, 6, 4), BPF_FAULT_MEMORY},
      {5, LOAD(BPF_DW, 7, 6, 0), BPF_FAULT_MEMORY},
      {5, STORE_IMM(BPF_W, 6, 4, 1), BPF_FAULT_MEMORY},
      {5, ATOMIC(BPF_W, 6, 7, 4, BPF_ADD), BPF_FAULT_MEMORY},
      {5, LOAD(BPF_W, 7, 6, 0), BPF_FAULT_NONE},
      {5, LOAD(BPF_DW, 7, 6, 16), BPF_FAULT_MEMORY},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    insns[rows[i].at] = rows[i].insn;
    struct bpf_result result = RUN_MAPS(insns, maps);
    if (result.fault != rows[i].fault) fail_msg("row %zu: fault %d", i, result.fault);
    assert_int_equal(value[4], 0); /* free again, whatever happened */
    insns[5] = original[0];
    insns[9] = original[1];
    insns[10] = original[2];
  }
  /* Updates leave the lock alone. */
  uint8_t fresh[16];
  memset(fresh, 0xff, sizeof fresh);
  assert_int_equal(maps[0]->ops->update(maps[0], &key, fresh, BPF_F_LOCK, 0), 0);
  assert_int_equal(value[4], 0);
  assert_int_equal(value[3], 0xff);
  assert_int_equal(value[8], 0xff);
  bpf_map_release(maps[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_spin_lock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
