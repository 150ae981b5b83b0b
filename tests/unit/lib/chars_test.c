/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Character classes, slices, numbers, patterns, and the texts of error codes.
 */
#include <ctype.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/error.h"
#include "lib/string.h"

/* The classes are those of the C locale, and nothing above 127 is in any. */
static void classes_are_ascii(void **state) {
  for (int c = -128; c < 128; c++) {
    bool ascii = c >= 0;
    assert_int_equal(char_is_space((char)c), ascii && isspace(c));
    assert_int_equal(char_is_digit((char)c), ascii && isdigit(c));
    assert_int_equal(char_is_alpha((char)c), ascii && isalpha(c));
    assert_int_equal(char_is_word((char)c), ascii && (isalnum(c) || c == '_'));
    assert_int_equal(char_hex_value((char)c) >= 0, ascii && isxdigit(c));
  }
  assert_int_equal(char_hex_value('9'), 9);
  assert_int_equal(char_hex_value('a'), 10);
  assert_int_equal(char_hex_value('F'), 15);
}

/* Numbers at, just under and just over every edge; whatever is not wholly a number is invalid. */
static void numbers_at_their_edges(void **state) {
  static const struct {
    const char *text;
    uint64_t max;
    int result;
    uint64_t value;
  } cases[] = {
      {"", UINT64_MAX, -ERROR_INVALID, 0},
      {"0x", UINT64_MAX, -ERROR_INVALID, 0},
      {"x", UINT64_MAX, -ERROR_INVALID, 0},
      {"-1", UINT64_MAX, -ERROR_INVALID, 0},
      {"+1", UINT64_MAX, -ERROR_INVALID, 0},
      {" 1", UINT64_MAX, -ERROR_INVALID, 0},
      {"1 ", UINT64_MAX, -ERROR_INVALID, 0},
      {"1a", UINT64_MAX, -ERROR_INVALID, 0},
      {"0x1g", UINT64_MAX, -ERROR_INVALID, 0},
      {"99999999999999999999999z", UINT64_MAX, -ERROR_INVALID, 0},
      {"0", 0, 0, 0},
      {"1", 0, -ERROR_TOO_BIG, 0},
      {"65535", 65535, 0, 65535},
      {"65536", 65535, -ERROR_TOO_BIG, 0},
      {"0xfFff", 65535, 0, 65535},
      {"0X10", UINT64_MAX, 0, 16},
      {"010", UINT64_MAX, 0, 10},
      {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
      {"18446744073709551616", UINT64_MAX, -ERROR_TOO_BIG, 0},
      {"184467440737095516150", UINT64_MAX, -ERROR_TOO_BIG, 0},
      {"0xffffffffffffffff", UINT64_MAX, 0, UINT64_MAX},
      {"0x10000000000000000", UINT64_MAX, -ERROR_TOO_BIG, 0},
      {"00000000000000000000000000000007", 7, 0, 7},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint64_t value = 4711;
    assert_int_equal(slice_to_u64(slice_of(cases[i].text), cases[i].max, &value), cases[i].result);
    assert_int_equal(value, cases[i].result == 0 ? cases[i].value : 4711);
  }
  uint64_t value;
  assert_int_equal(slice_to_u64((struct slice){"123", 2}, 100, &value), 0); /* a slice ends where it ends */
  assert_int_equal(value, 12);
  assert_int_equal(slice_to_u64((struct slice){NULL, 0}, 100, &value), -ERROR_INVALID);
}

/* Words come one by one, whatever the blanks around them, and then empty ones. */
static void words_in_order(void **state) {
  struct slice rest = slice_of("  write\tfw.code  \r\n 12 ");
  assert_true(slice_equals(slice_next_word(&rest), "write"));
  assert_true(slice_equals(rest, "fw.code  \r\n 12 "));
  assert_true(slice_equals(slice_next_word(&rest), "fw.code"));
  assert_true(slice_equals(slice_next_word(&rest), "12"));
  assert_int_equal(rest.length, 0);
  assert_int_equal(slice_next_word(&rest).length, 0);
  rest = (struct slice){NULL, 0};
  assert_int_equal(slice_next_word(&rest).length, 0);
}

static void slices_compare_and_trim(void **state) {
  struct slice nothing = {NULL, 0};
  assert_true(slice_equals(nothing, ""));
  assert_false(slice_equals(nothing, "a"));
  assert_true(slice_starts_with(nothing, ""));
  assert_false(slice_starts_with(slice_of("ab"), "abc"));
  assert_true(slice_starts_with(slice_of("abc"), "abc"));
  assert_false(slice_equals((struct slice){"a\0b", 3}, "a"));
  assert_true(slice_equals(slice_trim(slice_of(" \t a b\v\f ")), "a b"));
  assert_int_equal(slice_trim(slice_of(" \n ")).length, 0);
  assert_int_equal(slice_trim(nothing).length, 0);
}

/* '*' is any run, '?' one character, the rest itself; patterns made to backtrack end soon. */
static void patterns(void **state) {
  static const struct {
    const char *pattern, *name;
    bool matches;
  } cases[] = {
      {"", "", true},          {"", "a", false},           {"*", "", true},          {"?", "", false},
      {"*", "fw", true},       {"f?", "fw", true},         {"f?", "f", false},       {"f?", "fww", false},
      {"fw*", "fw", true},     {"fw*", "fwall", true},     {"*w", "fw", true},       {"*w", "wf", false},
      {"a*b*c", "abc", true},  {"a*b*c", "aXbYbZc", true}, {"a*b*c", "acb", false},  {"**?**", "", false},
      {"**?**", "x", true},    {"*ab", "aab", true},       {"*ab*ab", "abab", true}, {"*ab*ab", "aba", false},
      {"[ab]", "a", false},    {"[ab]", "[ab]", true},     {"fw", "FW", false},      {"a?*?d", "abcd", true},
      {"a?*?d", "abd", false}, {"\\*", "*", false},        {"x*", "yx", false},      {"a", "", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (glob_match(cases[i].pattern, cases[i].name) != cases[i].matches) {
      fail_msg("%s on %s", cases[i].pattern, cases[i].name);
    }
  }
  /* Exponential backtracking would never end here. */
  char name[2001];
  for (unsigned i = 0; i < 2000; i++)
    name[i] = 'a';
  name[2000] = '\0';
  assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", name));
}

/* Every code has a text of its own, and codes outside the enumeration do no harm. */
static void every_error_has_a_text(void **state) {
  for (int code = 0; code < ERROR_COUNT; code++) {
    assert_non_null(error_text(code));
    assert_string_equal(error_text(code), error_text(-code));
    assert_string_not_equal(error_text(code), "unknown error");
    for (int other = 0; other < code; other++)
      assert_string_not_equal(error_text(code), error_text(other));
  }
  assert_string_equal(error_text(ERROR_COUNT), "unknown error");
  assert_string_equal(error_text(INT_MAX), "unknown error");
  assert_string_equal(error_text(INT_MIN), "unknown error");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(classes_are_ascii), cmocka_unit_test(numbers_at_their_edges),
      cmocka_unit_test(words_in_order),    cmocka_unit_test(slices_compare_and_trim),
      cmocka_unit_test(patterns),          cmocka_unit_test(every_error_has_a_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
