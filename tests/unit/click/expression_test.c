/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the expression functions, of words and quotes, and of flat configurations as text. Values come from Click's manual
 * page Script(n), where it has the example; otherwise from C (printf, fmod) or arithmetic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "click/config.h"
#include "click/expression.h"
#include "click/unparse.h"
#include "click/words.h"

/* Each function gives the value, or says why not. */
static void functions(void **state) {
  static const struct {
    enum expression_function function;
    const char *arguments, *value; /* of an error: the message */
  } cases[] = {
      {EXPRESSION_ADD, "10 5 2", "17"}, /* HANDLERS, add */
      {EXPRESSION_ADD, "", "0"},
      {EXPRESSION_ADD, "1.5 -2", "-0.5"},
      {EXPRESSION_ADD, "0.1 0.2", "0.3"},
      {EXPRESSION_ADD, "18446744073709551615 1", "number out of range\n"},
      {EXPRESSION_ADD, "1 x", "expected list of numbers\n"},
      {EXPRESSION_ADD, "0x10 010 0b11", "27"},
      {EXPRESSION_SUB, "10 5 2", "3"}, /* HANDLERS, sub */
      {EXPRESSION_SUB, "1 2.25", "-1.25"},
      {EXPRESSION_MIN, "5 10 2", "2"},
      {EXPRESSION_MAX, "5 10 2", "10"},
      {EXPRESSION_MUL, "", "1"},
      {EXPRESSION_MUL, "3 -4", "-12"},
      {EXPRESSION_MUL, "1.5 1.5", "2.25"},
      {EXPRESSION_MUL, "-1 0", "0"},
      {EXPRESSION_MUL, "4294967296 4294967296", "number out of range\n"},
      {EXPRESSION_MUL, "1e9 1e-9", "1"},
      {EXPRESSION_DIV, "7 2", "3.5"},
      {EXPRESSION_DIV, "1 3", "0.333333333"},
      {EXPRESSION_DIV, "2 3", "0.666666667"},
      {EXPRESSION_DIV, "18446744073709551615 0.5", "number out of range\n"},
      {EXPRESSION_DIV, "1 0", "division by zero\n"},
      {EXPRESSION_IDIV, "7 2", "3"},
      {EXPRESSION_IDIV, "-7 2", "-3"},
      {EXPRESSION_IDIV, "-1 2", "0"},
      {EXPRESSION_MOD, "7 3", "1"}, /* HANDLERS, mod */
      {EXPRESSION_MOD, "-7 3", "-1"},
      {EXPRESSION_MOD, "7.5 3", "expected two numbers\n"},
      {EXPRESSION_MOD, "7 0", "division by zero\n"},
      {EXPRESSION_MOD, "7", "expected two numbers\n"},
      {EXPRESSION_REM, "7.5 2", "1.5"}, /* fmod */
      {EXPRESSION_REM, "-5.5 2", "-1.5"},
      {EXPRESSION_NEG, "5", "-5"},
      {EXPRESSION_NEG, "0", "0"},
      {EXPRESSION_NEG, "1 2", "expected one number\n"},
      {EXPRESSION_ABS, "-5.25", "5.25"},
      {EXPRESSION_EQ, "10 0xA", "true"}, /* HANDLERS, eq */
      {EXPRESSION_LE, "9 8", "false"},   /* HANDLERS, le */
      {EXPRESSION_EQ, "10x 10x", "true"},
      {EXPRESSION_EQ, "\"a b\" 'a b'", "true"},
      {EXPRESSION_NE, "1 1.0", "false"},
      {EXPRESSION_LT, "abc abd", "true"},
      {EXPRESSION_GT, "b abc", "true"},
      {EXPRESSION_GE, "2 2", "true"},
      {EXPRESSION_LT, "-2 1", "true"},
      {EXPRESSION_LT, "1", "expected two numbers\n"},
      {EXPRESSION_NOT, "true", "false"},
      {EXPRESSION_NOT, "maybe", "syntax error: expected one boolean\n"},
      {EXPRESSION_AND, "true 1 yes", "true"},
      {EXPRESSION_AND, "true false x", "false"},
      {EXPRESSION_AND, "", "true"},
      {EXPRESSION_OR, "0 no true", "true"},
      {EXPRESSION_OR, "", "false"},
      {EXPRESSION_NAND, "1 1", "false"},
      {EXPRESSION_NOR, "0 0", "true"},
      {EXPRESSION_IF, "true a b", "a"},
      {EXPRESSION_IF, "false a \"b c\"", "\"b c\""},
      {EXPRESSION_IN, "foo bar foo", "true"}, /* HANDLERS, in */
      {EXPRESSION_IN, "foo bar", "false"},
      {EXPRESSION_FIRST, "\"a b\" c", "\"a b\""},
      {EXPRESSION_LENGTH, "abcde", "5"}, /* HANDLERS, length (which counts "abcdef" wrong) */
      {EXPRESSION_UNQUOTE, "\"a\\\"b\" 'c'", "a\"b c"},
      {EXPRESSION_SPRINTF, "\"%05x\" 127", "0007f"}, /* HANDLERS, sprintf; as C, x is lower case */
      {EXPRESSION_SPRINTF, "'%05X|%-5d|%+d|%o|%%' 127 42 7 8", "0007F|42   |+7|10|%"},
      {EXPRESSION_SPRINTF, "\"%*s|%-*s|%.2s\" 4 a 4 b cde", "   a|b   |cd"},
      {EXPRESSION_SPRINTF, "\"%#x %#o %.3d % d\" 255 8 5 5", "0xff 010 005  5"},
      {EXPRESSION_SPRINTF, "%hd 65535", "-1"},
      {EXPRESSION_SPRINTF, "%lu -1", "18446744073709551615"},
      {EXPRESSION_SPRINTF, "%d", "syntax error: a conversion wants an integer\n"},
      {EXPRESSION_SPRINTF, "x 1", "syntax error: more arguments than the format takes\n"},
      {EXPRESSION_SPRINTF, "%", "syntax error: the format ends within a conversion\n"},
      {EXPRESSION_SPRINTF, "%n 1", "syntax error: unknown conversion; there are d i u o x X s\n"},
      {EXPRESSION_SPRINTF, "%9999d 1", "syntax error: width over 1024\n"},
      {EXPRESSION_HTONS, "1", "256"},
      {EXPRESSION_HTONL, "1", "16777216"},
      {EXPRESSION_NTOHS, "256", "1"},
      {EXPRESSION_NTOHL, "16777216", "1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct text out = {0};
    struct report report = {0};
    int error = expression_evaluate(cases[i].function, slice_of(cases[i].arguments), &out, &report);
    const char *got = text_string(error ? &report.text : &out);
    if (strcmp(got, cases[i].value) != 0) fail_msg("%d of '%s' is '%s'", cases[i].function, cases[i].arguments, got);
    text_free(&out);
    report_free(&report);
  }
}

/* Words end at blanks outside quotes; what is quoted unquotes to itself (click(5), quoting). */
static void words(void **state) {
  struct slice rest = slice_of("  a \"b c\\\" d\" 'e f'g \\<20 41> ");
  static const char *const expected[] = {"a", "\"b c\\\" d\"", "'e f'g", "\\<20 41>", ""};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
    assert_true(slice_equals(words_next(&rest), expected[i]));
  static const char *const texts[] = {"", "a b", "\"", "\\", "$x", "a\nb\tc\r", "\x01\x7f", "'", "//"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct text quoted = {0}, plain = {0};
    words_quote(slice_of(texts[i]), true, &quoted);
    words_unquote((struct slice){quoted.data, quoted.length}, &plain);
    assert_string_equal(text_string(&plain), texts[i]);
    text_free(&quoted);
    text_free(&plain);
  }
}

/* A flat configuration parses to the text it came from (click(1), flatconfig). */
static void flat(void **state) {
  static const char *const texts[] = {
      "require(package \"x\");\n\na :: Idle;\nb :: Counter(1, 2);\nc :: Discard;\n\na -> b\n    -> c;\n",
      "a :: Tee(2);\nb :: X;\n\na [1] -> b;\na -> [1] b;\n",
      "a :: X;\nb :: X;\n\na -> b\n    -> a;\n",
      "a :: X;\n",
      "",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct click_config config;
    struct report report = {0};
    struct text out = {0};
    assert_int_equal(click_parse("flat.click", slice_of(texts[i]), &config, &report), 0);
    click_unparse(&config, &out);
    assert_string_equal(text_string(&out), texts[i]);
    click_config_free(&config);
    text_free(&out);
    report_free(&report);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(functions),
      cmocka_unit_test(words),
      cmocka_unit_test(flat),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
