/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The generator. Between statements r0 to r5 hold numbers, r6 the context, r7 is in the packet with `checked` bytes behind it,
 * r8 its end, r9 is a number or counts a loop; the stack down to NUMBERS holds numbers, below are counters and spilled pointers.
 */
#include "tests/soundness/plausible.h"

#include <string.h>

#include "tests/unit/bpf/asm.h"

enum {
  NUMBERS = -64,
  BOUND = -72, /* of a loop */
  SPILLED = -80,
  DEPTH_MAX = 3,
  STATEMENTS_MAX = 24,
  EXITS_MAX = 256,
  CALLS_MAX = 64,
  ROOM = 64,
  LENGTH_MAX = 500,
};

struct generator {
  struct choices *c;
  struct plausible *out;
  unsigned slips;
  int checked;
  bool r9_counts, in_function;
  uint32_t exits[EXITS_MAX], exit_count; /* jumps to the end */
  uint32_t calls[CALLS_MAX], call_count; /* of the function, direct or as a callback */
};

const struct bpf_map_def *plausible_map_def(enum plausible_map map) {
  static const struct bpf_map_def defs[PLAUSIBLE_MAPS] = {
      {.name = "array", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 8},
      {.name = "hash", .type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 16, .max_entries = 8},
      {.name = "constant",
       .type = BPF_MAP_TYPE_ARRAY,
       .key_size = 4,
       .value_size = 64,
       .max_entries = 1,
       .flags = BPF_F_RDONLY_PROG},
      {.name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
      {.name = "locked", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 4, .spin_lock = 1},
  };
  return &defs[map];
}

/* --- choices and instructions --- */

static unsigned below(struct generator *g, unsigned n) { return (unsigned)choose(g->c, n); }
static bool coin(struct generator *g) { return below(g, 2) == 1; }
static bool slip(struct generator *g) { return g->slips != 0 && below(g, g->slips) == g->slips - 1; }

static void add(struct generator *g, struct bpf_insn insn) { g->out->insns[g->out->count++] = insn; }
#define ADD_INSN(...) add(g, (struct bpf_insn)INSN(__VA_ARGS__))
#define MOVE(dst, src) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, imm) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define PLUS(dst, imm) ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)

static void add_wide(struct generator *g, unsigned dst, unsigned kind, uint64_t low, uint64_t high) {
  ADD_INSN(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, low);
  ADD_INSN(0, 0, 0, 0, high);
}

static void add_helper(struct generator *g, int id) { ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_HELPER, 0, id); }

/* A register that held something else holds a number again: a constant, or one that only the run knows. */
static void refresh(struct generator *g, unsigned r) {
  if (g->in_function || coin(g)) {
    SET(r, choose_number(g->c));
  } else {
    ADD_INSN(BPF_LDX | BPF_MEM | BPF_W, r, 6, 12 + 4 * (int)below(g, 2), 0);
  }
}

/* r1 to r5 after a call. */
static void renew(struct generator *g, unsigned first) {
  for (unsigned r = first; r <= 5; r++) {
    if (!slip(g)) refresh(g, r);
  }
}

static unsigned number_register(struct generator *g) {
  unsigned r = below(g, g->r9_counts ? 6 : 7);
  return r == 6 ? 9 : r;
}

static int bytes_of(unsigned size) { return size == BPF_DW ? 8 : size == BPF_W ? 4 : size == BPF_H ? 2 : 1; }
static unsigned some_size(struct generator *g) { return below(g, 4) << 3; }

/* A jump to the end, behind a comparison that the code says. */
static void leave_if(struct generator *g, unsigned code, unsigned dst, unsigned src, uint64_t imm) {
  if (g->exit_count == EXITS_MAX) return;
  g->exits[g->exit_count++] = g->out->count;
  ADD_INSN(code, dst, src, 0, imm);
}

/* Leaves if `limit` is beyond the packet's end: all ways to write it. */
static void leave_beyond_end(struct generator *g, unsigned limit) {
  bool off_by_one = slip(g);
  switch (below(g, 4)) {
    case 0:
      leave_if(g, BPF_JMP | (off_by_one ? BPF_JGE : BPF_JGT) | BPF_X, limit, 8, 0);
      break;
    case 1:
      leave_if(g, BPF_JMP | BPF_JLT | BPF_X, 8, limit, 0);
      break;
    case 2:
      ADD_INSN(BPF_JMP | (off_by_one ? BPF_JLT : BPF_JLE) | BPF_X, limit, 8, 1, 0);
      leave_if(g, BPF_JMP | BPF_JA, 0, 0, 0);
      break;
    default:
      ADD_INSN(BPF_JMP | BPF_JGE | BPF_X, 8, limit, 1, 0);
      leave_if(g, BPF_JMP | BPF_JA, 0, 0, 0);
      break;
  }
}

static void add_access(struct generator *g, unsigned base, int offset, unsigned size, bool writable) {
  unsigned r = number_register(g);
  switch (below(g, writable ? 4 : 2)) {
    case 0:
      ADD_INSN(BPF_LDX | BPF_MEM | size, r, base, offset, 0);
      break;
    case 1:
      ADD_INSN(BPF_LDX | (size == BPF_DW ? BPF_MEM : BPF_MEMSX) | size, r, base, offset, 0);
      break;
    case 2:
      if (r != base) ADD_INSN(BPF_STX | BPF_MEM | size, base, r, offset, 0);
      break;
    default:
      ADD_INSN(BPF_ST | BPF_MEM | size, base, 0, offset, choose_number(g->c));
      break;
  }
}

/* --- numbers --- */

/* Some register becomes at most `most`, one way or another, perhaps through a copy of it. */
static unsigned narrow(struct generator *g, unsigned most) {
  unsigned r = number_register(g), other = number_register(g);
  if (slip(g)) most = most * 2 + 1;
  switch (below(g, 7)) {
    case 0:
      ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | BPF_AND | BPF_K, r, 0, 0, (1u << (31 - __builtin_clz(most + 1))) - 1);
      break;
    case 1:
      ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | BPF_MOD | BPF_K, r, 0, 0, most + 1);
      break;
    case 2:
      leave_if(g, BPF_JMP | BPF_JGT | BPF_K, r, 0, most);
      break;
    case 3: /* signed, and then not negative */
      leave_if(g, BPF_JMP | BPF_JSGT | BPF_K, r, 0, most);
      if (!slip(g)) leave_if(g, BPF_JMP | BPF_JSLT | BPF_K, r, 0, 0);
      break;
    case 4:
      MOVE(other, r);
      leave_if(g, BPF_JMP | BPF_JGE | BPF_K, other, 0, most + 1);
      break;
    case 5: /* the lower half, which is then all of it */
      ADD_INSN(BPF_ALU | BPF_MOV | BPF_X, r, r, 0, 0);
      leave_if(g, BPF_JMP32 | (coin(g) ? BPF_JGT : BPF_JSGT) | BPF_K, r, 0, most);
      ADD_INSN(BPF_ALU | BPF_AND | BPF_K, r, 0, 0, 0x7fffffff);
      leave_if(g, BPF_JMP32 | BPF_JGT | BPF_K, r, 0, most);
      break;
    default:
      ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | BPF_RSH | BPF_K, r, 0, 0, 27);
      leave_if(g, BPF_JMP | BPF_JGT | BPF_K, r, 0, most);
      break;
  }
  return r;
}

static void add_number(struct generator *g) {
  unsigned r = number_register(g);
  switch (below(g, 4)) {
    case 0:
      SET(r, choose_number(g->c));
      break;
    case 1: {
      uint64_t v = choose_number(g->c);
      add_wide(g, r, BPF_PSEUDO_IMM, (uint32_t)v, v >> 32);
      break;
    }
    case 2:
      if (!g->in_function) ADD_INSN(BPF_LDX | BPF_MEM | BPF_W, r, 6, 12 + 4 * (int)below(g, 2), 0);
      break;
    default:
      add_helper(g, BPF_HELPER_GET_PRANDOM_U32);
      renew(g, 1);
      break;
  }
}

/* A copy of a number goes its own way for a while; what is then found out about it holds for the other, shifted. */
static void add_related(struct generator *g) {
  unsigned a = number_register(g), b = number_register(g);
  if (coin(g)) (void)narrow(g, 1000);
  MOVE(a, b);
  if (coin(g)) PLUS(a, (int)below(g, 40) - 20);
  if (below(g, 3) == 0) ADD_INSN(BPF_ALU64 | (coin(g) ? BPF_ADD : BPF_SUB) | BPF_X, a, number_register(g), 0, 0);
  leave_if(g, choose_comparison(g->c), a, 0, choose_number(g->c));
}

/* By something small, which may be 0. */
static void add_division(struct generator *g) {
  unsigned divisor = narrow(g, 1 + below(g, 30)), r = number_register(g);
  ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | (coin(g) ? BPF_DIV : BPF_MOD) | BPF_X, r, divisor, (int)below(g, 2), 0);
}

/* --- memory --- */

static void add_stack(struct generator *g) {
  unsigned size = some_size(g);
  int bytes = bytes_of(size), offset = -bytes * (1 + (int)below(g, (unsigned)(-NUMBERS / bytes)));
  if (slip(g)) offset -= 8;
  if (below(g, 3) > 0) {
    add_access(g, 10, offset, size, true);
    return;
  }
  /* At a place that only the run knows. */
  unsigned r = narrow(g, (unsigned)(-NUMBERS - bytes));
  if (r == 5) return;
  MOVE(5, 10);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, r, 0, 0);
  add_access(g, 5, NUMBERS, size, true);
  refresh(g, 5);
}

static void add_packet(struct generator *g) {
  unsigned size = some_size(g);
  int bytes = bytes_of(size);
  if (g->in_function) return;
  if (g->checked < bytes || below(g, 4) == 0) { /* more of it */
    g->checked = 8 + (int)below(g, 56);
    MOVE(4, 7);
    PLUS(4, g->checked);
    leave_beyond_end(g, 4);
    refresh(g, 4);
  }
  add_access(g, 7, (int)below(g, (unsigned)(g->checked - bytes + 1)) + (slip(g) ? 1 : 0), size, true);
}

static void add_variable_packet(struct generator *g) {
  if (g->in_function) return;
  unsigned size = some_size(g), r = narrow(g, coin(g) ? 63 : 255);
  int bytes = bytes_of(size), ahead = bytes + (int)below(g, 24);
  if (r == 4 || r == 5) return;
  MOVE(5, 7);
  if (below(g, 4) == 0) ADD_INSN(BPF_ALU64 | BPF_LSH | BPF_K, r, 0, 0, below(g, 3));
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, r, 0, 0);
  MOVE(4, 5);
  PLUS(4, ahead);
  leave_beyond_end(g, 4);
  refresh(g, 4);
  int offset = (int)below(g, (unsigned)(ahead - bytes + 1)) + (slip(g) ? 1 : 0);
  if (coin(g)) {
    add_access(g, 5, offset, size, true);
    refresh(g, 5);
  } else { /* goes on from there */
    MOVE(7, 5);
    refresh(g, 5);
    g->checked = ahead;
    add_access(g, 7, offset, size, true);
  }
}

static void add_advance(struct generator *g) {
  int by = (int)below(g, 20);
  if (g->in_function || g->checked < by) return;
  PLUS(7, by);
  g->checked -= by;
}

/* A pointer goes to the stack and comes back. */
static void add_spill(struct generator *g) {
  if (g->in_function) return;
  ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 7, SPILLED, 0);
  for (unsigned n = below(g, 3); n > 0; n--) {
    add(g, choose_arithmetic(g->c, number_register(g), number_register(g), false));
  }
  if (slip(g)) ADD_INSN(BPF_ST | BPF_MEM | some_size(g), 10, 0, SPILLED, choose_number(g->c));
  if (coin(g)) SET(7, 0);
  ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, 7, 10, SPILLED, 0);
}

static void add_atomic(struct generator *g) {
  static const uint8_t operations[] = {BPF_ADD,
                                       BPF_OR,
                                       BPF_AND,
                                       BPF_XOR,
                                       BPF_ADD | BPF_FETCH,
                                       BPF_OR | BPF_FETCH,
                                       BPF_XCHG,
                                       BPF_CMPXCHG,
                                       BPF_AND | BPF_FETCH,
                                       BPF_XOR | BPF_FETCH};
  int bytes = coin(g) ? 8 : 4;
  int offset = NUMBERS + bytes * (int)below(g, (unsigned)(-NUMBERS / bytes)) + (slip(g) ? 1 : 0);
  ADD_INSN(BPF_STX | BPF_ATOMIC | (bytes == 8 ? BPF_DW : BPF_W), 10, number_register(g), offset,
           operations[below(g, COUNT(operations))]);
}

/* --- maps --- */

static void add_key(struct generator *g) {
  if (coin(g)) {
    ADD_INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, below(g, 10));
  } else {
    ADD_INSN(BPF_STX | BPF_MEM | BPF_W, 10, number_register(g), -4, 0);
  }
  MOVE(2, 10);
  PLUS(2, slip(g) ? -3 : -4);
}

static void add_lookup(struct generator *g) {
  static const uint8_t maps[] = {PLAUSIBLE_ARRAY, PLAUSIBLE_HASH, PLAUSIBLE_LOCKED};
  unsigned map = maps[below(g, 3)], size = some_size(g), first = map == PLAUSIBLE_LOCKED ? 4 : 0;
  int bytes = bytes_of(size);
  add_key(g);
  add_wide(g, 1, BPF_PSEUDO_MAP, map, 0);
  add_helper(g, BPF_HELPER_MAP_LOOKUP_ELEM);
  if (g->slips != 0 && below(g, 6) == 0) PLUS(0, 8); /* before it is known to be there */
  if (!slip(g)) leave_if(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0);
  renew(g, 2);
  MOVE(1, 0);
  refresh(g, 0);
  if (coin(g)) {
    unsigned r = narrow(g, 16 - first - (unsigned)bytes);
    if (r != 1) {
      if (first == 0 || !slip(g)) PLUS(1, first);
      ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 1, r, 0, 0);
      add_access(g, 1, 0, size, true);
    }
  } else {
    add_access(g, 1, (int)(first + below(g, 16 - first - (unsigned)bytes + 1)) + (slip(g) ? 1 : 0), size, true);
  }
  refresh(g, 1);
}

static void add_constant(struct generator *g) {
  unsigned size = some_size(g);
  add_wide(g, 3, BPF_PSEUDO_MAP_VALUE, PLAUSIBLE_CONSTANT, below(g, 4) * 8);
  if (coin(g)) {
    unsigned r = narrow(g, 31);
    if (r != 3) ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 3, r, 0, 0);
  }
  add_access(g, 3, (int)below(g, slip(g) ? 64 : 8), size, slip(g));
  refresh(g, 3);
}

static void add_update(struct generator *g) {
  add_key(g);
  add_wide(g, 1, BPF_PSEUDO_MAP, coin(g) ? PLAUSIBLE_ARRAY : PLAUSIBLE_HASH, 0);
  MOVE(3, 10);
  PLUS(3, -8 * (int)(2 + below(g, slip(g) ? 9 : 7)));
  SET(4, 0);
  add_helper(g, coin(g) ? BPF_HELPER_MAP_UPDATE_ELEM : BPF_HELPER_MAP_DELETE_ELEM);
  renew(g, 1);
}

static void add_record(struct generator *g) {
  int length = 8 * (1 + (int)below(g, 4));
  unsigned size = some_size(g);
  add_wide(g, 1, BPF_PSEUDO_MAP, PLAUSIBLE_RING, 0);
  SET(2, length);
  SET(3, 0);
  add_helper(g, BPF_HELPER_RINGBUF_RESERVE);
  renew(g, 1);
  if (!slip(g)) leave_if(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0);
  ADD_INSN(BPF_ST | BPF_MEM | size, 0, 0, (int)below(g, (unsigned)(length - bytes_of(size) + 1)), choose_number(g->c));
  MOVE(1, 0);
  SET(2, 0);
  if (!slip(g)) add_helper(g, coin(g) ? BPF_HELPER_RINGBUF_SUBMIT : BPF_HELPER_RINGBUF_DISCARD);
  SET(0, 0);
  renew(g, 1);
}

static void move_window(struct generator *g) {
  MOVE(1, 6);
  SET(2, (int)below(g, 16) - 8);
  add_helper(g, coin(g) ? BPF_HELPER_XDP_ADJUST_HEAD : BPF_HELPER_XDP_ADJUST_TAIL);
  renew(g, 1);
}

static void find_window(struct generator *g) {
  if (!slip(g)) ADD_INSN(BPF_LDX | BPF_MEM | BPF_W, 7, 6, 0, 0);
  ADD_INSN(BPF_LDX | BPF_MEM | BPF_W, 8, 6, 4, 0);
  g->checked = slip(g) ? g->checked : 0;
}

/* The window moves, and everything about it is found anew. */
static void add_adjust(struct generator *g) {
  if (g->in_function) return;
  move_window(g);
  find_window(g);
}

/* --- what must not be used --- */

/* It goes around: to other registers, to the stack and back. */
static void hand_on(struct generator *g, unsigned to, unsigned from) {
  ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 10, from, SPILLED, 0);
  if (coin(g)) ADD_INSN(BPF_LDX | BPF_MEM | (slip(g) ? some_size(g) : BPF_DW), to, 10, SPILLED, 0);
}

/* The distance of the packet and its end from before they moved. */
static void add_lapsed(struct generator *g) {
  if (g->in_function) return;
  unsigned length = below(g, 6);
  move_window(g);
  hand_on(g, 7, 7);
  MOVE(length, 8);
  if (slip(g)) find_window(g);
  ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | BPF_SUB | BPF_X, length, 7, 0, 0);
  find_window(g);
}

/* Registers and stack that nothing was put into. */
static void add_nothing(struct generator *g) {
  unsigned from = 1 + below(g, 5), to = 1 + below(g, 5);
  add_helper(g, BPF_HELPER_GET_PRANDOM_U32);
  MOVE(to, from);
  hand_on(g, from, to);
  ADD_INSN(BPF_STX | BPF_MEM | some_size(g), 10, to, slip(g) ? NUMBERS : SPILLED, 0);
  ADD_INSN(BPF_LDX | BPF_MEM | some_size(g), from, 10, SPILLED, 0);
  renew(g, 1);
}

/* --- control --- */

static void add_statements(struct generator *g, unsigned count, unsigned depth);

static void add_branch(struct generator *g, unsigned depth) {
  uint32_t at = g->out->count;
  int checked = g->checked;
  uint8_t code = choose_comparison(g->c);
  if (coin(g)) {
    ADD_INSN(code | BPF_X, number_register(g), number_register(g), 0, 0);
  } else {
    ADD_INSN(code | BPF_K, number_register(g), 0, 0, choose_number(g->c));
  }
  add_statements(g, 1 + below(g, 3), depth + 1);
  int then = g->checked;
  if (coin(g)) {
    uint32_t over = g->out->count;
    ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0);
    g->out->insns[at].off = (int16_t)(g->out->count - at - 1);
    g->checked = checked;
    add_statements(g, 1 + below(g, 3), depth + 1);
    g->out->insns[over].off = (int16_t)(g->out->count - over - 1);
    checked = g->checked;
  } else {
    g->out->insns[at].off = (int16_t)(g->out->count - at - 1);
  }
  g->checked = then < checked ? then : checked;
}

/* Backwards to `head`. */
static void loop_back(struct generator *g, unsigned code, unsigned dst, unsigned src, uint64_t imm, uint32_t head) {
  ADD_INSN(code, dst, src, (int)head - (int)g->out->count - 1, imm);
}

static void add_loop(struct generator *g, unsigned depth) {
  if (g->r9_counts) return;
  unsigned kind = below(g, 4), trips = coin(g) ? 1 + below(g, 5) : 1 + below(g, 60);
  int step = 1 + (int)below(g, 3);
  if (kind == 3) { /* up to a bound that only the run knows */
    unsigned r = narrow(g, 31);
    ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 10, r, BOUND, 0);
  }
  SET(9, kind == 1 ? trips : 0);
  uint32_t head = g->out->count;
  g->r9_counts = true;
  g->checked = 0;
  if (kind == 2 && !g->in_function) { /* along the packet */
    MOVE(4, 7);
    PLUS(4, 4);
    leave_beyond_end(g, 4);
    ADD_INSN(BPF_LDX | BPF_MEM | BPF_B, 3, 7, (int)below(g, 4), 0);
    SET(4, 0);
    ADD_INSN(BPF_ALU64 | BPF_AND | BPF_K, 3, 0, 0, 15);
    PLUS(3, 1);
    ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 7, 3, 0, 0);
  }
  if (kind == 3) {
    ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, BOUND, 0);
    leave_if(g, BPF_JMP | BPF_JGE | BPF_X, 9, 0, 0);
  }
  add_statements(g, 1 + below(g, 3), depth + 1);
  g->checked = 0;
  bool stands = slip(g);
  if (kind == 1) {
    if (!stands) PLUS(9, -1);
    loop_back(g, BPF_JMP | BPF_JNE | BPF_K, 9, 0, 0, head);
  } else {
    if (!stands) PLUS(9, step);
    loop_back(g, (coin(g) ? BPF_JMP : BPF_JMP32) | (coin(g) ? BPF_JLT : BPF_JSLT) | BPF_K, 9, 0, trips, head);
  }
  g->r9_counts = false;
}

/* Of the function, with numbers. */
static void add_call(struct generator *g) {
  if (g->in_function || g->call_count == CALLS_MAX) return;
  if (coin(g)) {
    g->calls[g->call_count++] = g->out->count;
    ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
  } else {
    g->calls[g->call_count++] = g->out->count;
    add_wide(g, 2, BPF_PSEUDO_FUNC, 0, 0);
    SET(1, below(g, 20));
    SET(3, 0);
    SET(4, 0);
    add_helper(g, BPF_HELPER_LOOP);
  }
  renew(g, 1);
}

static void add_statement(struct generator *g, unsigned depth) {
  static void (*const plain[])(struct generator *) = {
      add_number,          add_stack,    add_stack,           add_packet,          add_packet, add_variable_packet,
      add_variable_packet, add_advance,  add_spill,           add_atomic,          add_lookup, add_lookup,
      add_constant,        add_update,   add_record,          add_adjust,          add_call,   add_related,
      add_related,         add_division, add_variable_packet, add_variable_packet,
  };
  unsigned kind = below(g, 48);
  if (kind < COUNT(plain)) {
    plain[kind](g);
  } else if (kind < 28 && depth < DEPTH_MAX) {
    add_branch(g, depth);
  } else if (kind < 33 && depth < DEPTH_MAX) {
    add_loop(g, depth);
  } else if (kind == 46) {
    add_lapsed(g);
  } else if (kind == 47) {
    add_nothing(g);
  } else {
    add(g, choose_arithmetic(g->c, number_register(g), number_register(g), false));
  }
}

static void add_statements(struct generator *g, unsigned count, unsigned depth) {
  while (count-- > 0 && g->out->count < LENGTH_MAX)
    add_statement(g, depth);
}

static void add_frame(struct generator *g) {
  for (int offset = NUMBERS; offset < 0; offset += 8) {
    if (!slip(g)) ADD_INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, offset, choose_number(g->c));
  }
}

/* The ends of the function that was just written. */
static void add_end(struct generator *g) {
  ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0);
  for (uint32_t i = 0; i < g->exit_count; i++) {
    g->out->insns[g->exits[i]].off = (int16_t)(g->out->count - g->exits[i] - 1);
  }
  g->exit_count = 0;
  SET(0, g->in_function ? 0 : 2);
  if (g->in_function) ADD_INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1); /* what callbacks may give */
  ADD_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

void plausible_generate(struct choices *c, unsigned slips, struct plausible *out) {
  struct generator g = {.c = c, .out = out, .slips = slips};
  out->count = 0;
  add(&g, (struct bpf_insn)MOV(6, 1));
  add(&g, (struct bpf_insn)LOAD(BPF_W, 7, 1, 0));
  add(&g, (struct bpf_insn)LOAD(BPF_W, 8, 1, 4));
  add_frame(&g);
  refresh(&g, 0);
  refresh(&g, 9);
  renew(&g, 1);
  add_statements(&g, 3 + below(&g, STATEMENTS_MAX), 0);
  add_end(&g);
  uint32_t function = out->count;
  for (uint32_t i = 0; i < g.call_count; i++) {
    out->insns[g.calls[i]].imm = (int32_t)(function - g.calls[i] - 1);
  }
  if (g.call_count == 0) return;
  g.in_function = true;
  add_frame(&g);
  for (unsigned r = 0; r <= 9; r++) {
    if (r == 0 || r > 5 || (r > 2 && coin(&g))) add(&g, (struct bpf_insn)MOV_IMM(r, choose_number(c)));
  }
  renew(&g, 3);
  add_statements(&g, 1 + below(&g, 5), 1);
  add_end(&g);
}
