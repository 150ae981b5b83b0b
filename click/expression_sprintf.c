/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sprintf of scripts. Numbers are written here and padded here, because format_text has no octal and takes no format it has not
 * seen at compile time.
 */
#include "click/decimal.h"
#include "click/expression.h"
#include "click/words.h"

enum { WIDTH_MAX = 1024 };

struct conversion {
  bool left, zero, plus, space, alternate;
  bool short_argument;
  unsigned width;
  int precision; /* below 0: none given */
  char letter;
};

static int bad(struct report *report, const char *what) {
  return report_error(report, ERROR_INVALID, "syntax error: %s", what);
}

/* A run of digits, or '*' and the next argument. */
static int read_size(struct slice *format, struct slice *arguments, int *value, struct report *report) {
  if (format->length > 0 && format->data[0] == '*') {
    struct decimal n;
    if (decimal_parse(words_next(arguments), &n) || !decimal_is_integer(&n) || n.whole > WIDTH_MAX)
      return bad(report, "'*' wants a number up to 1024");
    *value = n.negative ? -(int)n.whole : (int)n.whole;
    format->data++;
    format->length--;
    return 0;
  }
  *value = 0;
  while (format->length > 0 && char_is_digit(format->data[0])) {
    *value = *value * 10 + (format->data[0] - '0');
    if (*value > WIDTH_MAX) return bad(report, "width over 1024");
    format->data++;
    format->length--;
  }
  return 0;
}

static bool take(struct slice *format, char c) {
  if (format->length == 0 || format->data[0] != c) return false;
  format->data++;
  format->length--;
  return true;
}

/* What stands behind the '%'. */
static int read_conversion(struct slice *format, struct slice *arguments, struct conversion *c, struct report *report) {
  *c = (struct conversion){.precision = -1};
  for (bool more = true; more;) {
    more = false;
    if (take(format, '-')) more = c->left = true;
    if (take(format, '0')) more = c->zero = true;
    if (take(format, '+')) more = c->plus = true;
    if (take(format, ' ')) more = c->space = true;
    if (take(format, '#')) more = c->alternate = true;
  }
  int width = 0, error = read_size(format, arguments, &width, report);
  if (error) return error;
  c->left = c->left || width < 0;
  c->width = (unsigned)(width < 0 ? -width : width);
  if (take(format, '.')) {
    error = read_size(format, arguments, &c->precision, report);
    if (error) return error;
    if (c->precision < 0) return bad(report, "a precision cannot be negative");
  }
  for (bool more = true; more;) {
    more = false;
    if (take(format, 'h')) more = c->short_argument = true;
    if (take(format, 'l') || take(format, 'q') || take(format, 'L')) more = true;
  }
  if (format->length == 0) return bad(report, "the format ends within a conversion");
  c->letter = format->data[0];
  format->data++;
  format->length--;
  return 0;
}

/* prefix (sign, "0x") and body, padded to the width. */
static void add_padded(const struct conversion *c, bool number, const char *prefix, struct slice body,
                       struct text *out) {
  size_t zeros =
      number && c->precision > 0 && (size_t)c->precision > body.length ? (size_t)c->precision - body.length : 0;
  size_t length = strlen(prefix) + zeros + body.length;
  size_t pad = c->width > length ? c->width - length : 0;
  if (number && c->zero && !c->left && c->precision < 0) {
    zeros += pad;
    pad = 0;
  }
  for (size_t i = 0; !c->left && i < pad; i++)
    text_add(out, " ");
  text_add(out, prefix);
  for (size_t i = 0; i < zeros; i++)
    text_add(out, "0");
  text_add_slice(out, body);
  for (size_t i = 0; c->left && i < pad; i++)
    text_add(out, " ");
}

static int add_integer(const struct conversion *c, struct slice word, struct text *out, struct report *report) {
  struct decimal n;
  if (decimal_parse(word, &n) || !decimal_is_integer(&n)) return bad(report, "a conversion wants an integer");
  bool is_signed = c->letter == 'd' || c->letter == 'i', negative = is_signed && n.negative;
  uint64_t value = n.whole;
  if (!is_signed && n.negative) value = -value;
  if (c->short_argument) {
    int16_t cut = (int16_t)(n.negative ? -n.whole : n.whole);
    negative = is_signed && cut < 0;
    value = is_signed ? (uint64_t)(cut < 0 ? -cut : cut) : (uint16_t)cut;
  }
  unsigned base = c->letter == 'o' ? 8 : c->letter == 'x' || c->letter == 'X' ? 16 : 10;
  const char *digits = c->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  char buffer[24], *at = buffer + sizeof buffer;
  for (uint64_t rest = value; rest > 0 || at == buffer + sizeof buffer; rest /= base)
    *--at = digits[rest % base];
  const char *prefix = negative ? "-" : is_signed && c->plus ? "+" : is_signed && c->space ? " " : "";
  if (c->alternate && value > 0)
    prefix = c->letter == 'x' ? "0x" : c->letter == 'X' ? "0X" : c->letter == 'o' ? "0" : prefix;
  size_t length = (size_t)(buffer + sizeof buffer - at);
  if (c->precision == 0 && value == 0) length = 0;
  add_padded(c, true, prefix, (struct slice){at, length}, out);
  return 0;
}

static void add_string(const struct conversion *c, struct slice word, struct text *out) {
  struct text plain = {0};
  words_unquote(word, &plain);
  size_t length = plain.length;
  if (c->precision >= 0 && length > (size_t)c->precision) length = (size_t)c->precision;
  add_padded(c, false, "", (struct slice){text_string(&plain), length}, out);
  out->failed = out->failed || plain.failed;
  text_free(&plain);
}

static int convert(struct slice *format, struct slice *arguments, struct text *out, struct report *report) {
  struct conversion c;
  int error = read_conversion(format, arguments, &c, report);
  if (error) return error;
  if (c.letter == '%') {
    text_add(out, "%");
    return 0;
  }
  if (strchr("oxXudi", c.letter) && c.letter != '\0') return add_integer(&c, words_next(arguments), out, report);
  if (c.letter != 's') return bad(report, "unknown conversion; there are d i u o x X s");
  if (arguments->length == 0) return bad(report, "a string conversion wants an argument");
  add_string(&c, words_next(arguments), out);
  return 0;
}

int expression_sprintf(struct slice arguments, struct text *out, struct report *report) {
  struct text plain = {0};
  words_unquote(words_next(&arguments), &plain);
  struct slice format = {text_string(&plain), plain.length};
  int error = plain.failed ? -ERROR_NO_MEMORY : 0;
  while (error == 0 && format.length > 0) {
    const char *percent = memchr(format.data, '%', format.length);
    size_t before = percent ? (size_t)(percent - format.data) : format.length;
    text_add_bytes(out, format.data, before);
    format.data += before;
    format.length -= before;
    if (take(&format, '%')) error = convert(&format, &arguments, out, report);
  }
  if (error == 0 && arguments.length > 0) error = bad(report, "more arguments than the format takes");
  text_free(&plain);
  return error;
}
