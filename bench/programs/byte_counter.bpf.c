/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counters in an array map: how often each byte value occurs in the first 64 bytes.
 */
#include "kernel.h"

enum { BYTES = 64 };

MAP(counters, ARRAY, 256, __u32, __u64);

KERNEL(byte_counter) {
  const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
  if (data + BYTES > end) return XDP_ABORTED;
  for (unsigned i = 0; i < BYTES; i++) {
    __u32 key = data[i];
    __u64 *counter = LOOKUP(counters, &key);
    if (counter) (*counter)++;
  }
  return XDP_PASS;
}
