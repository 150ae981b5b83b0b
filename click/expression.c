/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Expression functions. Each family is one function of the words of its parameter; a table says which belongs where.
 */
#include "click/expression.h"

#include "click/decimal.h"
#include "click/words.h"

static int number_error(int error, struct report *report) {
  if (error == -ERROR_TOO_BIG) return report_error(report, ERROR_TOO_BIG, "number out of range");
  return report_error(report, ERROR_INVALID, "division by zero");
}

static void add_bool(struct text *out, bool value) { text_add(out, value ? "true" : "false"); }

/* --- arithmetic --- */

static int combine(enum expression_function function, struct decimal *sum, const struct decimal *n) {
  switch (function) {
    case EXPRESSION_ADD:
      return decimal_add(sum, n, sum);
    case EXPRESSION_SUB:
      return decimal_subtract(sum, n, sum);
    case EXPRESSION_MUL:
      return decimal_multiply(sum, n, sum);
    case EXPRESSION_MIN:
      if (decimal_compare(n, sum) < 0) *sum = *n;
      return 0;
    case EXPRESSION_MAX:
      if (decimal_compare(n, sum) > 0) *sum = *n;
      return 0;
    default:
      return decimal_divide(sum, n, sum);
  }
}

/* A list of numbers, combined from the left. Of nothing: 0 for sums, 1 for products. */
static int fold(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  struct decimal sum = {.whole = function == EXPRESSION_ADD || function == EXPRESSION_SUB ? 0 : 1};
  bool first = true;
  for (struct slice word; (word = words_next(&rest)).length > 0; first = false) {
    struct decimal n;
    int error = decimal_parse(word, &n);
    if (error == -ERROR_INVALID) return report_error(report, ERROR_INVALID, "expected list of numbers");
    if (first) {
      sum = n;
    } else if (error == 0) {
      error = combine(function, &sum, &n);
    }
    if (error) return number_error(error, report);
  }
  if (function == EXPRESSION_IDIV) {
    sum.nano = 0;
    sum.negative = sum.negative && sum.whole > 0;
  }
  decimal_print(&sum, out);
  return 0;
}

static int two_numbers(struct report *report) { return report_error(report, ERROR_INVALID, "expected two numbers"); }

static int remainder_of(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  struct decimal a, b;
  struct slice first = words_next(&rest), second = words_next(&rest);
  if (rest.length > 0 || decimal_parse(first, &a) || decimal_parse(second, &b)) return two_numbers(report);
  if (function == EXPRESSION_MOD && !(decimal_is_integer(&a) && decimal_is_integer(&b))) return two_numbers(report);
  int error = decimal_remainder(&a, &b, &a);
  if (error) return number_error(error, report);
  decimal_print(&a, out);
  return 0;
}

static int sign(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  struct decimal n;
  if (decimal_parse(rest, &n)) return report_error(report, ERROR_INVALID, "expected one number");
  n.negative = function == EXPRESSION_NEG && !n.negative && (n.whole > 0 || n.nano > 0);
  decimal_print(&n, out);
  return 0;
}

/* --- comparison --- */

static int compare_text(struct slice a, struct slice b) {
  struct text x = {0}, y = {0};
  words_unquote(a, &x);
  words_unquote(b, &y);
  size_t common = x.length < y.length ? x.length : y.length;
  int order = common ? memcmp(x.data, y.data, common) : 0;
  if (order == 0) order = x.length < y.length ? -1 : x.length > y.length;
  text_free(&x);
  text_free(&y);
  return order;
}

static int compare(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  struct slice a = words_next(&rest), b = words_next(&rest);
  if (rest.length > 0 || a.length == 0 || b.length == 0) return two_numbers(report);
  struct decimal x, y;
  int order = decimal_parse(a, &x) == 0 && decimal_parse(b, &y) == 0 ? decimal_compare(&x, &y) : compare_text(a, b);
  const bool values[] = {order == 0, order != 0, order > 0, order >= 0, order < 0, order <= 0};
  add_bool(out, values[function - EXPRESSION_EQ]);
  return 0;
}

/* --- logic --- */

static int syntax_error(struct report *report, const char *expected) {
  return report_error(report, ERROR_INVALID, "syntax error: expected %s", expected);
}

static int negate(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  bool value;
  if (!words_bool(rest, &value)) return syntax_error(report, "one boolean");
  add_bool(out, !value);
  return 0;
}

static int join(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  bool conjunction = function == EXPRESSION_AND || function == EXPRESSION_NAND;
  bool value = conjunction;
  /* Words behind the one that decides are not looked at, as in Click. */
  while (value == conjunction && rest.length > 0) {
    if (!words_bool(words_next(&rest), &value)) return syntax_error(report, "booleans");
  }
  add_bool(out, value != (function == EXPRESSION_NAND || function == EXPRESSION_NOR));
  return 0;
}

static int choose(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  bool condition;
  if (!words_bool(words_next(&rest), &condition)) return syntax_error(report, "a boolean and two values");
  struct slice chosen = words_next(&rest);
  if (!condition) chosen = words_next(&rest);
  text_add_slice(out, chosen);
  return 0;
}

static int contains(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  struct slice wanted = words_next(&rest);
  bool found = false;
  while (!found && rest.length > 0)
    found = compare_text(wanted, words_next(&rest)) == 0;
  add_bool(out, found);
  return 0;
}

/* --- text --- */

static int first_word(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  text_add_slice(out, words_next(&rest));
  return 0;
}

static int length_of(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  text_addf(out, "%zu", rest.length);
  return 0;
}

static int unquote(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  words_unquote(rest, out);
  return 0;
}

static int print(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  return expression_sprintf(rest, out, report);
}

static int byte_order(enum expression_function function, struct slice rest, struct text *out, struct report *report) {
  struct decimal n;
  if (decimal_parse(rest, &n) || !decimal_is_integer(&n)) return syntax_error(report, "an integer");
  uint32_t value = (uint32_t)(n.negative ? -n.whole : n.whole);
  bool is_short = function == EXPRESSION_HTONS || function == EXPRESSION_NTOHS;
  text_addf(out, "%u", is_short ? __builtin_bswap16((uint16_t)value) : __builtin_bswap32(value));
  return 0;
}

static int (*const families[EXPRESSION_FUNCTIONS])(enum expression_function function, struct slice rest,
                                                   struct text *out, struct report *report) = {
    [EXPRESSION_ADD] = fold,         [EXPRESSION_SUB] = fold,         [EXPRESSION_MIN] = fold,
    [EXPRESSION_MAX] = fold,         [EXPRESSION_MUL] = fold,         [EXPRESSION_DIV] = fold,
    [EXPRESSION_IDIV] = fold,        [EXPRESSION_MOD] = remainder_of, [EXPRESSION_REM] = remainder_of,
    [EXPRESSION_NEG] = sign,         [EXPRESSION_ABS] = sign,         [EXPRESSION_EQ] = compare,
    [EXPRESSION_NE] = compare,       [EXPRESSION_GT] = compare,       [EXPRESSION_GE] = compare,
    [EXPRESSION_LT] = compare,       [EXPRESSION_LE] = compare,       [EXPRESSION_NOT] = negate,
    [EXPRESSION_AND] = join,         [EXPRESSION_OR] = join,          [EXPRESSION_NAND] = join,
    [EXPRESSION_NOR] = join,         [EXPRESSION_IF] = choose,        [EXPRESSION_IN] = contains,
    [EXPRESSION_FIRST] = first_word, [EXPRESSION_LENGTH] = length_of, [EXPRESSION_UNQUOTE] = unquote,
    [EXPRESSION_SPRINTF] = print,    [EXPRESSION_HTONS] = byte_order, [EXPRESSION_HTONL] = byte_order,
    [EXPRESSION_NTOHS] = byte_order, [EXPRESSION_NTOHL] = byte_order,
};

int expression_evaluate(enum expression_function function, struct slice arguments, struct text *out,
                        struct report *report) {
  return families[function](function, arguments, out, report);
}
