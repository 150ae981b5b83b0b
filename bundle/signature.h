/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All the cryptography that the core needs: Ed25519 (RFC 8032) verification and SHA-512. libsodium does both. Its
 * verification also rejects non-canonical encodings and public keys and points R of small order.
 */
#ifndef IMAGO_BUNDLE_SIGNATURE_H
#define IMAGO_BUNDLE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGNATURE_SIZE = 64, SIGNATURE_KEY_SIZE = 32, SHA512_SIZE = 64 };

bool signature_holds(const uint8_t signature[SIGNATURE_SIZE], const void *message, size_t length,
                     const uint8_t public_key[SIGNATURE_KEY_SIZE]) __attribute__((warn_unused_result));
void sha512(uint8_t out[SHA512_SIZE], const void *data, size_t length);

#endif
