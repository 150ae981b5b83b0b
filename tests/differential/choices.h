/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Choices that generators of programs make: reproducible, and such as find mistakes.
 */
#ifndef IMAGO_TESTS_DIFFERENTIAL_CHOICES_H
#define IMAGO_TESTS_DIFFERENTIAL_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/isa.h"

/* Where choices come from: bytes as long as there are any, then (unless seed is 0) random numbers, then zeros. */
struct choices {
  const uint8_t *bytes;
  size_t size;
  uint64_t seed;
};

uint64_t choose(struct choices *c, uint64_t below);
/* A number, often one at which something changes. */
uint64_t choose_number(struct choices *c);
/* Any arithmetic on numbers. `tame`: none that Linux refuses for its constant. */
struct bpf_insn choose_arithmetic(struct choices *c, unsigned dst, unsigned src, bool tame);
/* Opcode of a conditional jump of either width, with BPF_K. */
uint8_t choose_comparison(struct choices *c);
/* An operation of an atomic instruction of either width. */
uint8_t choose_atomic(struct choices *c);

#endif
