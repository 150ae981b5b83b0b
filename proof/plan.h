/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The plan that the checker walks a program by: at which points states are recorded, and how. Encoded it is the proof
 * (docs/proof.md). Points are named by the call sites that lead to them and the slot itself.
 */
#ifndef IMAGO_PROOF_PLAN_H
#define IMAGO_PROOF_PLAN_H

#include "proof/state.h"

enum proof_entry_kind {
  /* States stay apart. An arrival that is within one that was not run yet, or was run at the arrival's cost or more, ends there;
   * otherwise it becomes one more. At the head of a loop this unrolls it: it ends because costs grow from trip to trip. */
  PROOF_SPLIT,
  /* Recorded states, made from the first arrival by changes. Each arrival must be within one of them. At a forward join, or
   * where functions are entered. */
  PROOF_MERGE,
  /* The same at the head of a loop that has a measure. */
  PROOF_LOOP,
  /* The same at the first slot of a function that bpf_loop or bpf_for_each_map_elem calls: they count. */
  PROOF_CALLBACK,
};

/* One location of a recorded state that is not as in the first arrival. Of a slot `written` and, with size not 0, the value at these
 * bytes are all that is known; of a register the value. Unreadable (slots: nothing written): it is forgotten. */
struct proof_change {
  uint16_t location;
  uint8_t written, at, size; /* as in struct proof_slot; 0 for a register */
  bool
      linked; /* the value has the id of what is then known at location `link`, which is below `location` or unchanged */
  uint16_t link;
  struct proof_value value; /* id and lost are not used: without link the id is a new one */
};

struct proof_record {
  uint32_t first_change, change_count; /* in struct proof_plan's changes, ascending by location */
};

struct proof_entry {
  uint8_t kind;
  uint8_t depth;
  uint32_t key[BPF_MAX_FRAMES]; /* call sites, then the slot: depth + 1 of them */
  /* A recorded state's cost is by so much more than that of its first arrival (with LOOP and CALLBACK besides what all
   * trips take), so that later arrivals with a higher cost may end there. */
  struct proof_cost slack;
  uint32_t first_record, record_count; /* MERGE, LOOP, CALLBACK: in the plan's records */
  uint32_t first_forget, forget_count; /* SPLIT: in the plan's changes: unreadable values, forgotten in each arrival */
  uint32_t before,
      end; /* LOOP: it is active from so many slots before its head up to and including slot `end` of the same function */
  struct proof_cost body; /* LOOP, CALLBACK: one trip takes at most */
  uint16_t measure;       /* LOOP: location of a scalar or packet pointer */
  int32_t step;           /* by which it moves at least each trip, down if it is negative; not 0 */
};

/* What a function that is checked alone is handed in one register, at most. Each call is judged by it, and the function walked from it. */
struct proof_argument {
  uint8_t kind; /* PROOF_UNREADABLE: nothing is asked; PROOF_SCALAR: any number; PROOF_CONTEXT; PROOF_LENT: memory */
  bool or_null;
  uint32_t size; /* of the memory, below 2^27; all of it may be read and written */
};
enum { PROOF_ARGUMENTS = 5 };

/* A walk begins at the first slot of a program, of a function that timers of a map call, or of one that is checked alone, whose callers
 * then don't go into it. Of those each must stand behind the ones that it calls; otherwise it walks into them, too. */
struct proof_root {
  uint32_t pc;
  uint32_t map;                                    /* PROOF_NO_MAP: a program; PROOF_ALONE */
  uint32_t first_entry, entry_count;               /* ascending by key */
  struct proof_argument argument[PROOF_ARGUMENTS]; /* PROOF_ALONE: r1 to r5 */
};
#define PROOF_NO_MAP UINT32_MAX
#define PROOF_ALONE ((uint32_t)BPF_MAX_MAPS)

/* Stated by the proof before anything is done. */
struct proof_limits {
  uint32_t work;   /* instructions that the walk steps over */
  uint32_t states; /* that exist at one time */
  uint32_t slots;  /* of stack, in each */
};

enum {
  PROOF_MAX_WORK = 1 << 22,
  PROOF_MAX_STATES = 1 << 14,
  PROOF_MAX_SLOTS = BPF_MAX_FRAMES * PROOF_FRAME_SLOTS,
  PROOF_MAX_ENTRIES = 1 << 14,
  PROOF_MAX_ROOTS = 64,
  PROOF_MAX_ARENA = 32 << 20,
};

struct proof_plan {
  struct proof_limits limits;
  struct proof_root *roots; /* those that have entries, and all functions that are checked alone */
  uint32_t root_count;
  struct proof_entry *entries;
  uint32_t entry_count;
  struct proof_record *records;
  uint32_t record_count;
  struct proof_change *changes;
  uint32_t change_count;
};

/* Bytes that proof_plan_decode needs for the plan of this proof; 0: it is no proof, or one over the limits above. */
size_t proof_plan_memory(const uint8_t *proof, size_t length);
/* Reads a proof into `memory` (proof_plan_memory bytes, aligned to 8), which the plan points into. False: malformed. What is well formed
 * is within the limits, and its lists are ascending and inside their arrays; what it claims is unchecked. Any bytes may be given. */
bool proof_plan_decode(const uint8_t *proof, size_t length, void *memory, struct proof_plan *plan);
/* Writes the proof: bytes it has, which may be more than `size`; then what was written is useless. */
size_t proof_plan_encode(const struct proof_plan *plan, uint8_t *proof, size_t size);

/* What makes `wanted` of `base`, the first arrival: changes ascending by location. Gives their number, which may be more than
 * `capacity`; then what was written is useless. Both are at the same point. */
uint32_t proof_plan_difference(const struct proof_state *base, const struct proof_state *wanted,
                               struct proof_change *changes, uint32_t capacity);

#endif
