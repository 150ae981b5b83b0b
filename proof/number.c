/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sets of numbers: making, comparing, joining, and how bits, ranges and halves deduce each other.
 */
#include "proof/number.h"

#include "lib/string.h"
#include "proof/range.h"

enum { ROUNDS = 3 }; /* of deducing; what more would find is rarely worth its time */

struct proof_number proof_number_constant(uint64_t value) {
  const uint32_t low = (uint32_t)value;
  return (struct proof_number){.value = value,
                               .wide = {value, value, (int64_t)value, (int64_t)value},
                               .low = {low, low, (int32_t)low, (int32_t)low}};
}

struct proof_number proof_number_unknown(void) {
  return (struct proof_number){.mask = ~UINT64_C(0),
                               .wide = {0, UINT64_MAX, INT64_MIN, INT64_MAX},
                               .low = {0, UINT32_MAX, INT32_MIN, INT32_MAX}};
}

struct proof_number proof_number_any(unsigned bytes) {
  const uint64_t most = proof_ones(8 * bytes);
  if (bytes == 8) return proof_number_unknown();
  return (struct proof_number){.mask = most,
                               .wide = {0, most, 0, (int64_t)most},
                               .low = {0, most, bytes == 4 ? INT32_MIN : 0, bytes == 4 ? INT32_MAX : (int64_t)most}};
}

struct proof_number proof_number_between(uint64_t low, uint64_t high) {
  struct proof_number n = proof_number_unknown();
  n.wide.umin = low;
  n.wide.umax = high;
  (void)proof_number_settle(&n);
  return n;
}

struct proof_number proof_number_between_signed(int64_t low, int64_t high) {
  struct proof_number n = proof_number_unknown();
  n.wide.smin = low;
  n.wide.smax = high;
  (void)proof_number_settle(&n);
  return n;
}

bool proof_number_has(const struct proof_number *n, uint64_t value) {
  const struct proof_number constant = proof_number_constant(value);
  return proof_number_within(&constant, n);
}

static bool range_within(const struct proof_range *inner, const struct proof_range *outer) {
  return inner->umin >= outer->umin && inner->umax <= outer->umax && inner->smin >= outer->smin &&
         inner->smax <= outer->smax;
}

bool proof_number_within(const struct proof_number *inner, const struct proof_number *outer) {
  return (((inner->value ^ outer->value) | inner->mask) & ~outer->mask) == 0 &&
         range_within(&inner->wide, &outer->wide) && range_within(&inner->low, &outer->low);
}

bool proof_number_equal(const struct proof_number *a, const struct proof_number *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

static struct proof_range hull(const struct proof_range *a, const struct proof_range *b) {
  return (struct proof_range){proof_min(a->umin, b->umin), proof_max(a->umax, b->umax), proof_smin(a->smin, b->smin),
                              proof_smax(a->smax, b->smax)};
}

struct proof_number proof_number_join(const struct proof_number *a, const struct proof_number *b) {
  const uint64_t mask = a->mask | b->mask | (a->value ^ b->value);
  return (struct proof_number){
      .value = a->value & ~mask, .mask = mask, .wide = hull(&a->wide, &b->wide), .low = hull(&a->low, &b->low)};
}

/* False: no number has both. */
static bool learn_bits(struct proof_number *n, uint64_t value, uint64_t mask) {
  if ((n->value ^ value) & ~n->mask & ~mask) return false;
  n->mask &= mask;
  n->value = (n->value | value) & ~n->mask;
  return true;
}

bool proof_number_meet(struct proof_number *n, const struct proof_number *other) {
  proof_range_narrow(&n->wide, &other->wide);
  proof_range_narrow(&n->low, &other->low);
  if (learn_bits(n, other->value, other->mask)) return proof_number_settle(n);
  *n = proof_number_constant(0);
  return false;
}

/* The lower half is within what the whole value leaves it, and is the whole where that is no larger. */
static void settle_halves(struct proof_range *wide, struct proof_range *low) {
  proof_range_know(low, 32, proof_reading_of(wide, false));
  proof_range_know(low, 32, proof_reading_of(wide, true));
  if (wide->smin >= INT32_MIN && wide->smax <= INT32_MAX) {
    wide->smin = proof_smax(wide->smin, low->smin);
    wide->smax = proof_smin(wide->smax, low->smax);
  }
}

/* Both readings narrow each other, and what the values have in common, their leading bits, is known. */
static bool learn_leading(struct proof_number *n, struct proof_range *r, unsigned bits) {
  if (!proof_range_agree(r, bits)) return false;
  const uint64_t differ = r->umin ^ r->umax, above = ~proof_ones(bits);
  const uint64_t unknown = (differ == 0 ? 0 : ~UINT64_C(0) >> __builtin_clzll(differ)) | above;
  return learn_bits(n, r->umin & ~unknown, unknown);
}

/* The upper half is 0, as after most instructions of 32 bits: the value is its lower half without a sign. */
static bool is_half(const struct proof_number *n) { return (n->value | n->mask) <= UINT32_MAX; }
static bool deduce_half(struct proof_number *n) {
  struct proof_range *low = &n->low;
  if (n->wide.smax < 0) return false;
  low->umin = proof_max(low->umin, proof_max(n->wide.umin, (uint64_t)proof_smax(n->wide.smin, 0)));
  low->umax = proof_min(low->umax, proof_min(n->wide.umax, (uint64_t)n->wide.smax));
  for (unsigned round = 0;; round++) {
    if (!learn_leading(n, low, 32)) return false;
    const struct proof_range before = *low;
    if (round == ROUNDS) break;
    if (!proof_range_to_members(low, 32, n->value, n->mask)) return false;
    if (memcmp(&before, low, sizeof before) == 0) break;
  }
  n->wide = (struct proof_range){low->umin, low->umax, (int64_t)low->umin, (int64_t)low->umax};
  return true;
}

/* Bits narrow ranges and ranges give bits, until nothing is new. False: no members. */
static bool deduce(struct proof_number *n) {
  for (unsigned round = 0;; round++) {
    if (!is_half(n) && !learn_leading(n, &n->wide, 64)) return false;
    if (is_half(n)) return deduce_half(n);
    if (!learn_leading(n, &n->low, 32)) return false;
    const struct proof_number before = *n;
    if (round == ROUNDS) return true;
    if (!proof_range_to_members(&n->wide, 64, n->value, n->mask)) return false;
    if (!proof_range_to_members(&n->low, 32, n->value, n->mask)) return false;
    settle_halves(&n->wide, &n->low);
    if (proof_number_equal(&before, n)) return true;
  }
}

bool proof_number_settle(struct proof_number *n) {
  bool some = n->mask == 0 || deduce(n);
  if (some && n->mask != 0) return true;
  some = some && proof_number_has(n, n->value);
  *n = proof_number_constant(some ? n->value : 0);
  return some;
}

struct proof_number proof_number_add(const struct proof_number *n, int64_t delta) {
  struct proof_number sum = *n;
  const struct proof_number constant = proof_number_constant((uint64_t)delta);
  if (delta != 0) proof_number_alu(&sum, (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_X}, &constant);
  return sum;
}

void proof_number_extend(struct proof_number *n, unsigned bits, bool is_signed) {
  if (bits == 64) return;
  const struct proof_range *from = proof_range_of(n, bits <= 32 ? 32 : 64);
  struct proof_range part = proof_range_full(bits);
  if (bits == 32) {
    part = *from;
  } else {
    proof_range_know(&part, bits, proof_reading_of(from, false));
    proof_range_know(&part, bits, proof_reading_of(from, true));
  }
  const uint64_t all = proof_ones(bits), sign = is_signed ? UINT64_C(1) << (bits - 1) : 0;
  /* The sign bit, known or unknown, makes all bits above it so. */
  n->value = ((n->value & all) ^ sign) - sign;
  n->mask = ((n->mask & all) ^ sign) - sign;
  for (unsigned width = bits < 32 ? 32 : 64; width <= 64; width += 32) {
    struct proof_range *r = proof_range_in(n, width);
    *r = proof_range_full(width);
    if (is_signed) {
      r->smin = part.smin;
      r->smax = part.smax;
    } else {
      r->umin = part.umin;
      r->umax = part.umax;
    }
  }
  (void)proof_number_settle(n);
}
