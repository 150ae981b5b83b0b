/* SPDX-License-Identifier: BSD-3-Clause
 *
 * 32 lookups in hash maps of 1, 10,000 and 1,000,000 entries; keys come in no order, and all are there: bench/bpf.c puts key i times
 * SPREAD for i below the number of entries.
 */
#include "kernel.h"

enum { LOOKUPS = 32 };
static const __u64 SPREAD = 0x2545f4914f6cdd1d;

MAP(one, HASH, 1, __u64, __u64);
MAP(thousands, HASH, 10000, __u64, __u64);
MAP(million, HASH, 1000000, __u64, __u64);

/* Below `below`, by chance (Knuth's linear congruential generator). */
static inline __u64 chance(__u64 *seed, __u64 below) {
  *seed = *seed * 6364136223846793005 + 1442695040888963407;
  return (*seed >> 32) * below >> 32;
}

#define HASH_LOOKUP(name, map, entries)            \
  KERNEL(name) {                                   \
    static __u64 seed;                             \
    __u64 sum = 0;                                 \
    for (unsigned i = 0; i < LOOKUPS; i++) {       \
      __u64 key = chance(&seed, entries) * SPREAD; \
      const __u64 *value = LOOKUP(map, &key);      \
      if (value) sum += *value;                    \
    }                                              \
    return (int)sum;                               \
  }

HASH_LOOKUP(hash_lookup_one, one, 1)
HASH_LOOKUP(hash_lookup_thousands, thousands, 10000)
HASH_LOOKUP(hash_lookup_million, million, 1000000)
