/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is known about single instructions of a program, so that native code needs no check there. Whoever states a fact answers for
 * it: the proof of a bundle, or a test that made the program safe by construction. Where nothing is stated everything is checked.
 */
#ifndef IMAGO_BPF_FACTS_H
#define IMAGO_BPF_FACTS_H

#include <stdint.h>

enum {
  /* Load, store, atomic: all bytes lie in one object that may be accessed so, aligned if it is an atomic. */
  BPF_FACT_ACCESS = 1 << 0,
  /* Division, modulo: the divisor is not 0. */
  BPF_FACT_DIVISOR = 1 << 1,
  /* Helper call: the arguments are what the prototype asks for. */
  BPF_FACT_ARGUMENTS = 1 << 2,
  /* Lookup in an array: `map` is its index in the program, the key is below max_entries. Implies BPF_FACT_ARGUMENTS. */
  BPF_FACT_KEY = 1 << 3,
  /* Jump backwards: the loop ends within the budget, callees included. Call of a function: within the budget and the depth. */
  BPF_FACT_BOUNDED = 1 << 4,
  /* First instruction of a function: it reads nothing of its frame that it did not write before. */
  BPF_FACT_FRAME = 1 << 5,
  /* Conditional jump: never taken (a null check of what is never null), or always. */
  BPF_FACT_NEVER = 1 << 6,
  BPF_FACT_ALWAYS = 1 << 7,
  /* Helper call that takes a map: that argument (r1, of bpf_tail_call r2) is always the handle of map `map`. */
  BPF_FACT_MAP = 1 << 8,
};

/* One per instruction slot. Zero: nothing is known. */
struct bpf_fact {
  uint16_t known; /* BPF_FACT_ bits */
  uint8_t map;    /* with BPF_FACT_KEY and BPF_FACT_MAP */
};

#endif
