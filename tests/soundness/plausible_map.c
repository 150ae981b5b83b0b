/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Statements on maps: lookups, updates, maps in maps, locks, timers, records.
 */
#include "tests/soundness/plausible_parts.h"

/* A key on the stack, its address in r2. It is of one of the first `entries`, or one behind, or known to the run only. */
static void add_key(struct generator *g, unsigned entries) {
  if (below(g, 3) > 0) {
    ADD_INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, below(g, entries + 1));
  } else {
    STORE_TO(BPF_W, 10, number_register(g), -4);
  }
  MOVE(2, 10);
  PLUS(2, slip(g) ? -3 : -4);
}

/* r0: a value that is there. r1 to r5 are numbers. */
static void add_found(struct generator *g, enum plausible_map map) {
  add_key(g, plausible_maps.defs[map].max_entries);
  add_map(g, 1, map);
  add_helper(g, BPF_HELPER_MAP_LOOKUP_ELEM);
  if (g->slips != 0 && below(g, 3) == 0) PLUS(0, 8); /* before it is known to be there */
  if (!slip(g)) leave_if(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0);
  renew(g, 1);
}

void add_lookup(struct generator *g) {
  static const enum plausible_map maps[] = {MAP_ARRAY, MAP_HASH, MAP_LOCKED};
  enum plausible_map map = maps[below(g, COUNT(maps))];
  add_found(g, map);
  MOVE(1, 0);
  refresh(g, 0);
  add_inside(g, 1, map == MAP_LOCKED ? 4 : 0, OBJECT);
}

void add_constant(struct generator *g) {
  unsigned size = some_size(g);
  add_wide(g, 3, BPF_PSEUDO_MAP_VALUE, MAP_CONSTANT, below(g, 4) * 8);
  if (coin(g)) {
    unsigned r = narrow(g, 31);
    if (r != 3) ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 3, r, 0, 0);
  }
  add_access(g, 3, (int)below(g, slip(g) ? 64 : 8), size, slip(g));
  refresh(g, 3);
}

void add_update(struct generator *g) {
  add_key(g, 8);
  add_map(g, 1, coin(g) ? MAP_ARRAY : MAP_HASH);
  MOVE(3, 10);
  PLUS(3, -8 * (int)(2 + below(g, slip(g) ? 9 : 7)));
  SET(4, 0);
  add_helper(g, coin(g) ? BPF_HELPER_MAP_UPDATE_ELEM : BPF_HELPER_MAP_DELETE_ELEM);
  renew(g, 1);
}

/* A value of a map that was looked up in a map. */
void add_inner(struct generator *g) {
  add_found(g, MAP_OUTER);
  MOVE(1, 0);
  ADD_INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, below(g, 10));
  MOVE(2, 10);
  PLUS(2, -4);
  add_helper(g, BPF_HELPER_MAP_LOOKUP_ELEM);
  if (!slip(g)) leave_if(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0);
  renew(g, 1);
  MOVE(1, 0);
  refresh(g, 0);
  add_inside(g, 1, 0, OBJECT);
}

/* The lock or timer whose value is kept is the argument of a helper. */
static void add_kept(struct generator *g, int helper) {
  LOAD_FROM(BPF_DW, 1, 10, STACK_OBJECT);
  add_helper(g, helper);
}

/* Under a lock only its value, the stack and numbers are touched. */
void add_lock(struct generator *g) {
  if (g->holds) return;
  add_found(g, MAP_LOCKED);
  STORE_TO(BPF_DW, 10, 0, STACK_OBJECT);
  add_kept(g, BPF_HELPER_SPIN_LOCK);
  for (unsigned r = 0; r <= 5; r++)
    refresh(g, r);
  uint32_t over = g->out->count;
  ADD_INSN(choose_comparison(g->c), number_register(g), 0, 0, choose_number(g->c));
  for (unsigned n = below(g, 4); n > 0; n--) {
    add(g, choose_arithmetic(g->c, number_register(g), number_register(g), false));
  }
  LOAD_FROM(BPF_DW, 1, 10, STACK_OBJECT);
  add_access(g, 1, 4 + 4 * (int)below(g, slip(g) ? 4 : 3), BPF_W, true);
  refresh(g, 1);
  if (slip(g)) add_helper(g, BPF_HELPER_GET_PRANDOM_U32);
  g->out->insns[over].off = (int16_t)(g->out->count - over - 1);
  if (!slip(g)) add_kept(g, BPF_HELPER_SPIN_UNLOCK);
  SET(0, 0);
  renew(g, 1);
}

void add_timer(struct generator *g) {
  if (g->holds || g->function > FUNCTION_CONTEXT) return;
  add_found(g, MAP_TIMERS);
  STORE_TO(BPF_DW, 10, 0, STACK_OBJECT);
  add_map(g, 2, MAP_TIMERS);
  SET(3, coin(g));
  add_kept(g, BPF_HELPER_TIMER_INIT);
  add_function(g, 2, FUNCTION_TIMER);
  add_kept(g, BPF_HELPER_TIMER_SET_CALLBACK);
  SET(2, choose_number(g->c));
  SET(3, 0);
  add_kept(g, BPF_HELPER_TIMER_START);
  renew(g, 1);
}

/* --- records --- */

/* r0: a record of `length` bytes. r1 to r5 are numbers. */
static void add_reserved(struct generator *g, int length) {
  add_map(g, 1, MAP_RING);
  SET(2, length);
  SET(3, 0);
  add_helper(g, BPF_HELPER_RINGBUF_RESERVE);
  renew(g, 1);
  if (!slip(g)) leave_if(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0);
}

/* The record in r1 is given back. */
static void add_given_back(struct generator *g) {
  SET(2, 0);
  if (!slip(g)) add_helper(g, coin(g) ? BPF_HELPER_RINGBUF_SUBMIT : BPF_HELPER_RINGBUF_DISCARD);
  SET(0, 0);
  renew(g, 1);
}

void add_record(struct generator *g) {
  int length = 8 * (1 + (int)below(g, 4));
  unsigned size = some_size(g);
  if (g->holds) return;
  add_reserved(g, length);
  ADD_INSN(BPF_ST | BPF_MEM | size, 0, 0, (int)below(g, (unsigned)(length - bytes_of(size) + 1)), choose_number(g->c));
  MOVE(1, 0);
  add_given_back(g);
}

/* Statements while it is held; those that leave give it back first. */
void add_held_record(struct generator *g, unsigned depth) {
  int length = 8 * (2 + (int)below(g, 3));
  if (g->holds || g->exit_count > EXITS_MAX / 2) return;
  add_reserved(g, length);
  STORE_TO(BPF_DW, 10, 0, STACK_OBJECT);
  SET(0, 0);
  const uint32_t outer = g->exit_count;
  g->holds = true;
  add_statements(g, 1 + below(g, 3), depth + 1);
  LOAD_FROM(BPF_DW, 1, 10, STACK_OBJECT);
  add_inside(g, 1, 0, (unsigned)length);
  g->holds = false;
  const uint32_t inner = g->exit_count;
  LOAD_FROM(BPF_DW, 1, 10, STACK_OBJECT);
  add_given_back(g);
  const uint32_t over = g->out->count;
  ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0);
  for (uint32_t i = outer; i < inner; i++) {
    g->out->insns[g->exits[i]].off = (int16_t)(g->out->count - g->exits[i] - 1);
  }
  g->exit_count = outer;
  LOAD_FROM(BPF_DW, 1, 10, STACK_OBJECT);
  add_given_back(g);
  leave_if(g, BPF_JMP | BPF_JA, 0, 0, 0);
  g->out->insns[over].off = (int16_t)(g->out->count - over - 1);
}
