/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers that call back: bpf_loop, bpf_for_each_map_elem. Semantics are those of Linux's kernel/bpf/bpf_iter.c and arraymap.c, and of
 * bpf-helpers(7).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bpf/helper_run.h"

/* bpf_loop(r1, add to *argument and stop at `stop`, r10 - 8, flags); r0 is the result, *sum what was added. */
static struct bpf_result loop(uint64_t count, int stop, int flags, uint64_t *sum) {
  struct bpf_map *maps[] = {
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1})};
  const struct bpf_insn insns[] = {
      /* 0 */ MOV_IMM(6, 66),
      /* 1 */ LOAD_64(1, count),
      /* 3 */ LOAD_KIND(2, BPF_PSEUDO_FUNC, 11, 0), /* 15 */
      /* 5 */ MOV(3, 10),
      /* 6 */ ADD_IMM(3, -8),
      /* 7 */ MOV_IMM(4, flags),
      /* 8 */ CALL_HELPER(181),
      /* 9 */ LOAD_KIND(1, BPF_PSEUDO_MAP_VALUE, 0, 0),
      /* 11 */ LOAD(BPF_DW, 2, 10, -8),
      /* 12 */ STORE(BPF_DW, 1, 2, 0),
      /* 13 */ JUMP_IMM(BPF_JNE, 6, 66, -5), /* a callback keeps the caller's r6 */
      /* 14 */ EXIT(),
      /* 15: i in r1, argument in r2; r6 to r9 are 0 */
      LOAD(BPF_DW, 3, 2, 0),
      ADD(3, 1),
      ADD(3, 6),
      STORE(BPF_DW, 2, 3, 0),
      MOV_IMM(6, 5),
      MOV_IMM(0, 0),
      JUMP_IMM(BPF_JNE, 1, stop, 1),
      MOV_IMM(0, 1),
      EXIT(),
  };
  struct bpf_result result = RUN_MAPS(insns, maps);
  const uint32_t key = 0;
  memcpy(sum, maps[0]->ops->lookup(maps[0], &key), sizeof *sum);
  bpf_map_release(maps[0]);
  return result;
}

/* bpf_loop gives how often it called, stops when the callback says so, and what it runs is counted. */
static void test_loop(void **state) {
  static const struct {
    uint64_t count;
    int stop, flags;
    int64_t expected;
    uint64_t sum;
  } rows[] = {
      {0, -1, 0, 0, 0},           {1, -1, 0, 1, 0},
      {10, -1, 0, 10, 45},        {10, 3, 0, 4, 6},
      {10, 0, 0, 1, 0},           {10, -1, 1, -BPF_EINVAL, 0},
      {1 << 23, 2, 0, 3, 3},      {(1 << 23) + 1, 2, 0, -BPF_E2BIG, 0},
      {0x100000002, -1, 0, 2, 1}, /* a u32 */
  };
  uint64_t sum;
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_result result = loop(rows[i].count, rows[i].stop, rows[i].flags, &sum);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, rows[i].expected);
    assert_int_equal(sum, rows[i].sum);
  }
  struct bpf_result result = loop(1 << 23, -1, 0, &sum);
  assert_int_equal(result.fault, BPF_FAULT_BUDGET);
  assert_int_equal(result.executed, BPF_MAX_EXECUTED);
  assert_in_range(result.fault_insn, 15, 23);
}

/* A callback that calls back is nested in frames as any call: the eighth is one too many. A number that is no function of the
 * program is refused at the call. */
static void test_callback_limits(void **state) {
  const struct bpf_insn nested[] = {
      /* 0 */ MOV_IMM(1, 1), LOAD_KIND(2, BPF_PSEUDO_FUNC, -2, 0),
      MOV_IMM(3, 0),         MOV_IMM(4, 0),
      CALL_HELPER(181),      EXIT(),
  };
  struct bpf_result result = run_in(&test_environment, nested, COUNT(nested), NULL, 0);
  assert_int_equal(result.fault, BPF_FAULT_FRAMES);
  assert_int_equal(result.fault_insn, 5);
  const struct bpf_insn wrong[] = {
      MOV_IMM(1, 1), LOAD_KIND(2, BPF_PSEUDO_FUNC, -2, 0),
      ADD_IMM(2, 8), MOV_IMM(3, 0),
      MOV_IMM(4, 0), CALL_HELPER(181),
      EXIT(),
  };
  result = run_in(&test_environment, wrong, COUNT(wrong), NULL, 0);
  assert_int_equal(result.fault, BPF_FAULT_HELPER);
  assert_int_equal(result.fault_insn, 6);
}

/* bpf_for_each_map_elem visits every entry once with its key and value; the callback may delete it, change it, and stop. */
static void test_for_each(void **state) {
  static const uint32_t types[] = {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_LRU_HASH,
                                   BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH};
  for (size_t t = 0; t < COUNT(types); t++) {
    for (int stop = 0; stop < 2; stop++) {
      struct bpf_map *maps[] = {make(
          (struct bpf_map_def){.type = types[t], .key_size = 4, .value_size = 8, .max_entries = 10, .processors = 2})};
      for (uint32_t key = 0; key < 10; key++) {
        const uint64_t values[2] = {1000, 100 + key};
        assert_int_equal(maps[0]->ops->update(maps[0], &key, values, BPF_ANY, BPF_ALL_PROCESSORS), 0);
      }
      const struct bpf_insn insns[] = {
          /* 0 */ STORE_IMM(BPF_DW, 10, -8, 0),
          LOAD_MAP(1, 0),
          LOAD_KIND(2, BPF_PSEUDO_FUNC, 9, 0), /* 13 */
          /* 5 */ MOV(3, 10),
          ADD_IMM(3, -8),
          MOV_IMM(4, 0),
          CALL_HELPER(164),
          /* 9 */ LOAD(BPF_DW, 1, 10, -8),
          INSN(BPF_ALU64 | BPF_MUL | BPF_K, 0, 0, 0, 1000),
          ADD(0, 1),
          EXIT(),
          /* the key may be read, the value changed */
          /* 13 */ LOAD(BPF_W, 5, 2, 0),
          LOAD(BPF_DW, 6, 4, 0),
          ADD(6, 5),
          STORE(BPF_DW, 4, 6, 0),
          STORE(BPF_DW, 3, 5, 0),
          MOV_IMM(0, stop),
          EXIT(),
      };
      struct bpf_result result = RUN_MAPS(insns, maps);
      assert_int_equal(result.fault, BPF_FAULT_NONE);
      if (stop) {
        assert_int_equal(result.r0 / 1000, 1);
      } else {
        assert_int_equal(result.r0, 10 * 1000 + 45);
        for (uint32_t key = 0; key < 10; key++) {
          const uint8_t *value = maps[0]->ops->lookup(maps[0], &key);
          uint64_t seen;
          memcpy(&seen, value + maps[0]->processor_stride, sizeof seen); /* processor 1's */
          assert_int_equal(seen, key);
        }
      }
      bpf_map_release(maps[0]);
    }
  }
}

/* The key that a callback gets cannot be written, and lapses afterwards. */
static void test_key_is_read_only(void **state) {
  struct bpf_map *maps[] = {
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1})};
  const struct bpf_insn write[] = {
      LOAD_MAP(1, 0), LOAD_KIND(2, BPF_PSEUDO_FUNC, 5, 0), MOV_IMM(3, 0), MOV_IMM(4, 0), CALL_HELPER(164),
      EXIT(),         STORE_IMM(BPF_B, 2, 0, 1),           EXIT(),
  };
  struct bpf_result result = RUN_MAPS(write, maps);
  assert_int_equal(result.fault, BPF_FAULT_MEMORY);
  assert_int_equal(result.fault_insn, 8);
  const struct bpf_insn later[] = {
      LOAD_MAP(1, 0),
      LOAD_KIND(2, BPF_PSEUDO_FUNC, 9, 0),
      MOV(3, 10),
      ADD_IMM(3, -8),
      MOV_IMM(4, 0),
      CALL_HELPER(164),
      LOAD(BPF_DW, 1, 10, -8),
      LOAD(BPF_B, 0, 1, 0),
      EXIT(),
      EXIT(),
      /* 12: */ STORE(BPF_DW, 4, 2, 0),
      MOV_IMM(0, 0),
      EXIT(),
  };
  result = RUN_MAPS(later, maps);
  assert_int_equal(result.fault, BPF_FAULT_MEMORY);
  assert_int_equal(result.fault_insn, 9);
  bpf_map_release(maps[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loop),
      cmocka_unit_test(test_callback_limits),
      cmocka_unit_test(test_for_each),
      cmocka_unit_test(test_key_is_read_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
