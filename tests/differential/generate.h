/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random eBPF programs for comparing engines. Two kinds: wild ones, which do anything that bpf_check lets pass, and safe ones, which are
 * right by construction, so that native code without checks may run them, and Linux too.
 */
#ifndef IMAGO_TESTS_DIFFERENTIAL_GENERATE_H
#define IMAGO_TESTS_DIFFERENTIAL_GENERATE_H

#include "bpf/facts.h"
#include "bpf/program.h"
#include "tests/differential/choices.h"

enum {
  GENERATE_INSNS_MAX = 1024,
  GENERATE_MAPS = 4,
  GENERATE_REGISTERS = 0, /* map: array of one value, where the program leaves its registers */
  GENERATE_ARRAY = 1,     /* map: array of 8 values of 16 bytes */
  GENERATE_HASH = 2,      /* map: hash of 8 values of 16 bytes, keys of 4 bytes */
  GENERATE_PROGRAMS = 3,  /* map: array of programs, the first of which are the targets below */
  GENERATE_TARGETS = 2,
  GENERATE_CELLS = 4,
  GENERATE_VALUE = 16,
  GENERATE_VALUES = 8,
  GENERATE_PACKET_MIN = 64, /* safe programs look at no more without asking */
};

struct generated {
  struct bpf_insn insns[GENERATE_INSNS_MAX];
  struct bpf_fact facts[GENERATE_INSNS_MAX]; /* of a safe program */
  uint32_t count;
};

/* Program 0 that tail calls go to; and 1, which changes the packet. The same each time. */
struct bpf_target {
  const struct bpf_insn *insns;
  uint32_t count;
};
extern const struct bpf_target generate_targets[GENERATE_TARGETS];

/* `calls`: with helpers, which not every comparison can have; functions always. */
void generate(struct choices *c, bool safe, struct generated *out);

#endif
