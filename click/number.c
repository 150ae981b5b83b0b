/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers. A decimal fraction is its significant digits as one integer and a power of ten; units only move that power, so nothing is
 * rounded but the last step.
 */
#include "click/number.h"

/* --- integers --- */

static int digit_value(char c) {
  int value = char_hex_value(c);
  return value < 0 ? 36 : value;
}

static bool take_prefix(struct slice *text, char lower, char upper) {
  bool there = text->length > 2 && text->data[0] == '0' && (text->data[1] == lower || text->data[1] == upper);
  if (there) *text = (struct slice){text->data + 2, text->length - 2};
  return there;
}

int number_unsigned(struct slice text, uint64_t max, uint64_t *value) {
  if (text.length > 0 && text.data[0] == '+') text = (struct slice){text.data + 1, text.length - 1};
  uint64_t base = 10;
  if (take_prefix(&text, 'x', 'X')) {
    base = 16;
  } else if (take_prefix(&text, 'b', 'B')) {
    base = 2;
  } else if (text.length > 1 && text.data[0] == '0') {
    base = 8;
  }
  if (text.length == 0) return -ERROR_INVALID;
  uint64_t sum = 0;
  bool big = false, digit_before = false;
  for (size_t i = 0; i < text.length; i++) {
    bool joint = text.data[i] == '_' && digit_before && i + 1 < text.length;
    digit_before = !joint;
    if (joint) continue;
    uint64_t digit = (uint64_t)digit_value(text.data[i]);
    if (digit >= base) return -ERROR_INVALID;
    big = big || sum > (UINT64_MAX - digit) / base;
    sum = big ? 0 : sum * base + digit;
  }
  big = big || sum > max;
  *value = big ? max : sum;
  return big ? -ERROR_TOO_BIG : 0;
}

int number_signed(struct slice text, int64_t max, int64_t *value) {
  bool negative = text.length > 0 && text.data[0] == '-';
  if (negative) text = (struct slice){text.data + 1, text.length - 1};
  if (negative && text.length > 0 && text.data[0] == '+') return -ERROR_INVALID;
  uint64_t magnitude;
  int result = number_unsigned(text, (uint64_t)max + negative, &magnitude);
  if (result == -ERROR_INVALID) return result;
  *value = (int64_t)(negative ? 0 - magnitude : magnitude);
  return result;
}

/* --- decimal fractions --- */

/* digits x 10^power. Digits behind the point that no longer fit (from the twentieth on) are dropped. */
struct decimal {
  uint64_t digits;
  int power;
};

enum { POWER_LIMIT = 1000 };

static bool take_exponent(struct slice text, size_t at, int *power) {
  bool negative = at < text.length && text.data[at] == '-';
  if (at < text.length && (text.data[at] == '-' || text.data[at] == '+')) at++;
  if (at == text.length) return false;
  int exponent = 0;
  for (; at < text.length; at++) {
    if (!char_is_digit(text.data[at])) return false;
    if (exponent < POWER_LIMIT) exponent = exponent * 10 + (text.data[at] - '0');
  }
  *power += negative ? -exponent : exponent;
  return true;
}

static int parse_decimal(struct slice text, struct decimal *decimal) {
  *decimal = (struct decimal){0};
  bool any = false, point = false, big = false;
  size_t i = text.length > 0 && text.data[0] == '+' ? 1 : 0;
  for (; i < text.length; i++) {
    char c = text.data[i];
    if (c == '.' && !point) {
      point = true;
    } else if (c == '_' && i > 0 && char_is_digit(text.data[i - 1])) {
      if (i + 1 == text.length || !char_is_digit(text.data[i + 1])) return -ERROR_INVALID;
    } else if (char_is_digit(c)) {
      any = true;
      bool fits = decimal->digits <= (UINT64_MAX - (uint64_t)(c - '0')) / 10;
      if (fits) decimal->digits = decimal->digits * 10 + (uint64_t)(c - '0');
      if (fits && point) decimal->power--;
      if (!fits && !point) big = true;
    } else {
      break;
    }
  }
  if (!any) return -ERROR_INVALID;
  if (i < text.length && (text.data[i] != 'e' && text.data[i] != 'E')) return -ERROR_INVALID;
  if (i < text.length && !take_exponent(text, i + 1, &decimal->power)) return -ERROR_INVALID;
  return big ? -ERROR_TOO_BIG : 0;
}

int number_scaled(struct slice text, int power, uint32_t factor, uint64_t *value) {
  struct decimal decimal;
  int result = parse_decimal(text, &decimal);
  *value = UINT64_MAX;
  if (result) return result;
  power += decimal.power;
  uint64_t sum = decimal.digits;
  if (sum == 0) power = 0;
  if (sum > UINT64_MAX / factor) {
    /* Digits behind the point give way to the factor. */
    if (power >= 0) return -ERROR_TOO_BIG;
    while (sum > UINT64_MAX / factor && power < 0) {
      sum /= 10;
      power++;
    }
    if (sum > UINT64_MAX / factor) return -ERROR_TOO_BIG;
  }
  sum *= factor;
  for (; power > 0; power--) {
    if (sum > UINT64_MAX / 10) return -ERROR_TOO_BIG;
    sum *= 10;
  }
  uint64_t last = 0;
  for (; power < 0 && (sum > 0 || last > 0); power++) {
    last = sum % 10;
    sum /= 10;
  }
  if (last >= 5 && sum == UINT64_MAX) return -ERROR_TOO_BIG;
  *value = sum + (last >= 5);
  return 0;
}

int number_fraction(struct slice text, uint64_t *value) {
  struct decimal decimal;
  int result = parse_decimal(text, &decimal);
  *value = UINT64_MAX;
  if (result) return result;
  /* Whole part, then 32 bits of the rest by long division in base 2. Nineteen digits are all that can matter. */
  uint64_t whole = decimal.digits, divisor = 1;
  int power = decimal.power;
  for (; power > 0 && whole > 0; power--) {
    if (whole > UINT32_MAX) return -ERROR_TOO_BIG;
    whole *= 10;
  }
  for (; power < -18 && whole > 0; power++)
    whole /= 10;
  for (; power < 0 && whole > 0; power++)
    divisor *= 10;
  uint64_t rest = whole % divisor, bits = 0;
  whole /= divisor;
  if (whole > UINT32_MAX) return -ERROR_TOO_BIG;
  for (int i = 0; i < 32; i++) {
    rest *= 2; /* below 2 x 10^18 */
    bits = bits * 2 + (rest >= divisor);
    if (rest >= divisor) rest -= divisor;
  }
  uint64_t fixed = whole << 32 | bits;
  bool up = rest * 2 >= divisor;
  if (up && fixed == UINT64_MAX) return -ERROR_TOO_BIG;
  *value = fixed + up;
  return 0;
}

/* --- units --- */

struct unit {
  const char *name;
  int power;
  uint32_t factor;
};
struct unit_prefix {
  char letter;
  int power;
};

/* Splits the unit with the longest name off the end of *text, and a prefix before it. NULL: there is none. */
static const struct unit *take_unit(struct slice *text, const struct unit *units, const struct unit_prefix *prefixes,
                                    int *power) {
  const struct unit *found = NULL;
  for (const struct unit *unit = units; unit->name; unit++) {
    size_t length = strlen(unit->name);
    if (text->length <= length || (found && length <= strlen(found->name))) continue;
    if (memcmp(text->data + text->length - length, unit->name, length) == 0) found = unit;
  }
  if (!found) return NULL;
  text->length -= strlen(found->name);
  *power = found->power;
  for (const struct unit_prefix *prefix = prefixes; prefix->letter && text->length > 1; prefix++) {
    if (text->data[text->length - 1] != prefix->letter) continue;
    *power += prefix->power;
    text->length--;
    break;
  }
  while (text->length > 0 && char_is_space(text->data[text->length - 1]))
    text->length--;
  return found;
}

int number_time(struct slice text, uint64_t *nanoseconds) {
  static const struct unit units[] = {{"s", 0, 1},   {"sec", 0, 1},   {"m", 1, 6},
                                      {"min", 1, 6}, {"h", 2, 36},    {"hr", 2, 36},
                                      {"d", 2, 864}, {"day", 2, 864}, {0}};
  static const struct unit_prefix prefixes[] = {{'m', -3}, {'u', -6}, {'n', -9}, {0}};
  int power = 0;
  const struct unit *unit = take_unit(&text, units, prefixes, &power);
  return number_scaled(text, power + 9, unit ? unit->factor : 1, nanoseconds);
}

int number_bandwidth(struct slice text, uint64_t *bytes_per_second, bool *unitless) {
  /* A bit is 125 thousandths of a byte. */
  static const struct unit units[] = {{"baud", -3, 125}, {"bps", -3, 125}, {"b/s", -3, 125},
                                      {"Bps", 0, 1},     {"B/s", 0, 1},    {0}};
  static const struct unit_prefix prefixes[] = {{'k', 3}, {'K', 3}, {'M', 6}, {'G', 9}, {0}};
  int power = 0;
  const struct unit *unit = take_unit(&text, units, prefixes, &power);
  int result = number_scaled(text, power, unit ? unit->factor : 1, bytes_per_second);
  if (unitless) *unitless = !unit && *bytes_per_second != 0;
  return result;
}
