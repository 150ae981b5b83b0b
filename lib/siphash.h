/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SipHash-c-d (Aumasson, Bernstein 2012) with the numbers of rounds as parameters: lib/hash.c makes SipHash-1-3 of it, and
 * the unit test SipHash-2-4, for which the paper publishes vectors. Not for other files: they want lib/hash.h.
 */
#ifndef IMAGO_LIB_SIPHASH_H
#define IMAGO_LIB_SIPHASH_H

#include "lib/bytes.h"
#include "lib/hash.h"

static inline uint64_t siphash_rotate(uint64_t x, unsigned bits) { return x << bits | x >> (64 - bits); }

static inline void siphash_rounds(uint64_t v[4], unsigned rounds) {
  for (; rounds > 0; rounds--) {
    v[0] += v[1];
    v[1] = siphash_rotate(v[1], 13) ^ v[0];
    v[0] = siphash_rotate(v[0], 32);
    v[2] += v[3];
    v[3] = siphash_rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = siphash_rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = siphash_rotate(v[1], 17) ^ v[2];
    v[2] = siphash_rotate(v[2], 32);
  }
}

__attribute__((always_inline)) static inline uint64_t siphash(const struct hash_key *key, const void *data,
                                                              size_t length, unsigned c, unsigned d) {
  uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d, key->k0 ^ 0x6c7967656e657261,
                   key->k1 ^ 0x7465646279746573};
  const uint8_t *bytes = data;
  size_t left = length;
  for (; left >= 8; left -= 8, bytes += 8) {
    uint64_t word = load_le64(bytes);
    v[3] ^= word;
    siphash_rounds(v, c);
    v[0] ^= word;
  }
  uint64_t last = (uint64_t)length << 56;
  for (size_t i = 0; i < left; i++)
    last |= (uint64_t)bytes[i] << (8 * i);
  v[3] ^= last;
  siphash_rounds(v, c);
  v[0] ^= last;
  v[2] ^= 0xff;
  siphash_rounds(v, d);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
