/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bundles of objects that are made on the way into a boot archive, for development: linked as `imago bundle` links them, and signed with a
 * key that only this run trusts and nobody keeps.
 */
#ifndef IMAGO_TOOLS_DEV_BUNDLE_H
#define IMAGO_TOOLS_DEV_BUNDLE_H

#include "bundle/writer.h"

/* A key pair. Made anew for each archive; the secret half never leaves memory: sodium_memzero it after use. */
struct dev_key {
  uint8_t public_key[BUNDLE_PUBLIC_KEY_SIZE];
  uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE];
};

/* 0, or -ERROR_IO where the system has no random numbers. */
int dev_key_make(struct dev_key *key, struct report *report) MUST_USE;
/* Whether the file is an object rather than a bundle: by its name. */
bool dev_bundle_is_object(const char *path);
/* Appends the bundle of the object to `out`: version 1, any audience, named as `imago bundle` would. Errors name the file. */
int dev_bundle_make(const char *path, const struct dev_key *key, struct text *out, struct report *report) MUST_USE;

#endif
