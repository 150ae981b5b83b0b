/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ranges of the lowest 1 to 64 bits of a value, read without and with a sign: the part of proof/number.h that is the same for whole
 * registers and lower halves. Private to proof/number*.c.
 */
#ifndef IMAGO_PROOF_RANGE_H
#define IMAGO_PROOF_RANGE_H

#include "proof/number.h"

static inline uint64_t proof_min(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t proof_max(uint64_t a, uint64_t b) { return a > b ? a : b; }
static inline int64_t proof_smin(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t proof_smax(int64_t a, int64_t b) { return a > b ? a : b; }

/* The largest value of so many bits, which is also the mask of those bits. */
static inline uint64_t proof_ones(unsigned bits) { return ~UINT64_C(0) >> (64 - bits); }
/* The ranges of the whole number (64) or of its lower half (32). */
static inline struct proof_range *proof_range_in(struct proof_number *n, unsigned bits) {
  return bits == 64 ? &n->wide : &n->low;
}
static inline const struct proof_range *proof_range_of(const struct proof_number *n, unsigned bits) {
  return bits == 64 ? &n->wide : &n->low;
}

struct proof_range proof_range_full(unsigned bits);

/* One reading of a range: low, and how far behind it the last is. */
struct proof_reading {
  uint64_t low, width;
};
static inline struct proof_reading proof_reading_of(const struct proof_range *r, bool with_sign) {
  return with_sign ? (struct proof_reading){(uint64_t)r->smin, (uint64_t)r->smax - (uint64_t)r->smin}
                   : (struct proof_reading){r->umin, r->umax - r->umin};
}

/* The value, modulo 2^bits, is one of low ... low + width, which may wrap around: narrows both readings as far as it doesn't in them. */
void proof_range_know(struct proof_range *r, unsigned bits, struct proof_reading interval);
/* It is in `other`, too. */
void proof_range_narrow(struct proof_range *r, const struct proof_range *other);

/* Both readings narrow each other to what they have in common. False: nothing. */
bool proof_range_agree(struct proof_range *r, unsigned bits);
/* Every bound becomes the next number that has these bits. False: there is none within. */
bool proof_range_to_members(struct proof_range *r, unsigned bits, uint64_t value, uint64_t mask);

#endif
