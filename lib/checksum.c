/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Internet checksum, eight bytes at a time: one's-complement sums of any word size agree when folded (RFC 1071,
 * section 2, part C), because 2^64 - 1 is a multiple of 2^16 - 1.
 */
#include "lib/checksum.h"

#include "lib/bytes.h"

/* One's-complement addition: what overflows comes in again at the bottom. */
static uint64_t add(uint64_t sum, uint64_t word) {
  sum += word;
  return sum + (sum < word);
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t length) {
  const uint8_t *bytes = data;
  for (; length >= 8; length -= 8, bytes += 8)
    sum = add(sum, load_le64(bytes));
  uint64_t last = 0;
  for (size_t i = 0; i < length; i++)
    last |= (uint64_t)bytes[i] << (8 * i);
  return add(sum, last);
}

uint16_t checksum_finish(uint64_t sum) {
  sum = (sum >> 32) + (uint32_t)sum;
  sum = (sum >> 32) + (uint32_t)sum;
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return (uint16_t)~sum;
}
