/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Statements that control flows by: branches, loops, calls of functions, by helpers too, and tail calls.
 */
#include "tests/soundness/plausible_parts.h"

void add_branch(struct generator *g, unsigned depth) {
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

void add_loop(struct generator *g, unsigned depth) {
  if (g->r9_counts) return;
  unsigned kind = below(g, 4), trips = coin(g) ? 1 + below(g, 5) : 1 + below(g, 60);
  int step = 1 + (int)below(g, 3);
  if (kind == 3) { /* up to a bound that only the run knows */
    unsigned r = narrow(g, 31);
    STORE_TO(BPF_DW, 10, r, STACK_BOUND);
  }
  SET(9, kind == 1 ? trips : 0);
  uint32_t head = g->out->count;
  g->r9_counts = true;
  g->checked = 0;
  if (kind == 2 && g->has_packet) { /* along the packet */
    MOVE(4, 7);
    PLUS(4, 4);
    leave_beyond_end(g, 4);
    LOAD_FROM(BPF_B, 3, 7, (int)below(g, 4));
    SET(4, 0);
    ADD_INSN(BPF_ALU64 | BPF_AND | BPF_K, 3, 0, 0, 15);
    PLUS(3, 1);
    ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 7, 3, 0, 0);
  }
  if (kind == 3) {
    LOAD_FROM(BPF_DW, 0, 10, STACK_BOUND);
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

/* --- functions --- */

static bool may_call(const struct generator *g, enum function function) {
  return function > g->function && g->call_count < CALLS_MAX;
}

static void note_call(struct generator *g, enum function function) {
  g->wanted[function] = true;
  g->called[g->call_count] = function;
  g->calls[g->call_count++] = g->out->count;
}

void add_function(struct generator *g, unsigned dst, enum function function) {
  if (g->call_count < CALLS_MAX) note_call(g, function);
  add_wide(g, dst, BPF_PSEUDO_FUNC, 0, 0);
}

/* The address of 16 bytes of numbers. */
static void point_to_object(struct generator *g, unsigned dst) {
  MOVE(dst, 10);
  PLUS(dst, -OBJECT * (1 + (int)below(g, slip(g) ? 5 : 4)));
}

void add_call(struct generator *g) {
  static const enum function functions[] = {FUNCTION_CONTEXT, FUNCTION_OBJECT, FUNCTION_NUMBERS};
  const enum function function = functions[below(g, COUNT(functions))];
  if (!may_call(g, function) || (function == FUNCTION_CONTEXT && !g->has_context)) return;
  if (function == FUNCTION_CONTEXT) MOVE(1, 6);
  if (function == FUNCTION_OBJECT) point_to_object(g, 1);
  if (below(g, 3) == 0) { /* by its address */
    add_function(g, 5, function);
    ADD_INSN(BPF_JMP | BPF_CALL | BPF_X, 5, 0, 0, 0);
  } else {
    note_call(g, function);
    ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
  }
  renew(g, 1);
  if (function == FUNCTION_CONTEXT) load_window(g); /* it may have moved the packet */
}

/* r2 is a function, r3 what it is handed. */
static void call_back(struct generator *g, enum function function) {
  if (function == FUNCTION_WINDOW) {
    STORE_TO(BPF_DW, 10, 7, STACK_WINDOW);
    STORE_TO(BPF_DW, 10, 8, STACK_WINDOW + 8);
    MOVE(3, 10);
    PLUS(3, STACK_WINDOW);
  } else {
    point_to_object(g, 3);
  }
  add_function(g, 2, function);
  SET(4, 0);
  add_helper(g, function == FUNCTION_EACH ? BPF_HELPER_FOR_EACH_MAP_ELEM : BPF_HELPER_LOOP);
  renew(g, 1);
}

void add_callback(struct generator *g) {
  static const enum function functions[] = {FUNCTION_NEST, FUNCTION_WINDOW, FUNCTION_TICK, FUNCTION_EACH};
  const enum function function = functions[below(g, COUNT(functions))];
  if (!may_call(g, function) || (function == FUNCTION_WINDOW && !g->has_packet)) return;
  if (function == FUNCTION_EACH) {
    add_map(g, 1, coin(g) ? MAP_ARRAY : MAP_HASH);
  } else if (coin(g)) {
    SET(1, below(g, 12));
  } else {
    unsigned r = narrow(g, 12);
    MOVE(1, r);
  }
  call_back(g, function);
}

void add_tail_call(struct generator *g) {
  if (!g->has_context || (g->holds && !slip(g))) return;
  MOVE(1, 6);
  if (coin(g)) {
    SET(3, below(g, 4));
  } else {
    unsigned r = narrow(g, 3);
    MOVE(3, r == 1 ? 4 : r);
  }
  add_map(g, 2, MAP_PROGRAMS);
  add_helper(g, BPF_HELPER_TAIL_CALL);
  renew(g, 1);
}
