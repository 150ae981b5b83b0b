/* SPDX-License-Identifier: BSD-3-Clause
 *
 * State of one translation, shared by the files that write code: jit_select.c (arithmetic, jumps), jit_memory.c (loads and stores with
 * their checks), jit_call.c (calls, entry, exit). Private to the JIT.
 *
 * Registers: r0 rax, r1 rdi, r2 rsi, r3 rdx, r4 rcx, r5 r8, r6 rbx, r7 r13, r8 r14, r9 r15, r10 rbp, so that arguments of helpers are
 * where C expects them. r12 points into the machine, r9 and r10 are scratch, r11 is the budget where one is counted.
 */
#ifndef IMAGO_BPF_JIT_EMIT_H
#define IMAGO_BPF_JIT_EMIT_H

#include "bpf/jit.h"
#include "bpf/jit_encode.h"
#include "bpf/jit_know.h"

enum { SCRATCH = R9, SCRATCH_2 = R10, BUDGET = R11, MACHINE = R12 };
/* r12 points so far into the machine that the fields which native code uses are within reach of one-byte displacements. */
enum { MACHINE_BIAS = 128 };
#define FIELD(name) jit_mem(MACHINE, (int32_t)offsetof(struct bpf_machine, name) - MACHINE_BIAS)

/* Common code that calls out with every register kept: C functions of this type get SCRATCH and SCRATCH_2, and their result is SCRATCH;
 * 0 ends the program. */
typedef uint64_t jit_callout(struct bpf_machine *m, uint64_t address, uint32_t packed);
jit_callout jit_reach, jit_reach_group, jit_find_function;
/* Sets m->native_room from the packet's window. */
void jit_note_packet(struct bpf_machine *m);
/* What STUB_REACH packs. */
static inline uint32_t jit_pack(uint32_t at, unsigned size, unsigned access) { return at | size << 16 | access << 20; }
static inline uint32_t jit_pack_fault(uint32_t at, enum bpf_fault_kind fault) { return at << 8 | (uint32_t)fault; }
/* Unproven helper call: r1 to r5 are judged first; m->native_at says where it is. */
uint64_t jit_call_judged(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct bpf_machine *m);

/* Code that is seldom run and stands behind everything else. */
enum jit_stub_kind {
  STUB_REACH, /* asks bpf_machine_reach about `operand`, and goes on at `back` */
  STUB_GROUP, /* the same about the accesses of the next `slots` slots through the register `operand` */
  STUB_NULL,  /* r0 = 0, goes on at `back` */
  STUB_SPEND, /* spends `slots` of the budget, goes on at `back` */
  STUB_FAULT, /* ends the program: fault `kind_of_fault` at slot `at` */
};
struct jit_stub {
  uint32_t label, back, at;
  struct jit_rm operand;
  uint8_t kind, fault;
  uint8_t size, access;
  uint16_t slots;
};

/* An address that was not computed: accesses through the register in slots below `end` name `rm` instead. */
struct jit_fold {
  uint32_t end;
  struct jit_rm rm;
};

/* A lookup of which something was found out when its block began. */
struct jit_lookup {
  uint32_t call; /* its slot; 0: none */
  const struct bpf_map *map;
  int32_t offset; /* of the key from r10 */
  /* Where the key was put into the frame: the store's slot, 0: not known. It is a constant, or in a register that nothing that is
   * translated changes until the call. */
  uint32_t store;
  bool is_stored;  /* the store was translated by itself, so that the register has the key */
  bool is_low;     /* the upper half of that register was zero */
  int64_t highest; /* what that register held, at most */
};

struct jit {
  struct jit_program p;
  struct jit_know know;
  struct jit_code c;
  struct bpf_jit_options options;
  struct jit_state s; /* in front of the instruction that is being translated */
  unsigned low;       /* the same of upper halves */
  uint32_t function;  /* the one it is in */
  bool counts;        /* the budget is counted */
  bool keeps_frames;  /* something checks addresses or calls back: the machine must know the frame */
  bool uses_machine;  /* r12 is used */
  bool uses_stubs;    /* some code ends the program or calls out: native_stack must be set */
  struct jit_lookup lookup;
  uint32_t tail; /* slot of a tail call whose map was not loaded; 0: none */
  const struct bpf_map *tail_map;
  struct jit_fold fold[BPF_REGISTERS];
  uint32_t block_end;                /* of the block that is being translated */
  uint32_t group_end[BPF_REGISTERS]; /* accesses through the register in this block were tested up to this slot */
  uint32_t merged;                   /* block that was translated with the one in front of it */
  bool falls;                        /* control comes to the next slot from the one in front */
  uint32_t charged;                  /* instructions in front of this slot were charged */
  uint32_t uncharged;                /* the block that begins here is charged with what is in front of it; 0: none */
  bool copying;                      /* the block is translated once more, and nobody jumps there */
  struct jit_stub *stubs;
  uint32_t stub_count, stub_capacity;
  bool uses_reach, uses_group; /* stubs of these kinds */
  uint64_t rules;              /* bits of enum bpf_jit_rule: which were used for the slot */
  bool uses_interpreted;       /* tail calls go to interpreted_label */
  /* Common code. fault_label: m->fault says what, m->native_at where; fault_at_label: SCRATCH_2 does, as jit_pack_fault has it. */
  uint32_t exit_label, fault_label, fault_at_label, reach_label, group_label, function_label, enter_label;
  uint32_t interpreted_label;
  uint32_t start_label,
      go_on_label; /* entry by a tail call, with the budget in its register; the same for code that looks at memory */
  uint32_t function_exit; /* label of the function being translated, if not the first */
};

/* The machine register of a BPF register. */
static inline unsigned jit_native(unsigned reg) {
  static const uint8_t native[BPF_REGISTERS] = {RAX, RDI, RSI, RDX, RCX, R8, RBX, R13, R14, R15, RBP};
  return native[reg];
}
/* Whether some access is checked at run time. Once everything is translated. */
static inline bool jit_looks_at_memory(const struct jit *j) { return j->uses_reach || j->uses_group; }
static inline uint32_t jit_live(const struct jit *j, uint32_t at) { return j->p.live[at]; }
static inline bool jit_upper_live(const struct jit *j, uint32_t at, unsigned reg) {
  return (j->p.live[at] & LIVE_HIGH(reg)) != 0;
}
static inline bool jit_is_low(const struct jit *j, unsigned reg) { return (j->low >> reg & 1) != 0; }
static inline void jit_used(struct jit *j, enum bpf_jit_rule rule) { j->rules |= (uint64_t)1 << rule; }
static inline struct jit_rm jit_field(struct jit *j, struct jit_rm field) {
  j->uses_machine = true;
  return field;
}

/* Leaves out the computation of an address that goes into `reg`, if in the slots from `from` on the register is only the base of loads
 * and stores until nobody reads it, and `parts`, the registers that `rm` is made of but for `reg` itself, stay. False: nothing done. */
bool jit_fold(struct jit *j, uint32_t from, unsigned reg, struct jit_rm rm, unsigned parts)
    __attribute__((warn_unused_result));
/* Whether the three instructions from `at` on change a field in place, and can be one; then they are, if both accesses are safe. */
bool jit_is_in_place(const struct jit *j, uint32_t at);
/* The memory at base + offset, of the access at `at`. */
struct jit_rm jit_operand(const struct jit *j, uint32_t at, unsigned base, int32_t offset);

/* A new stub; NULL when memory is out, which jit->c.failed then says. */
struct jit_stub *jit_stub_new(struct jit *j, enum jit_stub_kind kind, uint32_t at);
/* Jumps there if the condition holds. */
void jit_fault_if(struct jit *j, unsigned condition, enum bpf_fault_kind fault, uint32_t at);

/* to = the machine */
void jit_load_machine(struct jit *j, unsigned to);
/* The machine is told at which slot native code calls out. */
void jit_note_slot(struct jit *j, uint32_t at);
/* Behind a call that may have found a fault, and noted the slot. */
void jit_stop_after_fault(struct jit *j);
/* r11 is lost in calls, and those who are called may spend from the budget. */
void jit_store_budget(struct jit *j);
void jit_load_budget(struct jit *j);
/* r1 to r5 are 0 behind a call, if anybody looks. */
void jit_clear_arguments(struct jit *j, uint32_t at);
/* Looks at the lookup at the end of a block, if there is one, and marks what need not be translated for it (SLOT_SKIPPED). */
void jit_plan_lookup(struct jit *j, const struct jit_block *block);
/* The call, if it looks up in an array and can do so in line: how many slots that took, with the null check; 0: it is something else. */
uint32_t jit_emit_array_lookup(struct jit *j, uint32_t at);
/* The call of another helper for which there is something better than a call. False: there is nothing. */
bool jit_emit_in_line(struct jit *j, uint32_t at) __attribute__((warn_unused_result));

/* Translates a block without calls again, to be entered from the code in front. The second outcome of its last jump, not to jump, falls
 * through. */
void jit_emit_copy(struct jit *j, uint32_t index);

/* Each translates the instruction at `at` and returns how many slots it took. */
uint32_t jit_emit_alu(struct jit *j, uint32_t at);
void jit_emit_division(struct jit *j, uint32_t at);
uint32_t jit_emit_jump(struct jit *j, uint32_t at);
uint32_t jit_emit_memory(struct jit *j, uint32_t at);
uint32_t jit_emit_call(struct jit *j, uint32_t at);
void jit_emit_tail_call(struct jit *j, uint32_t at);
/* Whether the load of a map at `at` into r2 is left out, because only a tail call that knows better asks for it. */
bool jit_is_tail_map(struct jit *j, uint32_t at);
/* What tail calls share. */
void jit_emit_interpreted(struct jit *j);
void jit_emit_immediate(struct jit *j, uint32_t at);
void jit_emit_exit(struct jit *j, uint32_t at);

/* The label for jumps to a slot: what stands there may be a jump or an exit only, which is then passed over. All jumps to slots of the
 * program go through this, because such a slot may have no code. */
uint32_t jit_goal(struct jit *j, uint32_t slot);
/* Whether the slot is such a jump or exit. */
bool jit_is_passage(const struct jit *j, uint32_t slot);
/* The conditional jump at `at`, whose condition the flags hold. */
void jit_branch(struct jit *j, uint32_t at, unsigned condition);
/* The condition of a jump after a comparison; BPF_JSET: after a test. */
unsigned jit_condition_of(unsigned op);
/* Sets the flags for the jump at `at`, and gives the condition under which it is taken. */
unsigned jit_emit_comparison(struct jit *j, uint32_t at);
/* Whether the access of the instruction at `at`, through this register as it is now, can do no harm. */
bool jit_is_safe(const struct jit *j, uint32_t at, unsigned base, unsigned access);
/* The operand of that access, after whatever check it needs. */
struct jit_rm jit_checked(struct jit *j, uint32_t at, unsigned base, unsigned access);
/* Several instructions at once, where there is something better for them: how many slots that took, or 0. */
uint32_t jit_emit_selected(struct jit *j, uint32_t at);

/* Charges the budget for the instructions of the block up to `at`, inclusive. */
void jit_charge(struct jit *j, uint32_t at);
/* Loads a constant of the program, blinded if wanted. */
void jit_load_constant(struct jit *j, unsigned reg, uint64_t value);

/* Label of a function's entry; that of its first slot is behind the entry. */
static inline uint32_t jit_entry_label(const struct jit *j, uint32_t function) { return j->p.count + function; }
/* Bytes that are kept free in front of the first function. */
enum { JIT_ENTRY_ROOM = 448 };
/* r6 to r9 as a set, as far as functions from `first` to `last` name them. */
unsigned jit_kept_registers(const struct jit *j, uint32_t first, uint32_t last);
void jit_emit_function_entry(struct jit *j);
void jit_emit_function_end(struct jit *j);
/* What stands in front of the first function and behind the last one; once everything else is there. */
void jit_emit_ends(struct jit *j);
/* Gives the host back its registers and stack, in the first function; rax, rsi and rdi stay. j->uses_stubs must be final. */
void jit_emit_leave(struct jit *j);
/* Stubs, and what they share. */
void jit_emit_stubs(struct jit *j);

#endif
