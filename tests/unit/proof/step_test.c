/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Single instructions: what may be executed in which state, in pairs of what is permitted and what is just not. Where Linux's verifier
 * has an opinion it is the same (kernel/bpf/verifier.c), but for addresses that go to maps and packets, which is our policy.
 */
#include "tests/unit/proof/proof_case.h"

#define RETURN_0 MOV_IMM(0, 0), EXIT()
#define AND_IMM(dst, imm) INSN(BPF_ALU64 | BPF_AND | BPF_K, dst, 0, 0, imm)
#define ALU64_X(op, dst, src) INSN(BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0)
#define ALU64_K(op, dst, imm) INSN(BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm)
#define ALU32_X(op, dst, src) INSN(BPF_ALU | (op) | BPF_X, dst, src, 0, 0)
#define ANY_TO(reg) LOAD(BPF_W, reg, 1, 12)
#define GLOBAL_TO(reg, offset) LOAD_KIND(reg, BPF_PSEUDO_MAP_VALUE, GLOBAL, offset)
#define CONSTANT_TO(reg, offset) LOAD_KIND(reg, BPF_PSEUDO_MAP_VALUE, CONSTANT, offset)

static const struct proof_case stack_cases[] = {
    {"the stack is readable where it was written", PROOF_OK, 0,
     INSNS(STORE_IMM(BPF_W, 10, -4, 1), LOAD(BPF_H, 0, 10, -2), EXIT())},
    {"not one byte beside it", PROOF_READS_UNREADABLE, 2,
     INSNS(STORE_IMM(BPF_W, 10, -4, 1), LOAD(BPF_H, 0, 10, -5), EXIT())},
    {"512 bytes", PROOF_OK, 0, INSNS(STORE_IMM(BPF_DW, 10, -512, 1), RETURN_0)},
    {"not 520", PROOF_OUTSIDE, 0, INSNS(STORE_IMM(BPF_DW, 10, -520, 1), RETURN_0)},
    {"nor above the frame", PROOF_OUTSIDE, 0, INSNS(STORE_IMM(BPF_B, 10, 0, 1), RETURN_0)},
    {"a spilled pointer comes back", PROOF_OK, 0,
     INSNS(STORE(BPF_DW, 10, 1, -8), MOV_IMM(1, 0), LOAD(BPF_DW, 2, 10, -8), LOAD(BPF_W, 0, 2, 12), EXIT())},
    {"not after a byte of it was overwritten", PROOF_READS_UNREADABLE, 3,
     INSNS(STORE(BPF_DW, 10, 1, -8), STORE_IMM(BPF_B, 10, -8, 0), LOAD(BPF_DW, 2, 10, -8), LOAD(BPF_W, 0, 2, 12),
           EXIT())},
    {"half of it is no number", PROOF_READS_UNREADABLE, 2,
     INSNS(STORE(BPF_DW, 10, 1, -8), LOAD(BPF_W, 0, 10, -8), EXIT())},
    {"it is stored whole", PROOF_MISALIGNED, 0, INSNS(STORE(BPF_W, 10, 1, -8), RETURN_0)},
    {"and aligned", PROOF_MISALIGNED, 0, INSNS(STORE(BPF_DW, 10, 1, -12), RETURN_0)},
    {"a spilled number keeps its range", PROOF_OK, 0,
     INSNS(ANY_TO(2), AND_IMM(2, 7), STORE(BPF_DW, 10, 2, -8), LOAD(BPF_DW, 3, 10, -8), GLOBAL_TO(4, 0), ADD(4, 3),
           LOAD(BPF_B, 0, 4, 8), EXIT())},
    {"its lower half, too", PROOF_OK, 0,
     INSNS(ANY_TO(2), AND_IMM(2, 7), STORE(BPF_DW, 10, 2, -8), LOAD(BPF_W, 3, 10, -8), GLOBAL_TO(4, 0), ADD(4, 3),
           LOAD(BPF_B, 0, 4, 8), EXIT())},
    {
        "not what was written over",
        PROOF_OUTSIDE,
        8,
        INSNS(ANY_TO(2), AND_IMM(2, 7), STORE(BPF_DW, 10, 2, -8), STORE(BPF_H, 10, 2, -8), LOAD(BPF_DW, 3, 10, -8),
              GLOBAL_TO(4, 0), ADD(4, 3), LOAD(BPF_B, 0, 4, 8), EXIT()),
    },
    {"a variable offset into what is written", PROOF_OK, 0,
     INSNS(ANY_TO(2), AND_IMM(2, 7), STORE_IMM(BPF_DW, 10, -8, 0), MOV(3, 10), ADD(3, 2), LOAD(BPF_B, 0, 3, -8),
           EXIT())},
    {"not out of it", PROOF_OUTSIDE, 5,
     INSNS(ANY_TO(2), AND_IMM(2, 8), STORE_IMM(BPF_DW, 10, -8, 0), MOV(3, 10), ADD(3, 2), LOAD(BPF_B, 0, 3, -8),
           EXIT())},
    {"a store at a variable offset forgets numbers that it may hit", PROOF_OUTSIDE, 11,
     INSNS(ANY_TO(2), AND_IMM(2, 8), STORE_IMM(BPF_DW, 10, -8, 1), STORE_IMM(BPF_DW, 10, -16, 1), MOV(3, 10), ADD(3, 2),
           STORE(BPF_B, 3, 2, -16), LOAD(BPF_DW, 4, 10, -8), GLOBAL_TO(5, 0), ADD(5, 4), LOAD(BPF_B, 0, 5, 0), EXIT())},
    {"and pointers", PROOF_READS_UNREADABLE, 8,
     INSNS(ANY_TO(2), AND_IMM(2, 8), STORE(BPF_DW, 10, 1, -8), STORE_IMM(BPF_DW, 10, -16, 1), MOV(3, 10), ADD(3, 2),
           STORE(BPF_B, 3, 2, -16), LOAD(BPF_DW, 4, 10, -8), LOAD(BPF_W, 0, 4, 12), RETURN_0)},
};

static const struct proof_case nothing_cases[] = {
    {"what nothing was put into is copied, stored and loaded", PROOF_OK, 0,
     INSNS(MOV(2, 7), ALU32_X(BPF_MOV, 3, 7), INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 7, 8, 0), STORE(BPF_H, 10, 7, -8),
           LOAD(BPF_DW, 5, 10, -8), INSN(BPF_LDX | BPF_MEMSX | BPF_B, 6, 10, -7, 0), RETURN_0)},
    {"no more: the copy is not calculated with", PROOF_READS_UNREADABLE, 2,
     INSNS(MOV(2, 7), MOV(3, 2), ADD_IMM(3, 0), RETURN_0)},
    {"nor added to something", PROOF_READS_UNREADABLE, 2, INSNS(MOV(2, 7), MOV_IMM(0, 0), ADD(0, 2), EXIT())},
    {"nor to a pointer", PROOF_READS_UNREADABLE, 1, INSNS(MOV(2, 7), ADD(1, 2), RETURN_0)},
    {"nor subtracted from one", PROOF_READS_UNREADABLE, 1, INSNS(MOV(2, 7), ALU64_X(BPF_SUB, 1, 2), RETURN_0)},
    {"nor from itself", PROOF_READS_UNREADABLE, 1, INSNS(MOV(2, 7), ALU64_X(BPF_SUB, 2, 2), RETURN_0)},
    {"its bytes are not swapped", PROOF_READS_UNREADABLE, 1,
     INSNS(MOV(2, 7), INSN(BPF_ALU | BPF_END, 2, 0, 0, 16), RETURN_0)},
    {"it is not compared", PROOF_READS_UNREADABLE, 1, INSNS(MOV(2, 7), JUMP_IMM(BPF_JEQ, 2, 0, 0), RETURN_0)},
    {"nor is anything with it", PROOF_READS_UNREADABLE, 1,
     INSNS(MOV(2, 7), INSN(BPF_JMP | BPF_JGT | BPF_X, 1, 2, 0, 0), RETURN_0)},
    {"it is no address", PROOF_READS_UNREADABLE, 1, INSNS(MOV(2, 7), LOAD(BPF_B, 0, 2, 0), EXIT())},
    {"it gets to no map", PROOF_READS_UNREADABLE, 3,
     INSNS(MOV(2, 7), GLOBAL_TO(3, 0), STORE(BPF_B, 3, 2, 0), RETURN_0)},
    {"nor by an atomic", PROOF_READS_UNREADABLE, 3,
     INSNS(MOV(2, 7), GLOBAL_TO(3, 0), ATOMIC(BPF_DW, 3, 2, 0, BPF_XCHG), RETURN_0)},
    {"it is no verdict", PROOF_READS_UNREADABLE, 1, INSNS(MOV(0, 7), EXIT())},
    {"it is no argument", PROOF_READS_UNREADABLE, 1, INSNS(MOV(1, 7), CALL_HELPER(BPF_HELPER_REDIRECT), EXIT())},
    {"not even for no bytes", PROOF_READS_UNREADABLE, 5,
     INSNS(MOV(1, 7), MOV_IMM(2, 0), MOV_IMM(3, 0), MOV_IMM(4, 0), MOV_IMM(5, 0), CALL_HELPER(BPF_HELPER_CSUM_DIFF),
           EXIT())},
    {"what it is stored over is nothing, too", PROOF_READS_UNREADABLE, 3,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 1), STORE(BPF_B, 10, 7, -4), LOAD(BPF_DW, 0, 10, -8), EXIT())},
    {"what is beside it is not", PROOF_OK, 0,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 1), STORE(BPF_W, 10, 7, -4), LOAD(BPF_W, 0, 10, -8), EXIT())},
    {"what it may have been stored over is nothing", PROOF_READS_UNREADABLE, 8,
     INSNS(ANY_TO(2), AND_IMM(2, 8), STORE_IMM(BPF_DW, 10, -8, 1), STORE_IMM(BPF_DW, 10, -16, 1), MOV(3, 10), ADD(3, 2),
           STORE(BPF_B, 3, 7, -16), LOAD(BPF_B, 0, 10, -8), EXIT())},
};

static const struct proof_case pointer_cases[] = {
    {"a map value has its size", PROOF_OK, 0, INSNS(GLOBAL_TO(2, 0), LOAD(BPF_DW, 0, 2, 8), EXIT())},
    {"and no more", PROOF_OUTSIDE, 2, INSNS(GLOBAL_TO(2, 0), LOAD(BPF_DW, 0, 2, 9), EXIT())},
    {"nor does it begin earlier", PROOF_OUTSIDE, 2, INSNS(GLOBAL_TO(2, 8), LOAD(BPF_DW, 0, 2, -9), EXIT())},
    {"an index that was compared", PROOF_OK, 0,
     INSNS(GLOBAL_TO(2, 0), ANY_TO(3), JUMP_IMM(BPF_JGT, 3, 15, 2), ADD(2, 3), LOAD(BPF_B, 3, 2, 0), RETURN_0)},
    {"one too many", PROOF_OUTSIDE, 5,
     INSNS(GLOBAL_TO(2, 0), ANY_TO(3), JUMP_IMM(BPF_JGT, 3, 16, 2), ADD(2, 3), LOAD(BPF_B, 3, 2, 0), RETURN_0)},
    {"one that was compared with a sign may be negative", PROOF_OUTSIDE, 7,
     INSNS(GLOBAL_TO(2, 0), ANY_TO(3), ALU64_K(BPF_LSH, 3, 32), ALU64_K(BPF_ARSH, 3, 32), JUMP_IMM(BPF_JSGT, 3, 15, 2),
           ADD(2, 3), LOAD(BPF_B, 3, 2, 0), RETURN_0)},
    {"shifted up and down again with a sign, and compared without", PROOF_OK, 0,
     INSNS(GLOBAL_TO(2, 0), ANY_TO(3), ALU64_K(BPF_LSH, 3, 32), ALU64_K(BPF_ARSH, 3, 32), JUMP_IMM(BPF_JGT, 3, 15, 2),
           ADD(2, 3), LOAD(BPF_B, 3, 2, 0), RETURN_0)},
    {"a copy that was compared teaches the original", PROOF_OK, 0,
     INSNS(GLOBAL_TO(2, 0), ANY_TO(3), MOV(4, 3), ADD_IMM(4, 1), JUMP_IMM(BPF_JGT, 4, 16, 3),
           JUMP_IMM(BPF_JLT, 4, 1, 2), ADD(2, 3), LOAD(BPF_B, 3, 2, 0), RETURN_0)},
    {"a constant map holds what it holds: 5 at 8", PROOF_OK, 0,
     INSNS(CONSTANT_TO(2, 0), LOAD(BPF_B, 3, 2, 8), GLOBAL_TO(4, 0), ADD(4, 3), LOAD(BPF_B, 0, 4, 10), EXIT())},
    {"not 6", PROOF_OUTSIDE, 6,
     INSNS(CONSTANT_TO(2, 0), LOAD(BPF_B, 3, 2, 8), GLOBAL_TO(4, 0), ADD(4, 3), LOAD(BPF_B, 0, 4, 11), EXIT())},
    {"and is not written", PROOF_NOT_WRITABLE, 2, INSNS(CONSTANT_TO(2, 0), STORE_IMM(BPF_B, 2, 0, 1), RETURN_0)},
    {"a number is no address", PROOF_NOT_POINTER, 1, INSNS(MOV_IMM(2, 4096), LOAD(BPF_B, 0, 2, 0), EXIT())},
    {"nor is the end of the packet", PROOF_NOT_POINTER, 1, INSNS(LOAD(BPF_W, 2, 1, 4), LOAD(BPF_B, 0, 2, -1), EXIT())},
    {"pointers are moved, not multiplied", PROOF_POINTER_MATH, 2,
     INSNS(GLOBAL_TO(2, 0), ALU64_K(BPF_MUL, 2, 1), LOAD(BPF_B, 0, 2, 0), EXIT())},
    {"nor moved in 32 bits", PROOF_POINTER_MATH, 2,
     INSNS(GLOBAL_TO(2, 0), INSN(BPF_ALU | BPF_ADD | BPF_K, 2, 0, 0, 1), LOAD(BPF_B, 0, 2, 0), EXIT())},
    {"nor far", PROOF_OFFSET_RANGE, 2, INSNS(GLOBAL_TO(2, 0), ADD_IMM(2, 1 << 29), RETURN_0)},
    {"an address stays off maps", PROOF_LEAKS, 2, INSNS(GLOBAL_TO(2, 0), STORE(BPF_DW, 2, 1, 0), RETURN_0)},
    {"so does half of one", PROOF_LEAKS, 0, INSNS(INSN(BPF_ALU | BPF_MOV | BPF_X, 2, 1, 0, 0), RETURN_0)},
    {"the distance of two pointers is a number: the length behind an offset", PROOF_OK, 0,
     INSNS(LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 4), ALU64_X(BPF_SUB, 3, 2), MOV(0, 3), EXIT())},
    {"of two objects it is nothing", PROOF_POINTER_MATH, 3,
     INSNS(GLOBAL_TO(2, 0), LOAD(BPF_W, 3, 1, 0), ALU64_X(BPF_SUB, 3, 2), RETURN_0)},
    {"an atomic is aligned", PROOF_OK, 0,
     INSNS(GLOBAL_TO(2, 0), MOV_IMM(3, 1), ATOMIC(BPF_DW, 2, 3, 8, BPF_ADD), RETURN_0)},
    {"to its size", PROOF_MISALIGNED, 3,
     INSNS(GLOBAL_TO(2, 0), MOV_IMM(3, 1), ATOMIC(BPF_DW, 2, 3, 4, BPF_ADD), RETURN_0)},
    {"what it fetches is any number", PROOF_OUTSIDE, 5,
     INSNS(GLOBAL_TO(2, 0), MOV_IMM(3, 1), ATOMIC(BPF_DW, 2, 3, 8, BPF_ADD | BPF_FETCH), ADD(2, 3),
           LOAD(BPF_B, 0, 2, 0), EXIT())},
    {"compare and exchange needs r0", PROOF_READS_UNREADABLE, 3,
     INSNS(GLOBAL_TO(2, 0), MOV_IMM(3, 1), ATOMIC(BPF_DW, 2, 3, 8, BPF_CMPXCHG), RETURN_0)},
    {"it gives no address away", PROOF_LEAKS, 2, INSNS(GLOBAL_TO(2, 0), ATOMIC(BPF_DW, 2, 1, 8, BPF_XCHG), RETURN_0)},
};

static const struct proof_case context_cases[] = {
    {"fields of the context are read whole", PROOF_OK, 0, INSNS(LOAD(BPF_W, 0, 1, 16), EXIT())},
    {"not in part", PROOF_CONTEXT_FIELD, 0, INSNS(LOAD(BPF_H, 0, 1, 16), EXIT())},
    {"not those of programs on a device map", PROOF_CONTEXT_FIELD, 0, INSNS(LOAD(BPF_W, 0, 1, 20), EXIT())},
    {"nor in front of it", PROOF_CONTEXT_FIELD, 0, INSNS(LOAD(BPF_W, 0, 1, -4), EXIT())},
    {"an XDP program writes none", PROOF_CONTEXT_FIELD, 0, INSNS(STORE_IMM(BPF_W, 1, 12, 0), RETURN_0)},
    {"the context is moved by constants at most", PROOF_POINTER_MATH, 1, INSNS(ANY_TO(2), ADD(1, 2), RETURN_0)},
    {"metadata is compared with data", PROOF_OK, 0,
     INSNS(LOAD(BPF_W, 2, 1, 8), LOAD(BPF_W, 3, 1, 0), MOV(4, 2), ADD_IMM(4, 4),
           INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 1, 0), LOAD(BPF_W, 0, 2, 0), RETURN_0)},
    {"not with the end", PROOF_OUTSIDE, 5,
     INSNS(LOAD(BPF_W, 2, 1, 8), LOAD(BPF_W, 3, 1, 4), MOV(4, 2), ADD_IMM(4, 4),
           INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 1, 0), LOAD(BPF_W, 0, 2, 0), RETURN_0)},
    {"nor with data moved along", PROOF_OUTSIDE, 6,
     INSNS(LOAD(BPF_W, 2, 1, 8), LOAD(BPF_W, 3, 1, 0), ADD_IMM(3, 4), MOV(4, 2), ADD_IMM(4, 4),
           INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 1, 0), LOAD(BPF_W, 0, 2, 0), RETURN_0)},
};

/* Comparisons with the end, each way around: what it says of 8 bytes and 9. */
#define COMPARED(op, left, right, size)                                                                       \
  INSNS(LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 4), MOV(4, 2), ADD_IMM(4, 8),                                 \
        INSN(BPF_JMP | (op) | BPF_X, left, right, 2, 0), LOAD(BPF_B, 0, 2, (size)-1), JUMP(1), MOV_IMM(0, 0), \
        MOV_IMM(0, 0), EXIT())
#define COMPARED_TAKEN(op, left, right, size)                                 \
  INSNS(LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 4), MOV(4, 2), ADD_IMM(4, 8), \
        INSN(BPF_JMP | (op) | BPF_X, left, right, 1, 0), JUMP(1), LOAD(BPF_B, 0, 2, (size)-1), MOV_IMM(0, 0), EXIT())

static const struct proof_case comparison_cases[] = {
    {"p > end not taken: 8 bytes", PROOF_OK, 0, COMPARED(BPF_JGT, 4, 3, 8)},
    {"not 9", PROOF_OUTSIDE, 5, COMPARED(BPF_JGT, 4, 3, 9)},
    {"p >= end not taken: 9", PROOF_OK, 0, COMPARED(BPF_JGE, 4, 3, 9)},
    {"not 10", PROOF_OUTSIDE, 5, COMPARED(BPF_JGE, 4, 3, 10)},
    {"end < p not taken: 8", PROOF_OK, 0, COMPARED(BPF_JLT, 3, 4, 8)},
    {"not 9", PROOF_OUTSIDE, 5, COMPARED(BPF_JLT, 3, 4, 9)},
    {"end <= p not taken: 9", PROOF_OK, 0, COMPARED(BPF_JLE, 3, 4, 9)},
    {"not 10", PROOF_OUTSIDE, 5, COMPARED(BPF_JLE, 3, 4, 10)},
    {"p < end not taken: nothing", PROOF_OUTSIDE, 5, COMPARED(BPF_JLT, 4, 3, 1)},
    {"p > end with signs: nothing", PROOF_OUTSIDE, 5, COMPARED(BPF_JSGT, 4, 3, 1)},
    {"p != end: nothing", PROOF_OUTSIDE, 5, COMPARED(BPF_JNE, 4, 3, 9)},
    {"p <= end taken: 8", PROOF_OK, 0, COMPARED_TAKEN(BPF_JLE, 4, 3, 8)},
    {"not 9", PROOF_OUTSIDE, 6, COMPARED_TAKEN(BPF_JLE, 4, 3, 9)},
    {"p < end taken: 9", PROOF_OK, 0, COMPARED_TAKEN(BPF_JLT, 4, 3, 9)},
    {"end > p taken: 9", PROOF_OK, 0, COMPARED_TAKEN(BPF_JGT, 3, 4, 9)},
    {"not 10", PROOF_OUTSIDE, 6, COMPARED_TAKEN(BPF_JGT, 3, 4, 10)},
    {"end >= p taken: 8", PROOF_OK, 0, COMPARED_TAKEN(BPF_JGE, 3, 4, 8)},
    {"not 9", PROOF_OUTSIDE, 6, COMPARED_TAKEN(BPF_JGE, 3, 4, 9)},
    {"p > end taken: nothing", PROOF_OUTSIDE, 6, COMPARED_TAKEN(BPF_JGT, 4, 3, 1)},
    {"an offset without bounds may wrap around: comparing teaches nothing", PROOF_OUTSIDE, 8,
     INSNS(LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 4), GLOBAL_TO(5, 0), LOAD(BPF_DW, 5, 5, 0), ADD(2, 5), MOV(4, 2),
           INSN(BPF_JMP | BPF_JGE | BPF_X, 4, 3, 1, 0), LOAD(BPF_B, 0, 2, 0), RETURN_0)},
};

/* r2 is moved by r5, which is below 8, 16 bytes having been compared. */
#define MOVED(...)                                                                                       \
  INSNS(LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 4), ANY_TO(5), AND_IMM(5, 7), MOV(4, 2), ADD_IMM(4, 16), \
        INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 2, 0), __VA_ARGS__, MOV_IMM(0, 0), EXIT())

static const struct proof_case moved_cases[] = {
    {"what was compared holds behind the furthest that it is moved to", PROOF_OK, 0,
     MOVED(ADD(2, 5), LOAD(BPF_B, 0, 2, 8))},
    {"no further", PROOF_OUTSIDE, 8, MOVED(ADD(2, 5), LOAD(BPF_B, 0, 2, 9))},
    {"moved back it is as far as it was", PROOF_OK, 0, MOVED(ALU64_X(BPF_SUB, 4, 5), LOAD(BPF_B, 0, 4, -1))},
    {"not further", PROOF_OUTSIDE, 8, MOVED(ALU64_X(BPF_SUB, 4, 5), LOAD(BPF_B, 0, 4, 0))},
};

static void test_moved(void **state) { RUN_CASES(moved_cases); }
static void test_stack(void **state) { RUN_CASES(stack_cases); }
static void test_nothing(void **state) { RUN_CASES(nothing_cases); }
static void test_pointers(void **state) { RUN_CASES(pointer_cases); }
static void test_context(void **state) { RUN_CASES(context_cases); }
static void test_comparisons(void **state) { RUN_CASES(comparison_cases); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_stack),       cmocka_unit_test(test_nothing),
                                     cmocka_unit_test(test_pointers),    cmocka_unit_test(test_context),
                                     cmocka_unit_test(test_comparisons), cmocka_unit_test(test_moved)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
