/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is known of the value of a 64-bit register: a set of numbers, given by the bits that are known and by ranges of the
 * value and of its lower half, each read with and without a sign. A number's members are the values that meet all of it.
 *
 * Every operation is sound: from members to members, with the semantics of RFC 9669. Known bits are the tristate numbers
 * of "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers" (Vishwanathan, Shachnai, Narayana, Nagarakatte,
 * CGO 2022). Nothing here allocates, recurses or runs longer than a few hundred steps.
 */
#ifndef IMAGO_PROOF_NUMBER_H
#define IMAGO_PROOF_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/isa.h"

/* Of the lowest bits of a value, without and with a sign: each bound is one that they can have in this reading. */
struct proof_range {
  uint64_t umin, umax;
  int64_t smin, smax;
};

/* 80 bytes without padding, so equal numbers are equal bytes. */
struct proof_number {
  uint64_t value;               /* the known bits; 0 where unknown */
  uint64_t mask;                /* the unknown bits */
  struct proof_range wide, low; /* of all 64 bits, of the lower 32 */
};

struct proof_number proof_number_constant(uint64_t value);
struct proof_number proof_number_unknown(void);
/* Of 1, 2, 4 or 8 bytes, the others 0: what a load can give. */
struct proof_number proof_number_any(unsigned bytes);
/* Without a sign, low <= high. */
struct proof_number proof_number_between(uint64_t low, uint64_t high);
/* With a sign, low <= high. */
struct proof_number proof_number_between_signed(int64_t low, int64_t high);

static inline bool proof_number_is_constant(const struct proof_number *n) { return n->mask == 0; }
/* What a constant is. */
static inline uint64_t proof_number_value(const struct proof_number *n) { return n->value; }

bool proof_number_has(const struct proof_number *n, uint64_t value);
/* Each member of `inner` is one of `outer`. False may also mean that it wasn't seen. */
bool proof_number_within(const struct proof_number *inner, const struct proof_number *outer);
bool proof_number_equal(const struct proof_number *a, const struct proof_number *b);

/* Has all members of both. */
struct proof_number proof_number_join(const struct proof_number *a, const struct proof_number *b);
/* What is in both. False: nothing is, and `n` is 0. */
bool proof_number_meet(struct proof_number *n, const struct proof_number *other);
/* After a field was narrowed by hand: lets bits and ranges deduce each other. All functions here give settled numbers.
 * False: it has no members; it is 0 then, so that no other function meets crossed ranges. */
bool proof_number_settle(struct proof_number *n);

/* n + delta, modulo 2^64. */
struct proof_number proof_number_add(const struct proof_number *n, int64_t delta);
/* The lower `bits` (1 to 64), the rest zero or the sign: what a load or a move with extension leaves. */
void proof_number_extend(struct proof_number *n, unsigned bits, bool is_signed);

/* dst = what the instruction of class ALU or ALU64 that bpf_check accepted leaves in its destination register. `src` is the
 * source register's number; not looked at where the operand is the immediate. If it is the same object as dst, both operands
 * are the same value (r1 ^= r1 is 0). */
void proof_number_alu(struct proof_number *dst, struct bpf_insn insn, const struct proof_number *src);

/* What is known of both operands after the conditional jump `code` (class JMP or JMP32; BPF_K and BPF_X are the same here:
 * the caller gives an immediate as a constant, extended with its sign) was taken or not. The operands are different objects.
 * False: that cannot happen, and both are undefined. */
bool proof_number_branch(uint8_t code, bool taken, struct proof_number *left, struct proof_number *right);

#endif
