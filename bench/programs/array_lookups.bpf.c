/* SPDX-License-Identifier: BSD-3-Clause
 *
 * 64 lookups in an array map, each of which needs what the one before found.
 */
#include "kernel.h"

enum { LOOKUPS = 64, ENTRIES = 256 };

MAP(ring, ARRAY, ENTRIES, __u32, __u32);

KERNEL(array_lookups) {
  __u32 key = 0;
#pragma unroll
  for (unsigned i = 0; i < LOOKUPS; i++) {
    const __u32 *next = LOOKUP(ring, &key);
    if (!next) return XDP_ABORTED;
    key = *next % ENTRIES;
  }
  return (int)key;
}
