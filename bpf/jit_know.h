/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What registers are known to hold: an abstract interpretation without disjunction that finds those accesses that need no check at run
 * time although no proof came with the program. It never doubts the other way round: what it does not know is checked. Private to the JIT.
 */
#ifndef IMAGO_BPF_JIT_KNOW_H
#define IMAGO_BPF_JIT_KNOW_H

#include "bpf/jit_loop.h"
#include "bpf/jit_value.h"
#include "bpf/machine.h"
#include "bpf/proto.h"

struct jit_state {
  uint16_t low;    /* as in struct jit_program; only while states are searched for */
  uint16_t packet; /* so many bytes from the packet's first one are there */
  bool reached;
  bool changed;                        /* since it was followed last */
  struct jit_value reg[BPF_REGISTERS]; /* where everything is proven, nobody asks: not kept */
};

struct jit_know {
  struct jit_program *p;
  struct jit_loop *loops;
  uint32_t loop_count;
  struct jit_state *entry; /* per block; without what registers hold where everything is proven */
  bool escapes;            /* an address in stack or context goes where it is not followed */
  bool is_memory;          /* as in struct bpf_jit_options */
};

/* The value goes where it is not followed. Stack and context lie in the machine: whoever computes with such an address may reach all
 * of it. */
static inline void jit_lose(struct jit_know *k, struct jit_value v) {
  k->escapes = k->escapes || v.kind == KNOW_STACK || v.kind == KNOW_CONTEXT;
}

/* Finds the state at the beginning of every block, and sets frame_low of the functions. -ERROR_NO_MEMORY. jit_know_free in any case. */
int jit_know_all(struct jit_know *k, struct jit_program *p, bool is_memory, struct report *report);
void jit_know_free(struct jit_know *k);
/* What the instruction at `at` makes of what registers hold: all of the state but `low`. */
void jit_know_step(struct jit_know *k, struct jit_state *s, uint32_t at);
/* Whether the size bytes at register + offset may be accessed so, whatever happens. */
bool jit_know_access(const struct jit_know *k, const struct jit_state *s, unsigned reg, int32_t offset, uint32_t size,
                     unsigned access);
/* The highest number that the register may hold; INT64_MAX: not known, or no number. */
int64_t jit_know_highest(const struct jit_state *s, unsigned reg);
/* Whether every argument of the helper call is known to be what its prototype wants. */
bool jit_know_arguments(const struct jit_know *k, const struct jit_state *s, const struct bpf_proto *proto);

#endif
