/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers as Click's configurations write them: integers in four bases, decimal fractions with exponents, times and bandwidths
 * with units. No floating point: a fraction is read as an exact count of its smallest unit, rounded to nearest.
 *
 * Every reader takes the whole of `text`. Returns 0, -ERROR_INVALID (not such a number) or -ERROR_TOO_BIG (then *value is the nearest
 * that fits, for the message).
 */
#ifndef IMAGO_CLICK_NUMBER_H
#define IMAGO_CLICK_NUMBER_H

#include <stdint.h>

#include "lib/error.h"
#include "lib/string.h"

/* 10, 0x1f, 017, 0b101, 1_000_000, with an optional '+'; at most max. */
int number_unsigned(struct slice text, uint64_t max, uint64_t *value) MUST_USE;
/* The same with an optional '-', between -max - 1 and max. */
int number_signed(struct slice text, int64_t max, int64_t *value) MUST_USE;
/* "1.5", ".5", "2.", "15e-1" times 10^power times factor, rounded to nearest. */
int number_scaled(struct slice text, int power, uint32_t factor, uint64_t *value) MUST_USE;
/* 32.32 fixed point. */
int number_fraction(struct slice text, uint64_t *value) MUST_USE;
/* Nanoseconds; without a unit the text counts seconds. */
int number_time(struct slice text, uint64_t *nanoseconds) MUST_USE;
/* Bytes per second; without a unit the text counts those, and *unitless (may be NULL) is set, as some elements warn then. */
int number_bandwidth(struct slice text, uint64_t *bytes_per_second, bool *unitless) MUST_USE;

#endif
