/* SPDX-License-Identifier: BSD-3-Clause
 *
 * 16 lookups of IPv4 addresses, in no order, in a table of 1000 prefixes, which bench/bpf.c makes.
 */
#include "kernel.h"

enum { LOOKUPS = 16, PREFIXES = 1000 };

struct prefix {
  __u32 length, address; /* as in a packet */
};

MAP(routes, LPM_TRIE, PREFIXES, struct prefix, __u32);

static __u32 seed;

KERNEL(lpm_lookup) {
  __u32 sum = 0;
  for (unsigned i = 0; i < LOOKUPS; i++) {
    seed = seed * 1664525 + 1013904223;
    struct prefix key = {.length = 32, .address = __builtin_bswap32(seed)};
    const __u32 *route = LOOKUP(routes, &key);
    if (route) sum += *route;
  }
  return (int)sum;
}
