/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the checker is asked about, and what it says when it refuses.
 */
#ifndef IMAGO_PROOF_INPUT_H
#define IMAGO_PROOF_INPUT_H

#include "bpf/context.h"
#include "bpf/map.h"
#include "proof/state.h"

struct proof_map {
  const struct bpf_map_def *def;
  /* def->value_size bytes: what the only value of this array holds, and nobody changes while the program runs (.rodata). NULL: not
   * known. Used only if programs may not write to the map (BPF_F_RDONLY_PROG). */
  const uint8_t *constant;
};

/* A variable in a constant map's value that is set when the program is loaded: any value in this range. */
struct proof_tunable {
  uint32_t map, offset;
  uint32_t size; /* 1, 2, 4 or 8 bytes */
  bool is_signed;
  uint64_t low, high; /* as 64-bit numbers, extended with the sign if it is signed; low <= high in that sense */
};

struct proof_program {
  uint32_t start, count; /* slots of the instructions; the first is the entry */
};

/* A program that a map of programs may hold, at any index. */
struct proof_target {
  uint32_t map, program;
};

struct proof_input {
  const struct bpf_insn *insns; /* of all programs, one behind the other */
  uint32_t insn_count;
  const struct proof_program *programs;
  uint32_t program_count;
  enum bpf_program_kind kind; /* of all programs */
  const struct proof_map *maps;
  uint32_t map_count;
  const struct proof_tunable *tunables; /* ascending by map and offset, not overlapping */
  uint32_t tunable_count;
  const struct proof_target *targets;
  uint32_t target_count;
  uint32_t max_insns; /* executed for one packet at most: BPF_MAX_EXECUTED or less */
};

enum proof_failure_kind {
  PROOF_OK,
  /* The proof, or the program itself */
  PROOF_BAD_PROOF,   /* malformed, over a limit, or entries that nothing leads to */
  PROOF_BAD_PROGRAM, /* bpf_check refuses it */
  PROOF_NO_WORK,     /* the work stated is used up */
  PROOF_NO_STATES,   /* or the states */
  PROOF_NO_SLOTS,    /* or the slots of one */
  /* One instruction. location: register; known: what it holds */
  PROOF_READS_UNREADABLE, /* a register */
  PROOF_NOT_POINTER,      /* memory access through a number, or 0 is not excluded (known.or_null) */
  PROOF_OUTSIDE,         /* access to offset..offset + size of the object is not proven to be inside; size: its bytes */
  PROOF_READS_UNWRITTEN, /* bytes of stack */
  PROOF_NOT_WRITABLE,    /* a store to what may only be read, or read of what may only be written */
  PROOF_MISALIGNED,      /* atomics, pointers on the stack */
  PROOF_LEAKS,           /* a pointer would go to a map or packet, or to be a result */
  PROOF_POINTER_MATH,    /* arithmetic that this pointer doesn't take */
  PROOF_OFFSET_RANGE,    /* over PROOF_MAX_OFFSET */
  PROOF_CONTEXT_FIELD,   /* the context has no field there that may be accessed so */
  PROOF_HIDDEN_FIELD,    /* lock or timer of a map value */
  PROOF_BAD_ARGUMENT,    /* register `location` is not what the helper's prototype asks for */
  PROOF_NO_HELPER,       /* not for this kind of program, or in a function that is checked alone */
  PROOF_WHILE_LOCKED,    /* the helper may not be called, or function entered or left, while a lock is held */
  PROOF_NOT_LOCKED,      /* another lock is held, or none */
  PROOF_HOLDS,           /* ends while it holds a record or lock */
  PROOF_TOO_DEEP,        /* over BPF_MAX_FRAMES calls */
  PROOF_NOT_FUNCTION,    /* callx */
  PROOF_RESULT,          /* r0 at exit is no number */
  /* Control */
  PROOF_NO_POINT,   /* backward jump, or callback, to what is no entry of the plan: at the state's pc */
  PROOF_NOT_WITHIN, /* arrival is within no recorded state: location of the first difference to the last one; entry */
  PROOF_NO_JOIN,    /* two paths meet that hold different things: a split is needed */
  PROOF_NO_MEASURE, /* on this way back the measure did not move; known: the value */
  PROOF_BODY,       /* one trip takes more than stated; size: instructions, last: calls */
  PROOF_COST, /* arrives at more than the entry's cost: by size instructions, last calls (or less, as signed numbers) */
  PROOF_BAD_MEASURE, /* not bounded in a recorded state, or no measure there */
  PROOF_TOO_LONG,    /* over max_insns; size: instructions */
  PROOF_TOO_NESTED,  /* over PROOF_MAX_ACTIVE loops */
};

struct proof_failure {
  enum proof_failure_kind kind;
  uint32_t pc;       /* slot */
  uint32_t entry;    /* of the plan, where one is concerned; otherwise UINT32_MAX */
  uint16_t location; /* see above; PROOF_LOCATIONS: none */
  uint8_t mismatch;  /* enum proof_mismatch, with PROOF_NOT_WITHIN and PROOF_NO_JOIN */
  uint32_t helper;   /* id, with PROOF_BAD_ARGUMENT, PROOF_NO_HELPER, PROOF_WHILE_LOCKED */
  int64_t offset;    /* PROOF_OUTSIDE and the like: the smallest that is possible, */
  int64_t last;      /* and the largest */
  uint64_t size;     /* bytes that were to be accessed; or as said above */
  struct proof_value known;
  const struct proof_state *state; /* the arrival, or before the instruction; valid in the hook only */
};

#endif
