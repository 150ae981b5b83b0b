/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helper calls: results as in Linux, arguments checked, r1 to r5 gone afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bpf/asm.h"

static const struct hash_key seed = {3, 4};

static struct bpf_map *make_map(uint32_t type, uint32_t entries, uint32_t flags) {
  const struct bpf_map_def def = {
      .name = "m", .type = type, .key_size = 4, .value_size = 8, .max_entries = entries, .flags = flags};
  struct bpf_map *map = NULL;
  assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), 0);
  return map;
}

/* r2 = address of key at -4, r3 = address of a value at -16. */
#define KEY_AND_VALUE(key, value)                                                                           \
  STORE_IMM(BPF_W, 10, -4, key), STORE_IMM(BPF_DW, 10, -16, value), MOV(2, 10), ADD_IMM(2, -4), MOV(3, 10), \
      ADD_IMM(3, -16)

static struct bpf_result run_map(struct bpf_map *map, int helper, int key, int value, int flags) {
  const struct bpf_insn insns[] = {
      KEY_AND_VALUE(key, value), LOAD_MAP(1, 0), MOV_IMM(4, flags), CALL_HELPER(helper), EXIT(),
  };
  assert_int_equal(bpf_check(insns, COUNT(insns), 1, NULL), 0);
  return run_with(insns, COUNT(insns), NULL, 0, &map, 1);
}

static int64_t call_map(struct bpf_map *map, int helper, int key, int value, int flags) {
  struct bpf_result result = run_map(map, helper, key, value, flags);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  return (int64_t)result.r0;
}

/* Helpers 1 to 3 on a hash map, with Linux's flags and error numbers. */
static void test_hash_helpers(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_HASH, 2, 0);
  enum { LOOKUP = 1, UPDATE, DELETE };
  static const struct {
    int helper, key, value, flags, expected;
  } steps[] = {
      {LOOKUP, 1, 0, 0, 0},
      {DELETE, 1, 0, 0, -BPF_ENOENT},
      {UPDATE, 1, 10, BPF_EXIST, -BPF_ENOENT},
      {UPDATE, 1, 10, 3, -BPF_EINVAL},
      {UPDATE, 1, 10, -1, -BPF_EINVAL},
      {UPDATE, 1, 10, BPF_NOEXIST, 0},
      {UPDATE, 1, 11, BPF_NOEXIST, -BPF_EEXIST},
      {UPDATE, 2, 20, BPF_ANY, 0},
      {UPDATE, 3, 30, BPF_ANY, -BPF_E2BIG},
      {UPDATE, 2, 21, BPF_EXIST, 0}, /* full, but nothing is added */
      {UPDATE, 1, 12, BPF_ANY, 0},
      {DELETE, 1, 0, 0, 0},
      {LOOKUP, 1, 0, 0, 0},
      {UPDATE, 3, 30, BPF_ANY, 0},
  };
  for (size_t i = 0; i < COUNT(steps); i++) {
    assert_int_equal(call_map(map, steps[i].helper, steps[i].key, steps[i].value, steps[i].flags), steps[i].expected);
  }
  const int64_t *value = (const int64_t *)(uintptr_t)call_map(map, LOOKUP, 2, 0, 0);
  assert_int_equal(*value, 21);
  assert_int_equal(map->count, 2);
  bpf_map_release(map);
}

/* The same on an array map: entries always exist, and cannot be deleted. */
static void test_array_helpers(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_ARRAY, 2, 0);
  assert_int_equal(call_map(map, 1, 2, 0, 0), 0);
  assert_int_equal(call_map(map, 1, -1, 0, 0), 0);
  assert_int_equal(call_map(map, 2, 1, 5, BPF_ANY), 0);
  assert_int_equal(call_map(map, 2, 1, 6, BPF_EXIST), 0);
  assert_int_equal(call_map(map, 2, 1, 7, BPF_NOEXIST), -BPF_EEXIST);
  assert_int_equal(call_map(map, 2, 1, 7, 3), -BPF_EINVAL);
  assert_int_equal(call_map(map, 2, 2, 7, BPF_ANY), -BPF_E2BIG);
  assert_int_equal(call_map(map, 3, 1, 0, 0), -BPF_EINVAL);
  assert_int_equal(*(int64_t *)(uintptr_t)call_map(map, 1, 1, 0, 0), 6);
  bpf_map_release(map);
}

/* A looked-up value may be written through, also after other memory was touched. */
static void test_write_through_lookup(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_ARRAY, 4, 0);
  const struct bpf_insn insns[] = {
      KEY_AND_VALUE(3, 0),
      LOAD_MAP(1, 0),
      CALL_HELPER(1),
      JUMP_IMM(BPF_JEQ, 0, 0, 4),
      MOV_IMM(1, 1),
      STORE(BPF_DW, 10, 1, -32),
      ATOMIC(BPF_DW, 0, 1, 0, BPF_ADD),
      LOAD(BPF_DW, 0, 0, 0),
      EXIT(),
  };
  for (unsigned round = 1; round < 4; round++) {
    struct bpf_result result = run_with(insns, COUNT(insns), NULL, 0, &map, 1);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal(result.r0, round);
  }
  bpf_map_release(map);
}

/* Helper arguments that are not what they must be fault at the call, and nothing has happened. */
static void test_bad_arguments(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_HASH, 2, 0);
  struct bpf_map *maps[] = {map};
  const uint64_t real = (uint64_t)(uintptr_t)map, handle = (uint64_t)(uintptr_t)maps;
  const struct {
    uint64_t map;
    int key, value; /* offsets from r10 */
  } rows[] = {
      {0, -8, -16},          {real, -8, -16}, /* an address of the engine's, not a handle */
      {handle + 1, -8, -16}, {handle + 8, -8, -16}, {handle - 8, -8, -16}, {~(uint64_t)0, -8, -16},
      {handle, 0, -16},      {handle, -3, -16}, /* one key byte outside */
      {handle, -513, -16},   {handle, -8, -7},      {handle, -8, 8},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    const struct bpf_insn insns[] = {
        LOAD_64(1, rows[i].map),   MOV(2, 10),    ADD_IMM(2, rows[i].key), MOV(3, 10),
        ADD_IMM(3, rows[i].value), MOV_IMM(4, 0), CALL_HELPER(2),          EXIT(),
    };
    struct bpf_result result = run_with(insns, COUNT(insns), NULL, 0, maps, 1);
    assert_int_equal(result.fault, BPF_FAULT_HELPER);
    assert_int_equal(result.fault_insn, 7);
  }
  assert_int_equal(map->count, 0);
  bpf_map_release(map);
}

/* The context is no memory for helpers, as in Linux. */
static void test_context_is_no_key(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_HASH, 2, 0);
  const struct bpf_insn insns[] = {MOV(2, 1), LOAD_MAP(1, 0), CALL_HELPER(1), EXIT()};
  struct bpf_program program = {(struct bpf_insn *)insns, COUNT(insns), &map, 1};
  const struct bpf_input input = {0x1000, 0x1000, 0, 0};
  struct bpf_result result;
  bpf_run(&program, &test_environment, &input, &result);
  assert_int_equal(result.fault, BPF_FAULT_HELPER);
  bpf_map_release(map);
}

/* Read-only maps cannot be updated or deleted from, write-only maps not looked up. */
static void test_rights(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_HASH, 2, BPF_F_RDONLY_PROG);
  assert_int_equal(run_map(map, 1, 1, 1, 0).fault, BPF_FAULT_NONE);
  assert_int_equal(run_map(map, 2, 1, 1, 0).fault, BPF_FAULT_HELPER);
  assert_int_equal(run_map(map, 3, 1, 1, 0).fault, BPF_FAULT_HELPER);
  bpf_map_release(map);
  map = make_map(BPF_MAP_TYPE_HASH, 2, BPF_F_WRONLY_PROG);
  assert_int_equal(run_map(map, 1, 1, 1, 0).fault, BPF_FAULT_HELPER);
  assert_int_equal(run_map(map, 2, 1, 1, 0).fault, BPF_FAULT_NONE);
  assert_int_equal(run_map(map, 3, 1, 1, 0).fault, BPF_FAULT_NONE);
  bpf_map_release(map);
}

/* An update may take its value, and a lookup its key, from the same map. */
static void test_map_memory_as_argument(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_HASH, 2, 0);
  const struct bpf_insn insns[] = {
      KEY_AND_VALUE(7, 7), LOAD_MAP(1, 0), MOV_IMM(4, 0),  CALL_HELPER(2), MOV(2, 10),     ADD_IMM(2, -4),
      LOAD_MAP(1, 0),      CALL_HELPER(1), /* r0: value 7, whose first 4 bytes are the key 7 */
      MOV(2, 0),           MOV(3, 0),      LOAD_MAP(1, 0), MOV_IMM(4, 0),  CALL_HELPER(2), EXIT(),
  };
  for (unsigned round = 0; round < 4; round++) {
    struct bpf_result result = run_with(insns, COUNT(insns), NULL, 0, &map, 1);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal(result.r0, 0);
    assert_int_equal(map->count, 1);
  }
  const uint32_t key = 7;
  assert_int_equal(*(uint64_t *)map->ops->lookup(map, &key), 7);
  bpf_map_release(map);
}

/* Section 2: r1 to r5 do not survive a helper call; here they are 0. r6 to r9 survive. */
static void test_scratch_registers(void **state) {
  for (unsigned r = 1; r < 10; r++) {
    const struct bpf_insn insns[] = {MOV_IMM(r, 9), CALL_HELPER(5), MOV(0, r), EXIT()};
    assert_int_equal(RUN(insns).r0, r <= 5 ? 0 : 9);
  }
}

/* Helpers 5 and 7 give what the environment gives; the random number is zero-extended. */
static void test_environment_helpers(void **state) {
  const struct bpf_insn time[] = {CALL_HELPER(5), EXIT()};
  assert_int_equal(RUN(time).r0, 123456789012345);
  const struct bpf_insn random[] = {CALL_HELPER(7), EXIT()};
  assert_int_equal(RUN(random).r0, 0xdeadbeef);
}

static char traced[1024];

static void keep_trace(void *context, const char *text, size_t length) {
  assert_true(length < sizeof traced);
  memcpy(traced, text, length);
  traced[length] = '\0';
}

/* Calls bpf_trace_printk on a format in memory; arguments -5, an address of "abc" in memory, 255. */
static struct bpf_result trace(const char *format, uint32_t size) {
  const struct bpf_environment environment = {fixed_ktime, fixed_random, keep_trace, NULL};
  struct {
    char format[1024], string[8];
  } memory = {"", "abc"};
  assert_true(size <= sizeof memory.format);
  memcpy(memory.format, format, size);
  const struct bpf_insn insns[] = {
      MOV(4, 1), ADD_IMM(4, 1024), MOV_IMM(2, (int)size), MOV_IMM(3, -5), MOV_IMM(5, 255), CALL_HELPER(6), EXIT(),
  };
  struct bpf_program program = {(struct bpf_insn *)insns, COUNT(insns), NULL, 0};
  struct bpf_result result;
  strcpy(traced, "nothing");
  bpf_run_memory(&program, &environment, &memory, sizeof memory, &result);
  return result;
}

/* Helper 6 formats as Linux does, gives the length, and refuses what is not offered with -EINVAL and without printing. */
static void test_trace(void **state) {
  static const struct {
    const char *format, *expected; /* NULL: -EINVAL */
  } rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"100%%", "100%"},
      {"%d %s %x", "-5 abc ff"},
      {"%ld %s %lx", "-5 abc ff"},
      {"%lld|%s|%llu", "-5|abc|255"},
      {"%u %s %i", "4294967291 abc 255"},
      {"%x", "fffffffb"},
      {"%llx", "fffffffffffffffb"},
      {"%p", "0xfffffffffffffffb"},
      {"%s", ""}, /* -5 is no address: as much as can be read */
      {"%d%s%c", "-5abc\xff"},
      {"%d%s%d%d", NULL},
      {"%", NULL},
      {"%l", NULL},
      {"%ll", NULL},
      {"%llld", NULL},
      {"%ls", NULL},
      {"%n", NULL},
      {"%f", NULL},
      {"%5d|%-5s|%04x", "   -5|abc  |00ff"}, /* widths and flags: Linux since 5.13 */
      {"%+d %s %X", "-5 abc FF"},
      {"%08d|%s|%+08lld", "-0000005|abc|+0000255"},
      {"% d%s% d", "-5abc 255"},
      {"%px %s %pK", "0xfffffffffffffffb abc 0xff"},
      {"%130d", NULL},
      {"%pI5", NULL},
      {"%pI4", NULL}, /* -5 is no address */
      {"\x01", NULL},
      {"\x80", NULL},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_result result = trace(rows[i].format, (uint32_t)strlen(rows[i].format) + 1);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, rows[i].expected ? (int64_t)strlen(rows[i].expected) : -BPF_EINVAL);
    assert_string_equal(traced, rows[i].expected ? rows[i].expected : "nothing");
  }
  /* Without its NUL a format is refused; with one early, it ends there. */
  assert_int_equal((int64_t)trace("abc", 3).r0, -BPF_EINVAL);
  assert_int_equal(trace("ab\0%n", 6).r0, 2);
  assert_string_equal(traced, "ab");
  assert_int_equal(trace("x", 0).fault, BPF_FAULT_HELPER);
}

/* A line that is too long is cut. */
static void test_trace_is_cut(void **state) {
  char format[1000];
  memset(format, 'y', sizeof format - 1);
  format[sizeof format - 1] = '\0';
  assert_int_equal(trace(format, sizeof format).r0, 512);
  assert_int_equal(strlen(traced), 512);
}

/* A format size that runs out of memory, or wraps, faults. */
static void test_trace_size(void **state) {
  static const uint64_t sizes[] = {17, 0x100000000, 0xffffffffffffffff};
  char memory[16] = "ok";
  for (size_t i = 0; i < COUNT(sizes); i++) {
    const struct bpf_insn insns[] = {LOAD_64(2, sizes[i]), CALL_HELPER(6), EXIT()};
    assert_int_equal(run_with(insns, COUNT(insns), memory, sizeof memory, NULL, 0).fault, BPF_FAULT_HELPER);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_arguments),
      cmocka_unit_test(test_context_is_no_key),
      cmocka_unit_test(test_rights),
      cmocka_unit_test(test_hash_helpers),
      cmocka_unit_test(test_array_helpers),
      cmocka_unit_test(test_write_through_lookup),
      cmocka_unit_test(test_map_memory_as_argument),
      cmocka_unit_test(test_scratch_registers),
      cmocka_unit_test(test_environment_helpers),
      cmocka_unit_test(test_trace),
      cmocka_unit_test(test_trace_is_cut),
      cmocka_unit_test(test_trace_size),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
