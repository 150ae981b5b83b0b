/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hash of a packet of 1500 bytes: rotations and multiplications that depend on each other.
 */
#include "kernel.h"
#include "murmur.h"

enum { BYTES = 1500 };

KERNEL(packet_hash) {
  const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
  if (data + BYTES > end) return XDP_ABORTED;
  __u32 hash = 0;
  for (unsigned i = 0; i < BYTES; i += 4)
    hash = murmur_word(hash, *(const __u32 *)(data + i));
  return (int)murmur_end(hash, BYTES);
}
