/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Statements on numbers, the stack and the packet.
 */
#include "tests/soundness/plausible_parts.h"

/* --- numbers --- */

void add_number(struct generator *g) {
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
      if (g->has_context) LOAD_FROM(BPF_W, r, 6, 12 + 4 * (int)below(g, 2));
      break;
    default:
      add_helper(g, BPF_HELPER_GET_PRANDOM_U32);
      renew(g, 1);
      break;
  }
}

/* A copy of a number goes its own way for a while; what is then found out about it holds for the other, shifted. */
void add_related(struct generator *g) {
  unsigned a = number_register(g), b = number_register(g);
  if (coin(g)) (void)narrow(g, 1000);
  MOVE(a, b);
  if (coin(g)) PLUS(a, (int)below(g, 40) - 20);
  if (below(g, 3) == 0) ADD_INSN(BPF_ALU64 | (coin(g) ? BPF_ADD : BPF_SUB) | BPF_X, a, number_register(g), 0, 0);
  leave_if(g, choose_comparison(g->c), a, 0, choose_number(g->c));
}

/* By something small, which may be 0. */
void add_division(struct generator *g) {
  unsigned divisor = narrow(g, 1 + below(g, 30)), r = number_register(g);
  ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | (coin(g) ? BPF_DIV : BPF_MOD) | BPF_X, r, divisor, (int)below(g, 2), 0);
}

/* --- what must not be used --- */

/* It goes around: to other registers, to the stack and back. */
static void hand_on(struct generator *g, unsigned to, unsigned from) {
  STORE_TO(BPF_DW, 10, from, STACK_SPILLED);
  if (coin(g)) LOAD_FROM(slip(g) ? some_size(g) : BPF_DW, to, 10, STACK_SPILLED);
}

/* Registers and stack that nothing was put into. */
void add_nothing(struct generator *g) {
  unsigned from = 1 + below(g, 5), to = 1 + below(g, 5);
  add_helper(g, BPF_HELPER_GET_PRANDOM_U32);
  MOVE(to, from);
  hand_on(g, from, to);
  STORE_TO(some_size(g), 10, to, slip(g) ? STACK_NUMBERS : STACK_SPILLED);
  LOAD_FROM(some_size(g), from, 10, coin(g) ? STACK_UNSET : STACK_SPILLED);
  if (slip(g)) leave_if(g, BPF_JMP | BPF_JEQ | BPF_K, from, 0, 0);
  renew(g, 1);
}

/* --- stack --- */

void add_stack(struct generator *g) {
  unsigned size = some_size(g);
  int bytes = bytes_of(size), offset = -bytes * (1 + (int)below(g, (unsigned)(-STACK_NUMBERS / bytes)));
  if (slip(g)) offset -= 8;
  if (below(g, 3) > 0) {
    add_access(g, 10, offset, size, true);
    return;
  }
  /* At a place that only the run knows. */
  unsigned r = narrow(g, (unsigned)(-STACK_NUMBERS - bytes));
  if (r == 5) return;
  MOVE(5, 10);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, r, 0, 0);
  add_access(g, 5, STACK_NUMBERS, size, true);
  refresh(g, 5);
}

/* A pointer goes to the stack and comes back. */
void add_spill(struct generator *g) {
  if (!g->has_packet) return;
  STORE_TO(BPF_DW, 10, 7, STACK_SPILLED);
  for (unsigned n = below(g, 3); n > 0; n--) {
    add(g, choose_arithmetic(g->c, number_register(g), number_register(g), false));
  }
  if (slip(g)) ADD_INSN(BPF_ST | BPF_MEM | some_size(g), 10, 0, STACK_SPILLED, choose_number(g->c));
  if (coin(g)) SET(7, 0);
  LOAD_FROM(BPF_DW, 7, 10, STACK_SPILLED);
}

void add_atomic(struct generator *g) {
  int bytes = coin(g) ? 8 : 4;
  int offset = STACK_NUMBERS + bytes * (int)below(g, (unsigned)(-STACK_NUMBERS / bytes)) + (slip(g) ? 1 : 0);
  ADD_INSN(BPF_STX | BPF_ATOMIC | (bytes == 8 ? BPF_DW : BPF_W), 10, number_register(g), offset, choose_atomic(g->c));
}

/* What the caller handed a pointer to. */
void add_object(struct generator *g) {
  if (!g->has_object) return;
  MOVE(4, 6);
  add_inside(g, 4, 0, OBJECT);
}

/* --- packet --- */

void add_packet(struct generator *g) {
  unsigned size = some_size(g);
  int bytes = bytes_of(size);
  if (!g->has_packet) return;
  if (g->checked < bytes || below(g, 4) == 0) { /* more of it */
    g->checked = 8 + (int)below(g, 56);
    MOVE(4, 7);
    PLUS(4, g->checked);
    leave_beyond_end(g, 4);
    refresh(g, 4);
  }
  add_access(g, 7, (int)below(g, (unsigned)(g->checked - bytes + 1)) + (slip(g) ? 1 : 0), size, true);
}

void add_variable_packet(struct generator *g) {
  if (!g->has_packet) return;
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

/* Within what was compared, at a place that only the run knows. */
void add_inside_packet(struct generator *g) {
  unsigned size = some_size(g);
  if (!g->has_packet || g->checked < bytes_of(size)) return;
  unsigned r = narrow(g, (unsigned)(g->checked - bytes_of(size)) + slip(g));
  if (r == 5) return;
  MOVE(5, 7);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, r, 0, 0);
  add_access(g, 5, 0, size, true);
  refresh(g, 5);
}

/* One pointer is compared with the end, another with that one. */
void add_bounded_packet(struct generator *g) {
  if (!g->has_packet) return;
  unsigned size = some_size(g), r = narrow(g, 63);
  int ahead = (int)below(g, 32), behind = (int)below(g, 8);
  if (r == 4 || r == 5) return;
  MOVE(4, 7);
  PLUS(4, ahead + behind);
  leave_beyond_end(g, 4);
  if (behind != 0 && !slip(g)) PLUS(4, -behind); /* the end is known to be so far behind it */
  MOVE(5, 7);
  ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, r, 0, 0);
  leave_if(g, BPF_JMP | (coin(g) ? BPF_JGE : BPF_JGT) | BPF_X, 5, 4, 0);
  refresh(g, 4);
  add_access(g, 5,
             slip(g)                    ? 1
             : bytes_of(size) <= behind ? behind - bytes_of(size)
                                        : 0,
             bytes_of(size) <= behind ? size : BPF_B, true);
  refresh(g, 5);
}

void add_advance(struct generator *g) {
  int by = (int)below(g, 20);
  if (!g->has_packet || g->checked < by) return;
  PLUS(7, by);
  g->checked -= by;
}

/* The metadata in front of the packet, which end where it begins. */
void add_meta(struct generator *g) {
  if (!g->has_context) return;
  unsigned size = below(g, 3) << 3;
  LOAD_FROM(BPF_W, 3, 6, 0);
  LOAD_FROM(BPF_W, 4, 6, 8);
  MOVE(5, 4);
  PLUS(5, slip(g) ? 3 : 4);
  leave_if(g, BPF_JMP | BPF_JGT | BPF_X, 5, 3, 0);
  refresh(g, 3);
  refresh(g, 5);
  LOAD_FROM(size, 0, 4, (int)below(g, (unsigned)(5 - bytes_of(size))));
  refresh(g, 4);
}

/* The window moves, and with it what metadata there is. */
static void move_window(struct generator *g) {
  static const uint8_t helpers[] = {BPF_HELPER_XDP_ADJUST_HEAD, BPF_HELPER_XDP_ADJUST_TAIL, BPF_HELPER_XDP_ADJUST_META};
  MOVE(1, 6);
  SET(2, 4 * (int)below(g, 4) - 8);
  add_helper(g, helpers[below(g, COUNT(helpers))]);
  renew(g, 1);
}

/* Everything about the window is found anew; what pointed into it before is no pointer any more. */
void add_adjust(struct generator *g) {
  if (!g->has_context || !g->has_packet) return;
  const bool stale = slip(g);
  if (stale || coin(g)) STORE_TO(BPF_DW, 10, 7, STACK_SPILLED);
  move_window(g);
  load_window(g);
  if (stale) LOAD_FROM(BPF_DW, 7, 10, STACK_SPILLED);
}

/* The distance of the packet and its end from before they moved. */
void add_lapsed(struct generator *g) {
  if (!g->has_context || !g->has_packet) return;
  unsigned length = below(g, 6);
  move_window(g);
  hand_on(g, 7, 7);
  MOVE(length, 8);
  if (slip(g)) load_window(g);
  ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | BPF_SUB | BPF_X, length, 7, 0, 0);
  load_window(g);
}
