/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fixed-point arithmetic on sign and magnitude. Products and scaled values take up to 128 bits; division is shift and subtract,
 * because an image has no library for 128-bit division.
 */
#include "click/decimal.h"

#include "click/number.h"

typedef unsigned __int128 wide;

static wide scaled(const struct decimal *n) { return (wide)n->whole * DECIMAL_NANO + n->nano; }

static wide divide_wide(wide a, wide b, wide *remainder) {
  wide quotient = 0, rest = 0;
  for (int bit = 127; bit >= 0; bit--) {
    rest = rest << 1 | (a >> bit & 1);
    quotient <<= 1;
    if (rest >= b) {
      rest -= b;
      quotient |= 1;
    }
  }
  *remainder = rest;
  return quotient;
}

/* From units of 10^-9. */
static int from_scaled(wide value, bool negative, struct decimal *result) {
  wide rest;
  wide whole = divide_wide(value, DECIMAL_NANO, &rest);
  if (whole > UINT64_MAX) return -ERROR_TOO_BIG;
  *result = (struct decimal){(uint64_t)whole, (uint32_t)rest, negative && value != 0};
  return 0;
}

/* --- text --- */

/* Digits of `base` up to the first other character; how many there were in *used. */
static int read_digits(struct slice s, unsigned base, uint64_t *value, size_t *used) {
  *value = 0;
  for (*used = 0; *used < s.length; ++*used) {
    int digit = char_hex_value(s.data[*used]);
    if (digit < 0 || (unsigned)digit >= base) break;
    if (__builtin_mul_overflow(*value, base, value) || __builtin_add_overflow(*value, (unsigned)digit, value))
      return -ERROR_TOO_BIG;
  }
  return 0;
}

static struct slice behind(struct slice s, size_t count) { return (struct slice){s.data + count, s.length - count}; }

/* Multiplies by 10, or divides, `exponent` times. */
static int shift_decimal(struct decimal *n, bool down, uint64_t exponent) {
  wide value = scaled(n), rest;
  for (; exponent > 0 && value > 0; exponent--) {
    if (down) {
      value = divide_wide(value, 10, &rest);
    } else if (value > ~(wide)0 / 16) {
      return -ERROR_TOO_BIG;
    } else {
      value *= 10;
    }
  }
  return from_scaled(value, n->negative, n);
}

/* "12.5e-3" without sign. */
static int parse_decimal(struct slice s, struct decimal *number) {
  size_t used, digits;
  int error = read_digits(s, 10, &number->whole, &used);
  if (error) return error;
  s = behind(s, used);
  digits = used;
  if (s.length > 0 && s.data[0] == '.') {
    s = behind(s, 1);
    uint32_t unit = DECIMAL_NANO / 10;
    for (; s.length > 0 && char_is_digit(s.data[0]); s = behind(s, 1), unit /= 10, digits++)
      number->nano += (uint32_t)(s.data[0] - '0') * unit;
  }
  if (digits == 0) return -ERROR_INVALID;
  if (s.length == 0) return 0;
  if (s.data[0] != 'e' && s.data[0] != 'E') return -ERROR_INVALID;
  s = behind(s, 1);
  bool down = s.length > 0 && s.data[0] == '-';
  if (s.length > 0 && (s.data[0] == '-' || s.data[0] == '+')) s = behind(s, 1);
  uint64_t exponent;
  error = read_digits(s, 10, &exponent, &used);
  if (error == 0 && (used == 0 || used < s.length)) error = -ERROR_INVALID;
  return error ? error : shift_decimal(number, down, exponent);
}

int decimal_parse(struct slice s, struct decimal *number) {
  *number = (struct decimal){0};
  s = slice_trim(s);
  bool negative = s.length > 0 && s.data[0] == '-';
  if (s.length > 0 && (s.data[0] == '-' || s.data[0] == '+')) s = behind(s, 1);
  if (s.length == 0 || (s.data[0] != '.' && !char_is_digit(s.data[0]))) return -ERROR_INVALID;
  int error = number_unsigned(s, UINT64_MAX, &number->whole);
  if (error == -ERROR_INVALID) {
    number->whole = 0;
    error = parse_decimal(s, number);
  }
  number->negative = negative && (number->whole > 0 || number->nano > 0);
  return error;
}

void decimal_print(const struct decimal *number, struct text *out) {
  text_addf(out, "%s%llu", number->negative ? "-" : "", (unsigned long long)number->whole);
  if (number->nano == 0) return;
  char digits[16];
  format_text(digits, sizeof digits, "%09u", number->nano);
  size_t length = 9;
  while (digits[length - 1] == '0')
    length--;
  text_addf(out, ".%.*s", (int)length, digits);
}

/* --- arithmetic --- */

bool decimal_is_integer(const struct decimal *number) { return number->nano == 0; }

static int compare_magnitude(const struct decimal *a, const struct decimal *b) {
  if (a->whole != b->whole) return a->whole < b->whole ? -1 : 1;
  return a->nano < b->nano ? -1 : a->nano > b->nano;
}

int decimal_compare(const struct decimal *a, const struct decimal *b) {
  if (a->negative != b->negative) return a->negative ? -1 : 1;
  return a->negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

int decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *result) {
  wide x = scaled(a), y = scaled(b);
  if (a->negative == b->negative) return from_scaled(x + y, a->negative, result);
  return x >= y ? from_scaled(x - y, a->negative, result) : from_scaled(y - x, b->negative, result);
}

int decimal_subtract(const struct decimal *a, const struct decimal *b, struct decimal *result) {
  struct decimal minus = *b;
  minus.negative = !b->negative;
  return decimal_add(a, &minus, result);
}

int decimal_multiply(const struct decimal *a, const struct decimal *b, struct decimal *result) {
  bool negative = a->negative != b->negative;
  wide rest, whole = (wide)a->whole * b->whole;
  wide tiny = divide_wide((wide)a->nano * b->nano + DECIMAL_NANO / 2, DECIMAL_NANO, &rest);
  wide fraction = (wide)a->whole * b->nano + (wide)b->whole * a->nano + tiny;
  whole += divide_wide(fraction, DECIMAL_NANO, &rest);
  if (whole > UINT64_MAX) return -ERROR_TOO_BIG;
  *result = (struct decimal){(uint64_t)whole, (uint32_t)rest, negative && (whole > 0 || rest > 0)};
  return 0;
}

int decimal_divide(const struct decimal *a, const struct decimal *b, struct decimal *result) {
  wide divisor = scaled(b), rest;
  if (divisor == 0) return -ERROR_INVALID;
  wide quotient = divide_wide(scaled(a), divisor, &rest);
  if (quotient > UINT64_MAX) return -ERROR_TOO_BIG;
  quotient *= DECIMAL_NANO;
  /* The rest is below 2^94: one decimal digit after the other fits. */
  wide nano = 0;
  for (int digit = 0; digit < 9; digit++) {
    wide d = divide_wide(rest * 10, divisor, &rest);
    nano = nano * 10 + d;
  }
  if (rest * 2 >= divisor) nano++;
  return from_scaled(quotient + nano, a->negative != b->negative, result);
}

int decimal_remainder(const struct decimal *a, const struct decimal *b, struct decimal *result) {
  wide divisor = scaled(b), rest;
  if (divisor == 0) return -ERROR_INVALID;
  divide_wide(scaled(a), divisor, &rest);
  return from_scaled(rest, a->negative, result);
}
