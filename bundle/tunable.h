/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tunables: constants (const volatile) of a program that whoever runs it may choose, each within a range that the bundle states. A
 * program must be safe with every value in that range, and with another one at every read: the value may change while it runs.
 */
#ifndef IMAGO_BUNDLE_TUNABLE_H
#define IMAGO_BUNDLE_TUNABLE_H

#include "bundle/bundle.h"
#include "lib/text.h"

/* Whether numbers can have so many bytes: 1, 2, 4 or 8. */
bool tunable_size_ok(uint32_t size);
/* The number in `text`: decimal or 0x, with '-' before it if it is signed. False when it is none, or needs more than `size` bytes. */
bool tunable_number(struct slice text, uint32_t size, bool is_signed, uint64_t *value);
/* Whether the value, sign-extended to 64 bits if it is signed, can be stored in `size` bytes. */
bool tunable_fits(uint64_t value, uint32_t size, bool is_signed);
/* a <= b, as numbers of that kind. */
bool tunable_ordered(uint64_t a, uint64_t b, bool is_signed);
/* Whether the value lies in the tunable's range. */
bool tunable_allows(const struct bundle_tunable *tunable, uint64_t value);

/* The tunable of that name, or NULL. */
const struct bundle_tunable *tunable_find(const struct bundle *bundle, struct slice name);
/* Its value in `values`, the value of its map: sign-extended to 64 bits if it is signed. */
uint64_t tunable_load(const struct bundle_tunable *tunable, const void *values);
/* One store, which programs that run meanwhile see whole. */
void tunable_store(const struct bundle_tunable *tunable, void *values, uint64_t value);

/* "-5" */
void tunable_add_number(struct text *out, uint64_t value, bool is_signed);
/* "-5..100" */
void tunable_add_range(struct text *out, const struct bundle_tunable *tunable);

#endif
