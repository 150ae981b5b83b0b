/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The parts of the generator. Between statements r0 to r5 hold numbers; r6 the context, or in functions a pointer to 16 bytes that the
 * caller gave, or a number; r7 is in the packet with `checked` bytes behind it, r8 its end; r9 is a number or counts a loop. The stack down
 * to STACK_NUMBERS holds numbers, below are counters and pointers.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_PLAUSIBLE_PARTS_H
#define IMAGO_TESTS_SOUNDNESS_PLAUSIBLE_PARTS_H

#include "tests/soundness/plausible.h"
#include "tests/unit/bpf/asm.h"

enum {
  STACK_NUMBERS = -64,
  STACK_BOUND = -72,   /* of a loop */
  STACK_SPILLED = -80, /* r7 */
  STACK_OBJECT = -88,  /* a map value or record */
  STACK_WINDOW = -104, /* r7 and r8, for a function that is handed them */
  STACK_UNSET = -112,
  DEPTH_MAX = 3,
  EXITS_MAX = 256,
  CALLS_MAX = 64,
  OBJECT = 16, /* bytes of what is handed to functions, and of map values */
};

enum plausible_map {
  MAP_ARRAY,    /* 8 values of 16 bytes */
  MAP_HASH,     /* the same by keys of 4 bytes */
  MAP_CONSTANT, /* one value of 64 bytes that programs only read */
  MAP_RING,
  MAP_LOCKED,   /* 4 values of 16 bytes: a lock, then numbers */
  MAP_TIMERS,   /* 2 values of 32 bytes: a timer, then numbers */
  MAP_OUTER,    /* 2 maps like MAP_ARRAY, of which the second is not there */
  MAP_PROGRAMS, /* programs 1 and 2, if there are any */
  MAPS
};

/* Functions call only those behind them, so nothing is recursive. */
enum function {
  FUNCTION_MAIN,
  FUNCTION_CONTEXT, /* is given the context */
  FUNCTION_NEST,    /* bpf_loop calls it with an object; and it calls bpf_loop */
  FUNCTION_WINDOW,  /* bpf_loop calls it with what stands at STACK_WINDOW */
  FUNCTION_TICK,    /* bpf_loop calls it with an object */
  FUNCTION_EACH,    /* bpf_for_each_map_elem calls it with an object */
  FUNCTION_TIMER,
  FUNCTION_OBJECT, /* is given an object and a number */
  FUNCTION_NUMBERS,
  FUNCTIONS
};

struct generator {
  struct choices *c;
  struct plausible *out;
  unsigned slips;
  bool deep;
  enum function function;
  uint32_t start; /* of the function */
  int checked;
  bool has_context, has_packet, has_object; /* in r6; r7 and r8; r6 */
  bool r9_counts;
  bool holds;                            /* a record, in STACK_OBJECT */
  uint32_t exits[EXITS_MAX], exit_count; /* jumps to the end */
  uint32_t calls[CALLS_MAX], call_count; /* of the program's functions, direct or by helpers: */
  enum function called[CALLS_MAX];
  bool wanted[FUNCTIONS];
};

/* --- choices and instructions (plausible_parts.c) --- */

static inline unsigned below(struct generator *g, unsigned n) { return (unsigned)choose(g->c, n); }
static inline bool coin(struct generator *g) { return below(g, 2) == 1; }
static inline bool slip(struct generator *g) { return g->slips != 0 && below(g, g->slips) == g->slips - 1; }

static inline void add(struct generator *g, struct bpf_insn insn) { g->out->insns[g->out->count++] = insn; }
#define ADD_INSN(...) add(g, (struct bpf_insn)INSN(__VA_ARGS__))
#define MOVE(dst, src) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, imm) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define PLUS(dst, imm) ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define LOAD_FROM(size, dst, src, off) ADD_INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STORE_TO(size, dst, src, off) ADD_INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)

void add_wide(struct generator *g, unsigned dst, unsigned kind, uint64_t low, uint64_t high);
void add_map(struct generator *g, unsigned dst, enum plausible_map map);
void add_helper(struct generator *g, int id);
/* A register that held something else holds a number again: a constant, or one that only the run knows. */
void refresh(struct generator *g, unsigned r);
/* r1 to r5 after a call, from `first` on. */
void renew(struct generator *g, unsigned first);
unsigned number_register(struct generator *g);
int bytes_of(unsigned size);
unsigned some_size(struct generator *g);
/* A jump to the end, behind a comparison that the code says. */
void leave_if(struct generator *g, unsigned code, unsigned dst, unsigned src, uint64_t imm);
/* Leaves if `limit` is beyond the packet's end, in r8: all ways to write it. */
void leave_beyond_end(struct generator *g, unsigned limit);
/* A load or store of one kind or another. */
void add_access(struct generator *g, unsigned base, int offset, unsigned size, bool writable);
/* Some register becomes at most `most`, one way or another, perhaps through a copy of it. */
unsigned narrow(struct generator *g, unsigned most);
/* Inside of `bytes` at the pointer in r1 to r5, at a place that only the run knows, perhaps. The pointer is used up. */
void add_inside(struct generator *g, unsigned pointer, unsigned first, unsigned bytes);
/* r7 and r8 from the context in r6. */
void load_window(struct generator *g);

/* --- statements: plausible_data.c, plausible_map.c, plausible_flow.c --- */

void add_number(struct generator *g);
void add_related(struct generator *g);
void add_division(struct generator *g);
void add_stack(struct generator *g);
void add_packet(struct generator *g);
void add_variable_packet(struct generator *g);
void add_bounded_packet(struct generator *g);
void add_inside_packet(struct generator *g);
void add_advance(struct generator *g);
void add_spill(struct generator *g);
void add_atomic(struct generator *g);
void add_object(struct generator *g);
void add_meta(struct generator *g);
void add_adjust(struct generator *g);
void add_lapsed(struct generator *g);
void add_nothing(struct generator *g);

void add_lookup(struct generator *g);
void add_constant(struct generator *g);
void add_update(struct generator *g);
void add_inner(struct generator *g);
void add_lock(struct generator *g);
void add_timer(struct generator *g);
void add_record(struct generator *g);
void add_held_record(struct generator *g, unsigned depth);

void add_statements(struct generator *g, unsigned count, unsigned depth);
void add_branch(struct generator *g, unsigned depth);
void add_loop(struct generator *g, unsigned depth);
void add_call(struct generator *g);
void add_callback(struct generator *g);
void add_tail_call(struct generator *g);
/* The address of a function of the program. */
void add_function(struct generator *g, unsigned dst, enum function function);

#endif
