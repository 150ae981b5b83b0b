/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Each bound is let out by itself, and the parts of the number then deduce each other again. Known bits are forgotten from the lowest
 * that differs upwards: what stays is the alignment, which strides of loops keep.
 */
#include "verifier/verify_widen.h"

#include "bpf/isa.h"

/* Keeps the order. */
static void add(struct thresholds *t, uint64_t value) {
  uint32_t at = t->count;
  while (at > 0 && t->values[at - 1] > value)
    at--;
  if (at > 0 && t->values[at - 1] == value) return;
  if (t->count == sizeof(t->values) / sizeof(t->values[0])) return;
  for (uint32_t i = t->count++; i > at; i--)
    t->values[i] = t->values[i - 1];
  t->values[at] = value;
}

void thresholds_coarse(struct thresholds *t) {
  t->count = 0;
  for (unsigned bits = 8; bits <= 64; bits *= 2) {
    add(t, ~UINT64_C(0) >> (64 - bits));
    add(t, ~UINT64_C(0) >> (65 - bits));
    add(t, ~(~UINT64_C(0) >> (65 - bits)));
  }
}

static void add_around(struct thresholds *t, uint64_t value) {
  add(t, value - 1);
  add(t, value);
  add(t, value + 1);
}

/* The constant of the instruction that bounds a value, if it has one. */
static bool constant_of(struct bpf_insn insn, uint64_t *value) {
  unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
  if (BPF_SRC(insn.code) != BPF_K) return false;
  *value = (uint64_t)(int64_t)insn.imm;
  if (class == BPF_JMP32) *value = (uint32_t)insn.imm;
  if (class == BPF_JMP || class == BPF_JMP32) return op != BPF_JA && op != BPF_CALL && op != BPF_EXIT;
  if (class != BPF_ALU && class != BPF_ALU64) return false;
  if (op == BPF_MOD) *value -= 1;
  return insn.imm > 0 && (op == BPF_AND || op == BPF_MOD);
}

void thresholds_collect(struct thresholds *t, const struct bpf_insn *insns, uint32_t first, uint32_t last,
                        const struct bpf_map_def *maps, uint32_t map_count) {
  uint64_t value;
  uint32_t constants = 0;
  thresholds_coarse(t);
  for (uint32_t i = 0; i < map_count && constants < WIDEN_MAX_CONSTANTS; i++, constants++)
    add_around(t, maps[i].max_entries);
  for (uint32_t i = first; i <= last && constants < WIDEN_MAX_CONSTANTS; i++) {
    if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
      i++;
    } else if (constant_of(insns[i], &value)) {
      add_around(t, value);
      constants++;
    }
  }
}

/* The nearest threshold outwards, between the limits; the limit when there is none. */
static uint64_t above(const struct thresholds *t, uint64_t bound, uint64_t limit) {
  for (uint32_t i = 0; i < t->count; i++)
    if (t->values[i] >= bound) return t->values[i] < limit ? t->values[i] : limit;
  return limit;
}

static uint64_t below(const struct thresholds *t, uint64_t bound) {
  for (uint32_t i = t->count; i > 0; i--)
    if (t->values[i - 1] <= bound) return t->values[i - 1];
  return 0;
}

static int64_t above_signed(const struct thresholds *t, int64_t bound, int64_t limit) {
  int64_t best = limit;
  for (uint32_t i = 0; i < t->count; i++) {
    int64_t value = (int64_t)t->values[i];
    if (value >= bound && value < best) best = value;
  }
  return best;
}

static int64_t below_signed(const struct thresholds *t, int64_t bound, int64_t limit) {
  int64_t best = limit;
  for (uint32_t i = 0; i < t->count; i++) {
    int64_t value = (int64_t)t->values[i];
    if (value <= bound && value > best) best = value;
  }
  return best;
}

struct proof_number widen(const struct proof_number *known, const struct proof_number *arrival,
                          const struct thresholds *t) {
  struct proof_number n = proof_number_join(known, arrival);
  uint64_t changed = n.mask & ~known->mask;
  if (changed != 0) {
    n.mask |= 0 - (changed & (0 - changed));
    n.value &= ~n.mask;
  }
  if (n.wide.umin < known->wide.umin) n.wide.umin = below(t, n.wide.umin);
  if (n.wide.umax > known->wide.umax) n.wide.umax = above(t, n.wide.umax, UINT64_MAX);
  if (n.wide.smin < known->wide.smin) n.wide.smin = below_signed(t, n.wide.smin, INT64_MIN);
  if (n.wide.smax > known->wide.smax) n.wide.smax = above_signed(t, n.wide.smax, INT64_MAX);
  if (n.low.umin < known->low.umin) n.low.umin = below(t, n.low.umin);
  if (n.low.umax > known->low.umax) n.low.umax = above(t, n.low.umax, UINT32_MAX);
  if (n.low.smin < known->low.smin) n.low.smin = below_signed(t, n.low.smin, INT32_MIN);
  if (n.low.smax > known->low.smax) n.low.smax = above_signed(t, n.low.smax, INT32_MAX);
  return proof_number_settle(&n) ? n : proof_number_unknown();
}
