/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A bundle of a linked program.
 */
#ifndef IMAGO_VERIFIER_LINK_BUNDLE_H
#define IMAGO_VERIFIER_LINK_BUNDLE_H

#include "verifier/link.h"

/* Appends the signed bundle to `out`, which must be empty. Name, version and audience are those of `meta`; section and kind are the
 * program's; `proof` may be empty. Errors as bundle_write. */
int link_bundle(const struct linked_program *linked, const struct bundle_meta *meta, struct slice proof,
                const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE], struct text *out, struct report *report) MUST_USE;

#endif
