/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing eBPF in tests, and running it with every run guarded: one call builds a program on the caller's array, runs it and
 * gives the result.
 */
#ifndef IMAGO_TESTS_BPF_ASM_H
#define IMAGO_TESTS_BPF_ASM_H

#include "bpf/program.h"
#include "bpf/proto.h"
#include "lib/memory.h"

#define INSN(code, dst, src, off, imm) \
  { (uint8_t)(code), (uint8_t)((dst) | (src) << 4), (int16_t)(off), (int32_t)(imm) }
#define MOV_IMM(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOV(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADD_IMM(dst, imm) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define ADD(dst, src) INSN(BPF_ALU64 | BPF_ADD | BPF_X, dst, src, 0, 0)
#define LOAD(size, dst, src, off) INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STORE(size, dst, src, off) INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define STORE_IMM(size, dst, off, imm) INSN(BPF_ST | BPF_MEM | (size), dst, 0, off, imm)
#define ATOMIC(size, dst, src, off, op) INSN(BPF_STX | BPF_ATOMIC | (size), dst, src, off, op)
#define JUMP(off) INSN(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define JUMP_IMM(op, dst, imm, off) INSN(BPF_JMP | (op) | BPF_K, dst, 0, off, imm)
#define CALL_HELPER(id) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_HELPER, 0, id)
#define CALL(distance) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, distance)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Two slots. */
#define LOAD_KIND(dst, kind, low, high) INSN(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, low), INSN(0, 0, 0, 0, high)
#define LOAD_64(dst, v) LOAD_KIND(dst, BPF_PSEUDO_IMM, (uint32_t)(v), (uint64_t)(v) >> 32)
#define LOAD_MAP(dst, index) LOAD_KIND(dst, BPF_PSEUDO_MAP, index, 0)

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static inline uint64_t fixed_ktime(void *context) { return 123456789012345; }
static inline uint32_t fixed_random(void *context) { return 0xdeadbeef; }
static inline void no_trace(void *context, const char *text, size_t length) {}

static const struct bpf_environment test_environment = {fixed_ktime, fixed_random, no_trace, NULL};

/* Runs insns with r1 = memory, r2 = length and these maps; prepared if they are in order, as they stand otherwise. */
static inline struct bpf_result run_with(const struct bpf_insn *insns, uint32_t count, void *memory, uint32_t length,
                                         struct bpf_map **maps, uint32_t map_count) {
  struct bpf_program program = {(struct bpf_insn *)insns, count, maps, map_count};
  struct bpf_result result;
  int unprepared = bpf_program_prepare(&program, NULL);
  (void)unprepared;
  bpf_run_memory(&program, &test_environment, memory, length, &result);
  memory_free(program.functions);
  return result;
}

#define RUN(insns) run_with(insns, COUNT(insns), NULL, 0, NULL, 0)

#endif
