/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The two functions of libsodium that the core calls. Their prototypes stand here because libsodium's headers include
 * <stdlib.h>, which freestanding code does not have.
 */
#include "bundle/signature.h"

int crypto_sign_ed25519_verify_detached(const unsigned char *sig, const unsigned char *m, unsigned long long mlen,
                                        const unsigned char *pk);
int crypto_hash_sha512(unsigned char *out, const unsigned char *in, unsigned long long inlen);

bool signature_holds(const uint8_t signature[SIGNATURE_SIZE], const void *message, size_t length,
                     const uint8_t public_key[SIGNATURE_KEY_SIZE]) {
  return crypto_sign_ed25519_verify_detached(signature, message, length, public_key) == 0;
}

/* libsodium's hash always returns 0. */
void sha512(uint8_t out[SHA512_SIZE], const void *data, size_t length) { (void)crypto_hash_sha512(out, data, length); }
