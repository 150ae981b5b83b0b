/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Formatting, growable text and reports. format_text is compared with the C library's snprintf.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/report.h"
#include "lib/text.h"

/* format_text without the compiler's look at the format. */
static size_t format_any(char *buffer, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text_list(buffer, size, format, arguments);
  va_end(arguments);
  return length;
}

/* Ours and snprintf must agree on text, length and the NUL for every buffer size around the length. */
static void same(const char *format, ...) {
  char theirs[512], ours[512];
  va_list arguments, copy;
  va_start(arguments, format);
  va_copy(copy, arguments);
  size_t whole = (size_t)vsnprintf(theirs, sizeof theirs, format, copy);
  va_end(copy);
  for (size_t size = whole > 3 ? whole - 3 : 0; size <= whole + 3; size++) {
    memset(theirs, '#', sizeof theirs);
    memset(ours, '#', sizeof ours);
    va_copy(copy, arguments);
    (void)!vsnprintf(theirs, size, format, copy);
    va_end(copy);
    va_copy(copy, arguments);
    assert_int_equal(format_text_list(ours, size, format, copy), whole);
    va_end(copy);
    if (memcmp(ours, theirs, sizeof ours) != 0) fail_msg("%s: \"%.*s\" is not \"%.*s\"", format, 80, ours, 80, theirs);
  }
  va_end(arguments);
}

/* Every conversion with every combination of flags, widths and precisions at its edges prints what snprintf prints. */
static void numbers_as_snprintf(void **state) {
  static const char *const flags[] = {"", "-", "0", "+", "#", "-0", "+0", "-+", "#0", "-#", "-+0#"};
  static const char *const widths[] = {"", "1", "7", "25"};
  static const char *const precisions[] = {"", ".", ".0", ".1", ".5", ".30"};
  static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z"};
  static const uint64_t values[] = {0,          1,        9,         10,         127,       128,
                                    255,        256,      0x7fff,    0x8000,     0xffff,    INT_MAX,
                                    0x80000000, UINT_MAX, INT64_MAX, 1ull << 63, UINT64_MAX};
  for (unsigned f = 0; f < sizeof flags / sizeof flags[0]; f++) {
    for (unsigned w = 0; w < 4; w++) {
      for (unsigned p = 0; p < 6; p++) {
        for (unsigned l = 0; l < 6; l++) {
          for (const char *c = "diuxX"; *c != '\0'; c++) {
            char format[32];
            snprintf(format, sizeof format, "[%%%s%s%s%s%c]", flags[f], widths[w], precisions[p], lengths[l], *c);
            for (unsigned v = 0; v < sizeof values / sizeof values[0]; v++) {
              if (l < 3) {
                same(format, (int)(unsigned)values[v]);
              } else {
                same(format, values[v]);
              }
            }
          }
        }
      }
    }
  }
}

/* The same for random numbers. */
static void random_numbers_as_snprintf(void **state) {
  srand(1);
  for (unsigned i = 0; i < 3000; i++) {
    uint64_t a = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand();
    a >>= rand() % 64;
    same("%ld %lu %lx %d %zu|%*d|%-*u|%.*lx", (long)a, a, a, (int)a, (size_t)a, rand() % 40 - 20, (int)a, rand() % 20,
         (unsigned)a, rand() % 20 - 5, a);
  }
}

/* Strings and characters: padded, cut, and never read past the precision. */
static void strings_as_snprintf(void **state) {
  same("plain");
  same("");
  same("100%%");
  same("%s|%10s|%-10s|%.3s|%10.3s|%-10.3s|%.0s", "element", "element", "element", "element", "element", "element", "x");
  same("%c%c%5c|%-5c|", 'a', 0xe4, 'b', 'c');
  same("%.*s|%*s|%-*s|%.*s", 3, "element", 9, "element", -9, "element", -1, "all of it");
  same("%p", (void *)0x7fff1234);
  same("%20p|%-20p|", (void *)0x7fff1234, (void *)1);
  static const char no_nul[3] = {'a', 'b', 'c'};
  same("%.3s", no_nul);
  char zero[8];
  assert_int_equal(format_any(zero, sizeof zero, "%c", 0), 1);
  assert_int_equal(zero[0] | zero[1], 0);
  assert_int_equal(format_any(zero, sizeof zero, "%s", (char *)NULL), 6);
  assert_string_equal(zero, "(null)");
  assert_int_equal(format_any(NULL, 0, "%d", 12345), 5);
}

/* What is not known stands as it is, with all behind it, and takes no argument. */
static void unknown_conversions_stand(void **state) {
  static const char *const formats[] = {"%n", "%f %d", "%", "%5", "%.3", "%l", "%hhq %s", "%-+0#"};
  for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
    char format[32], out[64];
    snprintf(format, sizeof format, "a%%%%%s", formats[i]);
    format_any(out, sizeof out, format);
    assert_int_equal(out[0], 'a');
    assert_int_equal(out[1], '%');
    assert_string_equal(out + 2, formats[i]);
  }
}

/* A width beyond reason is bounded and harmless. */
static void huge_width_is_bounded(void **state) {
  char out[8];
  assert_in_range(format_any(out, sizeof out, "%99999999999999999999d", 1), 100000, 1000000);
  assert_string_equal(out, "       ");
}

/* Text grows, keeps its NUL, survives its own clearing, and equals what was added. */
static void text_grows(void **state) {
  struct text text = {0};
  assert_string_equal(text_string(&text), "");
  text_add(&text, "");
  text_add_bytes(&text, NULL, 0);
  text_add_slice(&text, (struct slice){NULL, 0});
  assert_int_equal(text.length, 0);
  for (unsigned i = 0; i < 2000; i++) {
    text_add(&text, "ab");
    text_addf(&text, "%u,", i % 10);
    text_add_slice(&text, (struct slice){"cdef", 2});
    text_add_bytes(&text, "\0", 1);
  }
  assert_int_equal(text.length, 2000 * 7);
  assert_true(text.capacity > text.length && text.capacity <= 4 * text.length);
  for (unsigned i = 0; i < 2000; i++) {
    char piece[8];
    snprintf(piece, sizeof piece, "ab%u,cd", i % 10);
    assert_memory_equal(text.data + (size_t)i * 7, piece, 7);
  }
  assert_int_equal(text.data[text.length], '\0');
  text_clear(&text);
  assert_string_equal(text_string(&text), "");
  text_addf(&text, "%5000s", "end"); /* longer than all that is reserved */
  assert_int_equal(text.length, 5000);
  assert_string_equal(text_string(&text) + 4997, "end");
  text_free(&text);
  assert_null(text.data);
}

/* When memory is out, text keeps what it has, is marked, and ignores the rest. */
static void text_fails_whole(void **state) {
  struct text text = {0};
  text_add(&text, "kept");
  text_add_bytes(&text, "x", SIZE_MAX - 2);
  assert_true(text.failed);
  text_add(&text, "ignored");
  text_addf(&text, "%d", 1);
  assert_string_equal(text_string(&text), "kept");
  text_clear(&text);
  text_add(&text, "again");
  assert_string_equal(text_string(&text), "again");
  text_free(&text);
}

/* Errors and warnings are counted and stand on lines of their own, behind the prefix. */
static void report_lines(void **state) {
  struct report report = {0};
  assert_int_equal(report_error(&report, ERROR_KEY, "key %d", 1), -ERROR_KEY);
  report.prefix = "  ";
  report_warning(&report, "port %s", "80");
  report_note(&report, "note");
  assert_int_equal(report_error(NULL, ERROR_IO, "lost"), -ERROR_IO);
  report_warning(NULL, "lost");
  report_note(NULL, "lost");
  assert_string_equal(text_string(&report.text), "key 1\n  warning: port 80\n  note\n");
  assert_int_equal(report.errors, 1);
  assert_int_equal(report.warnings, 1);
  report_free(&report);
  assert_int_equal(report.errors, 0);
}

/* Messages beyond REPORT_MAX_TEXT are counted; the text stays a series of whole lines. */
static void report_is_bounded(void **state) {
  struct report report = {0};
  for (unsigned i = 0; i < 10000; i++)
    (void)report_error(&report, ERROR_INVALID, "line %05u", i);
  assert_int_equal(report.errors, 10000);
  assert_int_equal(report.text.length, REPORT_MAX_TEXT / 11 * 11);
  assert_int_equal(report.text.data[report.text.length - 1], '\n');
  (void)report_error(&report, ERROR_INVALID, "%70000s", "x");
  assert_int_equal(report.text.length, REPORT_MAX_TEXT / 11 * 11);
  (void)report_error(&report, ERROR_INVALID, "fit"); /* there is room for this one */
  assert_string_equal(report.text.data + report.text.length - 4, "fit\n");
  report_free(&report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_as_snprintf),   cmocka_unit_test(random_numbers_as_snprintf),
      cmocka_unit_test(strings_as_snprintf),   cmocka_unit_test(unknown_conversions_stand),
      cmocka_unit_test(huge_width_is_bounded), cmocka_unit_test(text_grows),
      cmocka_unit_test(text_fails_whole),      cmocka_unit_test(report_lines),
      cmocka_unit_test(report_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
