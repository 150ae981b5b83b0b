/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Internet checksum (RFC 1071) of a packet of 1500 bytes: loads and additions.
 */
#include "kernel.h"

enum { BYTES = 1500 };

KERNEL(packet_checksum) {
  const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
  if (data + BYTES > end) return XDP_ABORTED;
  __u64 sum = 0;
  for (unsigned i = 0; i < BYTES; i += 4)
    sum += *(const __u32 *)(data + i);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (int)(~sum & 0xffff);
}
