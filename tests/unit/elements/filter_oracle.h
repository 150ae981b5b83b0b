/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The slow way: what a packet matches, rule by rule and test by test, read off its bytes. Follows the meaning that
 * elements/filter_language.h gives, and shares no code with the decision tree.
 */
#ifndef IMAGO_TESTS_FILTER_ORACLE_H
#define IMAGO_TESTS_FILTER_ORACLE_H

#include "elements/filter_language.h"

/* The first rule that holds, or FILTER_NONE. The packet is `length` bytes at ip; NULL: it has no network header. */
uint32_t filter_oracle(const struct filter_program *program, const uint8_t *ip, size_t length);

#endif
