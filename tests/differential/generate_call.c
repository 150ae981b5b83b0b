/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls of helpers and functions, and tail calls.
 */
#include "tests/differential/generate_parts.h"

static void add_key(struct generator *g, unsigned below) {
  fact(g, BPF_FACT_ACCESS);
  if (one_in(g, 2)) {
    ADD_INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, choose(g->c, below));
  } else {
    ADD_INSN(BPF_STX | BPF_MEM | BPF_W, 10, number_register(g), -4, 0);
  }
  if (one_in(g, 4)) {
    fact(g, BPF_FACT_ACCESS);
    ADD_INSN(BPF_ST | BPF_MEM | BPF_B, 10, 0, -4, choose(g->c, below));
  }
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, !g->safe && one_in(g, 20) ? -3 : -4);
}

/* A key of the array that is there. */
static void add_good_key(struct generator *g) {
  unsigned r = number_register(g);
  if (one_in(g, 3)) {
    fact(g, BPF_FACT_ACCESS);
    ADD_INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, choose(g->c, GENERATE_VALUES));
  } else {
    ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_AND | BPF_K, r, 0, 0, GENERATE_VALUES - 1);
    fact(g, BPF_FACT_ACCESS);
    ADD_INSN(BPF_STX | BPF_MEM | BPF_W, 10, r, -4, 0);
  }
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4);
}

void generate_lookup(struct generator *g) {
  unsigned map = one_in(g, 2) ? GENERATE_ARRAY : GENERATE_HASH;
  unsigned size = random_size(g), field = 8 * (unsigned)choose(g->c, 2);
  bool changes = one_in(g, 3), found = map == GENERATE_ARRAY && one_in(g, 3);
  if (found) {
    add_good_key(g);
  } else {
    add_key(g, GENERATE_VALUES + 2);
  }
  add_wide(g, 1, BPF_PSEUDO_MAP, map, 0);
  fact(g, BPF_FACT_ARGUMENTS | (found ? BPF_FACT_KEY : 0) | (g->proven ? BPF_FACT_MAP : 0));
  if (g->safe) g->out->facts[g->out->count].map = (uint8_t)map;
  ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_HELPER, 0, BPF_HELPER_MAP_LOOKUP_ELEM);
  if (found) fact(g, BPF_FACT_NEVER);
  if (g->safe || !one_in(g, 10)) ADD_INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, changes ? 3 : 1, 0);
  if (changes) {
    fact(g, BPF_FACT_ACCESS);
    ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 0, field, 0);
    ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, choose_number(g->c));
    fact(g, BPF_FACT_ACCESS);
    ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 0, 1, field, 0);
    add_number(g, 0);
  } else {
    fact(g, BPF_FACT_ACCESS);
    ADD_INSN(BPF_LDX | BPF_MEM | size, 0, 0, field, 0);
  }
  renew_arguments(g);
}

/* Of what a register holds, which may be too large, without touching r6 to r9. */
void generate_lookup_of(struct generator *g, unsigned key) {
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_STX | BPF_MEM | BPF_W, 10, key, -4, 0);
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4);
  add_wide(g, 1, BPF_PSEUDO_MAP, GENERATE_ARRAY, 0);
  fact(g, BPF_FACT_ARGUMENTS | (g->proven ? BPF_FACT_MAP : 0));
  if (g->safe) g->out->facts[g->out->count].map = GENERATE_ARRAY;
  ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_HELPER, 0, BPF_HELPER_MAP_LOOKUP_ELEM);
  ADD_INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 0);
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 0, 8, 0);
  renew_arguments(g);
}

void generate_change(struct generator *g) {
  bool removes = one_in(g, 3);
  add_key(g, GENERATE_VALUES + 2);
  add_wide(g, 1, BPF_PSEUDO_MAP, one_in(g, 3) ? GENERATE_ARRAY : GENERATE_HASH, 0);
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -STACK_BYTES + 8 * (int)choose(g->c, 5));
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, choose(g->c, g->safe ? 3 : 4));
  fact(g, BPF_FACT_ARGUMENTS);
  ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_HELPER, 0,
           removes ? BPF_HELPER_MAP_DELETE_ELEM : BPF_HELPER_MAP_UPDATE_ELEM);
  renew_arguments(g);
}

/* To the function behind the program; its distance comes when that is there. */
void generate_local_call(struct generator *g) {
  if (g->in_function) return;
  fact(g, BPF_FACT_BOUNDED);
  ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
  renew_arguments(g);
}

/* r6 is the context, but in functions. */
void generate_tail_call(struct generator *g) {
  if (g->safe && g->in_function) return;
  if (g->safe || !one_in(g, 4)) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0);
  add_wide(g, 2, BPF_PSEUDO_MAP, !g->safe && one_in(g, 20) ? GENERATE_ARRAY : GENERATE_PROGRAMS, 0);
  if (one_in(g, 2)) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, choose(g->c, GENERATE_CELLS + 2));
  fact(g, BPF_FACT_ARGUMENTS);
  ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_HELPER, 0, BPF_HELPER_TAIL_CALL);
  if (g->safe) add_number(g, 0); /* Linux: the call returns nothing */
  renew_arguments(g);
}

static const struct bpf_insn target_answer[] = {MOV_IMM(0, 77), EXIT()};
static const struct bpf_insn target_change[] = {
    LOAD(BPF_W, 2, 1, 0),  LOAD(BPF_W, 3, 1, 4),
    MOV_IMM(0, 78),        MOV(4, 2),
    ADD_IMM(4, 2),         INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 3, 0),
    LOAD(BPF_B, 5, 2, 0),  ADD_IMM(5, 9),
    STORE(BPF_B, 2, 5, 1), EXIT(),
};
const struct bpf_target generate_targets[GENERATE_TARGETS] = {{target_answer, COUNT(target_answer)},
                                                              {target_change, COUNT(target_change)}};
