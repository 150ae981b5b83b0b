/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ring buffers and perf events, as in Linux's kernel/bpf/ringbuf.c and kernel/trace/bpf_trace.c.
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ring_buffer),
      cmocka_unit_test(test_ring_output),
      cmocka_unit_test(test_perf),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
