/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Operations of RFC 9669 that C has not, or leaves undefined in places: division, sign extension, byte swaps.
 */
#ifndef IMAGO_BPF_ARITHMETIC_H
#define IMAGO_BPF_ARITHMETIC_H

#include <stdint.h>

/* Section 4.1: division by zero gives 0, modulo by zero the dividend; the quotient that does not fit wraps. */
static inline uint64_t bpf_divide(uint64_t a, uint64_t b) { return b == 0 ? 0 : a / b; }
static inline uint64_t bpf_modulo(uint64_t a, uint64_t b) { return b == 0 ? a : a % b; }
static inline uint64_t bpf_signed_divide(int64_t a, int64_t b) {
  if (b == 0) return 0;
  return b == -1 ? -(uint64_t)a : (uint64_t)(a / b);
}
static inline uint64_t bpf_signed_modulo(int64_t a, int64_t b) {
  if (b == 0) return (uint64_t)a;
  return b == -1 ? 0 : (uint64_t)(a % b);
}

/* Sections 4.1 and 5.2: the low 8, 16 or 32 bits, as a signed number. 0 (a plain move): all of v. */
static inline uint64_t bpf_sign_extend(uint64_t v, int bits) {
  switch (bits) {
    case 8:
      return (uint64_t)(int64_t)(int8_t)v;
    case 16:
      return (uint64_t)(int64_t)(int16_t)v;
    case 32:
      return (uint64_t)(int64_t)(int32_t)v;
    default:
      return v;
  }
}

/* Section 4.2: the low 16, 32 or 64 bits, the first as they are, the second in reverse order of bytes. */
static inline uint64_t bpf_truncate(uint64_t v, int width) {
  return width == 16 ? (uint16_t)v : width == 32 ? (uint32_t)v : v;
}
static inline uint64_t bpf_swap_bytes(uint64_t v, int width) { return __builtin_bswap64(v) >> (64 - width); }

#endif
