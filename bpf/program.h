/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A linked eBPF program and its execution. Every memory access, helper argument and jump is checked at run time unless a
 * proof spares native code the check, and a budget counts down, so that no program, whatever its instructions, harms
 * anything outside its packet, stack and maps.
 */
#ifndef IMAGO_BPF_PROGRAM_H
#define IMAGO_BPF_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/context.h"
#include "bpf/environment.h"
#include "bpf/isa.h"
#include "bpf/map.h"
#include "lib/report.h"

/* Native code of a program, made by bpf_jit. */
struct bpf_code {
  /* Runs the program in the frame that is current, r1 to r5 from m->reg, and gives r0. A fault is left in the machine. */
  uint64_t (*run)(struct bpf_machine *m);
  /* As run, for a tail call from native code, in whose way the machine and r11 are. */
  uint64_t (*go_on)(struct bpf_machine *m);
  /* What m->call is while this program runs (bpf/machine.h); for callbacks that come from outside, as timers. NULL: the
   * interpreter's. */
  uint64_t (*call)(struct bpf_machine *m, uint64_t function, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4);
  void (*release)(struct bpf_code *code);
};

struct bpf_program {
  struct bpf_insn *insns; /* owned */
  uint32_t insn_count;
  struct bpf_map **maps; /* owned references */
  uint32_t map_count;
  enum bpf_program_kind kind;
  /* Slots that BPF_PSEUDO_FUNC names, ascending, owned: the functions that callx and helpers may call.
   * bpf_program_prepare finds them. */
  uint32_t *functions;
  uint32_t function_count;
  struct bpf_code *code; /* owned; NULL: interpreted. May be published while the program runs */
  void *owner;           /* the host's: what the program is part of */
  bool well_formed;      /* bpf_program_prepare found that bpf_check passes; insns stay as they are from then on */
};

/* One invocation's input. data..data_end is the packet window; writes go there too. All addresses are real, below 4 GiB. */
struct bpf_input {
  uint64_t data, data_end;
  uint32_t ingress_ifindex, rx_queue_index;
  uint64_t data_meta;                /* where metadata in front of data begins; 0: there is none */
  uint64_t buffer_start, buffer_end; /* how far helpers may move data_meta and data_end; 0: not beyond the window */
  uint32_t processor;                /* number of this worker, below the processors of every per-CPU map */
  const struct bpf_skb *skb;         /* what a BPF_PROGRAM_TC program finds in the fields below; NULL: zeros */
};

enum bpf_fault_kind {
  BPF_FAULT_NONE,
  BPF_FAULT_MEMORY,      /* access outside packet, stack, context and map values, or a store to what may only be read */
  BPF_FAULT_ALIGNMENT,   /* atomic access to an address that is not a multiple of its size */
  BPF_FAULT_INSTRUCTION, /* not an instruction of RFC 9669, or one of an unsupported group */
  BPF_FAULT_JUMP,        /* control leaves the program, or enters the middle of a 64-bit immediate */
  BPF_FAULT_BUDGET,      /* over BPF_MAX_EXECUTED */
  BPF_FAULT_FRAMES,      /* calls nested over BPF_MAX_FRAMES */
  BPF_FAULT_HELPER,      /* no such helper, or its argument is not what it must be */
  BPF_FAULT_FUNCTION,    /* callx to what is no function of the program */
};

/* Where a redirecting helper sent the packet. It counts only if the verdict says so (XDP_REDIRECT, TC_ACT_REDIRECT). */
enum bpf_redirect_kind {
  BPF_REDIRECT_NONE,
  BPF_REDIRECT_PORT,      /* target: interface number; in Click the output */
  BPF_REDIRECT_ALL,       /* every entry of the device map; exclude_ingress: but the one it came in by */
  BPF_REDIRECT_PROCESSOR, /* target: processor number (cpumap) */
};
struct bpf_redirect {
  enum bpf_redirect_kind kind;
  uint32_t target;
  const struct bpf_map *map; /* NULL: bpf_redirect named the port */
  bool exclude_ingress;
  bool ingress; /* BPF_F_INGRESS of a tc program */
};

struct bpf_result {
  uint64_t r0;
  enum bpf_fault_kind fault;
  uint32_t fault_insn;    /* slot index of the faulting instruction */
  uint64_t fault_address; /* for BPF_FAULT_MEMORY and BPF_FAULT_ALIGNMENT */
  uint32_t executed;      /* instructions; native code counts at the ends of loops and at calls only */
  /* The program that fault_insn belongs to: another one after a tail call. NULL without a fault. */
  const struct bpf_program *fault_program;
  uint64_t data_meta, data, data_end; /* the window as the program left it */
  struct bpf_redirect redirect;
  struct bpf_skb skb; /* BPF_PROGRAM_TC with a context only, else not written: the context as the program left it */
};

/* "jump out of the program or into a 64-bit immediate" and so on. */
const char *bpf_fault_text(enum bpf_fault_kind kind);

/* Structural check that must pass before bpf_run: count within limits, every opcode known, register numbers in range,
 * reserved fields zero, jumps and local calls inside the program and never into the second slot of a 64-bit immediate, map
 * indices below map_count, helpers known. Linear, allocates nothing. Errors name the instruction.
 * What it cannot see, bpf_program_prepare and bpf_run check. */
int bpf_check(const struct bpf_insn *insns, uint32_t count, uint32_t map_count, struct report *report)
    __attribute__((warn_unused_result));

/* bpf_check, and what wants the maps and the kind: helpers are those of the kind, addresses of map values are inside the value.
 * Then finds program->functions, and notes that the program is well formed, so that the interpreter need not look again. Once insns,
 * maps and kind are there; again after a change of insns. 0 or a negative code, named in report. */
int bpf_program_prepare(struct bpf_program *program, struct report *report) __attribute__((warn_unused_result));

/* Whether `value` is the value that BPF_PSEUDO_FUNC gives for one of program->functions, and its slot. */
bool bpf_program_function(const struct bpf_program *program, uint64_t value, uint32_t *slot);

/* Runs the program from instruction 0 with r1 = address of its context: native code if it has some, else the interpreter.
 * Never fails otherwise than through result->fault, whatever the instructions, even those that bpf_check refuses. Needs
 * about 16 KiB of stack; allocates nothing. Reentrant. */
void bpf_run(const struct bpf_program *program, const struct bpf_environment *environment,
             const struct bpf_input *input, struct bpf_result *result);

/* As bpf_run for arbitrary memory instead of a packet: r1 = address, r2 = length, as the public conformance suite has it.
 * For tests and fuzzers. */
void bpf_run_memory(const struct bpf_program *program, const struct bpf_environment *environment, void *memory,
                    uint32_t length, struct bpf_result *result);

/* Calls one function of the program, outside of any packet, as timers do: r1 = handle of the map, r2 = address of a copy of the
 * key, r3 = address of the value in that slot of the map. */
void bpf_run_callback(const struct bpf_program *program, const struct bpf_environment *environment, uint32_t processor,
                      uint64_t function, struct bpf_map *map, uint32_t slot, const void *key,
                      struct bpf_result *result);

/* Frees instructions, code and map references, not the struct. */
void bpf_program_destroy(struct bpf_program *program);

#endif
