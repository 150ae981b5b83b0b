/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers on text: bpf_snprintf, bpf_strncmp, bpf_strtol, bpf_strtoul, as in bpf-helpers(7).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bpf/helper_run.h"

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
    memcpy(maps[0]->ops->lookup(maps[0], &key), rows[i].format, strlen(rows[i].format) + 1);
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
    memcpy(maps[0]->ops->lookup(maps[0], &key), compares[i].constant, strlen(compares[i].constant) + 1);
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
    memcpy(memory.text, rows[i].text, strlen(rows[i].text) + 1);
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
      cmocka_unit_test(test_snprintf),
      cmocka_unit_test(test_strings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
