/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the verifier knows, in words for a C programmer: "packet data + 14, at least 20 bytes behind it", "0 to 63".
 */
#ifndef IMAGO_VERIFIER_EXPLAIN_VALUE_H
#define IMAGO_VERIFIER_EXPLAIN_VALUE_H

#include "lib/text.h"
#include "proof/input.h"

void explain_number(const struct proof_number *number, struct text *out);
/* `frame` is the number of the frame that the reader is in: whose stack is "the stack". */
void explain_value(const struct proof_value *value, const struct proof_input *input, unsigned frame, struct text *out);
/* Where it is: "r3", "the stack at r10 - 16". */
void explain_location(unsigned location, unsigned frame, struct text *out);
/* Offset from a pointer's object as "+ 14", "+ 0 to 40", "- 8"; nothing for 0. */
void explain_offset(int64_t low, int64_t high, struct text *out);

#endif
