/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The parts of the generator. In a safe program r0 to r5 and r9 hold numbers at every step, r6 the context, r7 the packet (of which
 * GENERATE_PACKET_MIN bytes are known to be there), r8 the value of map GENERATE_REGISTERS; loops count down in the stack and end. A wild
 * program is the same with anything in any place now and then.
 */
#ifndef IMAGO_TESTS_DIFFERENTIAL_GENERATE_PARTS_H
#define IMAGO_TESTS_DIFFERENTIAL_GENERATE_PARTS_H

#include "tests/differential/generate.h"
#include "tests/unit/bpf/asm.h"

enum { STACK_BYTES = 64 }; /* below r10, that hold numbers */

struct generator {
  struct choices *c;
  struct generated *out;
  bool safe;
  bool in_function; /* r6 to r8 are the caller's numbers */
  bool proven; /* a safe program with all facts that native code without any check and knowledge of its own needs */
  unsigned loops;
};

static inline bool one_in(struct generator *g, unsigned n) { return choose(g->c, n) == n - 1; }

/* --- instructions --- */

static inline void add(struct generator *g, struct bpf_insn insn) { g->out->insns[g->out->count++] = insn; }
static inline void fact(struct generator *g, unsigned known) {
  if (g->safe) g->out->facts[g->out->count].known = (uint16_t)known;
}
#define ADD_INSN(...) add(g, (struct bpf_insn)INSN(__VA_ARGS__))

static inline unsigned number_register(struct generator *g) {
  static const uint8_t numbers[] = {0, 1, 2, 3, 4, 5, 9};
  if (!g->safe && one_in(g, 12)) return (unsigned)choose(g->c, 10);
  return numbers[choose(g->c, COUNT(numbers))];
}

static inline void add_wide(struct generator *g, unsigned dst, unsigned kind, uint64_t low, uint64_t high) {
  ADD_INSN(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, low);
  ADD_INSN(0, 0, 0, 0, high);
}

static inline void add_number(struct generator *g, unsigned dst) {
  uint64_t value = choose_number(g->c);
  if (one_in(g, 3)) {
    add_wide(g, dst, BPF_PSEUDO_IMM, (uint32_t)value, value >> 32);
  } else {
    ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_MOV | BPF_K, dst, 0, 0, value);
  }
}

/* Behind calls r1 to r5 hold nothing that Linux lets a program read. */
static inline void renew_arguments(struct generator *g) {
  for (unsigned r = 1; r <= 5; r++) {
    if (g->safe || one_in(g, 3)) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, choose_number(g->c));
  }
}

static inline void add_alu(struct generator *g) {
  unsigned dst = number_register(g), src = number_register(g);
  add(g, choose_arithmetic(g->c, dst, src, g->safe));
}

static inline unsigned random_size(struct generator *g) { return (unsigned)choose(g->c, 4) << 3; }
static inline int bytes_of(unsigned size) { return size == BPF_DW ? 8 : size == BPF_W ? 4 : size == BPF_H ? 2 : 1; }

/* Load, or store of either kind, at base + offset. (generate.c) */
void generate_access(struct generator *g, unsigned base, int offset, unsigned size);
/* Shapes that the JIT looks for. (generate_shape.c) */
void generate_shape(struct generator *g);
/* A walk through packet, stack or map value. (generate_walk.c) */
void generate_walk(struct generator *g);
/* Calls; generate_lookup_of: of what a register holds. (generate_call.c) */
void generate_lookup(struct generator *g);
void generate_lookup_of(struct generator *g, unsigned key);
void generate_change(struct generator *g);
void generate_local_call(struct generator *g);
void generate_tail_call(struct generator *g);

#endif
