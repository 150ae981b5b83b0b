/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arithmetic on sets of numbers, RFC 9669 section 4.1. Each operation is done on the known bits (formulas of the paper that
 * proof/number.h names) and on the ranges of each width that it leaves meaningful; then they deduce each other.
 */
#include "proof/number.h"
#include "proof/range.h"

/* --- known bits: the operands' unknown bits and those that a carry may reach are unknown --- */

struct bits {
  uint64_t value, mask;
};

static struct bits bits_of(const struct proof_number *n, unsigned bits) {
  return (struct bits){n->value & proof_ones(bits), n->mask & proof_ones(bits)};
}

static struct bits known(uint64_t value, uint64_t mask) { return (struct bits){value & ~mask, mask}; }

static struct bits add_bits(struct bits a, struct bits b) {
  uint64_t value = a.value + b.value, most = value + a.mask + b.mask;
  return known(value, (most ^ value) | a.mask | b.mask);
}

/* Of a product the zeros at the end are known: those of both. */
static struct bits mul_bits(struct bits a, struct bits b) {
  const uint64_t some_a = a.value | a.mask, some_b = b.value | b.mask;
  if ((a.mask | b.mask) == 0 || some_a == 0 || some_b == 0) return (struct bits){a.value * b.value, 0};
  const int zeros = __builtin_ctzll(some_a) + __builtin_ctzll(some_b);
  return (struct bits){0, zeros < 64 ? ~UINT64_C(0) << zeros : 0};
}

static struct bits combine_bits(unsigned op, struct bits a, struct bits b) {
  uint64_t value;
  switch (op) {
    case BPF_ADD:
      return add_bits(a, b);
    case BPF_SUB:
      value = a.value - b.value;
      return known(value, ((value + a.mask) ^ (value - b.mask)) | a.mask | b.mask);
    case BPF_MUL:
      return mul_bits(a, b);
    case BPF_AND:
      value = a.value & b.value;
      return known(value, (a.value | a.mask) & (b.value | b.mask) & ~value);
    case BPF_OR:
      value = a.value | b.value;
      return known(value, (a.mask | b.mask) & ~value);
    default:
      return known(a.value ^ b.value, a.mask | b.mask);
  }
}

/* --- ranges: of bitwise or and exclusive or the known bits say more --- */

/* The width of a sum or difference; too much is all. */
static uint64_t both_widths(struct proof_reading x, struct proof_reading y) {
  return x.width + y.width < x.width ? UINT64_MAX : x.width + y.width;
}

static void know_products(struct proof_range *r, unsigned bits, const struct proof_range *a,
                          const struct proof_range *b) {
  const int64_t factors[4][2] = {{a->smin, b->smin}, {a->smin, b->smax}, {a->smax, b->smin}, {a->smax, b->smax}};
  int64_t low = INT64_MAX, high = INT64_MIN, product;
  uint64_t most;
  if (!__builtin_mul_overflow(a->umax, b->umax, &most)) {
    const uint64_t least = a->umin * b->umin;
    proof_range_know(r, bits, (struct proof_reading){least, most - least});
  }
  for (unsigned i = 0; i < 4; i++) {
    if (__builtin_mul_overflow(factors[i][0], factors[i][1], &product)) return;
    low = proof_smin(low, product);
    high = proof_smax(high, product);
  }
  proof_range_know(r, bits, (struct proof_reading){(uint64_t)low, (uint64_t)high - (uint64_t)low});
}

/* The ones above the highest zero of a negative number: what any number of at least that much leaves of it at least. */
static int64_t leading_ones(int64_t v) {
  if (v >= 0) return 0;
  return v == -1 ? -1 : (int64_t) ~(~UINT64_C(0) >> __builtin_clzll(~(uint64_t)v));
}

/* At most the smaller of both without a sign, at most the larger with one. Known bits say more of the lower end. */
static void know_and(struct proof_range *r, const struct proof_range *a, const struct proof_range *b) {
  r->umax = proof_min(a->umax, b->umax);
  r->smin = leading_ones(proof_smin(a->smin, b->smin));
  r->smax = proof_smax(a->smax, b->smax);
}

static void combine_ranges(unsigned op, unsigned bits, const struct proof_range *a, const struct proof_range *b,
                           struct proof_range *r) {
  for (unsigned with_sign = 0; (op == BPF_ADD || op == BPF_SUB) && with_sign < 2; with_sign++) {
    const struct proof_reading x = proof_reading_of(a, with_sign), y = proof_reading_of(b, with_sign);
    const uint64_t low = op == BPF_ADD ? x.low + y.low : x.low - y.low - y.width;
    proof_range_know(r, bits, (struct proof_reading){low, both_widths(x, y)});
  }
  if (op == BPF_MUL) know_products(r, bits, a, b);
  if (op == BPF_AND) know_and(r, a, b);
  if (op == BPF_OR) r->umin = proof_max(a->umin, b->umin);
}

/* Those whose lower half depends on lower halves only. `n` is unknown. */
static void combine(struct proof_number *n, unsigned op, unsigned bits, const struct proof_number *a,
                    const struct proof_number *b) {
  const struct bits result = combine_bits(op, bits_of(a, bits), bits_of(b, bits));
  n->value = result.value;
  n->mask = result.mask;
  for (unsigned width = 32; width <= bits && n->mask != 0; width += 32) {
    combine_ranges(op, width, proof_range_of(a, width), proof_range_of(b, width), proof_range_in(n, width));
  }
}

/* --- shifts --- */

/* By a known amount below the width. `n` is unknown. */
static void shift_by(struct proof_number *n, unsigned op, unsigned bits, const struct proof_number *a, unsigned by) {
  const unsigned above = 64 - bits; /* brings the sign bit, known or unknown, to the top and back */
  const struct bits known = bits_of(a, bits);
  if (op == BPF_ARSH) {
    n->value = (uint64_t)((int64_t)(known.value << above) >> (above + by));
    n->mask = (uint64_t)((int64_t)(known.mask << above) >> (above + by));
  } else {
    n->value = op == BPF_LSH ? known.value << by : known.value >> by;
    n->mask = op == BPF_LSH ? known.mask << by : known.mask >> by;
  }
  /* To the left, the lower half depends on the lower half only; what is shifted out by 32 or more is the upper half. */
  for (unsigned width = op == BPF_LSH ? 32 : bits; width <= bits; width += 32) {
    const struct proof_range *from = proof_range_of(a, op == BPF_LSH && by >= 32 ? 32 : width);
    const struct proof_range right = {from->umin >> by, from->umax >> by, from->smin >> by, from->smax >> by};
    if (op != BPF_LSH) proof_range_know(proof_range_in(n, width), width, proof_reading_of(&right, op == BPF_ARSH));
    for (unsigned with_sign = 0; op == BPF_LSH && with_sign < 2; with_sign++) {
      struct proof_reading x = proof_reading_of(from, with_sign);
      x.width = x.width > UINT64_MAX >> by ? UINT64_MAX : x.width << by;
      x.low <<= by;
      proof_range_know(proof_range_in(n, width), width, x);
    }
  }
}

/* The amount is taken modulo the width. What all possible amounts give. */
static void shift(struct proof_number *n, unsigned op, unsigned bits, const struct proof_number *a,
                  const struct proof_number *b) {
  const struct proof_number unknown = *n;
  const bool below = b->low.umax < bits;
  const unsigned last = below ? (unsigned)b->low.umax : bits - 1;
  bool first = true;
  for (unsigned by = below ? (unsigned)b->low.umin : 0; by <= last; by++) {
    if ((by ^ b->value) & ~b->mask & (bits - 1)) continue;
    struct proof_number one = unknown;
    shift_by(&one, op, bits, a, by);
    *n = first ? one : proof_number_join(n, &one);
    first = false;
  }
}

/* --- division: by zero it gives 0, the modulo the dividend --- */

static bool is_power_of_two(uint64_t v) { return v != 0 && (v & (v - 1)) == 0; }

static void divide(struct proof_number *n, unsigned bits, const struct proof_number *a, const struct proof_number *b) {
  const struct proof_range *x = proof_range_of(a, bits), *y = proof_range_of(b, bits);
  struct proof_range *r = proof_range_in(n, bits);
  if (y->umin == y->umax && is_power_of_two(y->umin)) {
    shift_by(n, BPF_RSH, bits, a, (unsigned)__builtin_ctzll(y->umin));
  } else {
    r->umin = y->umin == 0 ? 0 : x->umin / y->umax;
    r->umax = y->umax == 0 ? 0 : x->umax / proof_max(y->umin, 1);
  }
}

static void modulo(struct proof_number *n, unsigned bits, const struct proof_number *a, const struct proof_number *b) {
  const struct proof_range *x = proof_range_of(a, bits), y = *proof_range_of(b, bits);
  struct proof_range *r = proof_range_in(n, bits);
  if (x->umax < y.umin || y.umax == 0) {
    shift_by(n, BPF_LSH, bits, a, 0); /* all that is known of a in this width */
  } else if (y.umin == y.umax && is_power_of_two(y.umin)) {
    const struct proof_number ones = proof_number_constant(y.umin - 1);
    combine(n, BPF_AND, bits, a, &ones);
  } else {
    r->umax = y.umin == 0 ? x->umax : proof_min(x->umax, y.umax - 1);
  }
}

/* Quotients truncate toward zero, remainders have the dividend's sign. Where neither operand is negative it is the unsigned
 * operation. Otherwise only constant divisors say something. */
static void divide_signed(struct proof_number *n, unsigned op, unsigned bits, const struct proof_number *a,
                          const struct proof_number *b) {
  const struct proof_range *x = proof_range_of(a, bits), *y = proof_range_of(b, bits);
  struct proof_range *r = proof_range_in(n, bits);
  const int64_t divisor = y->smin;
  if (x->smin >= 0 && y->smin >= 0) {
    (op == BPF_DIV ? divide : modulo)(n, bits, a, b);
  } else if (y->smin != y->smax || divisor == 0 || divisor == -1) {
    return;
  } else if (op == BPF_DIV) {
    const int64_t low = x->smin / divisor, high = x->smax / divisor;
    r->smin = proof_smin(low, high);
    r->smax = proof_smax(low, high);
  } else {
    const int64_t most = (int64_t)((divisor < 0 ? -(uint64_t)divisor : (uint64_t)divisor) - 1);
    r->smin = x->smin >= 0 ? 0 : proof_smax(x->smin, -most);
    r->smax = x->smax <= 0 ? 0 : proof_smin(x->smax, most);
  }
}

/* --- the rest --- */

static uint64_t reversed(uint64_t v, unsigned bits) { return __builtin_bswap64(v) >> (64 - bits); }

/* RFC 9669 section 4.2. The host is little-endian. `n` is unknown. */
static void swap_bytes(struct proof_number *n, struct bpf_insn insn, const struct proof_number *a) {
  const unsigned bits = (unsigned)insn.imm;
  if (BPF_CLASS(insn.code) == BPF_ALU && BPF_SRC(insn.code) == BPF_K) {
    *n = *a;
    proof_number_extend(n, bits, false);
  } else {
    n->value = reversed(a->value, bits);
    n->mask = reversed(a->mask, bits);
    (void)proof_number_settle(n);
  }
}

void proof_number_alu(struct proof_number *dst, struct bpf_insn insn, const struct proof_number *src) {
  const unsigned op = BPF_OP(insn.code), bits = BPF_CLASS(insn.code) == BPF_ALU64 ? 64 : 32;
  const struct proof_number zero = proof_number_constant(0);
  const bool same = src == dst && BPF_SRC(insn.code) == BPF_X;
  struct proof_number immediate, n = proof_number_unknown();
  const struct proof_number *b = src;
  if (BPF_SRC(insn.code) == BPF_K) {
    immediate = proof_number_constant((uint64_t)(int64_t)insn.imm);
    b = &immediate;
  }
  switch (op) {
    case BPF_END:
      swap_bytes(&n, insn, dst);
      *dst = n;
      return;
    case BPF_MOV:
      n = *b;
      if (insn.off != 0) proof_number_extend(&n, (unsigned)insn.off, true);
      break;
    case BPF_NEG:
      combine(&n, BPF_SUB, bits, &zero, dst);
      break;
    case BPF_DIV:
    case BPF_MOD:
      if (insn.off != 0) {
        divide_signed(&n, op, bits, dst, b);
      } else {
        (op == BPF_DIV ? divide : modulo)(&n, bits, dst, b);
      }
      break;
    case BPF_LSH:
    case BPF_RSH:
    case BPF_ARSH:
      shift(&n, op, bits, dst, b);
      break;
    default:
      if (same && (op == BPF_SUB || op == BPF_XOR)) {
        n = zero;
      } else {
        combine(&n, op, bits, dst, b);
      }
      break;
  }
  if (bits == 32) {
    proof_number_extend(&n, 32, false);
  } else {
    (void)proof_number_settle(&n);
  }
  *dst = n;
}
