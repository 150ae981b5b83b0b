/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The walk: memory, comparisons, joins, splits, loops with measures.
 */
#include "tests/unit/proof/proof_case.h"

#define PACKET_TO_R2_R3 LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 4)
#define IF_BEYOND(off) INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, off, 0)

static const struct proof_case packet_cases[] = {
    {"a program that gives a number is accepted", PROOF_OK, 0, INSNS(MOV_IMM(0, 2), EXIT()), .insns_at_most = 2},
    {"r0 must be written", PROOF_READS_UNREADABLE, 0, INSNS(EXIT())},
    {"the context is no number", PROOF_RESULT, 1, INSNS(MOV(0, 1), EXIT())},
    {"14 bytes are readable when 14 were compared with the end", PROOF_OK, 0,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), IF_BEYOND(1), LOAD(BPF_H, 0, 2, 12), MOV_IMM(0, 1), EXIT())},
    {"the 15th is not", PROOF_OUTSIDE, 5,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), IF_BEYOND(1), LOAD(BPF_H, 0, 2, 13), MOV_IMM(0, 1), EXIT())},
    {"nor is any on the other way", PROOF_OUTSIDE, 6,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), IF_BEYOND(1), JUMP(1), LOAD(BPF_B, 0, 2, 0), MOV_IMM(0, 1),
           EXIT())},
    {"nor one in front of the packet", PROOF_OUTSIDE, 5,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), IF_BEYOND(1), LOAD(BPF_B, 0, 2, -1), MOV_IMM(0, 1), EXIT())},
    {"a variable offset is compared by name", PROOF_OK, 0,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), IF_BEYOND(7), LOAD(BPF_B, 5, 2, 0),
           INSN(BPF_ALU64 | BPF_AND | BPF_K, 5, 0, 0, 60), ADD(2, 5), MOV(4, 2), ADD_IMM(4, 20), IF_BEYOND(1),
           LOAD(BPF_W, 0, 2, 16), MOV_IMM(0, 1), EXIT())},
    {"also when it is computed again", PROOF_OK, 0,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), IF_BEYOND(7), LOAD(BPF_B, 5, 2, 0), MOV(4, 2), ADD(4, 5),
           ADD_IMM(4, 20), IF_BEYOND(2), ADD(2, 5), LOAD(BPF_W, 0, 2, 16), MOV_IMM(0, 1), EXIT())},
    {"two headers of different length meet: the smaller room holds beyond each", PROOF_OK, 0,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 38), IF_BEYOND(6), MOV(5, 2), LOAD(BPF_H, 0, 2, 12), ADD_IMM(5, 14),
           JUMP_IMM(BPF_JNE, 0, 8, 1), ADD_IMM(5, 4), LOAD(BPF_W, 0, 5, 16), MOV_IMM(0, 1), EXIT())},
    {"and no more", PROOF_OUTSIDE, 10,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 38), IF_BEYOND(6), MOV(5, 2), LOAD(BPF_H, 0, 2, 12), ADD_IMM(5, 14),
           JUMP_IMM(BPF_JNE, 0, 8, 1), ADD_IMM(5, 4), LOAD(BPF_W, 0, 5, 17), MOV_IMM(0, 1), EXIT())},
};

static void test_packet(void **state) { RUN_CASES(packet_cases); }

/* for (r6 = 0; r6 < 10; r6++) r0 += r6 */
#define COUNTED_LOOP MOV_IMM(6, 0), MOV_IMM(0, 0), ADD(0, 6), ADD_IMM(6, 1), JUMP_IMM(BPF_JLT, 6, 10, -3), EXIT()
#define HEAD(...) .entry_count = 1, .entries = {{.key = {2}, __VA_ARGS__}}
#define CHANGE(e, where, what)                                      \
  {                                                                 \
    .entry = (e), .change = {.location = (where), .value = (what) } \
  }
/* clang-format off */
#define BETWEEN(low, high) {.kind = PROOF_SCALAR, .number = {0, UINT64_MAX, low, high, low, high, low, high, low, high}}
#define ANY_NUMBER {.kind = PROOF_SCALAR, .number = {0, UINT64_MAX, 0, UINT64_MAX, INT64_MIN, INT64_MAX, 0, UINT32_MAX, INT32_MIN, INT32_MAX}}
/* clang-format on */

static const struct proof_case loop_cases[] = {
    {"a jump backwards needs an entry", PROOF_NO_POINT, 2, INSNS(COUNTED_LOOP)},
    {"a split unrolls a loop", PROOF_OK, 0, INSNS(COUNTED_LOOP), HEAD(.kind = PROOF_SPLIT), .insns_at_most = 33},
    {"a merge is none for a loop", PROOF_NO_POINT, 2, INSNS(COUNTED_LOOP), HEAD(.kind = PROOF_MERGE)},
    {"a loop with a measure", PROOF_OK, 0, INSNS(COUNTED_LOOP),
     HEAD(.kind = PROOF_LOOP, .end = 4, .measure = 6, .step = 1, .body = {3, 0}),
     .changes = {{0, {.location = 0, .value = ANY_NUMBER}}, {0, {.location = 6, .value = BETWEEN(0, 9)}}},
     .change_count = 2, .insns_at_most = 2 + 9 * 3 + 4},
};

static void test_loops(void **state) { RUN_CASES(loop_cases); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_packet), cmocka_unit_test(test_loops)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
