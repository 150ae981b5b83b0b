/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a conditional jump says of its operands, RFC 9669 section 4.3, in the width that it compares.
 */
#include "proof/number.h"
#include "proof/range.h"

/* The comparison that holds when this one does not, by operation / 16. */
static const uint8_t negated[] = {
    [BPF_JEQ >> 4] = BPF_JNE,   [BPF_JNE >> 4] = BPF_JEQ,   [BPF_JGT >> 4] = BPF_JLE,   [BPF_JGE >> 4] = BPF_JLT,
    [BPF_JLT >> 4] = BPF_JGE,   [BPF_JLE >> 4] = BPF_JGT,   [BPF_JSGT >> 4] = BPF_JSLE, [BPF_JSGE >> 4] = BPF_JSLT,
    [BPF_JSLT >> 4] = BPF_JSGE, [BPF_JSLE >> 4] = BPF_JSGT,
};

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

static bool compare(unsigned op, struct proof_range *left, struct proof_range *right) {
  switch (op) {
    case BPF_JEQ:
      proof_range_narrow(left, right);
      *right = *left;
      return true;
    case BPF_JNE:
      return exclude(left, right) && exclude(right, left);
    case BPF_JGT:
      return order(right, left, true);
    case BPF_JGE:
      return order(right, left, false);
    case BPF_JLT:
      return order(left, right, true);
    case BPF_JLE:
      return order(left, right, false);
    case BPF_JSGT:
      return order_signed(right, left, true);
    case BPF_JSGE:
      return order_signed(right, left, false);
    case BPF_JSLT:
      return order_signed(left, right, true);
    default:
      return order_signed(left, right, false);
  }
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
  unsigned op = BPF_OP(code), bits = BPF_CLASS(code) == BPF_JMP ? 64 : 32;
  uint64_t all = proof_ones(bits);
  if (op == BPF_JSET) {
    if (!(taken ? share_bit(left, right, all) : part_bits(left, right, all))) return false;
  } else {
    if (!taken) op = negated[op >> 4];
    if (!compare(op, proof_range_in(left, bits), proof_range_in(right, bits))) return false;
    if (op == BPF_JEQ && !equate_bits(left, right, all)) return false;
  }
  return proof_number_settle(left) && proof_number_settle(right);
}
