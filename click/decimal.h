/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers of scripts: decimal fixed point, exact to 9 digits behind the point, because the core has no floating point. Whole parts
 * have 64 bits; what leaves that range is an error, never a wrong result.
 */
#ifndef IMAGO_CLICK_DECIMAL_H
#define IMAGO_CLICK_DECIMAL_H

#include <stdint.h>

#include "lib/error.h"
#include "lib/text.h"

enum { DECIMAL_NANO = 1000000000 };

/* Sign and magnitude: whole + nano / 10^9. Invariant: nano < 10^9; zero is not negative. */
struct decimal {
  uint64_t whole;
  uint32_t nano;
  bool negative;
};

/* Integers as Click writes them (click/number.h) and decimals, with a sign, and an exponent: "1.5e3". Digits behind the ninth are
 * dropped. -ERROR_INVALID: it is none; -ERROR_TOO_BIG. */
int decimal_parse(struct slice s, struct decimal *number) MUST_USE;
/* Shortest form: "3", "-0.5". */
void decimal_print(const struct decimal *number, struct text *out);
bool decimal_is_integer(const struct decimal *number);
/* Below 0, 0, above 0. */
int decimal_compare(const struct decimal *a, const struct decimal *b);

/* The result may be an operand. -ERROR_TOO_BIG: out of range; -ERROR_INVALID: division by zero. */
int decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *result) MUST_USE;
int decimal_subtract(const struct decimal *a, const struct decimal *b, struct decimal *result) MUST_USE;
int decimal_multiply(const struct decimal *a, const struct decimal *b, struct decimal *result) MUST_USE;
/* Rounded half away from zero at the ninth digit. */
int decimal_divide(const struct decimal *a, const struct decimal *b, struct decimal *result) MUST_USE;
/* What is left of a when b was taken away a whole number of times; it has the sign of a (C's fmod). */
int decimal_remainder(const struct decimal *a, const struct decimal *b, struct decimal *result) MUST_USE;

#endif
