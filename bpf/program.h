/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A linked eBPF program and its execution. The interpreter checks every memory access, helper argument and jump at run time
 * and counts a budget down, so that no program, whatever its instructions, harms anything outside its packet, stack and maps.
 */
#ifndef IMAGO_BPF_PROGRAM_H
#define IMAGO_BPF_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/isa.h"
#include "bpf/map.h"
#include "lib/report.h"

/* What helpers need of the system; filled by the host of the engine (elements/bpfilter.c, tests). */
struct bpf_environment {
  uint64_t (*ktime_ns)(void *context);
  uint32_t (*random_u32)(void *context);
  void (*trace)(void *context, const char *text, size_t length); /* bpf_trace_printk; without '\n' added */
  void *context;
};

struct bpf_program {
  struct bpf_insn *insns; /* owned */
  uint32_t insn_count;
  struct bpf_map **maps; /* owned references */
  uint32_t map_count;
};

/* One invocation's input. data..data_end is the packet window; writes go there too. */
struct bpf_input {
  uint64_t data, data_end; /* real addresses below 4 GiB */
  uint32_t ingress_ifindex, rx_queue_index;
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
};

struct bpf_result {
  uint64_t r0;
  enum bpf_fault_kind fault;
  uint32_t fault_insn;    /* slot index of the faulting instruction */
  uint64_t fault_address; /* for BPF_FAULT_MEMORY and BPF_FAULT_ALIGNMENT */
  uint32_t executed;      /* instructions */
};

/* "jump out of the program or into a 64-bit immediate" and so on. */
const char *bpf_fault_text(enum bpf_fault_kind kind);

/* Structural check that must pass before bpf_run: count within limits, every opcode known, register numbers in range,
 * reserved fields zero, jumps and local calls inside the program and never into the second slot of a 64-bit immediate, map
 * indices below map_count, helpers known. Linear, allocates nothing. Errors name the instruction.
 * What it cannot see, bpf_run checks. */
int bpf_check(const struct bpf_insn *insns, uint32_t count, uint32_t map_count, struct report *report)
    __attribute__((warn_unused_result));

/* Runs the program from instruction 0 with r1 = address of a struct xdp_md. Never fails otherwise than through
 * result->fault, whatever the instructions, even those that bpf_check refuses. Needs about 6 KiB of stack; allocates
 * nothing. Reentrant. */
void bpf_run(const struct bpf_program *program, const struct bpf_environment *environment,
             const struct bpf_input *input, struct bpf_result *result);

/* As bpf_run for arbitrary memory instead of a packet: r1 = address, r2 = length, as the public conformance suite has it.
 * For tests and fuzzers. */
void bpf_run_memory(const struct bpf_program *program, const struct bpf_environment *environment, void *memory,
                    uint32_t length, struct bpf_result *result);

/* Frees instructions and map references, not the struct. */
void bpf_program_destroy(struct bpf_program *program);

#endif
