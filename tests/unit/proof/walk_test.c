/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The walk: memory, comparisons, joins, splits, loops with measures.
 */
#include "tests/unit/proof/proof_case.h"

#define PACKET_TO_R2_R3 LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 4)
#define IF_BEYOND(off) INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, off, 0)

#define ANY_NUMBER CASE_ANY
#define ANY_U32 CASE_BETWEEN(0, UINT32_MAX)
#define QUARTER CASE_BETWEEN(0, 1ull << 62)

/* 14 bytes are compared with the end; if they are behind it, r4 is changed and compared again, and what is then inside is read. */
#define SHORT(change, again)                                                                      \
  PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), IF_BEYOND(2), MOV_IMM(0, 1), EXIT(), change, again, \
      LOAD(BPF_B, 0, 2, 13), MOV_IMM(0, 1), EXIT()

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
    {"what was behind the end is behind it later", PROOF_OK, 0, INSNS(SHORT(JUMP(0), IF_BEYOND(1)))},
    {"and what is further on", PROOF_OK, 0, INSNS(SHORT(ADD_IMM(4, 1), IF_BEYOND(1)))},
    {"but perhaps not the byte before", PROOF_OUTSIDE, 9, INSNS(SHORT(ADD_IMM(4, -1), IF_BEYOND(1)))},
    {"what was found at the end is perhaps not behind it", PROOF_OUTSIDE, 8,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), INSN(BPF_JMP | BPF_JGE | BPF_X, 4, 3, 2, 0), MOV_IMM(0, 1),
           EXIT(), IF_BEYOND(1), LOAD(BPF_B, 0, 2, 14), MOV_IMM(0, 1), EXIT())},
    {"of two lengths that it is shorter than the longer is known where they meet", PROOF_OUTSIDE, 12,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), MOV(5, 4), IF_BEYOND(5), ADD_IMM(5, 6),
           INSN(BPF_JMP | BPF_JGT | BPF_X, 5, 3, 3, 0), MOV_IMM(0, 1), EXIT(), JUMP(0), IF_BEYOND(1),
           LOAD(BPF_B, 0, 2, 14), MOV_IMM(0, 1), EXIT())},
    {"the longer", PROOF_OK, 0,
     INSNS(PACKET_TO_R2_R3, MOV(4, 2), ADD_IMM(4, 14), MOV(5, 4), ADD_IMM(5, 6), IF_BEYOND(4),
           INSN(BPF_JMP | BPF_JGT | BPF_X, 5, 3, 3, 0), MOV_IMM(0, 1), EXIT(), JUMP(0),
           INSN(BPF_JMP | BPF_JGT | BPF_X, 5, 3, 1, 0), LOAD(BPF_B, 0, 2, 20), MOV_IMM(0, 1), EXIT())},
};

static void test_packet(void **state) { RUN_CASES(packet_cases); }

/* --- joins --- */

#define ANY_TO(reg) LOAD(BPF_W, reg, 1, 12)
#define GLOBAL_TO(reg, offset) LOAD_KIND(reg, BPF_PSEUDO_MAP_VALUE, GLOBAL, offset)

/* r6 and r7 are 1 and 2, or 2 and 1, so that together they are 3: which the join at 6 forgets, but not a split. */
#define CORRELATED                                                                                              \
  ANY_TO(2), MOV_IMM(6, 1), MOV_IMM(7, 2), JUMP_IMM(BPF_JEQ, 2, 0, 2), MOV_IMM(6, 2), MOV_IMM(7, 1), ADD(6, 7), \
      GLOBAL_TO(3, 0), ADD(3, 6), LOAD(BPF_B, 0, 3, 12), EXIT()

static const struct proof_case join_cases[] = {
    {"a join keeps ranges", PROOF_OUTSIDE, 10, INSNS(CORRELATED)},
    {"a split keeps states apart", PROOF_OK, 0, INSNS(CORRELATED), .entry_count = 1,
     .entries = {{.kind = PROOF_SPLIT, .key = {6}}}},
    {"a merge may say less than the arrivals", PROOF_OK, 0,
     INSNS(ANY_TO(2), MOV_IMM(6, 1), JUMP_IMM(BPF_JEQ, 2, 0, 1), MOV_IMM(6, 2), GLOBAL_TO(3, 0), ADD(3, 6),
           LOAD(BPF_B, 0, 3, 12), EXIT()),
     .entry_count = 1, .entries = {{.kind = PROOF_MERGE, .key = {4}, .slack = {1, 0}}}, .change_count = 2,
     .changes = {{0, {.location = 2}}, {0, {.location = 6, .value = CASE_BETWEEN(0, 3)}}}},
    {"not more", PROOF_NOT_WITHIN, 4,
     INSNS(ANY_TO(2), MOV_IMM(6, 1), JUMP_IMM(BPF_JEQ, 2, 0, 1), MOV_IMM(6, 2), GLOBAL_TO(3, 0), ADD(3, 6),
           LOAD(BPF_B, 0, 3, 12), EXIT()),
     .entry_count = 1, .entries = {{.kind = PROOF_MERGE, .key = {4}, .slack = {1, 0}}}, .change_count = 2,
     .changes = {{0, {.location = 2}}, {0, {.location = 6, .value = CASE_BETWEEN(1, 1)}}}},
    {"nor at less cost than the costliest arrival", PROOF_COST, 4,
     INSNS(ANY_TO(2), MOV_IMM(6, 1), JUMP_IMM(BPF_JEQ, 2, 0, 1), MOV_IMM(6, 1), GLOBAL_TO(3, 0), ADD(3, 6),
           LOAD(BPF_B, 0, 3, 12), EXIT()),
     .entry_count = 1, .entries = {{.kind = PROOF_MERGE, .key = {4}}}},
    {"two names for one unknown are not one name for two", PROOF_NOT_WITHIN, 4,
     /* r6 == r7 on one way only; the record links them, and a comparison of r7 would bound r6. */
     INSNS(ANY_TO(6), MOV(7, 6), JUMP_IMM(BPF_JEQ, 6, 0, 1), LOAD(BPF_W, 6, 1, 16), MOV_IMM(0, 0), EXIT()),
     .entry_count = 1, .entries = {{.kind = PROOF_MERGE, .key = {4}, .slack = {1, 0}}}, .change_count = 2,
     .changes = {{0, {.location = 6, .value = ANY_U32}},
                 {0, {.location = 7, .linked = true, .link = 6, .value = ANY_U32}}}},
};

static void test_joins(void **state) { RUN_CASES(join_cases); }

/* --- loops --- */

/* for (r6 = 0; r6 < 10; r6++) r0 += r6 */
#define COUNTED_LOOP MOV_IMM(6, 0), MOV_IMM(0, 0), ADD(0, 6), ADD_IMM(6, 1), JUMP_IMM(BPF_JLT, 6, 10, -3), EXIT()
#define HEAD(...) .entry_count = 1, .entries = {{.key = {2}, __VA_ARGS__}}
#define LOOP_AT_2(...) HEAD(.kind = PROOF_LOOP, .measure = 6, __VA_ARGS__)
#define FORGET_R0(e)                          \
  {                                           \
    e, { .location = 0, .value = ANY_NUMBER } \
  }
#define R6(e, low, high)                                   \
  {                                                        \
    e, { .location = 6, .value = CASE_BETWEEN(low, high) } \
  }
#define WITH_R6(low, high) .change_count = 2, .changes = {FORGET_R0(0), R6(0, low, high)}

/* The same, but a packet byte decides whether r6 moves. */
#define STANDS_STILL                                                                              \
  MOV_IMM(6, 0), MOV_IMM(0, 0), LOAD(BPF_W, 2, 1, 12), JUMP_IMM(BPF_JEQ, 2, 0, 1), ADD_IMM(6, 1), \
      JUMP_IMM(BPF_JLT, 6, 10, -4), EXIT()

/* for (r6 = 0; r6 < 4; r6++) for (r7 = 0; r7 < 3; r7++) r0 = 0 */
#define NESTED(in_between)                                                                                            \
  MOV_IMM(0, 0), MOV_IMM(6, 0), MOV_IMM(7, 0), in_between, ADD_IMM(7, 1), JUMP_IMM(BPF_JLT, 7, 3, -3), ADD_IMM(6, 1), \
      JUMP_IMM(BPF_JLT, 6, 4, -6), EXIT()
#define NESTED_PLAN(outer_body, inner_body)                                                                  \
  .entry_count = 2,                                                                                          \
  .entries = {{.kind = PROOF_LOOP, .key = {2}, .end = 7, .measure = 6, .step = 1, .body = {outer_body, 0}},  \
              {.kind = PROOF_LOOP, .key = {3}, .end = 5, .measure = 7, .step = 1, .body = {inner_body, 0}}}, \
  .change_count = 3, .changes = {R6(0, 0, 3), {0, {.location = 7}}, {1, {.location = 7, .value = CASE_BETWEEN(0, 2)}}}

/* The same as the counted loop, but what moves r6 stands before the head, and is jumped back to. */
#define ROTATED_LOOP MOV_IMM(6, 0), JUMP(1), ADD_IMM(6, 1), MOV_IMM(0, 0), JUMP_IMM(BPF_JLT, 6, 9, -3), EXIT()
#define ROTATED_PLAN(slots_before)                                                                                   \
  .entry_count = 2,                                                                                                  \
  .entries =                                                                                                         \
      {{.kind = PROOF_SPLIT, .key = {2}},                                                                            \
       {.kind = PROOF_LOOP, .key = {3}, .before = slots_before, .end = 4, .measure = 6, .step = 1, .body = {3, 0}}}, \
  .change_count = 1, .changes = {R6(1, 0, 9)}

static const struct proof_case loop_cases[] = {
    {"a jump backwards needs an entry", PROOF_NO_POINT, 2, INSNS(COUNTED_LOOP)},
    {"a split unrolls a loop", PROOF_OK, 0, INSNS(COUNTED_LOOP), HEAD(.kind = PROOF_SPLIT), .insns_at_most = 33},
    {"and one that does not end, until the bound", PROOF_TOO_LONG, 2, INSNS(MOV_IMM(0, 0), MOV_IMM(0, 0), JUMP(-1)),
     HEAD(.kind = PROOF_SPLIT, .slack = {500000, 0})},
    {"or until the states stated are used up", PROOF_NO_STATES, 2, INSNS(MOV_IMM(0, 0), MOV_IMM(0, 0), JUMP(-1)),
     HEAD(.kind = PROOF_SPLIT)},
    {"a merge is none for a loop", PROOF_NO_POINT, 2, INSNS(COUNTED_LOOP), HEAD(.kind = PROOF_MERGE)},
    {"nor is a callback", PROOF_NO_POINT, 2, INSNS(COUNTED_LOOP), HEAD(.kind = PROOF_CALLBACK)},
    {"a loop with a measure", PROOF_OK, 0, INSNS(COUNTED_LOOP), LOOP_AT_2(.end = 4, .step = 1, .body = {3, 0}),
     WITH_R6(0, 9), .insns_at_most = 2 + 9 * 3 + 4},
    {"its measure is in the bounds", PROOF_NOT_WITHIN, 2, INSNS(COUNTED_LOOP),
     LOOP_AT_2(.end = 4, .step = 1, .body = {3, 0}), WITH_R6(0, 8)},
    {"its bounds hold from the start", PROOF_NOT_WITHIN, 2, INSNS(COUNTED_LOOP),
     LOOP_AT_2(.end = 4, .step = 1, .body = {3, 0}), WITH_R6(1, 9)},
    {"there are bounds", PROOF_BAD_MEASURE, 2, INSNS(COUNTED_LOOP), LOOP_AT_2(.end = 4, .step = 1, .body = {3, 0}),
     WITH_R6(0, UINT64_MAX)},
    {"it is a number", PROOF_BAD_MEASURE, 2, INSNS(COUNTED_LOOP),
     HEAD(.kind = PROOF_LOOP, .end = 4, .measure = 1, .step = 1)},
    {"it moves as far as stated", PROOF_NO_MEASURE, 2, INSNS(COUNTED_LOOP),
     LOOP_AT_2(.end = 4, .step = 2, .body = {3, 0}), WITH_R6(0, 9)},
    {"in the direction stated", PROOF_NO_MEASURE, 2, INSNS(COUNTED_LOOP),
     LOOP_AT_2(.end = 4, .step = -1, .body = {3, 0}), WITH_R6(0, 9)},
    {"one trip takes as long as stated", PROOF_BODY, 2, INSNS(COUNTED_LOOP),
     LOOP_AT_2(.end = 4, .step = 1, .body = {2, 0}), WITH_R6(0, 9)},
    {"all trips together count", PROOF_TOO_LONG, 2, INSNS(COUNTED_LOOP),
     LOOP_AT_2(.end = 4, .step = 1, .body = {200000, 0}), WITH_R6(0, 9)},
    {"a way on which the measure stands still", PROOF_NO_MEASURE, 2, INSNS(STANDS_STILL),
     LOOP_AT_2(.end = 5, .step = 1, .body = {4, 0}), .change_count = 1, .changes = {R6(0, 0, 9)}},
    {"left by its stated end and entered again: not for the cost stated", PROOF_COST, 2, INSNS(COUNTED_LOOP),
     .entry_count = 2,
     .entries = {{.kind = PROOF_LOOP, .key = {2}, .end = 2, .measure = 6, .step = 1, .body = {3, 0}},
                 {.kind = PROOF_MERGE, .key = {4}}},
     WITH_R6(0, 9)},
    {"entered in its middle: what stands before the head is inside", PROOF_OK, 0, INSNS(ROTATED_LOOP), ROTATED_PLAN(1),
     .insns_at_most = 2 + 9 * 3 + 3},
    {"if it is stated to be", PROOF_COST, 3, INSNS(ROTATED_LOOP), ROTATED_PLAN(0)},
    {"a measure that wraps is not bounded by its other end: 2^32 in 32 bits", PROOF_NO_MEASURE, 2,
     INSNS(MOV_IMM(6, 0), MOV_IMM(0, 0), INSN(BPF_ALU | BPF_ADD | BPF_K, 6, 0, 0, 1), JUMP_IMM(BPF_JNE, 6, 10, -2),
           EXIT()),
     LOOP_AT_2(.end = 3, .step = 1), .change_count = 1, .changes = {R6(0, 0, UINT32_MAX)}},
    {"nor one that jumps half around", PROOF_NO_MEASURE, 2,
     INSNS(MOV_IMM(6, 0), MOV_IMM(0, 0), LOAD_64(2, 1ull << 63), ADD(6, 2), JUMP_IMM(BPF_JNE, 0, 1, -4), EXIT()),
     LOOP_AT_2(.end = 5, .step = INT32_MAX), .change_count = 1, .changes = {{0, {.location = 6, .value = QUARTER}}}},
    {"counting down", PROOF_OK, 0,
     INSNS(MOV_IMM(6, 10), MOV_IMM(0, 0), ADD(0, 6), ADD_IMM(6, -1), JUMP_IMM(BPF_JNE, 6, 0, -3), EXIT()),
     LOOP_AT_2(.end = 4, .step = -1, .body = {3, 0}), WITH_R6(1, 10), .insns_at_most = 2 + 9 * 3 + 4},
    {"an inner loop keeps the outer's measure", PROOF_OK, 0, INSNS(NESTED(MOV_IMM(0, 0))), NESTED_PLAN(12, 3),
     .insns_at_most = 2 + 3 * 12 + 1 + 2 * 3 + 3 + 3},
    {"unless it writes to it", PROOF_NOT_WITHIN, 3, INSNS(NESTED(MOV_IMM(6, 0))), NESTED_PLAN(12, 3)},
    {"an outer trip takes all inner trips", PROOF_BODY, 2, INSNS(NESTED(MOV_IMM(0, 0))), NESTED_PLAN(11, 3)},
    {"a record inside a loop does not move the measure", PROOF_NOT_WITHIN, 4,
     INSNS(MOV_IMM(6, 0), MOV_IMM(0, 0), MOV_IMM(2, 0), JUMP(0), MOV_IMM(0, 0), JUMP_IMM(BPF_JLT, 0, 1, -4), EXIT()),
     .entry_count = 2,
     .entries = {{.kind = PROOF_LOOP, .key = {2}, .end = 5, .measure = 6, .step = 1, .body = {9, 0}},
                 {.kind = PROOF_MERGE, .key = {4}, .slack = {5, 0}}},
     .change_count = 2,
     .changes = {{0, {.location = 6, .value = CASE_BETWEEN(0, 9)}},
                 {1,
                  {.location = 6,
                   .value = {.kind = PROOF_SCALAR,
                             .origin = 1,
                             .moved_min = 1,
                             .moved_max = 1,
                             .number = {0, 15, {0, 9, 0, 9}, {0, 9, 0, 9}}}}}}},
    {"a jump into the middle of a loop is a head of its own", PROOF_NO_POINT, 4,
     INSNS(MOV_IMM(6, 0), MOV_IMM(0, 0), ADD(0, 6), MOV_IMM(2, 0), ADD_IMM(6, 1), JUMP_IMM(BPF_JLT, 6, 10, -2), EXIT()),
     LOOP_AT_2(.end = 5, .step = 1, .body = {5, 0}), WITH_R6(0, 9)},
    {"through a packet by its length fields", PROOF_OK, 0,
     /* for (p = data; p + 1 <= end; p += 16 + (*p & 15)) */
     INSNS(LOAD(BPF_W, 6, 1, 0), LOAD(BPF_W, 3, 1, 4), MOV(4, 6), ADD_IMM(4, 1),
           INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 5, 0), LOAD(BPF_B, 5, 6, 0),
           INSN(BPF_ALU64 | BPF_AND | BPF_K, 5, 0, 0, 15), ADD(6, 5), ADD_IMM(6, 16), JUMP(-8), MOV_IMM(0, 0), EXIT()),
     HEAD(.kind = PROOF_LOOP, .end = 9, .measure = 6, .step = 16, .body = {8, 0}), .change_count = 3,
     .changes = {{0, {.location = 4}},
                 {0, {.location = 5}},
                 {0,
                  {.location = 6,
                   .value = {.kind = PROOF_PACKET,
                             .room = PROOF_NO_ROOM,
                             .number = {0, 0x1ffff, {0, 0x1001d, 0, 0x1001d}, {0, 0x1001d, 0, 0x1001d}}}}}}},
};

static void test_loops(void **state) { RUN_CASES(loop_cases); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_packet), cmocka_unit_test(test_joins),
                                     cmocka_unit_test(test_loops)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
