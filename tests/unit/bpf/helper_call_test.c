/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers that call back, lend, lock or go on elsewhere: loops, tail calls, inner maps, ring buffers, perf events, spin locks, timers,
 * and those on strings. Semantics are those of Linux's kernel/bpf/helpers.c, ringbuf.c and bpf-helpers(7).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/map_text.h"
#include "bpf/timer.h"
#include "lib/memory.h"
#include "tests/unit/bpf/asm.h"

static const struct hash_key seed = {1, 2};

static struct bpf_map *make(struct bpf_map_def def) {
  struct bpf_map *map = NULL;
  const char *why = "";
  strcpy(def.name, "m");
  if (bpf_map_create(&def, &seed, &map, &why) != 0) fail_msg("%s", why);
  return map;
}

/* Runs with a context and an empty packet, prepared, on processor 1. */
static struct bpf_result run_in(const struct bpf_environment *environment, const struct bpf_insn *insns, uint32_t count,
                                struct bpf_map **maps, uint32_t map_count) {
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

/* --- callbacks --- */

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

/* --- records --- */

/* Reserved, filled, submitted: read outside in the order of reservation. What was discarded, or never given back, is not read, and
 * holds nobody up. A record that was submitted is out of reach. */
static void test_ring_buffer(void **state) {
  struct bpf_map *maps[] = {make((struct bpf_map_def){.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096})};
  struct bpf_insn insns[] = {
      /* 0 */ LOAD_MAP(1, 0),
      MOV_IMM(2, 12),
      MOV_IMM(3, 0),
      CALL_HELPER(131),
      JUMP_IMM(BPF_JNE, 0, 0, 1),
      EXIT(),
      MOV(6, 0),
      /* 8 */ STORE_IMM(BPF_DW, 6, 0, 7),
      STORE_IMM(BPF_W, 6, 8, 9),
      MOV(1, 6),
      MOV_IMM(2, 0),
      CALL_HELPER(132),
      MOV_IMM(0, 0),
      EXIT(),
  };
  uint8_t record[64];
  uint64_t value;
  for (unsigned round = 0; round < 1000; round++) { /* several times around the ring */
    struct bpf_result result = RUN_MAPS(insns, maps);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal(bpf_map_read_record(maps[0], 0, record, sizeof record), 12);
    memcpy(&value, record, 8);
    assert_int_equal(value, 7);
    assert_int_equal(bpf_map_read_record(maps[0], 0, record, sizeof record), -1);
  }
  insns[9].off = 12; /* one word behind the record */
  assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_MEMORY);
  insns[9].off = 8;
  assert_int_equal(bpf_map_read_record(maps[0], 0, record, sizeof record), -1);
  insns[12].imm = 133; /* discard */
  assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_NONE);
  assert_int_equal(bpf_map_read_record(maps[0], 0, record, sizeof record), -1);
  insns[12].imm = 132;
  insns[13] = (struct bpf_insn)LOAD(BPF_B, 0, 6, 0);
  assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_MEMORY);
  insns[10] = (struct bpf_insn)EXIT(); /* never gives it back */
  assert_int_equal(bpf_map_read_record(maps[0], 0, record, sizeof record), 12);
  for (unsigned round = 0; round < 1000; round++) {
    assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_NONE);
    assert_int_equal(bpf_map_read_record(maps[0], 0, record, sizeof record), -1);
  }
  insns[10] = (struct bpf_insn)ADD_IMM(6, 8); /* not the address that was given */
  insns[11] = (struct bpf_insn)MOV(1, 6);
  assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_HELPER);
  bpf_map_release(maps[0]);
}

/* bpf_ringbuf_output copies; a full ring gives -EAGAIN and counts; bpf_ringbuf_query and flags as Linux. */
static void test_ring_output(void **state) {
  struct bpf_map *maps[] = {make((struct bpf_map_def){.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096})};
  struct bpf_insn insns[] = {
      LOAD_MAP(1, 0), MOV(2, 10), ADD_IMM(2, -512), MOV_IMM(3, 504), MOV_IMM(4, 0), CALL_HELPER(130), EXIT(),
  };
  uint8_t record[600];
  for (unsigned i = 0; i < 7; i++) { /* 8 x 512 = 4096 would fill it to the last byte: Linux leaves one */
    assert_int_equal(RUN_MAPS(insns, maps).r0, 0);
  }
  assert_int_equal((int64_t)RUN_MAPS(insns, maps).r0, -BPF_EAGAIN);
  assert_int_equal(bpf_map_lost_records(maps[0]), 1);
  static const struct {
    int what;
    uint64_t expected;
  } queries[] = {{0, 7 * 512}, {1, 4096}, {2, 0}, {3, 7 * 512}, {4, 0}};
  for (size_t i = 0; i < COUNT(queries); i++) {
    const struct bpf_insn query[] = {LOAD_MAP(1, 0), MOV_IMM(2, queries[i].what), CALL_HELPER(134), EXIT()};
    assert_int_equal(RUN_MAPS(query, maps).r0, queries[i].expected);
  }
  for (unsigned i = 0; i < 7; i++) {
    assert_int_equal(bpf_map_read_record(maps[0], 0, record, 16), 504);
  }
  assert_int_equal(bpf_map_read_record(maps[0], 0, record, 16), -1);
  insns[5].imm = 4;
  assert_int_equal((int64_t)RUN_MAPS(insns, maps).r0, -BPF_EINVAL);
  bpf_map_release(maps[0]);
}

/* bpf_perf_event_output: the record is the data; the index must be this processor's (Linux: -EOPNOTSUPP otherwise). */
static void test_perf(void **state) {
  struct bpf_map *maps[] = {make((struct bpf_map_def){
      .type = BPF_MAP_TYPE_PERF_EVENT_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 8, .processors = 2})};
  static const struct {
    uint64_t flags;
    int64_t expected;
  } rows[] = {{0xffffffff, 0},
              {1, 0},
              {0, -BPF_EOPNOTSUPP},
              {2, -BPF_ENOENT},
              {8, -BPF_E2BIG},
              {1ull << 52, -BPF_EINVAL},
              {0x10ffffffff, -BPF_EFAULT} /* 16 bytes of an empty packet */};
  for (size_t i = 0; i < COUNT(rows); i++) {
    const struct bpf_insn insns[] = {
        STORE_IMM(BPF_DW, 10, -8, 99),
        LOAD_MAP(2, 0),
        LOAD_64(3, rows[i].flags),
        MOV(4, 10),
        ADD_IMM(4, -8),
        MOV_IMM(5, 8),
        CALL_HELPER(25),
        EXIT(),
    };
    uint64_t record = 0;
    struct bpf_result result = RUN_MAPS(insns, maps);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, rows[i].expected);
    assert_int_equal(bpf_map_read_record(maps[0], 1, &record, 8), rows[i].expected == 0 ? 8 : -1);
    if (rows[i].expected == 0) assert_int_equal(record, 99);
    assert_int_equal(bpf_map_read_record(maps[0], 0, &record, 8), -1);
  }
  bpf_map_release(maps[0]);
}

/* --- locks --- */

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

/* --- timers --- */

static struct {
  unsigned count;
  uint64_t deadline;
} woken;
static void wake(void *context, struct bpf_map *map, uint64_t deadline) {
  woken.count++;
  woken.deadline = deadline;
}

enum { TIMER_INIT = 169, TIMER_SET = 170, TIMER_START = 171, TIMER_CANCEL = 172 };

/* helper(timer of entry 1, the map or the callback or r2, r3). The callback adds 1 to the value's first word and leaves the key in its
 * second. The instructions stay where they are: the callback's address is kept by the timer. */
static int64_t timer_call(struct bpf_map **maps, struct bpf_program *program, int id, int r2, int r3) {
  static struct bpf_insn insns[16 + 7];
  const struct bpf_insn second = id == TIMER_SET ? (struct bpf_insn)MOV(2, 9) : (struct bpf_insn)MOV_IMM(2, r2);
  const struct bpf_insn now[] = {
      /* 0 */ LOAD_KIND(9, BPF_PSEUDO_FUNC, 15, 0), /* 16 */
      /* 2 */ STORE_IMM(BPF_W, 10, -4, 1),
      /* 3 */ MOV(2, 10),
      /* 4 */ ADD_IMM(2, -4),
      /* 5 */ LOAD_MAP(1, 0),
      /* 7 */ CALL_HELPER(1),
      /* 8 */ MOV(1, 0),
      /* 9 */ ADD_IMM(1, 16),
      /* 10 */ LOAD_MAP(2, 0),
      /* 12 */ id == TIMER_INIT ? (struct bpf_insn)MOV(2, 2) : second,
      /* 13 */ MOV_IMM(3, r3),
      /* 14 */ CALL_HELPER(id),
      /* 15 */ EXIT(),
      /* 16 */ LOAD(BPF_DW, 4, 3, 0),
      ADD_IMM(4, 1),
      STORE(BPF_DW, 3, 4, 0),
      LOAD(BPF_W, 5, 2, 0),
      STORE(BPF_DW, 3, 5, 8),
      MOV_IMM(0, 0),
      EXIT(),
  };
  const struct bpf_environment environment = {.ktime_ns = fixed_ktime, .wake_timers = wake};
  const struct bpf_input input = {.data = 4096, .data_end = 4096};
  struct bpf_result result;
  memcpy(insns, now, sizeof insns);
  memory_free(program->functions);
  *program = (struct bpf_program){insns, COUNT(insns), maps, 1};
  assert_int_equal(bpf_check(insns, COUNT(insns), 1, NULL), 0);
  assert_int_equal(bpf_program_prepare(program, NULL), 0);
  bpf_run(program, &environment, &input, &result);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  return (int64_t)result.r0;
}

/* A timer must be made, given a callback and started, in that order; it runs once when it is due, with its entry's key and value; it
 * can be stopped; and it goes with its entry. Numbers as bpf_timer_init, bpf_timer_set_callback, bpf_timer_start, bpf_timer_cancel of
 * Linux give them. */
static void test_timer(void **state) {
  static const uint32_t types[] = {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH};
  for (size_t t = 0; t < COUNT(types); t++) {
    struct bpf_map *maps[] = {
        make((struct bpf_map_def){.type = types[t], .key_size = 4, .value_size = 32, .max_entries = 2, .timer = 17})};
    struct bpf_program program = {0};
    const uint32_t key = 1;
    const uint8_t zeros[32] = {0};
    const uint64_t now = fixed_ktime(NULL);
    const struct bpf_environment environment = {.ktime_ns = fixed_ktime};
    struct bpf_result fault;
    assert_int_equal(maps[0]->ops->update(maps[0], &key, zeros, BPF_ANY, 0), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), -BPF_EINVAL);
    assert_int_equal(timer_call(maps, &program, TIMER_CANCEL, 0, 0), -BPF_EINVAL);
    assert_int_equal(timer_call(maps, &program, TIMER_SET, 0, 0), -BPF_EINVAL);
    assert_int_equal(timer_call(maps, &program, TIMER_INIT, 0, 5), -BPF_EINVAL);
    assert_int_equal(timer_call(maps, &program, TIMER_INIT, 0, 1), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_INIT, 0, 1), -BPF_EBUSY);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), -BPF_EINVAL);
    assert_false(bpf_timers_use(maps[0], &program));
    assert_int_equal(timer_call(maps, &program, TIMER_SET, 0, 0), 0);
    assert_true(bpf_timers_use(maps[0], &program));
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 4), -BPF_EINVAL);
    woken.count = 0;
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), 0);
    assert_int_equal(woken.count, 1);
    assert_int_equal(woken.deadline, now + 1000);
    assert_int_equal(bpf_timers_deadline(maps[0]), now + 1000);
    assert_int_equal(bpf_timers_run(maps[0], &environment, now + 999, 0, 10, &fault), 0);
    assert_int_equal(bpf_timers_run(maps[0], &environment, now + 1000, 0, 10, &fault), 1);
    assert_int_equal(fault.fault, BPF_FAULT_NONE);
    uint64_t *value = maps[0]->ops->lookup(maps[0], &key);
    assert_int_equal(value[0], 1);
    assert_int_equal(value[1], key);
    assert_int_equal(bpf_timers_run(maps[0], &environment, now + 5000, 0, 10, &fault), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_CANCEL, 0, 0), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 7000, BPF_F_TIMER_ABS), 0); /* starts anew */
    assert_int_equal(bpf_timers_deadline(maps[0]), 7000);
    assert_int_equal(timer_call(maps, &program, TIMER_CANCEL, 0, 0), 1);
    assert_int_equal(bpf_timers_deadline(maps[0]), BPF_TIMERS_IDLE);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), 0);
    assert_int_equal(maps[0]->ops->update(maps[0], &key, zeros, BPF_ANY, 0), 0);
    assert_int_equal(bpf_timers_deadline(maps[0]), BPF_TIMERS_IDLE);
    assert_int_equal(timer_call(maps, &program, TIMER_INIT, 0, 1), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_SET, 0, 0), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), 0);
    assert_true(bpf_timers_use(maps[0], &program));
    bpf_timers_forget(maps[0], &program);
    assert_false(bpf_timers_use(maps[0], &program));
    assert_int_equal(bpf_timers_deadline(maps[0]), BPF_TIMERS_IDLE);
    memory_free(program.functions);
    bpf_map_release(maps[0]);
  }
}

/* Many timers expire in the order of their deadlines, whatever order they were started, restarted and stopped in. */
static void test_timer_order(void **state) {
  enum { TIMERS = 100 };
  struct bpf_map *map = make((struct bpf_map_def){
      .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = TIMERS, .timer = 1});
  struct bpf_program program = {0};
  uint64_t x = 42, deadlines[TIMERS] = {0}, next;
  for (uint32_t slot = 0; slot < TIMERS; slot++) {
    assert_int_equal(bpf_timer_init(map, slot, 1), 0);
    assert_int_equal(bpf_timer_set_callback(map, slot, &program, 0), 0);
  }
  for (unsigned step = 0; step < 10000; step++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    const uint32_t slot = (uint32_t)(x >> 33) % TIMERS;
    if (x >> 62 == 0) {
      assert_int_equal(bpf_timer_stop(map, slot), deadlines[slot] != 0);
      deadlines[slot] = 0;
    } else {
      deadlines[slot] = 1 + (x >> 20) % 1000;
      assert_int_equal(bpf_timer_start(map, slot, 0, deadlines[slot], BPF_F_TIMER_ABS, &next), 0);
    }
    uint64_t earliest = BPF_TIMERS_IDLE;
    for (uint32_t i = 0; i < TIMERS; i++) {
      if (deadlines[i] != 0 && deadlines[i] < earliest) earliest = deadlines[i];
    }
    assert_int_equal(bpf_timers_deadline(map), earliest);
  }
  bpf_map_release(map);
}

/* --- text --- */

/* bpf_snprintf(buffer of 16 bytes, size, constant, arguments -5 and 255). */
static void test_snprintf(void **state) {
  static const struct {
    const char *format;
    int size, arguments;
    int64_t expected;
    const char *text;
  } rows[] = {
      {"%d|%x", 16, 2, 6, "-5|ff"},   {"%d|%x", 3, 2, 6, "-5"},       {"plain", 16, 0, 6, "plain"},
      {"%d", 16, 0, -BPF_EINVAL, ""}, {"%f", 16, 1, -BPF_EINVAL, ""}, {"%d|%x", 0, 2, 6, ""},
      {"%08d", 16, 1, 9, "-0000005"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_map *maps[] = {
        make((struct bpf_map_def){
            .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1, .flags = BPF_F_RDONLY_PROG}),
        make((struct bpf_map_def){.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 1})};
    const uint32_t key = 0;
    strcpy(maps[0]->ops->lookup(maps[0], &key), rows[i].format);
    const struct bpf_insn insns[] = {
        STORE_IMM(BPF_DW, 10, -16, -5),
        STORE_IMM(BPF_DW, 10, -8, 255),
        LOAD_KIND(1, BPF_PSEUDO_MAP_VALUE, 1, 0),
        MOV_IMM(2, rows[i].size),
        LOAD_KIND(3, BPF_PSEUDO_MAP_VALUE, 0, 0),
        MOV(4, 10),
        ADD_IMM(4, -16),
        MOV_IMM(5, rows[i].arguments * 8),
        CALL_HELPER(165),
        EXIT(),
    };
    struct bpf_result result = RUN_MAPS(insns, maps);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, rows[i].expected);
    if (rows[i].expected > 0) assert_string_equal(maps[1]->ops->lookup(maps[1], &key), rows[i].text);
    /* A format that may change is none, nor is one without its NUL. */
    struct bpf_map *swapped[] = {maps[1], maps[0]};
    assert_int_equal(RUN_MAPS(insns, swapped).fault, BPF_FAULT_HELPER);
    memset(maps[0]->ops->lookup(maps[0], &key), 'x', 8);
    assert_int_equal(RUN_MAPS(insns, maps).fault, BPF_FAULT_HELPER);
    bpf_map_release(maps[0]);
    bpf_map_release(maps[1]);
  }
}

/* bpf_strncmp compares with a constant up to the size; bpf_strtol and bpf_strtoul give the characters they took. */
static void test_strings(void **state) {
  static const struct {
    const char *constant;
    int size;
    int64_t expected;
  } compares[] = {{"abc", 8, 0}, {"abd", 8, -1},  {"abb", 8, 1}, {"ab", 2, 0},
                  {"ab", 8, 1},  {"abcd", 8, -1}, {"abcd", 3, 0}};
  for (size_t i = 0; i < COUNT(compares); i++) {
    struct bpf_map *maps[] = {make((struct bpf_map_def){
        .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1, .flags = BPF_F_RDONLY_PROG})};
    const uint32_t key = 0;
    strcpy(maps[0]->ops->lookup(maps[0], &key), compares[i].constant);
    const struct bpf_insn insns[] = {
        LOAD_64(1, 0x636261),
        STORE(BPF_DW, 10, 1, -8),
        MOV(1, 10),
        ADD_IMM(1, -8),
        MOV_IMM(2, compares[i].size),
        LOAD_KIND(3, BPF_PSEUDO_MAP_VALUE, 0, 0),
        CALL_HELPER(182),
        EXIT(),
    };
    struct bpf_result result = RUN_MAPS(insns, maps);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, compares[i].expected);
    bpf_map_release(maps[0]);
  }
  enum { LONG = 105, UNSIGNED = 106 };
  static const struct {
    int id;
    const char *text;
    int base;
    int64_t expected;
    uint64_t number;
  } rows[] = {
      {LONG, "42", 10, 2, 42},
      {LONG, "  -42x", 10, 5, (uint64_t)-42},
      {LONG, "0x1f", 0, 4, 31},
      {LONG, "017", 0, 3, 15},
      {LONG, "1f", 16, 2, 31},
      {LONG, "0x", 0, 1, 0},
      {LONG, "x", 10, -BPF_EINVAL, 0},
      {LONG, "", 10, -BPF_EINVAL, 0},
      {LONG, "42", 7, -BPF_EINVAL, 0},
      {LONG, "42", 32, -BPF_EINVAL, 0},
      {LONG, "9223372036854775807", 10, 19, INT64_MAX},
      {LONG, "9223372036854775808", 10, -BPF_ERANGE, 0},
      {LONG, "-9223372036854775808", 10, 20, 1ull << 63},
      {UNSIGNED, "18446744073709551615", 10, 20, UINT64_MAX},
      {UNSIGNED, "18446744073709551616", 10, -BPF_ERANGE, 0},
      {UNSIGNED, "-1", 10, -BPF_EINVAL, 0},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct {
      char text[24];
      uint64_t number;
    } memory = {"", 0};
    strcpy(memory.text, rows[i].text);
    const struct bpf_insn insns[] = {
        MOV_IMM(2, 24), MOV(4, 1), ADD_IMM(4, 24), MOV_IMM(3, rows[i].base), CALL_HELPER(rows[i].id), EXIT(),
    };
    struct bpf_result result = run_with(insns, COUNT(insns), &memory, sizeof memory, NULL, 0);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    if ((int64_t)result.r0 != rows[i].expected) fail_msg("'%s': %lld", rows[i].text, (long long)result.r0);
    if (rows[i].expected > 0) assert_int_equal(memory.number, rows[i].number);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loop),        cmocka_unit_test(test_callback_limits),
      cmocka_unit_test(test_for_each),    cmocka_unit_test(test_key_is_read_only),
      cmocka_unit_test(test_tail_call),   cmocka_unit_test(test_tail_call_from_function),
      cmocka_unit_test(test_inner_map),   cmocka_unit_test(test_per_cpu),
      cmocka_unit_test(test_queue),       cmocka_unit_test(test_ring_buffer),
      cmocka_unit_test(test_ring_output), cmocka_unit_test(test_perf),
      cmocka_unit_test(test_spin_lock),   cmocka_unit_test(test_timer),
      cmocka_unit_test(test_timer_order), cmocka_unit_test(test_snprintf),
      cmocka_unit_test(test_strings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
