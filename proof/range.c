/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ranges of one width: intervals modulo a power of two, and how both readings and the known bits narrow each other.
 */
#include "proof/range.h"

static uint64_t sign_bit(unsigned bits) { return UINT64_C(1) << (bits - 1); }

struct proof_range proof_range_full(unsigned bits) {
  int64_t most = (int64_t)(sign_bit(bits) - 1);
  return (struct proof_range){0, proof_ones(bits), -most - 1, most};
}

void proof_range_know(struct proof_range *r, unsigned bits, struct proof_reading interval) {
  const uint64_t all = proof_ones(bits), half = sign_bit(bits), low = interval.low & all;
  if (interval.width > all) return;
  if (interval.width <= all - low) {
    r->umin = proof_max(r->umin, low);
    r->umax = proof_min(r->umax, low + interval.width);
  }
  /* Shifted by half, signed order is unsigned order. */
  const uint64_t shifted = (low + half) & all;
  if (interval.width <= all - shifted) {
    r->smin = proof_smax(r->smin, (int64_t)(shifted - half));
    r->smax = proof_smin(r->smax, (int64_t)(shifted + interval.width - half));
  }
}

void proof_range_narrow(struct proof_range *r, const struct proof_range *other) {
  r->umin = proof_max(r->umin, other->umin);
  r->umax = proof_min(r->umax, other->umax);
  r->smin = proof_smax(r->smin, other->smin);
  r->smax = proof_smin(r->smax, other->smax);
}

/* The smallest number >= at that has the known bits. False: there is none. */
static bool first_member(uint64_t value, uint64_t mask, uint64_t *at) {
  uint64_t conflict = (*at ^ value) & ~mask;
  if (conflict == 0) return true;
  unsigned top = 63u - (unsigned)__builtin_clzll(conflict);
  uint64_t below = (UINT64_C(1) << top) - 1;
  if (value >> top & 1) {
    /* The bit must become 1: what is below can be as small as it gets. */
    *at = (*at & ~below) | (value & (2 * below + 1));
    return true;
  }
  /* It must become 0: a higher unknown bit goes from 0 to 1, the lowest that can. */
  uint64_t carry = mask & ~*at & ~below;
  if (carry == 0) return false;
  carry &= -carry;
  *at = (*at & -carry) | carry | (value & (carry - 1));
  return true;
}

/* Both bounds become members; the largest is the smallest of the complements. */
static bool to_members(uint64_t *low, uint64_t *high, uint64_t all, uint64_t value, uint64_t mask) {
  uint64_t complement = ~*high & all;
  if (!first_member(value, mask, low) || !first_member(~(value | mask) & all, mask, &complement)) return false;
  *high = ~complement & all;
  return true;
}

/* Both readings of the values without sign bit, then of those with it; the range is from the first to the last that remains. */
bool proof_range_agree(struct proof_range *r, unsigned bits) {
  uint64_t all = proof_ones(bits), low = r->umin, high = proof_min(r->umax, (uint64_t)r->smax);
  if (r->smin > 0) low = proof_max(low, (uint64_t)r->smin);
  bool plain = r->smax >= 0 && low <= high;

  uint64_t from = proof_max(r->umin, r->smin < 0 ? (uint64_t)r->smin & all : sign_bit(bits));
  uint64_t to = r->smax < 0 ? proof_min(r->umax, (uint64_t)r->smax & all) : r->umax;
  bool negative = r->smin < 0 && from <= to;
  if (!plain && !negative) return false;
  r->umin = plain ? low : from;
  r->umax = negative ? to : high;
  r->smin = negative ? (int64_t)(from | ~all) : (int64_t)low;
  r->smax = plain ? (int64_t)high : (int64_t)(to | ~all);
  return true;
}

bool proof_range_to_members(struct proof_range *r, unsigned bits, uint64_t value, uint64_t mask) {
  uint64_t all = proof_ones(bits), sign = sign_bit(bits);
  value &= all;
  mask &= all;
  /* With the sign bit turned, signed order is unsigned order. */
  uint64_t low = ((uint64_t)r->smin ^ sign) & all, high = ((uint64_t)r->smax ^ sign) & all;
  if (!to_members(&r->umin, &r->umax, all, value, mask) ||
      !to_members(&low, &high, all, value ^ (sign & ~mask), mask)) {
    return false;
  }
  r->smin = (int64_t)(low - sign);
  r->smax = (int64_t)(high - sign);
  return true;
}
