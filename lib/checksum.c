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

/* Four sums side by side, as each addition waits for the carry of the one before. */
static uint64_t add_blocks(uint64_t sum, const uint8_t *bytes, size_t length) {
  uint64_t second = 0, third = 0, fourth = 0;
  for (; length >= 32; length -= 32, bytes += 32) {
    sum = add(sum, load_le64(bytes));
    second = add(second, load_le64(bytes + 8));
    third = add(third, load_le64(bytes + 16));
    fourth = add(fourth, load_le64(bytes + 24));
  }
  return add(add(sum, second), add(third, fourth));
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t length) {
  const uint8_t *bytes = data;
  size_t blocks = length & ~(size_t)31;
  if (blocks > 0) sum = add_blocks(sum, bytes, blocks);
  bytes += blocks;
  for (length -= blocks; length >= 8; length -= 8, bytes += 8)
    sum = add(sum, load_le64(bytes));
  if (length & 4) {
    sum = add(sum, load_le32(bytes));
    bytes += 4;
  }
  if (length & 2) {
    sum = add(sum, load_le16(bytes));
    bytes += 2;
  }
  return length & 1 ? add(sum, *bytes) : sum;
}
