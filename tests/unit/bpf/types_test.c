/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Type tables: which are refused, and values as text, JSON and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/types.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static const char names[] = "\0a\0b\0low\0high\0name\0list\0RED\0GREEN\0inner\0on";
enum { N_NONE, N_A = 1, N_B = 3, N_LOW = 5, N_HIGH = 9, N_NAME = 14, N_LIST = 19, N_RED = 24, N_GREEN = 28 };
enum { N_INNER = 34, N_ON = 40 };
enum { U8, U32, S64, CHAR, NAME, COLOUR, PAIR, LIST, WHOLE, BOOL, RAW, BITS };

static const struct bpf_type type_table[] = {
    [U8] = {BPF_TYPE_UNSIGNED, {0}, 1, 0, 0},   [U32] = {BPF_TYPE_UNSIGNED, {0}, 4, 0, 0},
    [S64] = {BPF_TYPE_SIGNED, {0}, 8, 0, 0},    [CHAR] = {BPF_TYPE_CHAR, {0}, 1, 0, 0},
    [NAME] = {BPF_TYPE_ARRAY, {0}, 8, CHAR, 8}, [COLOUR] = {BPF_TYPE_ENUM, {0}, 4, 0, 2},
    [PAIR] = {BPF_TYPE_STRUCT, {0}, 8, 2, 2},   [LIST] = {BPF_TYPE_ARRAY, {0}, 16, PAIR, 2},
    [WHOLE] = {BPF_TYPE_STRUCT, {0}, 40, 4, 4}, [BOOL] = {BPF_TYPE_BOOL, {0}, 1, 0, 0},
    [RAW] = {BPF_TYPE_BYTES, {0}, 3, 0, 0},     [BITS] = {BPF_TYPE_STRUCT, {0}, 3, 8, 2},
};
static const struct bpf_type_member member_table[] = {
    {N_RED, 0, 0, 0},     {N_GREEN, 0, 0xffffffff, 0},                                             /* COLOUR: 0, -1 */
    {N_A, U32, 0, 0},     {N_B, COLOUR, 32, 0},                                                    /* PAIR */
    {N_NAME, NAME, 0, 0}, {N_LIST, LIST, 64, 0},       {N_INNER, S64, 192, 0}, {N_A, S64, 256, 0}, /* WHOLE */
    {N_LOW, U8, 0, 5},    {N_HIGH, U32, 5, 19},                                                    /* BITS */
};
static const struct bpf_types types = {type_table,        member_table,        names,
                                       COUNT(type_table), COUNT(member_table), sizeof names};

/* A table with anything out of its bounds, or of a size that doesn't add up, is refused. */
static void test_refused(void **state) {
  static const struct {
    struct bpf_type last;
    struct bpf_type_member member; /* member 10 */
  } rows[] = {
      {{9, {0}, 1, 0, 0}, {0}},
      {{BPF_TYPE_UNSIGNED, {0}, 3, 0, 0}, {0}},
      {{BPF_TYPE_SIGNED, {0}, 16, 0, 0}, {0}},
      {{BPF_TYPE_BOOL, {0}, 4, 0, 0}, {0}},
      {{BPF_TYPE_CHAR, {0}, 0, 0, 0}, {0}},
      {{BPF_TYPE_ENUM, {0}, 3, 0, 0}, {0}},
      {{BPF_TYPE_ENUM, {0}, 4, 9, 3}, {0}},
      {{BPF_TYPE_ENUM, {0}, 4, 0xffffffff, 2}, {0}},
      {{BPF_TYPE_ENUM, {0}, 4, 10, 1}, {sizeof names, 0, 0, 0}},
      {{BPF_TYPE_ARRAY, {0}, 4, 12, 1}, {0}}, /* of itself */
      {{BPF_TYPE_ARRAY, {0}, 4, 13, 1}, {0}},
      {{BPF_TYPE_ARRAY, {0}, 4, U8, 3}, {0}},
      {{BPF_TYPE_ARRAY, {0}, 65537, U8, 65537}, {0}},
      {{BPF_TYPE_STRUCT, {0}, 4, 10, 1}, {N_A, 12, 0, 0}}, /* of itself */
      {{BPF_TYPE_STRUCT, {0}, 4, 10, 1}, {N_A, U32, 8, 0}},
      {{BPF_TYPE_STRUCT, {0}, 8, 10, 1}, {N_A, U32, 4, 0}},
      {{BPF_TYPE_STRUCT, {0}, 8, 10, 1}, {N_A, U32, 0xfffffff8, 0}},
      {{BPF_TYPE_STRUCT, {0}, 8, 10, 1}, {N_A, U32, 60, 5}},
      {{BPF_TYPE_STRUCT, {0}, 16, 10, 1}, {N_A, S64, 1, 64}},
      {{BPF_TYPE_STRUCT, {0}, 16, 10, 1}, {N_A, S64, 0, 65}},
      {{BPF_TYPE_STRUCT, {0}, 16, 10, 2}, {N_A, S64, 0, 0}},
  };
  struct bpf_type table[13];
  struct bpf_type_member members[11];
  struct bpf_types t = {table, members, names, COUNT(table), COUNT(members), sizeof names};
  memcpy(table, type_table, sizeof type_table);
  memcpy(members, member_table, sizeof member_table);
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct report report = {0};
    table[12] = rows[i].last;
    members[10] = rows[i].member;
    if (bpf_types_check(&t, &report) != -ERROR_INVALID) fail_msg("row %zu is taken", i);
    assert_int_equal(report.errors, 1);
    report_free(&report);
  }
  assert_int_equal(bpf_types_check(&types, NULL), 0);
  t.names_length--;
  t.type_count--;
  assert_int_equal(bpf_types_check(&t, NULL), -ERROR_INVALID);
  t.type_count = BPF_TYPES_MAX + 1;
  assert_int_equal(bpf_types_check(&t, NULL), -ERROR_TOO_BIG);
}

/* Nesting is limited: 16 arrays inside one another are taken, 17 are not. An array of nothing is refused. */
static void test_depth(void **state) {
  struct bpf_type table[BPF_TYPES_MAX_DEPTH + 1] = {{BPF_TYPE_UNSIGNED, {0}, 1, 0, 0}};
  for (uint32_t i = 1; i <= BPF_TYPES_MAX_DEPTH; i++) {
    table[i] = (struct bpf_type){BPF_TYPE_ARRAY, {0}, 1, i - 1, 1};
  }
  struct bpf_types t = {table, NULL, names, BPF_TYPES_MAX_DEPTH, 0, sizeof names};
  assert_int_equal(bpf_types_check(&t, NULL), 0);
  t.type_count++;
  assert_int_equal(bpf_types_check(&t, NULL), -ERROR_INVALID);
  table[0] = (struct bpf_type){BPF_TYPE_BYTES, {0}, 0, 0, 0};
  table[1] = (struct bpf_type){BPF_TYPE_ARRAY, {0}, 0, 0, 65536};
  t.type_count = 2;
  assert_int_equal(bpf_types_check(&t, NULL), -ERROR_INVALID);
}

struct whole {
  char name[8];
  struct {
    uint32_t a;
    int32_t b;
  } list[2];
  int64_t inner, a;
};

/* Values by hand: text for people, JSON by RFC 8259. What is read is what was written. */
static void test_values(void **state) {
  static const uint8_t u8 = 200, raw[3] = {1, 0xab, 0}, bits[3] = {0xff, 0, 0x80}, yes = 1, quote = '"';
  static const uint32_t u32 = 4000000000;
  static const int64_t s64 = INT64_MIN;
  static const int32_t green = -1, other = 7;
  static const struct whole whole = {"et\"h\n", {{1, 0}, {2, -1}}, -5, INT64_MAX};
  static const struct {
    uint32_t type;
    const void *value;
    uint32_t size;
    const char *text, *json;
  } rows[] = {
      {U8, &u8, 1, "200", "200"},
      {U32, &u32, 4, "4000000000", "4000000000"},
      {S64, &s64, 8, "-9223372036854775808", "-9223372036854775808"},
      {BOOL, &yes, 1, "true", "true"},
      {CHAR, &quote, 1, "\"\\\"\"", "\"\\\"\""},
      {COLOUR, &green, 4, "GREEN", "\"GREEN\""},
      {COLOUR, &other, 4, "7", "7"},
      {RAW, raw, 3, "01ab00", "\"0x01ab00\""},
      {BITS, bits, 3, "{low 31 high 262151}", "{\"low\": 31, \"high\": 262151}"}, /* 0x8000ff: 5 bits, then 19 */
      {BPF_NO_TYPE, raw, 3, "01ab00", "\"0x01ab00\""},
      {U32, raw, 3, "01ab00", "\"0x01ab00\""}, /* not its size */
      {WHOLE, &whole, 40, "{name \"et\\\"h\\u000a\" list [{a 1 b RED} {a 2 b GREEN}] inner -5 a 9223372036854775807}",
       "{\"name\": \"et\\\"h\\u000a\", \"list\": [{\"a\": 1, \"b\": \"RED\"}, {\"a\": 2, \"b\": \"GREEN\"}], \"inner\": -5, "
       "\"a\": 9223372036854775807}"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct text text = {0}, json = {0};
    uint8_t back[64];
    bpf_types_format(&text, &types, rows[i].type, rows[i].value, rows[i].size, BPF_STYLE_TEXT);
    bpf_types_format(&json, &types, rows[i].type, rows[i].value, rows[i].size, BPF_STYLE_JSON);
    assert_string_equal(text_string(&text), rows[i].text);
    assert_string_equal(text_string(&json), rows[i].json);
    memset(back, 0x77, sizeof back);
    assert_int_equal(bpf_types_parse(slice_of(rows[i].json), &types, rows[i].type, back, rows[i].size, NULL), 0);
    assert_memory_equal(back, rows[i].value, rows[i].size);
    text_free(&text);
    text_free(&json);
  }
}

/* Other ways to write a value. */
static void test_read(void **state) {
  static const struct {
    uint32_t type, size;
    const char *text;
    uint64_t expected; /* first bytes */
  } rows[] = {
      {U32, 4, " 0x01020304 ", 0x04030201},
      {U32, 4, "\"0x01020304\"", 0x04030201},
      {BPF_NO_TYPE, 4, "258", 258},
      {BPF_NO_TYPE, 8, "-1", 0xffffffffffffffff},
      {BPF_NO_TYPE, 4, "4294967295", 0xffffffff},
      {BPF_NO_TYPE, 3, "0x010203", 0x030201},
      {U8, 1, "255", 255},
      {S64, 8, "-9223372036854775808", 0x8000000000000000},
      {COLOUR, 4, "-1", 0xffffffff},
      {CHAR, 1, "65", 65},
      {CHAR, 1, "\"\\u0041\"", 65},
      {NAME, 8, "\"eth0\"", 0x30687465},
      {NAME, 8, "[101, 116]", 0x7465},
      {PAIR, 8, "{}", 0},
      {PAIR, 8, "{ \"b\" : \"GREEN\" }", 0xffffffff00000000},
      {BITS, 3, "{\"high\": 524287}", 0xffffe0},
      {LIST, 16, "[]", 0},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint64_t value[8] = {0};
    struct report report = {0};
    if (bpf_types_parse(slice_of(rows[i].text), &types, rows[i].type, value, rows[i].size, &report) != 0) {
      fail_msg("'%s': %s", rows[i].text, text_string(&report.text));
    }
    assert_int_equal(value[0], rows[i].expected);
  }
}

/* What is wrong is refused with what and where. */
static void test_bad_text(void **state) {
  static const struct {
    uint32_t type, size;
    const char *text, *message;
  } rows[] = {
      {U8, 1, "256", "no number that fits at '256'"},
      {U8, 1, "-1", "no number that fits"},
      {U8, 1, "", "no number that fits"},
      {U8, 1, "1 2", "more than one value at '2'"},
      {U32, 4, "0x010203", "6 hexadecimal digits for 4 bytes"},
      {U32, 4, "0x0102030g", "not hexadecimal"},
      {S64, 8, "9223372036854775808", "no number that fits"},
      {BOOL, 1, "1", "neither true nor false at '1'"},
      {CHAR, 1, "\"ab\"", "not one character"},
      {NAME, 8, "\"123456789\"", "malformed or too long"},
      {NAME, 8, "\"\\u0141\"", "malformed or too long"},
      {NAME, 8, "\"\\", "string without end"},
      {NAME, 8, "[1,2,3,4,5,6,7,8,9]", "too many elements"},
      {NAME, 8, "[1;2]", "neither ',' nor ']' at ';2]'"},
      {COLOUR, 4, "\"BLUE\"", "no such enumerator at 'BLUE\"'"},
      {PAIR, 8, "{\"c\": 1}", "no such member at 'c\": 1}'"},
      {PAIR, 8, "{\"a\" 1}", "no ':'"},
      {PAIR, 8, "{\"a\": 1", "neither ',' nor '}'"},
      {PAIR, 8, "{a: 1}", "no string at 'a: 1}'"},
      {PAIR, 8, "[", "no '{'"},
      {BITS, 3, "{\"low\": 32}", "no number that fits at '32}'"},
      {RAW, 3, "7", "bytes want 0x"},
      {BPF_NO_TYPE, 16, "7", "bytes want 0x"},
      {BPF_NO_TYPE, 2, "65536", "no number that fits"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint8_t value[64];
    struct report report = {0};
    assert_int_equal(bpf_types_parse(slice_of(rows[i].text), &types, rows[i].type, value, rows[i].size, &report),
                     -ERROR_INVALID);
    if (strstr(text_string(&report.text), rows[i].message) == NULL) {
      fail_msg("'%s': \"%s\", expected \"%s\"", rows[i].text, text_string(&report.text), rows[i].message);
    }
    report_free(&report);
  }
}

/* Structs whose members all overlap have a text that grows with each level; it is cut off. */
static void test_text_is_limited(void **state) {
  struct bpf_type table[12] = {{BPF_TYPE_UNSIGNED, {0}, 1, 0, 0}};
  struct bpf_type_member members[11 * 8];
  for (uint32_t i = 1; i < COUNT(table); i++) {
    table[i] = (struct bpf_type){BPF_TYPE_STRUCT, {0}, 1, (i - 1) * 8, 8};
    for (uint32_t j = 0; j < 8; j++) {
      members[(i - 1) * 8 + j] = (struct bpf_type_member){N_A, i - 1, 0, 0};
    }
  }
  const struct bpf_types t = {table, members, names, COUNT(table), COUNT(members), sizeof names};
  const uint8_t value = 1;
  struct text text = {0};
  assert_int_equal(bpf_types_check(&t, NULL), 0);
  bpf_types_format(&text, &t, COUNT(table) - 1, &value, 1, BPF_STYLE_TEXT);
  assert_in_range(text.length, 1u << 20, (1u << 20) + 4096);
  text_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refused), cmocka_unit_test(test_depth),    cmocka_unit_test(test_values),
      cmocka_unit_test(test_read),    cmocka_unit_test(test_bad_text), cmocka_unit_test(test_text_is_limited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
