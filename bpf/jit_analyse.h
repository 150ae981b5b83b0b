/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the JIT learns about a program before it writes code: functions, basic blocks, loop heads, which registers (and which halves of
 * them) are still read behind each instruction. Private to the JIT.
 */
#ifndef IMAGO_BPF_JIT_ANALYSE_H
#define IMAGO_BPF_JIT_ANALYSE_H

#include <stdbool.h>

#include "bpf/facts.h"
#include "bpf/jit_opcode.h"
#include "bpf/program.h"
#include "bpf/proto.h"

/* Flags of an instruction slot. */
enum {
  SLOT_LEADER = 1,   /* begins a basic block */
  SLOT_FUNCTION = 2, /* begins a function */
  SLOT_LOOP = 4,     /* target of a jump backwards */
  SLOT_CALLBACK = 8, /* its address is taken: helpers may call it */
  SLOT_TARGET = 32,  /* target of a jump */
  SLOT_SECOND = 16,  /* second half of a 64-bit immediate */
  SLOT_SKIPPED = 64, /* prepares an argument that nobody needs in its register */
};

/* Sets of registers in live information: bit r is register r, bit r + 16 its upper half. A register that is not live has no live
 * upper half. */
#define LIVE_LOW(r) (1u << (r))
#define LIVE_HIGH(r) (0x10000u << (r))
#define LIVE_BOTH(r) (0x10001u << (r))

enum { NO_BLOCK = UINT32_MAX };

struct jit_block {
  uint32_t first, end;  /* slots; end is exclusive */
  uint32_t last;        /* where its last instruction begins */
  uint32_t next, taken; /* blocks that may follow, by falling through and by jumping; or NO_BLOCK */
  uint32_t function;    /* index in functions */
  uint32_t live_in;
  uint32_t loop; /* of which it is the head: index + 1; 0: none that jit_loop knows */
  /* Steps of the search for live registers: when live_in changed last, and when the block was looked at last. */
  uint32_t changed, seen;
};

struct jit_function {
  uint32_t first, end;
  uint16_t mentions; /* registers that its instructions name, as a set */
  bool calls;        /* helpers or functions */
  /* Lowest byte of the frame that it can reach, from r10: 0 for none, -512 for all. Set by jit_know. */
  int32_t frame_low;
};

struct jit_program {
  const struct bpf_program *program;
  const struct bpf_fact *facts; /* NULL: none */
  const struct bpf_insn *insns;
  uint32_t count;
  uint32_t *live;     /* per slot: registers live behind it */
  uint32_t *block_of; /* per slot; in the memory of live, and so is the next */
  /* Per slot: in front of it, the set of registers whose upper half is zero, in native code too, whether or not anybody reads it.
   * Set by jit_know. */
  uint16_t *low;
  uint8_t *flags; /* per slot */
  struct jit_block *blocks;
  uint32_t block_count;
  struct jit_function *functions; /* by place; the first is where the program begins; in the memory of blocks */
  uint32_t function_count;
  bool goes_back; /* some jump goes backwards */
  bool tail_calls;
  bool recursive;    /* slot 0 is called as a function */
  bool loops;        /* some jump goes backwards that no fact bounds */
  bool calls_local;  /* functions of the program are called, by it or by helpers */
  bool callbacks;    /* the address of some function is taken */
  bool calls_values; /* there is a callx */
  bool moves_packet; /* a helper is called that may move or resize the packet */
  bool finds_values; /* something may ask bpf_machine_reach, which remembers the map value that it found */
  bool proven;       /* facts cover every access, every helper call, the maps of lookups, and every frame */
};

static inline unsigned jit_fact(const struct jit_program *p, uint32_t at) {
  return p->facts == NULL ? 0 : p->facts[at].known;
}
/* Facts that say how a jump ends. */
enum { JIT_DECIDED = BPF_FACT_NEVER | BPF_FACT_ALWAYS };
static inline bool jit_is_call(struct bpf_insn insn, unsigned kind) {
  return insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == kind;
}
static inline bool jit_is_exit(struct bpf_insn insn) { return insn.code == (BPF_JMP | BPF_EXIT); }
/* Call of the function that a register holds. */
static inline bool jit_is_callx(struct bpf_insn insn) { return insn.code == (BPF_JMP | BPF_CALL | BPF_X); }
/* How many arguments a helper takes. */
static inline unsigned jit_arguments(const struct bpf_proto *proto) {
  unsigned count = 0;
  while (count < 5 && proto->args[count] != BPF_ARG_NONE)
    count++;
  return count;
}
/* Jumps and conditional jumps, not calls and exits. */
static inline bool jit_is_jump(struct bpf_insn insn) {
  unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
  return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}
static inline bool jit_is_wide_immediate(struct bpf_insn insn) { return insn.code == (BPF_LD | BPF_IMM | BPF_DW); }
/* Bytes that a load, store or atomic touches. */
static inline uint32_t jit_access_size(struct bpf_insn insn) {
  static const uint8_t sizes[] = {[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8};
  return sizes[BPF_SIZE(insn.code) >> 3];
}
/* Where a jump goes. */
static inline uint32_t jit_target(struct bpf_insn insn, uint32_t at) {
  int32_t distance = insn.code == (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off;
  return at + 1 + (uint32_t)distance;
}
/* The slot behind the instruction at `at`. */
static inline uint32_t jit_behind(const struct jit_program *p, uint32_t at) {
  return at + (jit_is_wide_immediate(p->insns[at]) ? 2 : 1);
}

/* Whether control may go elsewhere behind it, or registers change that it doesn't name. */
static inline bool jit_ends_line(struct bpf_insn insn) {
  unsigned class = BPF_CLASS(insn.code);
  return class == BPF_JMP || class == BPF_JMP32;
}

/* The slot in front of `at`, in the same block and with no call in between, that gave the register the value it has at `at`, which nothing
 * read since; JIT_NO_SLOT (which the first slot counts as, too): there is none. */
enum { JIT_NO_SLOT = 0 };
uint32_t jit_definition(const struct jit_program *p, uint32_t at, unsigned reg);

/* Takes a program that bpf_check accepts. Errors: -ERROR_NO_MEMORY, or -ERROR_UNSUPPORTED where control passes between functions
 * otherwise than by call and exit, or calls the program from its beginning. jit_analyse_free in any case. */
int jit_analyse(struct jit_program *p, const struct bpf_program *program, const struct bpf_fact *facts,
                struct report *report);
void jit_analyse_free(struct jit_program *p);

#endif
