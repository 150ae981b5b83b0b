/* SPDX-License-Identifier: BSD-3-Clause
 *
 * State of one running program, the same for interpreter and native code, and the one question that every memory access of
 * it asks: may it touch these bytes? Private to bpf/. Registers hold real addresses, so a pointer is a number here, and
 * nothing is taken on trust: a pointer that the program made up is checked like any other.
 *
 * What both engines keep, so that they agree register for register:
 * - After a helper call r1 to r5 are 0. A local call leaves all registers but r10 to the callee; on return r6 to r10 are the
 *   caller's again and r1 to r5 are 0, whatever program it returns from. A callback (m->call) starts with r0 and r5 to r9 zero. A tail call leaves r6 to r9; r1 is the context, and
 *   r0 and r2 to r5 are 0.
 * - A frame is zeroed when it is entered, by tail calls too.
 * - The value of a map is its handle, that of a function the address of its first struct bpf_insn.
 */
#ifndef IMAGO_BPF_MACHINE_H
#define IMAGO_BPF_MACHINE_H

#include <stdbool.h>

#include "bpf/program.h"

enum { BPF_SAVED_REGISTERS = 4, BPF_FIRST_SAVED_REGISTER = 6 };

enum {
  BPF_MAX_TAIL_CALLS = 33, /* as Linux */
  BPF_MAX_HELD = 16,       /* ring buffer records reserved, and keys shown to callbacks, at one time */
  BPF_MAX_INNER = 32,      /* different inner maps looked up in one run */
};

/* What an access wants. BPF_ACCESS_CONTEXT: the context may serve too; only plain loads and stores ask so, as in Linux. */
enum { BPF_ACCESS_READ = 1, BPF_ACCESS_WRITE = 2, BPF_ACCESS_CONTEXT = 4 };

struct bpf_frame {
  const struct bpf_program *program;
  uint32_t return_to;
  uint64_t saved[BPF_SAVED_REGISTERS];
};

/* Memory that a helper lent to the program until it is given back or the run ends. */
struct bpf_held {
  uint64_t address, length;
  struct bpf_map *map; /* the ring buffer that a record is of; NULL: a key that may only be read */
  bool used;
};

struct bpf_machine {
  uint64_t reg[BPF_REGISTERS]; /* the interpreter's; native code takes r1 to r5 from here at entry */
  /* The packet. Metadata is data_meta..data. Helpers move these within the buffer, and keep the context in step. */
  uint64_t data, data_length;
  /* Native code's own: how many bytes of the packet an access of 1, 2, 4, 8 bytes may begin in (0: not known, look at the
   * window), the slot that called out, and where the stack of the host was when the program was entered. What native code
   * touches lies in the first 256 bytes, which its instructions reach with displacements of one byte. */
  uint64_t native_room[4];
  uint64_t native_value, native_value_room[2][4]; /* the same of a map value: for loads, and for all else */
  int64_t budget;                                 /* instructions left */
  const struct bpf_program *program;
  enum bpf_fault_kind fault; /* the first one; nothing runs on after it (see below) */
  uint32_t native_at;
  uint32_t tail_calls; /* made so far */
  uint32_t processor;
  uint64_t native_stack;
  /* Map value that was reached last, to spare the search: programs touch the same value several times in a row. Length 0
   * for values with a lock or timer inside, which are searched each time. */
  uint64_t value_length, value;
  /* Live part of the stack. Frames grow downwards, so that a program that runs below its own frame leaves the live part. */
  uint64_t stack, stack_length;
  unsigned value_rights;
  unsigned depth; /* callers of the running function, each with its frame in frame[] */
  const struct bpf_environment *environment;
  /* The rest of the window. */
  uint64_t data_meta;
  uint64_t buffer_start, buffer_end;
  /* Calls a function of the running program (its value in a register) with r1 to r4 in a frame of its own, and gives its
   * r0. Set by the engine that runs. Helpers look at m->fault afterwards. */
  uint64_t (*call)(struct bpf_machine *m, uint64_t function, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4);

  /* Of the first fault. A helper sets `fault` (and the address, if it has one); the engine that finds fault_program NULL
   * then says where. */
  uint32_t fault_insn;
  uint64_t fault_address;
  const struct bpf_program *fault_program;

  struct bpf_redirect redirect;
  uint64_t spin_lock;  /* address of the one that is held; 0: none */
  unsigned held_count; /* entries of held[] below this may be in use */
  unsigned inner_count;
  struct bpf_held held[BPF_MAX_HELD];
  struct bpf_map *inner[BPF_MAX_INNER]; /* maps that were looked up in maps */

  bool has_context;
  enum bpf_program_kind kind; /* of the context */
  union {
    struct xdp_md xdp;
    struct bpf_skb skb;
  } context;
  struct bpf_frame frame[BPF_MAX_FRAMES - 1];
  uint8_t stack_memory[BPF_MAX_FRAMES * BPF_STACK_SIZE] __attribute__((aligned(16)));
};

/* The slow half of bpf_machine_reach: context, metadata, maps and what helpers lent. */
void *bpf_machine_search(struct bpf_machine *m, uint64_t address, uint64_t size, unsigned access);

/* Where the size (at least 1) bytes at address are, if all of them may be accessed so and lie in one object; else NULL.
 * Offsets are taken modulo 2^64 and compared with what is left of the object, so no address or size overflows. */
static inline void *bpf_machine_reach(struct bpf_machine *m, uint64_t address, uint64_t size, unsigned access) {
  uint64_t offset = address - m->data;
  if (offset < m->data_length && size <= m->data_length - offset) return (void *)(uintptr_t)address;
  offset = address - m->stack;
  /* In one frame, not across two. */
  if (offset < m->stack_length && size <= BPF_STACK_SIZE - offset % BPF_STACK_SIZE) return (void *)(uintptr_t)address;
  offset = address - m->value;
  if (offset < m->value_length && size <= m->value_length - offset && (access & ~m->value_rights) == 0) {
    return (void *)(uintptr_t)address;
  }
  return bpf_machine_search(m, address, size, access);
}

/* What a program may do to the values of this map: BPF_ACCESS_ bits. */
unsigned bpf_machine_map_rights(const struct bpf_map *map);
/* In a register a map is the address of the cell that holds its struct bpf_map pointer, in program->maps or, for a map that
 * was looked up in a map, in m->inner; so a made-up one is recognised by arithmetic. */
uint64_t bpf_machine_map_handle(const struct bpf_machine *m, uint32_t index);
/* The map of a handle; NULL when the number is none. */
struct bpf_map *bpf_machine_map(const struct bpf_machine *m, uint64_t handle);
/* The map of a number that is known to be a handle. */
static inline struct bpf_map *bpf_machine_known_map(uint64_t handle) { return *(struct bpf_map **)(uintptr_t)handle; }
/* The program touches this value next: value of `map` at `address`. */
void bpf_machine_note_value(struct bpf_machine *m, const struct bpf_map *map, uint64_t address);

/* r1 of a program at its start: the address of its context, or 0 when it has none. */
static inline uint64_t bpf_machine_context(const struct bpf_machine *m) {
  return m->has_context ? (uint64_t)(uintptr_t)&m->context : 0;
}

/* Makes the frame of `depth` current: m->depth, m->stack, m->stack_length, r10 in m->reg. */
void bpf_machine_set_frame(struct bpf_machine *m, unsigned depth);
/* As bpf_machine_set_frame, and zeroes it. */
void bpf_machine_enter_frame(struct bpf_machine *m, unsigned depth);

/* bpf_tail_call: the program to go on in, in the frame that is current, or NULL when there is none at that index or
 * BPF_MAX_TAIL_CALLS were made; then the program goes on behind the call with r0 = -BPF_EINVAL. Counts the call. `map` is a
 * BPF_MAP_TYPE_PROG_ARRAY. */
const struct bpf_program *bpf_machine_tail_target(struct bpf_machine *m, struct bpf_map *map, uint32_t index);
/* Goes on in `program` in the frame that is current, which is zeroed, with the engine that it has; gives r0 when it exits.
 * m->program is the caller's again afterwards. Engines use it to enter a program of the other engine. */
uint64_t bpf_machine_go_on(struct bpf_machine *m, const struct bpf_program *program);

/* Notes the fault at this instruction unless one is noted already. */
static inline void bpf_machine_fault(struct bpf_machine *m, enum bpf_fault_kind kind, uint32_t insn, uint64_t address) {
  if (m->fault == BPF_FAULT_NONE) {
    m->fault = kind;
    m->fault_address = address;
  }
  if (m->fault_program == NULL) {
    m->fault_program = m->program;
    m->fault_insn = insn;
  }
}

/* Lends memory to the program: a record, or with map NULL a key. False: BPF_MAX_HELD are lent already. */
bool bpf_machine_hold(struct bpf_machine *m, const void *address, uint64_t length, struct bpf_map *map);
/* Takes it back. The map that was given with it is *map. False: nothing that begins at this address is lent. */
bool bpf_machine_take_back(struct bpf_machine *m, uint64_t address, struct bpf_map **map);
/* The handle of a map, also of one that is none of the program's but was looked up in one. 0: BPF_MAX_INNER of those are known. */
uint64_t bpf_machine_handle_of(struct bpf_machine *m, struct bpf_map *map);
/* The map that has a value where this address is, and where that value begins; NULL when none has. */
struct bpf_map *bpf_machine_value(const struct bpf_machine *m, uint64_t address, uint64_t *value);

/* What is wrong with the instruction in slot `at` < insn_count, as bpf_check looks at it: a jump out of the program or into a 64-bit
 * immediate, the program's end behind it, or that it is none. Calls of helpers that are not there pass. The interpreter's, for
 * programs that were not prepared. */
enum bpf_fault_kind bpf_check_slot(const struct bpf_program *program, uint32_t at);
/* The interpreter's m->call. */
uint64_t bpf_interpret_call(struct bpf_machine *m, uint64_t function, uint64_t r1, uint64_t r2, uint64_t r3,
                            uint64_t r4);
/* The interpreter: runs m->program from slot `entry` in the current frame with m->reg until that frame's function exits;
 * gives r0, or 0 after a fault. */
uint64_t bpf_interpret(struct bpf_machine *m, uint32_t entry);

#endif
