/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ed25519 keys in PEM files as openssl makes and reads them: private keys as PKCS#8 (RFC 8410), public keys as
 * SubjectPublicKeyInfo.
 */
#ifndef IMAGO_TOOLS_KEYFILE_H
#define IMAGO_TOOLS_KEYFILE_H

#include <stdint.h>

#include "bundle/bundle.h"
#include "bundle/writer.h"
#include "lib/report.h"

/* Reads the private key in `path` in libsodium's form. Clear it with sodium_memzero after use. -ERROR_NOT_FOUND when the file
 * can't be opened, -ERROR_KEY when it holds no private Ed25519 key. */
int keyfile_read_private(const char *path, uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE], struct report *report) MUST_USE;

/* Reads a public key, or takes the public half of a private one; fills in its id and, from the file's base name without .pub, .key
 * and .pem, its name. */
int keyfile_read_public(const char *path, struct bundle_key *key, struct report *report) MUST_USE;

/* Make new files of the key pair; an existing file is never overwritten (-ERROR_EXISTS). The private one has mode 0600. */
int keyfile_write_private(const char *path, const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE],
                          struct report *report) MUST_USE;
int keyfile_write_public(const char *path, const uint8_t public_key[BUNDLE_PUBLIC_KEY_SIZE],
                         struct report *report) MUST_USE;

#endif
