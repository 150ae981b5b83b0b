/* SPDX-License-Identifier: BSD-3-Clause
 *
 * State of one running program, and the one question that every memory access of it asks: may it touch these bytes?
 * Private to bpf/. Registers hold real addresses, so a pointer is a number here, and nothing is taken on trust: a
 * pointer that the program made up is checked like any other.
 */
#ifndef IMAGO_BPF_MACHINE_H
#define IMAGO_BPF_MACHINE_H

#include <stdbool.h>

#include "bpf/program.h"

enum { BPF_SAVED_REGISTERS = 4, BPF_FIRST_SAVED_REGISTER = 6 };

/* What an access wants. BPF_ACCESS_CONTEXT: the context may serve too; only plain loads ask so, as in Linux. */
enum { BPF_ACCESS_READ = 1, BPF_ACCESS_WRITE = 2, BPF_ACCESS_CONTEXT = 4 };

struct bpf_frame {
  uint32_t return_to;
  uint64_t saved[BPF_SAVED_REGISTERS];
};

struct bpf_machine {
  uint64_t reg[BPF_REGISTERS];
  uint64_t data, data_length; /* packet window */
  /* Live part of the stack. Frames grow downwards, so that a program that runs below its own frame leaves the live part. */
  uint64_t stack, stack_length;
  /* Map value that was reached last, to spare the search: programs touch the same value several times in a row. */
  uint64_t value, value_length;
  unsigned value_rights;
  unsigned depth; /* callers of the running function, each with its frame in frame[] */
  const struct bpf_program *program;
  const struct bpf_environment *environment;
  bool has_context;
  struct xdp_md context;
  struct bpf_frame frame[BPF_MAX_FRAMES - 1];
  uint8_t stack_memory[BPF_MAX_FRAMES * BPF_STACK_SIZE] __attribute__((aligned(16)));
};

/* The slow half of bpf_machine_reach: context and maps. */
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
/* In a register a map is the address of its entry in program->maps, so that a made-up one is recognised by arithmetic. */
uint64_t bpf_machine_map_handle(const struct bpf_machine *m, uint32_t index);
/* The map of a handle; NULL when the number is none. */
struct bpf_map *bpf_machine_map(const struct bpf_machine *m, uint64_t handle);

/* Calls the helper with arguments in r1 to r5 and its result in r0; r1 to r5 become 0. False: there is no such helper or
 * an argument is not what it must be. (helper.c) */
bool bpf_machine_helper(struct bpf_machine *m, uint32_t id);
/* bpf_trace_printk: format (size bytes, readable), three arguments. Length of what was printed, or -BPF_EINVAL. (trace.c) */
int64_t bpf_machine_trace(struct bpf_machine *m, const char *format, uint64_t size, const uint64_t arguments[3]);

#endif
