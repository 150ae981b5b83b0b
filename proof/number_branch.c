/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a conditional jump says of its operands, RFC 9669 section 4.3, in the width that it compares.
 */
#include "proof/number.h"
#include "proof/range.h"

/* left < right, or <= if not strict. */
static bool order(struct proof_range *left, struct proof_range *right, bool strict) {
  if (left->umin > right->umax || (strict && left->umin == right->umax)) return false;
  left->umax = proof_min(left->umax, right->umax - strict);
  right->umin = proof_max(right->umin, left->umin + strict);
  return true;
}

static bool order_signed(struct proof_range *left, struct proof_range *right, bool strict) {
  if (left->smin > right->smax || (strict && left->smin == right->smax)) return false;
  left->smax = proof_smin(left->smax, right->smax - strict);
  right->smin = proof_smax(right->smin, left->smin + strict);
  return true;
}

/* A constant that the other must not be narrows it only where it is a bound. */
static bool exclude(struct proof_range *r, const struct proof_range *constant) {
  if (constant->umin != constant->umax || constant->smin != constant->smax) return true;
  if (r->umin == r->umax) return r->umin != constant->umin;
  if (r->umin == constant->umin) r->umin++;
  if (r->umax == constant->umin) r->umax--;
  if (r->smin == constant->smin) r->smin++;
  if (r->smax == constant->smin) r->smax--;
  return true;
}

/* Each order as left < right or left <= right. */
static const struct {
  bool with_sign, swapped, strict;
} orders[] = {
    [BPF_JGT >> 4] = {false, true, true},  [BPF_JGE >> 4] = {false, true, false},
    [BPF_JLT >> 4] = {false, false, true}, [BPF_JLE >> 4] = {false, false, false},
    [BPF_JSGT >> 4] = {true, true, true},  [BPF_JSGE >> 4] = {true, true, false},
    [BPF_JSLT >> 4] = {true, false, true}, [BPF_JSLE >> 4] = {true, false, false},
};

/* If it was not taken, the order is the other way round. */
static bool compare(unsigned op, bool taken, struct proof_range *left, struct proof_range *right) {
  const bool swap = orders[op >> 4].swapped == taken, strict = orders[op >> 4].strict == taken;
  struct proof_range *least = swap ? right : left, *most = swap ? left : right;
  return orders[op >> 4].with_sign ? order_signed(least, most, strict) : order(least, most, strict);
}

/* Within `all`, the bits of both are the same. */
static bool equate_bits(struct proof_number *left, struct proof_number *right, uint64_t all) {
  if ((left->value ^ right->value) & ~left->mask & ~right->mask & all) return false;
  uint64_t mask = left->mask & right->mask, value = left->value | right->value;
  left->mask = (left->mask & ~all) | (mask & all);
  right->mask = (right->mask & ~all) | (mask & all);
  left->value |= value & all;
  right->value |= value & all;
  return true;
}

/* left & right has no bit in `all`: where one is known to have it, the other has not. */
static bool part_bits(struct proof_number *left, struct proof_number *right, uint64_t all) {
  if (left->value & right->value & all) return false;
  left->mask &= ~(right->value & all);
  right->mask &= ~(left->value & all);
  return true;
}

/* left & right has a bit in `all`. If only one can be it, both have it. */
static bool share_bit(struct proof_number *left, struct proof_number *right, uint64_t all) {
  uint64_t shared = (left->value | left->mask) & (right->value | right->mask) & all;
  if (shared == 0) return false;
  if ((shared & (shared - 1)) != 0) return true;
  left->value |= shared;
  left->mask &= ~shared;
  right->value |= shared;
  right->mask &= ~shared;
  return true;
}

bool proof_number_branch(uint8_t code, bool taken, struct proof_number *left, struct proof_number *right) {
  const unsigned op = BPF_OP(code), bits = BPF_CLASS(code) == BPF_JMP ? 64 : 32;
  const uint64_t all = proof_ones(bits);
  struct proof_range *x = proof_range_in(left, bits), *y = proof_range_in(right, bits);
  bool possible;
  if (op == BPF_JSET) {
    possible = taken ? share_bit(left, right, all) : part_bits(left, right, all);
  } else if (op != BPF_JEQ && op != BPF_JNE) {
    possible = compare(op, taken, x, y);
  } else if ((op == BPF_JEQ) == taken) {
    proof_range_narrow(x, y);
    *y = *x;
    possible = equate_bits(left, right, all);
  } else {
    possible = exclude(x, y) && exclude(y, x);
  }
  return possible && proof_number_settle(left) && proof_number_settle(right);
}
