/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers that go on in other programs and maps: tail calls, inner maps, values of other processors, queues. Semantics are those of Linux's
 * kernel/bpf/core.c, map_in_map.c, helpers.c and queue_stack_maps.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/map_text.h"
#include "tests/unit/bpf/helper_run.h"

/* --- going on elsewhere --- */

/* A program that tail calls itself runs 34 times (MAX_TAIL_CALL_CNT of Linux is 33), then goes on behind the call with an error;
 * an empty index and one beyond the array do so at once. */
static void test_tail_call(void **state) {
  struct bpf_map *counter =
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1});
  struct bpf_map *programs =
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 3});
  struct bpf_map *maps[] = {counter, programs};
  struct bpf_insn insns[] = {
      /* 0 */ LOAD_KIND(6, BPF_PSEUDO_MAP_VALUE, 0, 0),
      MOV_IMM(7, 1),
      ATOMIC(BPF_DW, 6, 7, 0, BPF_ADD),
      /* 4 */ LOAD_MAP(2, 1),
      MOV_IMM(3, 1),
      CALL_HELPER(12),
      EXIT(),
  };
  const uint32_t key = 0;
  uint64_t *count = counter->ops->lookup(counter, &key);
  struct bpf_program program = {insns, COUNT(insns), maps, 2};
  struct bpf_program other = program;
  const struct bpf_program *old;
  assert_int_equal(bpf_program_prepare(&program, NULL), 0);
  assert_int_equal(bpf_map_put_program(programs, 1, &program, &old), 0);
  assert_int_equal(bpf_map_put_program(programs, 3, &program, &old), -BPF_E2BIG);
  other.kind = BPF_PROGRAM_TC;
  assert_int_equal(bpf_map_put_program(programs, 2, &other, &old), 0);
  static const struct {
    int index;
    uint64_t runs;
  } rows[] = {{1, 34}, {0, 1}, {3, 1}, {-1, 1}, {2, 1} /* of another kind */};
  for (size_t i = 0; i < COUNT(rows); i++) {
    insns[6].imm = rows[i].index;
    *count = 0;
    struct bpf_result result = RUN_MAPS(insns, maps);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, -BPF_EINVAL);
    assert_int_equal(*count, rows[i].runs);
  }
  assert_int_equal(bpf_map_put_program(programs, 1, NULL, &old), 0);
  assert_ptr_equal(old, &program);
  bpf_map_release(programs);
  bpf_map_release(counter);
}

/* A tail call in a function replaces that function: its caller goes on with the verdict, and a fault names the program it is in. */
static void test_tail_call_from_function(void **state) {
  struct bpf_map *programs =
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2});
  struct bpf_map *maps[] = {programs};
  struct bpf_insn good[] = {MOV_IMM(0, 30), ADD(0, 6), EXIT()}, bad[] = {MOV_IMM(0, 0), LOAD(BPF_B, 0, 0, 0), EXIT()};
  struct bpf_program targets[] = {{good, COUNT(good)}, {bad, COUNT(bad)}};
  const struct bpf_program *old;
  const struct bpf_insn insns[] = {
      /* 0 */ MOV_IMM(6, 2), MOV(7, 1),      CALL(2),       ADD_IMM(0, 100), EXIT(),
      /* 5 */ MOV(1, 7),     LOAD_MAP(2, 0), MOV_IMM(3, 0), CALL_HELPER(12), EXIT(),
  };
  assert_int_equal(bpf_map_put_program(programs, 0, &targets[0], &old), 0);
  struct bpf_result result = RUN_MAPS(insns, maps);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 132);
  assert_int_equal(bpf_map_put_program(programs, 0, &targets[1], &old), 0);
  result = RUN_MAPS(insns, maps);
  assert_int_equal(result.fault, BPF_FAULT_MEMORY);
  assert_int_equal(result.fault_insn, 1);
  assert_ptr_equal(result.fault_program, &targets[1]);
  bpf_map_release(programs);
}

/* A map that was looked up in a map is a map like any other; its values are reachable, the pointer to it is not. */
static void test_inner_map(void **state) {
  static const uint32_t types[] = {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS};
  for (unsigned t = 0; t < 2; t++) {
    struct bpf_map *maps[] = {make((struct bpf_map_def){
        .type = types[t], .key_size = 4, .value_size = 4, .max_entries = 4, .inner = {BPF_MAP_TYPE_HASH, 4, 8, 4, 0}})};
    struct bpf_map *inner =
        make((struct bpf_map_def){.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4});
    struct bpf_map *old;
    const uint32_t key = 3;
    const uint64_t value = 55;
    assert_int_equal(inner->ops->update(inner, &key, &value, BPF_ANY, 0), 0);
    struct bpf_insn insns[] = {
        STORE_IMM(BPF_W, 10, -4, 3),
        MOV(2, 10),
        ADD_IMM(2, -4),
        LOAD_MAP(1, 0),
        CALL_HELPER(1),
        JUMP_IMM(BPF_JNE, 0, 0, 2),
        MOV_IMM(0, 1),
        EXIT(),
        MOV(6, 0),
        MOV(1, 0),
        MOV(2, 10),
        ADD_IMM(2, -4),
        CALL_HELPER(1),
        LOAD(BPF_DW, 0, 0, 0),
        EXIT(),
    };
    assert_int_equal(RUN_MAPS(insns, maps).r0, 1);
    assert_int_equal(bpf_map_put_map(maps[0], &key, inner, BPF_ANY, &old), 0);
    struct bpf_result result = RUN_MAPS(insns, maps);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal(result.r0, 55);
    insns[10] = (struct bpf_insn)LOAD(BPF_DW, 0, 6, 0);
    assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_MEMORY);
    bpf_map_release(maps[0]);
  }
}

/* --- per-CPU and queues --- */

/* A program sees and changes its own processor's value; bpf_map_lookup_percpu_elem gives another's. */
static void test_per_cpu(void **state) {
  struct bpf_map *maps[] = {make((struct bpf_map_def){
      .type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 4, .value_size = 8, .max_entries = 4, .processors = 2})};
  const struct bpf_insn insns[] = {
      STORE_IMM(BPF_W, 10, -4, 3),
      STORE_IMM(BPF_DW, 10, -16, 77),
      MOV(2, 10),
      ADD_IMM(2, -4),
      MOV(3, 10),
      ADD_IMM(3, -16),
      MOV_IMM(4, 0),
      LOAD_MAP(1, 0),
      CALL_HELPER(2),
      MOV(2, 10),
      ADD_IMM(2, -4),
      LOAD_MAP(1, 0),
      CALL_HELPER(1),
      LOAD(BPF_DW, 6, 0, 0),
      MOV(2, 10),
      ADD_IMM(2, -4),
      LOAD_MAP(1, 0),
      MOV_IMM(3, 0),
      CALL_HELPER(195),
      LOAD(BPF_DW, 7, 0, 0),
      MOV(2, 10),
      ADD_IMM(2, -4),
      LOAD_MAP(1, 0),
      MOV_IMM(3, 2),
      CALL_HELPER(195),
      JUMP_IMM(BPF_JNE, 0, 0, 3),
      MOV(0, 6),
      INSN(BPF_ALU64 | BPF_MUL | BPF_K, 0, 0, 0, 1000),
      ADD(0, 7),
      EXIT(),
  };
  struct bpf_result result = RUN_MAPS(insns, maps);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 77000);
  uint64_t values[2];
  const uint32_t key = 3;
  assert_int_equal(bpf_map_get(maps[0], &key, values), 0);
  assert_int_equal(values[0], 0);
  assert_int_equal(values[1], 77);
  bpf_map_release(maps[0]);
}

/* Push, peek, pop; the memory that pop writes is judged. Keyed helpers don't take queues, nor these keyed maps. */
static void test_queue(void **state) {
  struct bpf_map *maps[] = {
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_QUEUE, .value_size = 8, .max_entries = 4}),
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4})};
  struct bpf_insn insns[] = {
      STORE_IMM(BPF_DW, 10, -8, 5),
      MOV(2, 10),
      ADD_IMM(2, -8),
      MOV_IMM(3, 0),
      LOAD_MAP(1, 0),
      CALL_HELPER(87),
      MOV(2, 10),
      ADD_IMM(2, -16),
      LOAD_MAP(1, 0),
      CALL_HELPER(88),
      JUMP_IMM(BPF_JNE, 0, 0, 1),
      LOAD(BPF_DW, 0, 10, -16),
      EXIT(),
  };
  assert_int_equal(RUN_MAPS(insns, maps).r0, 5);
  insns[8].imm = -4; /* half outside of the frame */
  assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_HELPER);
  insns[4].imm = 1;
  struct bpf_result result = RUN_MAPS(insns, maps);
  assert_int_equal(result.fault, BPF_FAULT_HELPER);
  assert_int_equal(result.fault_insn, 6);
  bpf_map_release(maps[0]);
  bpf_map_release(maps[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tail_call), cmocka_unit_test(test_tail_call_from_function),
      cmocka_unit_test(test_inner_map), cmocka_unit_test(test_per_cpu),
      cmocka_unit_test(test_queue),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
