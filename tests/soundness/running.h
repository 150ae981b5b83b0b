/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A program that runs step by step: the machine of the fully checked interpreter, and what the machine itself doesn't keep: by what calls
 * it got where it is, what helpers hand on to the functions that they call, how much it executed, and what of registers and stack it has
 * set. All slots count the instructions of all programs, as those of the checker do.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_RUNNING_H
#define IMAGO_TESTS_SOUNDNESS_RUNNING_H

#include "bpf/machine.h"
#include "proof/state.h"

enum { RUNNING_STACK = BPF_MAX_FRAMES * BPF_STACK_SIZE };

/* A program, from its first frame on, or a function that a timer calls or that was checked alone. A tail call from a function, and such a
 * function, stand on what waits for them. */
struct activation {
  uint32_t root, program; /* numbers in the verdict and in the input */
  unsigned base;          /* depth of its first frame */
  uint64_t insns, calls;  /* that it executed; helpers that it called */
  unsigned held;          /* records that its callers hold */
};

/* What the program itself wrote, or was given: nothing else may matter to it. */
struct set {
  uint16_t registers;             /* a bit for each */
  uint16_t saved[BPF_MAX_FRAMES]; /* of the functions that wait */
  bool framed[BPF_MAX_FRAMES];    /* BPF_FACT_FRAME was stated of the frame's function */
  bool stack[RUNNING_STACK];      /* bytes, as in the machine's stack_memory */
};

struct running {
  struct bpf_machine m;         /* first, so that helpers, which get the machine, give back the whole */
  const struct bpf_insn *insns; /* of all programs */
  struct activation active[BPF_MAX_FRAMES];
  unsigned active_count;
  uint32_t site[BPF_MAX_FRAMES];      /* by depth: the slot of the call that waits there */
  uint64_t handed[BPF_MAX_FRAMES][3]; /* by depth of who called the helper: argument; index or map; function */
  struct set set;
};

static inline struct activation *running_now(struct running *r) { return &r->active[r->active_count - 1]; }
/* The address behind a frame. */
static inline uint64_t running_frame_end(const struct bpf_machine *m, unsigned depth) {
  return (uint64_t)(uintptr_t)m->stack_memory + RUNNING_STACK - (uint64_t)depth * BPF_STACK_SIZE;
}

/* A packet comes to program 0. */
void running_begin(struct running *r, const struct bpf_program *program, const struct bpf_environment *environment,
                   const struct bpf_input *input);
/* The timer in that slot of a map expires, and its function is called: root `root` of the verdict, of program number `number`. As
 * bpf_run_callback. `key` has room for the map's key and stays. False: there is no such entry. */
bool running_begin_timer(struct running *r, const struct bpf_program *program,
                         const struct bpf_environment *environment, uint32_t root, uint32_t number, uint32_t map,
                         uint32_t slot, uint8_t *key);
/* How many records are held. */
unsigned running_records(const struct bpf_machine *m);
/* Whether it holds a record or a lock: nothing may be held in the end. */
bool running_holds(const struct running *r);
/* Gives back what it holds, when it is left in the middle. */
void running_end(struct running *r);

#endif
