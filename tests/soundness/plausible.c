/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The generator: bundles, programs, functions, and what their statements are.
 */
#include "tests/soundness/plausible.h"

#include <string.h>

#include "tests/soundness/plausible_parts.h"

enum { STATEMENTS_MAX = 24, LENGTH_MAX = 500, FUNCTION_LENGTH_MAX = 120 };

static const struct bpf_map_def defs[MAPS] = {
    [MAP_ARRAY] = {.name = "array", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = OBJECT, .max_entries = 8},
    [MAP_HASH] = {.name = "hash", .type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = OBJECT, .max_entries = 8},
    [MAP_CONSTANT] = {.name = "constant",
                      .type = BPF_MAP_TYPE_ARRAY,
                      .key_size = 4,
                      .value_size = 64,
                      .max_entries = 1,
                      .flags = BPF_F_RDONLY_PROG},
    [MAP_RING] = {.name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
    [MAP_LOCKED] = {.name = "locked",
                    .type = BPF_MAP_TYPE_ARRAY,
                    .key_size = 4,
                    .value_size = OBJECT,
                    .max_entries = 4,
                    .spin_lock = 1},
    [MAP_TIMERS] = {.name = "timers",
                    .type = BPF_MAP_TYPE_ARRAY,
                    .key_size = 4,
                    .value_size = BPF_TIMER_SIZE + OBJECT,
                    .max_entries = 2,
                    .timer = 1},
    [MAP_OUTER] = {.name = "outer",
                   .type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
                   .key_size = 4,
                   .value_size = 4,
                   .max_entries = 2,
                   .inner = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = OBJECT, .max_entries = 8}},
    [MAP_PROGRAMS] =
        {.name = "programs", .type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 4},
};

static const struct bundle_entry entries[] = {{MAP_OUTER, 0, MAP_ARRAY}, {MAP_PROGRAMS, 0, 1}, {MAP_PROGRAMS, 2, 2}};

const struct candidate_maps plausible_maps = {
    .defs = defs, .count = MAPS, .entries = entries, .entry_count = COUNT(entries), .kind = BPF_PROGRAM_XDP};

/* --- statements --- */

static void add_statement(struct generator *g, unsigned depth) {
  static void (*const plain[])(struct generator *) = {
      add_number,
      add_stack,
      add_stack,
      add_packet,
      add_packet,
      add_variable_packet,
      add_advance,
      add_variable_packet,
      add_variable_packet,
      add_variable_packet,
      add_spill,
      add_atomic,
      add_lookup,
      add_lookup,
      add_constant,
      add_update,
      add_record,
      add_adjust,
      add_call,
      add_call,
      add_related,
      add_related,
      add_division,
      add_object,
      add_object,
      add_meta,
      add_inner,
      add_lock,
      add_timer,
      add_callback,
      add_callback,
      add_callback,
      add_tail_call,
      add_tail_call,
      add_bounded_packet,
      add_inside_packet,
      add_lapsed,
      add_nothing,
  };
  unsigned kind = below(g, 64);
  if (kind < COUNT(plain)) {
    plain[kind](g);
  } else if (kind < 43 && depth < DEPTH_MAX) {
    add_branch(g, depth);
  } else if (kind < 49 && depth < DEPTH_MAX) {
    add_loop(g, depth);
  } else if (kind < 52 && depth < DEPTH_MAX) {
    add_held_record(g, depth);
  } else {
    add(g, choose_arithmetic(g->c, number_register(g), number_register(g), false));
  }
}

void add_statements(struct generator *g, unsigned count, unsigned depth) {
  const uint32_t most = g->function == FUNCTION_MAIN ? LENGTH_MAX : FUNCTION_LENGTH_MAX;
  while (count-- > 0 && g->out->count - g->start < most)
    add_statement(g, depth);
}

/* --- functions --- */

static void add_frame(struct generator *g) {
  for (int offset = STACK_NUMBERS; offset < 0; offset += 8) {
    if (!slip(g)) ADD_INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, offset, choose_number(g->c));
  }
}

/* What the arguments are; those that are no numbers are kept or used up. */
static void add_arguments(struct generator *g) {
  g->has_context = g->function <= FUNCTION_CONTEXT;
  g->has_packet = g->has_context || g->function == FUNCTION_WINDOW;
  g->has_object = false;
  unsigned numbers = 2; /* r1 and up to here are, or nothing */
  switch (g->function) {
    case FUNCTION_MAIN:
    case FUNCTION_CONTEXT:
      MOVE(6, 1);
      load_window(g);
      numbers = 0;
      break;
    case FUNCTION_WINDOW:
      MOVE(6, 2);
      LOAD_FROM(BPF_DW, 7, 6, 0);
      LOAD_FROM(BPF_DW, 8, 6, 8);
      numbers = 1;
      break;
    case FUNCTION_NEST:
    case FUNCTION_TICK:
      MOVE(6, 2);
      g->has_object = true;
      numbers = 1;
      break;
    case FUNCTION_EACH:
    case FUNCTION_TIMER:
      LOAD_FROM(BPF_W, 0, 2, slip(g) ? 1 : 0);
      if (g->function == FUNCTION_EACH) MOVE(6, 4);
      g->has_object = g->function == FUNCTION_EACH;
      for (unsigned r = 4; r <= 5; r++)
        SET(r, choose_number(g->c));
      SET(1, 0);
      SET(2, 0);
      if (!g->has_object) SET(6, 0);
      SET(9, 0);
      add_inside(g, 3, g->function == FUNCTION_TIMER ? BPF_TIMER_SIZE : 0,
                 g->function == FUNCTION_TIMER ? BPF_TIMER_SIZE + OBJECT : OBJECT);
      numbers = 0;
      break;
    case FUNCTION_OBJECT:
      MOVE(6, 1);
      g->has_object = true;
      SET(1, 0);
      break;
    default:
      SET(6, choose_number(g->c));
      break;
  }
  SET(0, choose_number(g->c));
  SET(9, choose_number(g->c));
  if (!g->has_packet) {
    SET(7, choose_number(g->c));
    SET(8, choose_number(g->c));
  }
  renew(g, numbers + 1);
}

/* The ends of the function that was just written. Functions that helpers call go on with 0, and end all with 1. */
static void add_end(struct generator *g) {
  ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0);
  for (uint32_t i = 0; i < g->exit_count; i++) {
    g->out->insns[g->exits[i]].off = (int16_t)(g->out->count - g->exits[i] - 1);
  }
  g->exit_count = 0;
  SET(0, g->function == FUNCTION_MAIN ? 2 : 0);
  if (g->function != FUNCTION_MAIN) ADD_INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, coin(g) ? 1 : 0);
  ADD_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void add_one(struct generator *g, enum function function, unsigned statements) {
  g->function = function;
  g->start = g->out->count;
  g->checked = 0;
  g->r9_counts = g->holds = false;
  if (function == FUNCTION_EACH || function == FUNCTION_TIMER) add_frame(g);
  add_arguments(g);
  if (function != FUNCTION_EACH && function != FUNCTION_TIMER) add_frame(g);
  if (function == FUNCTION_MAIN && below(g, 8) == 0) add_timer(g); /* early, so that many runs get there */
  if (function == FUNCTION_MAIN && below(g, 8) == 0) add_tail_call(g);
  if (g->deep && function == FUNCTION_MAIN) add_call(g);
  if (g->deep && function == FUNCTION_CONTEXT) add_tail_call(g);
  add_statements(g, statements, function == FUNCTION_MAIN ? 0 : 1);
  if (function == FUNCTION_NEST) add_callback(g);
  add_end(g);
}

/* What the calls of add_call hand over. */
static void note_function(struct plausible *out, enum function function, uint32_t at) {
  static const struct verify_function signatures[FUNCTIONS] = {
      [FUNCTION_CONTEXT] = {.argument = {{.kind = PROOF_CONTEXT}}},
      [FUNCTION_OBJECT] = {.argument = {{.kind = PROOF_LENT, .size = OBJECT}, {.kind = PROOF_SCALAR}}},
      [FUNCTION_NUMBERS] = {.argument = {{.kind = PROOF_SCALAR}, {.kind = PROOF_SCALAR}}},
  };
  if (signatures[function].argument[0].kind == PROOF_UNREADABLE) return;
  out->functions[out->function_count] = signatures[function];
  out->functions[out->function_count++].pc = at;
}

static void add_program(struct choices *c, unsigned slips, bool deep, unsigned statements, struct plausible *out) {
  struct generator g = {.c = c, .out = out, .slips = slips, .deep = deep};
  const uint32_t start = out->count;
  add_one(&g, FUNCTION_MAIN, statements);
  for (enum function f = FUNCTION_CONTEXT; f < FUNCTIONS; f++) {
    if (!g.wanted[f]) continue;
    const uint32_t at = out->count;
    add_one(&g, f, 1 + below(&g, 5));
    note_function(out, f, at);
    for (uint32_t i = 0; i < g.call_count; i++) {
      if (g.called[i] == f) out->insns[g.calls[i]].imm = (int32_t)(at - g.calls[i] - 1);
    }
  }
  out->counts[out->program_count++] = out->count - start;
}

void plausible_generate(struct choices *c, unsigned slips, bool deep, struct plausible *out) {
  out->count = out->program_count = out->function_count = 0;
  const bool several = choose(c, 2) == 0 || deep;
  add_program(c, slips, deep, 3 + (unsigned)choose(c, STATEMENTS_MAX), out);
  while (several && out->program_count < PLAUSIBLE_PROGRAMS)
    add_program(c, slips, deep, 3 + (unsigned)choose(c, 6), out);
}
