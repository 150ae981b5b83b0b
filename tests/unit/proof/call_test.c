/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers and functions: arguments, what is held, what lapses, callbacks, tail calls, timers; what is permitted and what is just not.
 * As Linux's verifier has it (kernel/bpf/verifier.c) unless a case says otherwise.
 */
#include "tests/unit/proof/proof_case.h"

#define RETURN_0 MOV_IMM(0, 0), EXIT()
#define KEY_ON_STACK STORE_IMM(BPF_W, 10, -4, 0), MOV(2, 10), ADD_IMM(2, -4)
#define LOOKUP(map) LOAD_MAP(1, map), KEY_ON_STACK, CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM)
#define GLOBAL_TO(reg, offset) LOAD_KIND(reg, BPF_PSEUDO_MAP_VALUE, GLOBAL, offset)
#define CONSTANT_TO(reg, offset) LOAD_KIND(reg, BPF_PSEUDO_MAP_VALUE, CONSTANT, offset)
#define FUNCTION(reg, distance) LOAD_KIND(reg, BPF_PSEUDO_FUNC, distance, 0)
#define RESERVE LOAD_MAP(1, RING), MOV_IMM(2, 8), MOV_IMM(3, 0), CALL_HELPER(BPF_HELPER_RINGBUF_RESERVE)
#define SUBMIT_R6 MOV(1, 6), MOV_IMM(2, 0), CALL_HELPER(BPF_HELPER_RINGBUF_SUBMIT)

/* r7 and r8: the packet and its end, before it was resized; r6 the context. 5 slots. */
#define TO_STALE \
  MOV(6, 1), LOAD(BPF_W, 7, 1, 0), LOAD(BPF_W, 8, 1, 4), MOV_IMM(2, 0), CALL_HELPER(BPF_HELPER_XDP_ADJUST_HEAD)
#define ALU64_X(op, dst, src) INSN(BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0)

static const struct proof_case helper_cases[] = {
    {"a value that was found is readable", PROOF_OK, 0,
     INSNS(LOOKUP(HASH), JUMP_IMM(BPF_JEQ, 0, 0, 1), LOAD(BPF_DW, 1, 0, 0), RETURN_0)},
    {"not before it was compared with 0", PROOF_NOT_POINTER, 6, INSNS(LOOKUP(HASH), LOAD(BPF_DW, 1, 0, 0), RETURN_0)},
    {"nor where it is 0", PROOF_NOT_POINTER, 8,
     INSNS(LOOKUP(HASH), JUMP_IMM(BPF_JEQ, 0, 0, 1), JUMP(1), LOAD(BPF_DW, 1, 0, 0), RETURN_0)},
    {"a copy of it learns from the comparison", PROOF_OK, 0,
     INSNS(LOOKUP(HASH), MOV(7, 0), JUMP_IMM(BPF_JNE, 0, 0, 2), RETURN_0, LOAD(BPF_DW, 1, 7, 0), RETURN_0)},
    {"it is not moved before it was compared", PROOF_POINTER_MATH, 6, INSNS(LOOKUP(HASH), ADD_IMM(0, 4), RETURN_0)},
    {"what the array surely has needs no comparison", PROOF_OK, 0,
     INSNS(LOOKUP(ARRAY), LOAD(BPF_DW, 1, 0, 8), RETURN_0)},
    {"key 4 of 4 does", PROOF_NOT_POINTER, 6,
     INSNS(LOAD_MAP(1, ARRAY), STORE_IMM(BPF_W, 10, -4, 4), MOV(2, 10), ADD_IMM(2, -4),
           CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM), LOAD(BPF_DW, 1, 0, 8), RETURN_0)},
    {"the key must be written", PROOF_READS_UNWRITTEN, 5,
     INSNS(LOAD_MAP(1, HASH), STORE_IMM(BPF_H, 10, -4, 0), MOV(2, 10), ADD_IMM(2, -4),
           CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM), RETURN_0)},
    {"a map argument is a map", PROOF_BAD_ARGUMENT, 4,
     INSNS(MOV_IMM(1, 0), KEY_ON_STACK, CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM), RETURN_0)},
    {"of the right type", PROOF_BAD_ARGUMENT, 5, INSNS(LOOKUP(RING), RETURN_0)},
    {"that may be written", PROOF_BAD_ARGUMENT, 8,
     INSNS(LOAD_MAP(1, READ_ONLY), KEY_ON_STACK, GLOBAL_TO(3, 0), MOV_IMM(4, 0),
           CALL_HELPER(BPF_HELPER_MAP_UPDATE_ELEM), RETURN_0)},
    {"a stored value is as long as the map's", PROOF_OUTSIDE, 8,
     INSNS(LOAD_MAP(1, HASH), KEY_ON_STACK, GLOBAL_TO(3, 9), MOV_IMM(4, 0), CALL_HELPER(BPF_HELPER_MAP_UPDATE_ELEM),
           RETURN_0)},
    {
        "and holds no pointer",
        PROOF_READS_UNWRITTEN,
        10,
        INSNS(LOAD_MAP(6, HASH), STORE(BPF_DW, 10, 1, -16), KEY_ON_STACK, MOV(3, 10), ADD_IMM(3, -16), MOV_IMM(4, 0),
              MOV(1, 6), CALL_HELPER(BPF_HELPER_MAP_UPDATE_ELEM), RETURN_0),
    },
    {"a value of a read-only map is not written", PROOF_NOT_WRITABLE, 6,
     INSNS(LOOKUP(READ_ONLY), STORE_IMM(BPF_DW, 0, 0, 1), RETURN_0)},
    {"arguments are gone after a call", PROOF_READS_UNREADABLE, 1,
     INSNS(CALL_HELPER(BPF_HELPER_KTIME_GET_NS), LOAD(BPF_W, 0, 1, 12), EXIT())},
    {"a helper of the other kind of programs", PROOF_NO_HELPER, 0,
     INSNS(CALL_HELPER(BPF_HELPER_GET_HASH_RECALC), RETURN_0)},
    {
        "packet pointers lapse when it is resized",
        PROOF_READS_UNREADABLE,
        9,
        INSNS(MOV(6, 1), LOAD(BPF_W, 7, 1, 0), LOAD(BPF_W, 8, 1, 4), MOV(2, 7), ADD_IMM(2, 8),
              INSN(BPF_JMP | BPF_JGT | BPF_X, 2, 8, 3, 0), MOV_IMM(2, 0), MOV(1, 6),
              CALL_HELPER(BPF_HELPER_XDP_ADJUST_HEAD), LOAD(BPF_B, 0, 7, 0), RETURN_0),
    },
    {"of two from before it the distance is still known", PROOF_OK, 0,
     INSNS(TO_STALE, ALU64_X(BPF_SUB, 8, 7), MOV(0, 8), EXIT())},
    {"in 32 bits, too, and when they come from the stack", PROOF_OK, 0,
     INSNS(TO_STALE, STORE(BPF_DW, 10, 7, -8), LOAD(BPF_DW, 9, 10, -8), INSN(BPF_ALU | BPF_SUB | BPF_X, 8, 9, 0, 0),
           MOV(0, 8), EXIT())},
    {"not as a length: it is any number", PROOF_OUTSIDE, 9,
     INSNS(TO_STALE, ALU64_X(BPF_SUB, 8, 7), GLOBAL_TO(1, 0), ADD(1, 8), LOAD(BPF_B, 0, 1, 0), EXIT())},
    {"of two from before and after there is none", PROOF_POINTER_MATH, 6,
     INSNS(TO_STALE, LOAD(BPF_W, 8, 6, 4), ALU64_X(BPF_SUB, 8, 7), RETURN_0)},
    {"nor when it has been resized again", PROOF_READS_UNREADABLE, 8,
     INSNS(TO_STALE, MOV(1, 6), MOV_IMM(2, 0), CALL_HELPER(BPF_HELPER_XDP_ADJUST_HEAD), ALU64_X(BPF_SUB, 8, 7),
           RETURN_0)},
    {"they are not moved", PROOF_READS_UNREADABLE, 6, INSNS(TO_STALE, MOV(1, 7), ADD_IMM(1, 1), RETURN_0)},
    {"their halves are no numbers", PROOF_READS_UNREADABLE, 5,
     INSNS(TO_STALE, INSN(BPF_ALU | BPF_MOV | BPF_X, 1, 7, 0, 0), RETURN_0)},
    {"nor do they get out: to a map", PROOF_READS_UNREADABLE, 7,
     INSNS(TO_STALE, GLOBAL_TO(1, 0), STORE(BPF_DW, 1, 7, 0), RETURN_0)},
    {"by a helper", PROOF_READS_UNREADABLE, 6, INSNS(TO_STALE, MOV(1, 7), CALL_HELPER(BPF_HELPER_REDIRECT), RETURN_0)},
    {"or as the verdict", PROOF_READS_UNREADABLE, 6, INSNS(TO_STALE, MOV(0, 7), EXIT())},
    {"compared with 0 they teach nothing: both ways may be gone", PROOF_NOT_POINTER, 6,
     INSNS(TO_STALE, JUMP_IMM(BPF_JNE, 7, 0, 1), LOAD(BPF_B, 0, 0, 0), RETURN_0)},
    {"memory is as long as its size says", PROOF_OK, 0,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 0), MOV(1, 10), ADD_IMM(1, -8), MOV_IMM(2, 8),
           CALL_HELPER(BPF_HELPER_TRACE_PRINTK), RETURN_0),
     .insns_at_most = 7},
    {"not 9 bytes of 8", PROOF_OUTSIDE, 4,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 0), MOV(1, 10), ADD_IMM(1, -8), MOV_IMM(2, 9),
           CALL_HELPER(BPF_HELPER_TRACE_PRINTK), RETURN_0)},
    {"nor a size that may be 0", PROOF_BAD_ARGUMENT, 5,
     INSNS(LOAD(BPF_W, 2, 1, 12), STORE_IMM(BPF_DW, 10, -8, 0), MOV(1, 10), ADD_IMM(1, -8),
           INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 7), CALL_HELPER(BPF_HELPER_TRACE_PRINTK), RETURN_0)},
    {"what a helper wrote is written, as far as it surely did", PROOF_OK, 0,
     INSNS(MOV_IMM(2, 0), MOV(3, 10), ADD_IMM(3, -8), MOV_IMM(4, 8), CALL_HELPER(BPF_HELPER_XDP_LOAD_BYTES),
           LOAD(BPF_DW, 0, 10, -8), EXIT())},
    {"and no further", PROOF_READS_UNREADABLE, 6,
     INSNS(MOV_IMM(2, 0), MOV(3, 10), ADD_IMM(3, -8), MOV_IMM(4, 7), CALL_HELPER(BPF_HELPER_XDP_LOAD_BYTES),
           LOAD(BPF_DW, 0, 10, -8), EXIT())},
    {"a string is constant", PROOF_OK, 0,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 0), MOV(1, 10), ADD_IMM(1, -8), MOV_IMM(2, 8), CONSTANT_TO(3, 0),
           CALL_HELPER(BPF_HELPER_STRNCMP), EXIT())},
    {"and ends", PROOF_BAD_ARGUMENT, 6,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 0), MOV(1, 10), ADD_IMM(1, -8), MOV_IMM(2, 8), CONSTANT_TO(3, 12),
           CALL_HELPER(BPF_HELPER_STRNCMP), EXIT())},
    {"what others may write is none", PROOF_BAD_ARGUMENT, 6,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 0), MOV(1, 10), ADD_IMM(1, -8), MOV_IMM(2, 8), GLOBAL_TO(3, 0),
           CALL_HELPER(BPF_HELPER_STRNCMP), EXIT())},
    {"a map found in a map is used when compared", PROOF_OK, 0,
     INSNS(LOOKUP(OUTER), JUMP_IMM(BPF_JEQ, 0, 0, 7), MOV(1, 0), MOV(2, 10), ADD_IMM(2, -4),
           CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM), JUMP_IMM(BPF_JEQ, 0, 0, 2), LOAD(BPF_DW, 1, 0, 0), MOV_IMM(0, 0),
           RETURN_0)},
    {"not before", PROOF_BAD_ARGUMENT, 9,
     INSNS(LOOKUP(OUTER), MOV(1, 0), MOV(2, 10), ADD_IMM(2, -4), CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM), RETURN_0)},
};

static const struct proof_case held_cases[] = {
    {"a record is given back", PROOF_OK, 0,
     INSNS(RESERVE, JUMP_IMM(BPF_JEQ, 0, 0, 5), MOV(6, 0), STORE_IMM(BPF_DW, 6, 0, 1), SUBMIT_R6, RETURN_0)},
    {"or the program is refused", PROOF_HOLDS, 7, INSNS(RESERVE, MOV_IMM(0, 0), JUMP(0), EXIT())},
    {"once", PROOF_READS_UNREADABLE, 12,
     INSNS(RESERVE, JUMP_IMM(BPF_JEQ, 0, 0, 6), MOV(6, 0), SUBMIT_R6, SUBMIT_R6, RETURN_0)},
    {"it is not touched afterwards", PROOF_READS_UNREADABLE, 10,
     INSNS(RESERVE, JUMP_IMM(BPF_JEQ, 0, 0, 4), MOV(6, 0), SUBMIT_R6, LOAD(BPF_B, 0, 6, 0), RETURN_0)},
    {"it has its size", PROOF_OUTSIDE, 6, INSNS(RESERVE, JUMP_IMM(BPF_JEQ, 0, 0, 1), LOAD(BPF_DW, 1, 0, 1), RETURN_0)},
    {"its start is given back", PROOF_BAD_ARGUMENT, 9,
     INSNS(RESERVE, JUMP_IMM(BPF_JEQ, 0, 0, 4), ADD_IMM(0, 1), MOV(1, 0), MOV_IMM(2, 0),
           CALL_HELPER(BPF_HELPER_RINGBUF_SUBMIT), RETURN_0)},
    {"its size is a constant", PROOF_BAD_ARGUMENT, 5,
     INSNS(LOAD(BPF_W, 2, 1, 12), LOAD_MAP(1, RING), MOV_IMM(3, 0), MOV(4, 3), CALL_HELPER(BPF_HELPER_RINGBUF_RESERVE),
           RETURN_0)},
    {"one path holds it and one does not: they don't meet", PROOF_NO_JOIN, 9,
     INSNS(RESERVE, JUMP_IMM(BPF_JEQ, 0, 0, 3), MOV(1, 0), MOV_IMM(2, 0), JUMP(0), MOV_IMM(0, 0), EXIT())},
    {"a lock is given back", PROOF_OK, 0,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JEQ, 0, 0, 6), MOV(6, 0), MOV(1, 0), CALL_HELPER(BPF_HELPER_SPIN_LOCK),
           STORE_IMM(BPF_W, 6, 4, 1), MOV(1, 6), CALL_HELPER(BPF_HELPER_SPIN_UNLOCK), RETURN_0)},
    {"or the program is refused", PROOF_HOLDS, 10,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JEQ, 0, 0, 4), MOV(1, 0), CALL_HELPER(BPF_HELPER_SPIN_LOCK), RETURN_0,
           RETURN_0)},
    {"no other helper meanwhile", PROOF_WHILE_LOCKED, 9,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JEQ, 0, 0, 3), MOV(1, 0), CALL_HELPER(BPF_HELPER_SPIN_LOCK),
           CALL_HELPER(BPF_HELPER_KTIME_GET_NS), RETURN_0)},
    {"the lock itself is not touched", PROOF_HIDDEN_FIELD, 7,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JEQ, 0, 0, 1), STORE_IMM(BPF_W, 0, 0, 0), RETURN_0)},
    {"only where it is", PROOF_BAD_ARGUMENT, 9,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JEQ, 0, 0, 3), MOV(1, 0), ADD_IMM(1, 4), CALL_HELPER(BPF_HELPER_SPIN_LOCK),
           RETURN_0)},
    {"another value's lock is another lock", PROOF_NOT_LOCKED, 19,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JEQ, 0, 0, 13), MOV(6, 0), LOOKUP(LOCKED), JUMP_IMM(BPF_JEQ, 0, 0, 5),
           MOV(7, 0), MOV(1, 6), CALL_HELPER(BPF_HELPER_SPIN_LOCK), MOV(1, 7), CALL_HELPER(BPF_HELPER_SPIN_UNLOCK),
           RETURN_0)},
};

static const struct proof_case function_cases[] = {
    {"a function gives r0 and leaves r6", PROOF_OK, 0,
     INSNS(MOV_IMM(6, 1), CALL(2), ADD(0, 6), EXIT(), MOV_IMM(6, 3), MOV_IMM(0, 2), EXIT()), .insns_at_most = 7},
    {"it finds no r6", PROOF_READS_UNREADABLE, 5,
     INSNS(MOV_IMM(6, 1), CALL(2), ADD(0, 6), EXIT(), MOV_IMM(0, 0), ADD(0, 6), EXIT())},
    {"nor does its caller find r1", PROOF_READS_UNREADABLE, 2, INSNS(CALL(2), MOV(0, 1), EXIT(), RETURN_0)},
    {"what it gives may be nothing, which its caller does not use", PROOF_OK, 0,
     INSNS(CALL(2), MOV_IMM(0, 0), EXIT(), MOV(0, 6), EXIT())},
    {"it writes to its caller's frame", PROOF_OK, 0,
     INSNS(MOV(1, 10), ADD_IMM(1, -8), CALL(2), LOAD(BPF_DW, 0, 10, -8), EXIT(), STORE_IMM(BPF_DW, 1, 0, 1), EXIT())},
    {"but leaves no address of its own there", PROOF_LEAKS, 5,
     INSNS(MOV(1, 10), ADD_IMM(1, -8), CALL(2), LOAD(BPF_DW, 0, 10, -8), EXIT(), STORE(BPF_DW, 1, 10, 0), EXIT())},
    {"nor in r0", PROOF_RESULT, 4, INSNS(CALL(1), JUMP(1), MOV(0, 10), JUMP(0), EXIT())},
    {"its frame is its own", PROOF_READS_UNREADABLE, 5,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 1), CALL(1), EXIT(), JUMP(0), LOAD(BPF_DW, 0, 10, -8), ADD_IMM(0, 1), EXIT())},
    {"calls of calls end at 8 frames", PROOF_TOO_DEEP, 0, INSNS(CALL(-1), EXIT())},
    {"callx to a function", PROOF_OK, 0,
     INSNS(FUNCTION(2, 3), INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0), EXIT(), MOV_IMM(0, 1), MOV_IMM(0, 1), EXIT())},
    {"to a number", PROOF_NOT_FUNCTION, 1, INSNS(MOV_IMM(2, 3), INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0), EXIT())},
};

/* bpf_loop(n, f, stack, 0) with f at the end: *(u64 *)ctx += i; return 0 */
#define LOOP_CALL(n)                                                                                      \
  STORE_IMM(BPF_DW, 10, -8, 0), MOV_IMM(1, n), FUNCTION(2, 7), MOV(3, 10), ADD_IMM(3, -8), MOV_IMM(4, 0), \
      CALL_HELPER(BPF_HELPER_LOOP), RETURN_0
#define LOOP_BODY LOAD(BPF_DW, 3, 2, 0), ADD(3, 1), STORE(BPF_DW, 2, 3, 0), MOV_IMM(0, 0), EXIT()
#define SLOT_OF_CALLER (PROOF_FIRST_SLOT + 63)
#define AT_CALLBACK(body_insns) \
  .entry_count = 1, .entries = {{.kind = PROOF_CALLBACK, .depth = 1, .key = {7, 10}, .body = {body_insns, 0}}}
#define SUM_FORGOTTEN \
  .change_count = 1, .changes = {{0, {.location = SLOT_OF_CALLER, .written = 0xff, .size = 8, .value = CASE_ANY}}}

static const struct proof_case callback_cases[] = {
    {"a function that bpf_loop calls needs an entry", PROOF_NO_POINT, 10, INSNS(LOOP_CALL(10), LOOP_BODY)},
    {"which says what holds in each trip", PROOF_NOT_WITHIN, 10, INSNS(LOOP_CALL(10), LOOP_BODY), AT_CALLBACK(5)},
    {"and how long one takes", PROOF_OK, 0, INSNS(LOOP_CALL(10), LOOP_BODY), AT_CALLBACK(5), SUM_FORGOTTEN,
     .insns_at_most = 7 + 10 * 5 + 2},
    {"no less", PROOF_BODY, 10, INSNS(LOOP_CALL(10), LOOP_BODY), AT_CALLBACK(4), SUM_FORGOTTEN},
    {"the index stays below the count", PROOF_OK, 0,
     INSNS(LOOP_CALL(16), GLOBAL_TO(3, 0), ADD(3, 1), LOAD(BPF_B, 4, 3, 0), RETURN_0), AT_CALLBACK(6)},
    {"no lower", PROOF_OUTSIDE, 13, INSNS(LOOP_CALL(17), GLOBAL_TO(3, 0), ADD(3, 1), LOAD(BPF_B, 4, 3, 0), RETURN_0),
     AT_CALLBACK(6)},
    {"too many trips", PROOF_TOO_LONG, 10, INSNS(LOOP_CALL(1 << 20), RETURN_0), AT_CALLBACK(2)},
    {"what a trip may not write stays known", PROOF_NOT_WITHIN, 10,
     INSNS(LOOP_CALL(10), STORE(BPF_DW, 2, 1, 0), RETURN_0), AT_CALLBACK(3)},
};

static void test_helpers(void **state) { RUN_CASES(helper_cases); }
static void test_held(void **state) { RUN_CASES(held_cases); }
static void test_functions(void **state) { RUN_CASES(function_cases); }
static void test_callbacks(void **state) { RUN_CASES(callback_cases); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_helpers), cmocka_unit_test(test_held),
                                     cmocka_unit_test(test_functions), cmocka_unit_test(test_callbacks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
