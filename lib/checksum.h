/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Internet checksum (RFC 1071).
 */
#ifndef IMAGO_LIB_CHECKSUM_H
#define IMAGO_LIB_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* One's-complement sum of length bytes added to `sum` (start with 0), not folded. Odd lengths are padded with zero, so only
 * the last piece of a message may be odd. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t length);
/* Folds and complements: the value to store, in the byte order of the data. */
static inline uint16_t checksum_finish(uint64_t sum) {
  sum = (sum >> 32) + (uint32_t)sum;
  sum = (sum >> 32) + (uint32_t)sum;
  sum = (sum >> 16) + (sum & 0xffff);
  return (uint16_t) ~((sum >> 16) + sum);
}

#endif
