/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sets of numbers: making, comparing, joining, and how bits, ranges and halves deduce each other.
 */
#include "proof/number.h"

#include "lib/string.h"
#include "proof/range.h"

enum { ROUNDS = 3 }; /* of deducing; what more would find is rarely worth its time */

struct proof_number proof_number_constant(uint64_t value) {
  return (struct proof_number){
      value,         0, value, value, (int64_t)value, (int64_t)value, (uint32_t)value, (uint32_t)value, (int32_t)value,
      (int32_t)value};
}

struct proof_number proof_number_unknown(void) {
  return (struct proof_number){0, ~UINT64_C(0), 0,         UINT64_MAX, INT64_MIN, INT64_MAX,
                               0, UINT32_MAX,   INT32_MIN, INT32_MAX};
}

struct proof_number proof_number_between(uint64_t low, uint64_t high) {
  struct proof_number n = proof_number_unknown();
  n.umin = low;
  n.umax = high;
  (void)proof_number_settle(&n);
  return n;
}

struct proof_number proof_number_between_signed(int64_t low, int64_t high) {
  struct proof_number n = proof_number_unknown();
  n.smin = low;
  n.smax = high;
  (void)proof_number_settle(&n);
  return n;
}

static bool range_has(const struct proof_range *r, uint64_t value, int64_t signed_value) {
  return r->umin <= value && value <= r->umax && r->smin <= signed_value && signed_value <= r->smax;
}

bool proof_number_has(const struct proof_number *n, uint64_t value) {
  struct proof_range wide = proof_range_of(n, 64), low = proof_range_of(n, 32);
  return ((value ^ n->value) & ~n->mask) == 0 && range_has(&wide, value, (int64_t)value) &&
         range_has(&low, (uint32_t)value, (int32_t)value);
}

static bool range_within(const struct proof_range *inner, const struct proof_range *outer) {
  return inner->umin >= outer->umin && inner->umax <= outer->umax && inner->smin >= outer->smin &&
         inner->smax <= outer->smax;
}

bool proof_number_within(const struct proof_number *inner, const struct proof_number *outer) {
  if (((inner->value ^ outer->value) | inner->mask) & ~outer->mask) return false;
  for (unsigned bits = 32; bits <= 64; bits += 32) {
    struct proof_range a = proof_range_of(inner, bits), b = proof_range_of(outer, bits);
    if (!range_within(&a, &b)) return false;
  }
  return true;
}

bool proof_number_equal(const struct proof_number *a, const struct proof_number *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

struct proof_number proof_number_join(const struct proof_number *a, const struct proof_number *b) {
  struct proof_number n;
  n.mask = a->mask | b->mask | (a->value ^ b->value);
  n.value = a->value & ~n.mask;
  for (unsigned bits = 32; bits <= 64; bits += 32) {
    struct proof_range r = proof_range_of(a, bits), other = proof_range_of(b, bits);
    r.umin = proof_min(r.umin, other.umin);
    r.umax = proof_max(r.umax, other.umax);
    r.smin = proof_smin(r.smin, other.smin);
    r.smax = proof_smax(r.smax, other.smax);
    proof_range_put(&n, bits, &r);
  }
  return n;
}

/* False: no number has both. */
static bool learn_bits(struct proof_number *n, uint64_t value, uint64_t mask) {
  if ((n->value ^ value) & ~n->mask & ~mask) return false;
  n->mask &= mask;
  n->value = (n->value | value) & ~n->mask;
  return true;
}

bool proof_number_meet(struct proof_number *n, const struct proof_number *other) {
  if (!learn_bits(n, other->value, other->mask)) {
    *n = proof_number_constant(0);
    return false;
  }
  for (unsigned bits = 32; bits <= 64; bits += 32) {
    struct proof_range r = proof_range_of(n, bits), narrow = proof_range_of(other, bits);
    r.umin = proof_max(r.umin, narrow.umin);
    r.umax = proof_min(r.umax, narrow.umax);
    r.smin = proof_smax(r.smin, narrow.smin);
    r.smax = proof_smin(r.smax, narrow.smax);
    proof_range_put(n, bits, &r);
  }
  return proof_number_settle(n);
}

/* The smallest number >= at whose lower half is within low ... high. False: there is none. */
static bool first_with_half(uint64_t *at, uint32_t low, uint32_t high) {
  uint32_t half = (uint32_t)*at;
  if (half >= low && half <= high) return true;
  uint64_t upper = *at >> 32;
  if (half > high && ++upper > UINT32_MAX) return false;
  *at = upper << 32 | low;
  return true;
}

/* Whole values end where their lower halves let them. */
static bool narrow_by_half(uint64_t *umin, uint64_t *umax, const struct proof_range *low) {
  uint64_t complement = ~*umax;
  if (!first_with_half(umin, (uint32_t)low->umin, (uint32_t)low->umax)) return false;
  if (!first_with_half(&complement, ~(uint32_t)low->umax, ~(uint32_t)low->umin)) return false;
  *umax = ~complement;
  return true;
}

static bool settle_halves(struct proof_range *wide, struct proof_range *low) {
  proof_range_know(low, 32, wide->umin, wide->umax);
  proof_range_know(low, 32, wide->smin, wide->smax);
  /* Turning the sign bit leaves the lower half as it is. */
  uint64_t sign = UINT64_C(1) << 63, smin = (uint64_t)wide->smin ^ sign, smax = (uint64_t)wide->smax ^ sign;
  if (!narrow_by_half(&wide->umin, &wide->umax, low) || !narrow_by_half(&smin, &smax, low)) return false;
  wide->smin = (int64_t)(smin ^ sign);
  wide->smax = (int64_t)(smax ^ sign);
  if (wide->smin >= INT32_MIN && wide->smax <= INT32_MAX) {
    wide->smin = proof_smax(wide->smin, low->smin);
    wide->smax = proof_smin(wide->smax, low->smax);
  }
  return true;
}

/* What the values of a range have in common: their leading bits. */
static bool learn_leading(struct proof_number *n, const struct proof_range *r, unsigned bits) {
  uint64_t differ = r->umin ^ r->umax, above = ~proof_ones(bits);
  uint64_t unknown = (differ == 0 ? 0 : ~UINT64_C(0) >> __builtin_clzll(differ)) | above;
  return learn_bits(n, r->umin & ~unknown, unknown);
}

/* Bits narrow ranges and ranges give bits, until no bit is new. False: no members. */
static bool deduce(struct proof_number *n) {
  struct proof_range wide = proof_range_of(n, 64), low = proof_range_of(n, 32);
  for (unsigned round = 0; round <= ROUNDS; round++) {
    uint64_t mask = n->mask;
    if (!proof_range_agree(&wide, 64) || !proof_range_agree(&low, 32)) return false;
    if (!learn_leading(n, &wide, 64) || !learn_leading(n, &low, 32)) return false;
    if (round == ROUNDS || (round > 0 && n->mask == mask)) break;
    if (!proof_range_to_members(&wide, 64, n->value, n->mask)) return false;
    if (!proof_range_to_members(&low, 32, n->value, n->mask)) return false;
    if (!settle_halves(&wide, &low)) return false;
  }
  proof_range_put(n, 64, &wide);
  proof_range_put(n, 32, &low);
  return true;
}

bool proof_number_settle(struct proof_number *n) {
  bool some = n->mask == 0 || deduce(n);
  if (some && n->mask != 0) return true;
  some = some && proof_number_has(n, n->value);
  *n = proof_number_constant(some ? n->value : 0);
  return some;
}

struct proof_number proof_number_add(const struct proof_number *n, int64_t delta) {
  struct proof_number sum = *n, constant = proof_number_constant((uint64_t)delta);
  proof_number_alu(&sum, (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_X}, &constant);
  return sum;
}

void proof_number_extend(struct proof_number *n, unsigned bits, bool is_signed) {
  if (bits == 64) return;
  unsigned source = bits <= 32 ? 32 : 64;
  struct proof_range part = proof_range_full(bits), from = proof_range_of(n, source);
  proof_range_know(&part, bits, from.umin, from.umax);
  proof_range_know(&part, bits, from.smin, from.smax);
  uint64_t all = proof_ones(bits), sign = UINT64_C(1) << (bits - 1), value = n->value & all, mask = n->mask & all;
  *n = proof_number_unknown();
  if (is_signed) {
    /* The sign bit, known or unknown, makes all bits above it so. */
    n->value = (value ^ sign) - sign;
    n->mask = (mask ^ sign) - sign;
    n->smin = part.smin;
    n->smax = part.smax;
  } else {
    n->value = value;
    n->mask = mask;
    n->umin = part.umin;
    n->umax = part.umax;
  }
  if (bits == 32) proof_range_put(n, 32, &part);
  (void)proof_number_settle(n);
}
