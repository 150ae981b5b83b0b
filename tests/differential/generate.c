/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The generator: statements, and what programs are made of.
 */
#include "tests/differential/generate_parts.h"

#include <string.h>

enum { DEPTH_MAX = 3, STATEMENTS_MAX = 40, LOOP_COUNTER = -72, ROOM = 96 };

/* Load, or store of either kind, at base + offset. */
void generate_access(struct generator *g, unsigned base, int offset, unsigned size) {
  unsigned number = number_register(g);
  if (number == base) number = 4; /* an address is no number */
  fact(g, BPF_FACT_ACCESS);
  switch (choose(g->c, 4)) {
    case 0:
      ADD_INSN(BPF_STX | BPF_MEM | size, base, number, offset, 0);
      break;
    case 1:
      ADD_INSN(BPF_ST | BPF_MEM | size, base, 0, offset, choose_number(g->c));
      break;
    case 2:
      ADD_INSN(BPF_LDX | (size == BPF_DW ? BPF_MEM : BPF_MEMSX) | size, number, base, offset, 0);
      break;
    default:
      ADD_INSN(BPF_LDX | BPF_MEM | size, number, base, offset, 0);
      break;
  }
}

static void add_stack_access(struct generator *g) {
  unsigned size = random_size(g);
  int offset = -(int)(choose(g->c, STACK_BYTES / (unsigned)bytes_of(size)) + 1) * bytes_of(size);
  if (!g->safe && one_in(g, 8)) offset = (int16_t)choose_number(g->c);
  generate_access(g, 10, offset, size);
}

static void add_packet_access(struct generator *g) {
  unsigned size = random_size(g);
  int offset = (int)choose(g->c, GENERATE_PACKET_MIN - 7);
  if (g->in_function) return;
  if (!g->safe && one_in(g, 8)) offset = (int16_t)choose_number(g->c);
  generate_access(g, 7, offset, size);
}

/* Somewhere in the packet that only the run knows: r5 is used for the address and then overwritten. */
static void add_variable_access(struct generator *g) {
  unsigned size = random_size(g), from = number_register(g);
  if (g->in_function) return;
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 5, from, 0, 0);
  if (g->safe || !one_in(g, 4)) ADD_INSN(BPF_ALU64 | BPF_AND | BPF_K, 5, 0, 0, 31);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, 7, 0, 0);
  fact(g, BPF_FACT_ACCESS);
  int offset = (int)choose(g->c, 24);
  if (one_in(g, 2)) {
    ADD_INSN(BPF_LDX | BPF_MEM | size, 5, 5, offset, 0);
  } else {
    ADD_INSN(BPF_STX | BPF_MEM | size, 5, from == 5 ? 0 : from, offset, 0);
    add_number(g, 5);
  }
}

static void add_atomic(struct generator *g) {
  bool wide = one_in(g, 2), on_stack = g->in_function || one_in(g, 2);
  int size = wide ? 8 : 4, offset = (int)choose(g->c, (unsigned)(48 / size)) * size;
  if (on_stack) offset -= STACK_BYTES;
  if (!g->safe && one_in(g, 8)) offset += (int)choose(g->c, 16);
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_STX | BPF_ATOMIC | (wide ? BPF_DW : BPF_W), on_stack ? 10 : 8, number_register(g), offset,
           choose_atomic(g->c));
}

/* --- statements --- */

static void add_statements(struct generator *g, unsigned count, unsigned depth);

static void add_condition(struct generator *g, unsigned depth) {
  unsigned code = choose_comparison(g->c);
  uint32_t at = g->out->count;
  if (one_in(g, 2)) {
    ADD_INSN(code | BPF_X, number_register(g), number_register(g), 0, 0);
  } else {
    ADD_INSN(code | BPF_K, number_register(g), 0, 0, choose_number(g->c));
  }
  add_statements(g, (unsigned)choose(g->c, 4) + 1, depth + 1);
  g->out->insns[at].off = (int16_t)(g->out->count - at - 1);
}

/* Counts down in the stack, and asks in front of the body. */
static void add_loop_with_head(struct generator *g, unsigned depth) {
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, LOOP_COUNTER, choose(g->c, 4) + 1);
  uint32_t head = g->out->count;
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, LOOP_COUNTER, 0);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, -1);
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 0, LOOP_COUNTER, 0);
  uint32_t leave = g->out->count;
  ADD_INSN(BPF_JMP | BPF_JSLT | BPF_K, 0, 0, 0, 0);
  add_statements(g, (unsigned)choose(g->c, 4) + 1, depth + 1);
  fact(g, BPF_FACT_BOUNDED);
  int back = (int)head - (int)g->out->count - 1;
  ADD_INSN(BPF_JMP | BPF_JA, 0, 0, back, 0);
  g->out->insns[leave].off = (int16_t)(g->out->count - leave - 1);
}

static void add_loop(struct generator *g, unsigned depth) {
  if (g->loops > 0 || g->in_function) return;
  g->loops++;
  if (one_in(g, 2)) {
    add_loop_with_head(g, depth);
    g->loops--;
    return;
  }
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, LOOP_COUNTER, choose(g->c, 4) + 1);
  uint32_t head = g->out->count;
  add_statements(g, (unsigned)choose(g->c, 4) + 1, depth + 1);
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, LOOP_COUNTER, 0);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, -1);
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 0, LOOP_COUNTER, 0);
  fact(g, BPF_FACT_BOUNDED);
  int back = (int)head - (int)g->out->count - 1;
  ADD_INSN(BPF_JMP | BPF_JSGT | BPF_K, 0, 0, back, 0);
  g->loops--;
}

/* What wild programs do besides: pointers moved about, stored, made up. */
static void add_mischief(struct generator *g) {
  unsigned a = (unsigned)choose(g->c, 10), b = (unsigned)choose(g->c, 11);
  switch (choose(g->c, 4)) {
    case 0:
      ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, a, b, 0, 0);
      break;
    case 1:
      ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, a, 0, 0, (int)choose(g->c, 64) - 32);
      break;
    case 2:
      ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 10, b, -8, 0);
      ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, a, 10, -8, 0);
      break;
    default:
      generate_access(g, b, (int)choose(g->c, 32) - 16, random_size(g));
      break;
  }
}

static void add_statements(struct generator *g, unsigned count, unsigned depth) {
  while (count-- > 0 && g->out->count + ROOM < GENERATE_INSNS_MAX / 2) {
    uint64_t kind = choose(g->c, 34);
    if (kind < 10) {
      add_alu(g);
    } else if (kind < 15) {
      generate_shape(g);
    } else if (kind < 18) {
      add_stack_access(g);
    } else if (kind < 20) {
      add_packet_access(g);
    } else if (kind < 21) {
      add_variable_access(g);
    } else if (kind < 23) {
      add_number(g, number_register(g));
    } else if (kind < 24) {
      add_atomic(g);
    } else if (kind < 25) {
      generate_lookup(g);
    } else if (kind < 26) {
      generate_change(g);
    } else if (kind < 27) {
      if (one_in(g, 3)) {
        generate_tail_call(g);
      } else {
        generate_local_call(g);
      }
    } else if (kind < 30 && depth < DEPTH_MAX) {
      add_condition(g, depth);
    } else if (kind < 31 && depth < DEPTH_MAX) {
      add_loop(g, depth);
    } else if (kind > 31) {
      generate_walk(g);
    } else if (!g->safe) {
      add_mischief(g);
    }
  }
}

/* Stack and numbers have values before anything reads them. */
static void add_start(struct generator *g) {
  for (int offset = -STACK_BYTES; offset < 0 && (g->safe || one_in(g, 2)); offset += 8) {
    fact(g, BPF_FACT_ACCESS);
    ADD_INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, offset, choose_number(g->c));
  }
}

static void add_numbers(struct generator *g, bool arguments) {
  for (unsigned r = 0; r <= 5; r++) {
    if (r == 0 || arguments) add_number(g, r);
  }
  add_number(g, 9);
}

static void add_program(struct generator *g) {
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_LDX | BPF_MEM | BPF_W, 7, 1, 0, 0);
  fact(g, BPF_FACT_ACCESS);
  ADD_INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 4, 0);
  add_wide(g, 8, BPF_PSEUDO_MAP_VALUE, GENERATE_REGISTERS, 0);
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 7, 0, 0);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, g->safe ? GENERATE_PACKET_MIN : choose(g->c, 2 * GENERATE_PACKET_MIN));
  ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
  if (one_in(g, 2)) {
    ADD_INSN(BPF_JMP | BPF_JLE | BPF_X, 3, 2, 1, 0);
  } else {
    ADD_INSN(BPF_JMP | BPF_JGE | BPF_X, 2, 3, 1, 0);
  }
  ADD_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  add_start(g);
  add_numbers(g, true);
  add_statements(g, (unsigned)choose(g->c, STATEMENTS_MAX) + 3, 0);
  /* The registers, for whoever compares: of a safe program those that hold numbers. */
  for (unsigned r = 0; r <= 9; r++) {
    if (r >= 6 && r <= 8 && g->safe) continue;
    fact(g, BPF_FACT_ACCESS);
    ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 8, r, (int)r * 8, 0);
  }
  ADD_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void add_function(struct generator *g) {
  g->in_function = true;
  add_start(g);
  add_numbers(g, false);
  add_statements(g, (unsigned)choose(g->c, 6) + 1, 1);
  if (g->safe) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 0, 0);
  ADD_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

void generate(struct choices *c, bool safe, struct generated *out) {
  struct generator g = {.c = c, .out = out, .safe = safe};
  memset(out->facts, 0, sizeof out->facts);
  out->count = 0;
  g.proven = safe && one_in(&g, 2);
  add_program(&g);
  uint32_t function = out->count;
  bool called = false;
  if (g.proven) out->facts[0].known |= BPF_FACT_FRAME;
  for (uint32_t at = 0; at < function; at++) {
    struct bpf_insn *insn = &out->insns[at];
    if (insn->code == (BPF_JMP | BPF_CALL) && bpf_src(*insn) == BPF_PSEUDO_CALL) {
      insn->imm = (int32_t)(function - at - 1);
      called = true;
    }
  }
  if (called) add_function(&g);
  if (called && g.proven) out->facts[function].known |= BPF_FACT_FRAME;
}
