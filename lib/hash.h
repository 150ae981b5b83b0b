/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Keyed hash of short byte strings, for tables whose keys an attacker may choose: SipHash-1-3 (Aumasson, Bernstein 2012,
 * with 1 and 3 rounds as in Linux's siphash-derived tables).
 */
#ifndef IMAGO_LIB_HASH_H
#define IMAGO_LIB_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
  uint64_t k0, k1;
};

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t length);

#endif
