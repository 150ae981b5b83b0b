/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The generator. In a safe program r0 to r5 and r9 hold numbers at every step, r6 the context, r7 the packet (of which GENERATE_PACKET_MIN
 * bytes are known to be there), r8 the value of map GENERATE_REGISTERS; loops count down in the stack and end. A wild program is the same
 * with anything in any place now and then.
 */
#include "tests/differential/generate.h"

#include <string.h>

#include "tests/unit/bpf/asm.h"

enum { DEPTH_MAX = 3, STATEMENTS_MAX = 40, STACK_BYTES = 64, LOOP_COUNTER = -72, ROOM = 96 };

struct generator {
  struct choices *c;
  struct generated *out;
  bool safe;
  bool in_function; /* r6 to r8 are the caller's numbers */
  bool proven; /* a safe program with all facts that native code without any check and knowledge of its own needs */
  unsigned loops;
};

static bool one_in(struct generator *g, unsigned n) { return choose(g->c, n) == n - 1; }

/* --- instructions --- */

static void add(struct generator *g, struct bpf_insn insn) { g->out->insns[g->out->count++] = insn; }
static void fact(struct generator *g, unsigned known) {
  if (g->safe) g->out->facts[g->out->count].known = (uint16_t)known;
}
#define ADD_INSN(...) add(g, (struct bpf_insn)INSN(__VA_ARGS__))

static unsigned number_register(struct generator *g) {
  static const uint8_t numbers[] = {0, 1, 2, 3, 4, 5, 9};
  if (!g->safe && one_in(g, 12)) return (unsigned)choose(g->c, 10);
  return numbers[choose(g->c, COUNT(numbers))];
}

static void add_wide(struct generator *g, unsigned dst, unsigned kind, uint64_t low, uint64_t high) {
  ADD_INSN(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, low);
  ADD_INSN(0, 0, 0, 0, high);
}

static void add_number(struct generator *g, unsigned dst) {
  uint64_t value = choose_number(g->c);
  if (one_in(g, 3)) {
    add_wide(g, dst, BPF_PSEUDO_IMM, (uint32_t)value, value >> 32);
  } else {
    ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_MOV | BPF_K, dst, 0, 0, value);
  }
}

/* Behind calls r1 to r5 hold nothing that Linux lets a program read. */
static void renew_arguments(struct generator *g) {
  for (unsigned r = 1; r <= 5; r++) {
    if (g->safe || one_in(g, 3)) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, choose_number(g->c));
  }
}

static void add_alu(struct generator *g) {
  unsigned dst = number_register(g), src = number_register(g);
  add(g, choose_arithmetic(g->c, dst, src, g->safe));
}

static unsigned random_size(struct generator *g) { return (unsigned)choose(g->c, 4) << 3; }
static int bytes_of(unsigned size) { return size == BPF_DW ? 8 : size == BPF_W ? 4 : size == BPF_H ? 2 : 1; }

/* Load, or store of either kind, at base + offset. */
static void add_access(struct generator *g, unsigned base, int offset, unsigned size) {
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
  add_access(g, 10, offset, size);
}

static void add_packet_access(struct generator *g) {
  unsigned size = random_size(g);
  int offset = (int)choose(g->c, GENERATE_PACKET_MIN - 7);
  if (g->in_function) return;
  if (!g->safe && one_in(g, 8)) offset = (int16_t)choose_number(g->c);
  add_access(g, 7, offset, size);
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

/* --- shapes that the JIT looks for --- */

static void add_shape(struct generator *g) {
  unsigned a = number_register(g), b = number_register(g), class = one_in(g, 2) ? BPF_ALU : BPF_ALU64;
  unsigned bits = class == BPF_ALU ? 32 : 64, count = (unsigned)choose(g->c, bits - 1) + 1;
  unsigned c = number_register(g);
  switch (choose(g->c, 18)) {
    case 16: /* product, and sum */
      if (one_in(g, 2)) ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      ADD_INSN(class | BPF_MUL | BPF_K, b, 0, 0, one_in(g, 2) ? 1u + (2u << choose(g->c, 3)) : choose_number(g->c));
      ADD_INSN(class | BPF_ADD | BPF_K, b, 0, 0, choose_number(g->c));
      break;
    case 17: /* low bytes of another register; a sum of another width than the copy */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      ADD_INSN(class | BPF_AND | BPF_K, b, 0, 0, one_in(g, 2) ? 0xff : 0xffff);
      ADD_INSN((bits == 32 ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_X, a, b, 0, 0);
      ADD_INSN(class | BPF_ADD | BPF_X, a, c, 0, 0);
      break;
    case 14: /* a bit, or a few, asked for */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      if (one_in(g, 2)) {
        ADD_INSN(class | BPF_RSH | BPF_K, b, 0, 0, count);
        ADD_INSN(class | BPF_AND | BPF_K, b, 0, 0, 1);
      } else {
        ADD_INSN(class | BPF_AND | BPF_K, b, 0, 0, choose(g->c, 256));
      }
      ADD_INSN(BPF_JMP | (one_in(g, 2) ? BPF_JEQ : BPF_JNE) | BPF_K, b, 0, 1, 0);
      ADD_INSN(class | BPF_ADD | BPF_K, a, 0, 0, choose_number(g->c));
      add_number(g, b);
      break;
    case 15: /* jumps to a jump */
      ADD_INSN(BPF_JMP | BPF_JSGE | BPF_X, b, a, 2, 0);
      ADD_INSN(class | BPF_ADD | BPF_X, a, b, 0, 0);
      ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0);
      ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0);
      ADD_INSN(class | BPF_XOR | BPF_K, a, 0, 0, choose_number(g->c));
      break;
    case 10: /* a global variable */
      add_wide(g, 5, BPF_PSEUDO_MAP_VALUE, GENERATE_REGISTERS, 8 * choose(g->c, 9));
      add_access(g, 5, 0, BPF_DW);
      add_number(g, 5);
      break;
    case 11: /* the low bytes of a field */
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_LDX | BPF_MEM | random_size(g), a, 10, -32, 0);
      ADD_INSN(class | BPF_AND | BPF_K, a, 0, 0, one_in(g, 2) ? 0xff : 0xffff);
      break;
    case 12: /* an address that moves */
      ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 5, 10, 0, 0);
      ADD_INSN(BPF_ALU64 | BPF_XOR | BPF_X, b == 5 ? 4 : b, a == 5 ? 4 : a, 0, 0);
      ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 5, 0, 0, -40);
      add_access(g, 5, 0, BPF_DW);
      add_access(g, 5, 8, BPF_W);
      add_number(g, 5);
      break;
    case 13: /* a branch over a jump */
      ADD_INSN((one_in(g, 2) ? BPF_JMP : BPF_JMP32) | (one_in(g, 2) ? BPF_JGE : BPF_JEQ) | BPF_X, b, a, 1, 0);
      ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 2, 0);
      ADD_INSN(class | BPF_ADD | BPF_X, a, b, 0, 0);
      ADD_INSN(class | BPF_XOR | BPF_K, a, 0, 0, choose_number(g->c));
      break;
    case 0: /* rotate */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      ADD_INSN(class | BPF_LSH | BPF_K, b, 0, 0, count);
      ADD_INSN(class | BPF_RSH | BPF_K, a, 0, 0, bits - count);
      ADD_INSN(class | BPF_OR | BPF_X, a, b, 0, 0);
      if (one_in(g, 2)) add_number(g, b);
      break;
    case 1: /* zero-extension of old compilers, and sign-extension */
      ADD_INSN(BPF_ALU64 | BPF_LSH | BPF_K, a, 0, 0, 32);
      ADD_INSN(BPF_ALU64 | (one_in(g, 2) ? BPF_RSH : BPF_ARSH) | BPF_K, a, 0, 0, 32);
      break;
    case 2: /* sum of two, or of one and a constant */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      if (one_in(g, 2)) {
        ADD_INSN(class | BPF_ADD | BPF_X, b, number_register(g), 0, 0);
      } else {
        ADD_INSN(class | (one_in(g, 2) ? BPF_ADD : BPF_SUB) | BPF_K, b, 0, 0, choose_number(g->c));
      }
      break;
    case 3: /* a field changed in place */
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, a, 10, -16, 0);
      ADD_INSN(BPF_ALU64 | (one_in(g, 2) ? BPF_ADD : BPF_XOR) | BPF_K, a, 0, 0, choose_number(g->c));
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 10, a, -16, 0);
      if (one_in(g, 2)) add_number(g, a);
      break;
    case 4: /* a field in network byte order */
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_LDX | BPF_MEM | (bits == 32 ? BPF_W : BPF_H), a, 10, -8, 0);
      ADD_INSN(BPF_ALU | BPF_END | BPF_X, a, 0, 0, bits == 32 ? 32 : 16);
      break;
    case 5: /* one of two values */
      add_number(g, a);
      ADD_INSN((one_in(g, 2) ? BPF_JMP : BPF_JMP32) | (one_in(g, 2) ? BPF_JGT : BPF_JSLT) | BPF_X, b,
               number_register(g), 1, 0);
      if (one_in(g, 2)) {
        ADD_INSN(class | BPF_MOV | BPF_X, a, number_register(g), 0, 0);
      } else {
        ADD_INSN(class | BPF_MOV | BPF_K, a, 0, 0, choose_number(g->c));
      }
      break;
    case 6: /* a single bit */
      ADD_INSN(BPF_JMP | BPF_JSET | BPF_K, a, 0, 1, 1u << choose(g->c, 32));
      ADD_INSN(class | BPF_XOR | BPF_X, b, a, 0, 0);
      break;
    case 7: /* and-not, mask */
      ADD_INSN(class | BPF_XOR | BPF_K, a, 0, 0, -1);
      ADD_INSN(class | BPF_AND | BPF_X, a, b, 0, 0);
      break;
    case 8: /* rotate, what is rotated kept */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      ADD_INSN(class | BPF_RSH | BPF_K, b, 0, 0, count);
      ADD_INSN(class | BPF_MOV | BPF_X, c, a, 0, 0);
      ADD_INSN(class | BPF_LSH | BPF_K, c, 0, 0, bits - count);
      ADD_INSN(class | BPF_OR | BPF_X, c, b, 0, 0);
      if (one_in(g, 2)) add_number(g, b);
      break;
    default: /* a value from memory used once */
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_LDX | BPF_MEM | (bits == 32 ? BPF_W : BPF_DW), a, 10, -24, 0);
      ADD_INSN(class | (one_in(g, 2) ? BPF_ADD : BPF_SUB) | BPF_X, b, a, 0, 0);
      if (one_in(g, 2)) add_number(g, a);
      break;
  }
}

/* --- calls --- */

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

static void add_lookup(struct generator *g) {
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
static void add_lookup_of(struct generator *g, unsigned key) {
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

static void add_change(struct generator *g) {
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
static void add_local_call(struct generator *g) {
  if (g->in_function) return;
  fact(g, BPF_FACT_BOUNDED);
  ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
  renew_arguments(g);
}

/* r6 is the context, but in functions. */
static void add_tail_call(struct generator *g) {
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

/* A test for another round, at the end or, `in_front`, at the beginning. */
struct counter {
  unsigned reg, copy;
  int step, limit;
  bool in_front, exact;
};

static uint32_t add_counter_head(struct generator *g, const struct counter *counter, uint32_t *leave) {
  uint32_t head = g->out->count;
  if (counter->in_front) {
    *leave = head;
    ADD_INSN((one_in(g, 2) ? BPF_JMP : BPF_JMP32) | BPF_JGE | BPF_K, counter->reg, 0, 0, counter->limit);
  }
  return head;
}

static void add_counter_end(struct generator *g, const struct counter *counter, uint32_t head, uint32_t leave) {
  const unsigned width = one_in(g, 2) ? BPF_JMP : BPF_JMP32;
  const bool copies = !counter->in_front && one_in(g, 2);
  if (copies) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, counter->copy, counter->reg, 0, 0);
  ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_ADD | BPF_K, counter->reg, 0, 0, counter->step);
  const int limit = copies ? counter->limit - counter->step : counter->limit;
  const unsigned tested = copies ? counter->copy : counter->reg;
  fact(g, BPF_FACT_BOUNDED);
  const int back = (int)head - (int)g->out->count - 1;
  if (counter->in_front) {
    ADD_INSN(BPF_JMP | BPF_JA, 0, 0, back, 0);
    g->out->insns[leave].off = (int16_t)(g->out->count - leave - 1);
  } else if (counter->exact) {
    ADD_INSN(width | BPF_JNE | BPF_K, tested, 0, back, limit);
  } else if (limit > 0 && one_in(g, 2)) {
    ADD_INSN(width | BPF_JLE | BPF_K, tested, 0, back, limit - 1);
  } else {
    ADD_INSN(width | BPF_JLT | BPF_K, tested, 0, back, limit);
  }
}

/* A walk through packet, stack or map value, up to the last byte; in a wild program now and then beyond it, or with something else in the
 * way. r5 is used for the address and then overwritten. */
static void add_walk(struct generator *g) {
  static const struct {
    uint8_t reg;
    int8_t low, high;
  } regions[] = {{10, -STACK_BYTES, 0}, {7, 0, GENERATE_PACKET_MIN}, {8, 0, 80}};
  static const uint8_t counters[] = {0, 1, 2, 9};
  const unsigned region = g->in_function ? 0 : (unsigned)choose(g->c, COUNT(regions)), base = regions[region].reg;
  const unsigned size = random_size(g);
  const int bytes = bytes_of(size), room = regions[region].high - regions[region].low - bytes;
  const int step = (int)choose(g->c, 8) + 1, rounds = (int)choose(g->c, (unsigned)(room / step) + 1) + 1;
  int first = regions[region].low + (int)choose(g->c, (unsigned)(room - (rounds - 1) * step) + 1);
  const bool indexed = one_in(g, 2), down = !indexed && one_in(g, 3);
  struct counter counter = {.reg = counters[choose(g->c, COUNT(counters))], .copy = 3, .step = step};
  int start = 0;
  if (!indexed) {
    counter.step = (int)choose(g->c, 3) + 1;
    start = (int)choose(g->c, 4);
  }
  counter.limit = start + counter.step * rounds;
  counter.in_front = one_in(g, 3);
  counter.exact = one_in(g, 2);
  if (!g->safe && one_in(g, 3)) {
    first += (int)choose(g->c, 9) - 4;
    counter.limit += (int)choose(g->c, 5) - 2;
  }
  const int shift = (int)choose(g->c, 16) - 8;
  ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_MOV | BPF_K, counter.reg, 0, 0, start);
  if (!indexed) {
    ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 5, base, 0, 0);
    ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 5, 0, 0, (down ? first + (rounds - 1) * step : first) - shift);
  }
  uint32_t leave = 0, head = add_counter_head(g, &counter, &leave);
  if (indexed) {
    ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 5, base, 0, 0);
    ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, counter.reg, 0, 0);
  }
  fact(g, BPF_FACT_ACCESS);
  if (one_in(g, 2)) {
    ADD_INSN(BPF_LDX | BPF_MEM | size, 4, 5, indexed ? first : shift, 0);
  } else {
    ADD_INSN(BPF_STX | BPF_MEM | size, 5, 4, indexed ? first : shift, 0);
  }
  if (one_in(g, 2))
    ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_AND | BPF_K, 4, 0, 0, choose(g->c, 2 * GENERATE_VALUES));
  if (indexed && counter.reg == 9 && one_in(g, 2)) add_lookup_of(g, 4);
  if (one_in(g, 2)) add(g, choose_arithmetic(g->c, 4, 4, g->safe));
  if (!g->safe && one_in(g, 6)) add_alu(g);
  if (!indexed) ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 5, 0, 0, down ? -step : step);
  add_counter_end(g, &counter, head, leave);
  add_number(g, 5);
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
      add_access(g, b, (int)choose(g->c, 32) - 16, random_size(g));
      break;
  }
}

static void add_statements(struct generator *g, unsigned count, unsigned depth) {
  while (count-- > 0 && g->out->count + ROOM < GENERATE_INSNS_MAX / 2) {
    uint64_t kind = choose(g->c, 34);
    if (kind < 10) {
      add_alu(g);
    } else if (kind < 15) {
      add_shape(g);
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
      add_lookup(g);
    } else if (kind < 26) {
      add_change(g);
    } else if (kind < 27) {
      if (one_in(g, 3)) {
        add_tail_call(g);
      } else {
        add_local_call(g);
      }
    } else if (kind < 30 && depth < DEPTH_MAX) {
      add_condition(g, depth);
    } else if (kind < 31 && depth < DEPTH_MAX) {
      add_loop(g, depth);
    } else if (kind > 31) {
      add_walk(g);
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
