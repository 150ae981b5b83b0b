/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Classic unsafe programs, one for each class of mistake that verifiers are known to have let through or programs are known to contain,
 * with the reason for which each must be refused; and beside most a twin that differs in what makes it safe and must be accepted, so that
 * refusing everything is no way out.
 */
#ifndef IMAGO_TESTS_PROOF_UNSAFE_H
#define IMAGO_TESTS_PROOF_UNSAFE_H

#include "proof/input.h"
#include "tests/unit/bpf/asm.h"

struct unsafe_code {
  const struct bpf_insn *insns;
  uint32_t count;
};

struct unsafe {
  const char *what; /* with the CVE of Linux where this class of mistake had one */
  struct unsafe_code code;
  enum proof_failure_kind kind;
  uint32_t at;             /* slot of the instruction that is at fault */
  struct unsafe_code safe; /* count 0: none */
  /* Linux answers otherwise than we, and why: of the unsafe program, of the safe one. */
  const char *linux_accepts, *linux_refuses;
};

struct unsafe_table {
  const char *name;
  const struct unsafe *rows;
  uint32_t count;
};

extern const struct unsafe_table unsafe_packet, unsafe_context, unsafe_number, unsafe_pointer, unsafe_stack,
    unsafe_record, unsafe_lock, unsafe_argument, unsafe_control;

/* The maps that all rows have, by index: what LOAD_MAP takes. */
enum {
  MAP_ARRAY,    /* 4 entries of 64 bytes */
  MAP_HASH,     /* keys of 4 bytes, values of 64 */
  MAP_LOCKED,   /* an array of values of 64 bytes that start with a struct bpf_spin_lock */
  MAP_RING,     /* a ring buffer */
  MAP_PROGRAMS, /* a program array; nothing is in it */
  MAP_CONSTANT, /* one entry of 64 bytes that programs may read only */
  UNSAFE_MAPS
};
enum { UNSAFE_VALUE = 64, UNSAFE_ENTRIES = 4, UNSAFE_RING = 4096 };

#define CODE(...) \
  { (const struct bpf_insn[]){__VA_ARGS__}, COUNT(((const struct bpf_insn[]){__VA_ARGS__})) }

#define ALU(op, dst, imm) INSN(BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm)
#define ALU_REG(op, dst, src) INSN(BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0)
#define ALU32(op, dst, imm) INSN(BPF_ALU | (op) | BPF_K, dst, 0, 0, imm)
#define ALU32_REG(op, dst, src) INSN(BPF_ALU | (op) | BPF_X, dst, src, 0, 0)
#define MOV32(dst, src) ALU32_REG(BPF_MOV, dst, src)
#define MOVSX(dst, src, bits) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, bits, 0)
#define LOADSX(size, dst, src, off) INSN(BPF_LDX | BPF_MEMSX | (size), dst, src, off, 0)
#define JUMP_REG(op, dst, src, off) INSN(BPF_JMP | (op) | BPF_X, dst, src, off, 0)
#define JUMP32_IMM(op, dst, imm, off) INSN(BPF_JMP32 | (op) | BPF_K, dst, 0, off, imm)
#define JUMP32_REG(op, dst, src, off) INSN(BPF_JMP32 | (op) | BPF_X, dst, src, off, 0)
#define LOAD_VALUE(dst, map, offset) LOAD_KIND(dst, BPF_PSEUDO_MAP_VALUE, map, offset)
#define RETURN(number) MOV_IMM(0, number), EXIT()

/* r2 and r3: start and end of the packet, then r2 + bytes compared with r3, beyond which it jumps. 2 and 3 slots. */
#define PACKET LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 4)
#define CHECK(bytes, jump) MOV(4, 2), ADD_IMM(4, bytes), JUMP_REG(BPF_JGT, 4, 3, jump)
/* What stands between the check of so many bytes and the end has `length` slots, the first of them at slot 5. */
#define ON_PACKET(bytes, length, ...) CODE(PACKET, CHECK(bytes, length), __VA_ARGS__, RETURN(0))

/* r0: value of key 0, or NULL: 6 slots. Not NULL: 8 slots. */
#define LOOKUP(map) \
  STORE_IMM(BPF_W, 10, -4, 0), MOV(2, 10), ADD_IMM(2, -4), LOAD_MAP(1, map), CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM)
#define VALUE(map) LOOKUP(map), JUMP_IMM(BPF_JNE, 0, 0, 1), EXIT()

/* Computes from the unknown number r6 an index into 64 bytes, and reads there. The computation has `length` slots, the first of them at
 * slot 9; out of it, OUT(length, slot) jumps to the end. The read is at slot READ_AT(length). */
#define ON_NUMBER(...) \
  CODE(VALUE(MAP_ARRAY), LOAD(BPF_DW, 6, 0, 0), __VA_ARGS__, ADD(0, 6), LOAD(BPF_B, 0, 0, 0), RETURN(0))
#define OUT(length, slot) ((length) + 1 - (slot))
#define READ_AT(length) (10 + (length))

/* r0: a record of so many bytes: 7 slots. Where it isn't had, the program ends. */
#define RESERVE(bytes) LOAD_MAP(1, MAP_RING), MOV_IMM(2, bytes), MOV_IMM(3, 0), CALL_HELPER(BPF_HELPER_RINGBUF_RESERVE)
#define RECORD(bytes) RESERVE(bytes), JUMP_IMM(BPF_JNE, 0, 0, 1), EXIT()
#define SUBMIT(record) MOV(1, record), MOV_IMM(2, 0), CALL_HELPER(BPF_HELPER_RINGBUF_SUBMIT)

#endif
