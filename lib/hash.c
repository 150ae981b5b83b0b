/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The hash of tables: SipHash with the rounds fixed at compile time.
 */
#include "lib/hash.h"

#include "lib/siphash.h"

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t length) {
  return siphash(key, data, length, 1, 3);
}
