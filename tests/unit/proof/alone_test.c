/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Functions that are checked alone: what they may do with what they are lent, what calls must hand over, and what callers know and pay
 * afterwards. As Linux has it for global functions (kernel/bpf/verifier.c, btf_check_func_arg_match and what it calls) unless a case says
 * otherwise.
 */
#include "tests/unit/proof/proof_case.h"

#define RETURN_0 MOV_IMM(0, 0), EXIT()
#define ALONE(slot, ...)                                          \
  {                                                               \
    .pc = (slot), .map = PROOF_ALONE, .argument = { __VA_ARGS__ } \
  }
#define NUMBER \
  { .kind = PROOF_SCALAR }
#define NOTHING \
  { .kind = PROOF_UNREADABLE }
#define THE_CONTEXT \
  { .kind = PROOF_CONTEXT }
#define LENT(bytes) \
  { .kind = PROOF_LENT, .size = (bytes) }
#define LENT_OR_NULL(bytes) \
  { .kind = PROOF_LENT, .size = (bytes), .or_null = true }
#define GLOBAL_TO(reg, offset) LOAD_KIND(reg, BPF_PSEUDO_MAP_VALUE, GLOBAL, offset)
/* r1: 8 bytes of stack that hold this number. */
#define STACK_8(number) STORE_IMM(BPF_DW, 10, -8, number), MOV(1, 10), ADD_IMM(1, -8)
#define LOOKUP(map) \
  STORE_IMM(BPF_W, 10, -4, 1), MOV(2, 10), ADD_IMM(2, -4), LOAD_MAP(1, map), CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM)
/* r7: the packet, of which 8 bytes are there; r6: the context. 8 slots. */
#define PACKET_8                                                                   \
  MOV(6, 1), LOAD(BPF_W, 7, 1, 0), LOAD(BPF_W, 8, 1, 4), MOV(2, 7), ADD_IMM(2, 8), \
      INSN(BPF_JMP | BPF_JLE | BPF_X, 2, 8, 2, 0), RETURN_0
/* r1 is the context. 2 slots. */
#define MOVE_PACKET MOV_IMM(2, -8), CALL_HELPER(BPF_HELPER_XDP_ADJUST_HEAD)

static const struct proof_case body_cases[] = {
    {"what is lent is read and written, up to its end", PROOF_OK, 0,
     INSNS(STACK_8(1), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 4), STORE(BPF_DW, 1, 0, 0), EXIT()),
     .alone = {ALONE(5, LENT(8))}},
    {"not read beyond it", PROOF_OUTSIDE, 5, INSNS(STACK_8(1), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 5), EXIT()),
     .alone = {ALONE(5, LENT(8))}},
    {"not written beyond it, though this caller's stack goes on", PROOF_OUTSIDE, 5,
     INSNS(STACK_8(1), CALL(1), EXIT(), STORE_IMM(BPF_B, 1, 8, 1), RETURN_0), .alone = {ALONE(5, LENT(8))}},
    {"nor before it", PROOF_OUTSIDE, 5, INSNS(STACK_8(1), CALL(1), EXIT(), STORE_IMM(BPF_B, 1, -1, 1), RETURN_0),
     .alone = {ALONE(5, LENT(8))}},
    {"at an offset that is not bounded neither", PROOF_OUTSIDE, 7,
     INSNS(MOV_IMM(2, 0), STACK_8(1), CALL(1), EXIT(), ADD(1, 2), LOAD(BPF_B, 0, 1, 0), EXIT()),
     .alone = {ALONE(6, LENT(8), NUMBER)}},
    {"what may be NULL must be compared with it, whatever callers hand over", PROOF_NOT_POINTER, 5,
     INSNS(STACK_8(1), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 0), EXIT()), .alone = {ALONE(5, LENT_OR_NULL(8))}},
    {"behind the comparison it is there", PROOF_OK, 0,
     INSNS(STACK_8(1), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP_IMM(BPF_JEQ, 1, 0, 1), LOAD(BPF_W, 0, 1, 0), EXIT()),
     .alone = {ALONE(5, LENT_OR_NULL(8))}},
    {"two arguments that may be NULL are not the same one", PROOF_NOT_POINTER, 8,
     INSNS(STACK_8(1), MOV(2, 1), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP_IMM(BPF_JEQ, 1, 0, 1), LOAD(BPF_W, 0, 2, 0),
           EXIT()),
     .alone = {ALONE(6, LENT_OR_NULL(8), LENT_OR_NULL(8))}},
    {"no address goes to lent memory", PROOF_LEAKS, 5,
     INSNS(STACK_8(1), CALL(1), EXIT(), STORE(BPF_DW, 1, 1, 0), RETURN_0), .alone = {ALONE(5, LENT(8))}},
    {"it may lie anywhere, so no atomics (Linux permits them: x86 does)", PROOF_MISALIGNED, 6,
     INSNS(STACK_8(1), CALL(1), EXIT(), MOV_IMM(0, 1), ATOMIC(BPF_W, 1, 0, 0, BPF_ADD), EXIT()),
     .alone = {ALONE(5, LENT(8))}},
    {"what it is told nothing of it doesn't read", PROOF_READS_UNREADABLE, 5,
     INSNS(STACK_8(1), CALL(1), EXIT(), ADD_IMM(1, 1), EXIT()), .alone = {ALONE(5, NOTHING)}},
    {"a number is any number, whatever this caller hands over", PROOF_OUTSIDE, 6,
     INSNS(MOV_IMM(1, 0), CALL(1), EXIT(), GLOBAL_TO(2, 0), ADD(2, 1), LOAD(BPF_B, 0, 2, 0), EXIT()),
     .alone = {ALONE(3, NUMBER)}},
    {"it ends without the lock", PROOF_HOLDS, 14,
     INSNS(CALL(1), EXIT(), LOOKUP(LOCKED), JUMP_IMM(BPF_JNE, 0, 0, 2), RETURN_0, MOV(1, 0),
           CALL_HELPER(BPF_HELPER_SPIN_LOCK), RETURN_0),
     .alone = {ALONE(2, NOTHING)}},
    {"and without records", PROOF_HOLDS, 10,
     INSNS(CALL(1), EXIT(), LOAD_MAP(1, RING), MOV_IMM(2, 8), MOV_IMM(3, 0), CALL_HELPER(BPF_HELPER_RINGBUF_RESERVE),
           JUMP_IMM(BPF_JNE, 0, 0, 1), EXIT(), RETURN_0),
     .alone = {ALONE(2, NOTHING)}},
    {"nor does it give back what its caller holds", PROOF_BAD_ARGUMENT, 13,
     INSNS(LOAD_MAP(1, RING), MOV_IMM(2, 8), MOV_IMM(3, 0), CALL_HELPER(BPF_HELPER_RINGBUF_RESERVE),
           JUMP_IMM(BPF_JNE, 0, 0, 1), EXIT(), STORE_IMM(BPF_DW, 0, 0, 1), MOV(1, 0), CALL(1), EXIT(), MOV_IMM(2, 0),
           MOV_IMM(0, 0), CALL_HELPER(BPF_HELPER_RINGBUF_SUBMIT), RETURN_0),
     .alone = {ALONE(11, LENT(8))}},
    {"recursion is too deep", PROOF_TOO_DEEP, 2, INSNS(CALL(1), EXIT(), CALL(-1), EXIT()),
     .alone = {ALONE(2, NOTHING)}},
    {"of two functions, too", PROOF_TOO_DEEP, 2, INSNS(CALL(1), EXIT(), CALL(1), EXIT(), CALL(-3), EXIT()),
     .alone = {ALONE(2, NOTHING), ALONE(4, NOTHING)}},
    {"no function begins in the middle of an immediate", PROOF_BAD_PROOF, 0, INSNS(LOAD_64(0, 0), EXIT()),
     .alone = {ALONE(1, NOTHING)}},
    {"nor behind the code", PROOF_BAD_PROOF, 0, INSNS(RETURN_0), .alone = {ALONE(2, NOTHING)}},
};

static const struct proof_case call_cases[] = {
    {"less memory than is asked for", PROOF_OUTSIDE, 3,
     INSNS(STORE_IMM(BPF_DW, 10, -8, 1), MOV(1, 10), ADD_IMM(1, -7), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 0), EXIT()),
     .alone = {ALONE(5, LENT(8))}},
    {"memory of which a byte is not written", PROOF_READS_UNWRITTEN, 4,
     INSNS(STORE_IMM(BPF_W, 10, -8, 1), STORE_IMM(BPF_H, 10, -4, 1), MOV(1, 10), ADD_IMM(1, -8), CALL(1), EXIT(),
           LOAD(BPF_W, 0, 1, 0), EXIT()),
     .alone = {ALONE(6, LENT(8))}},
    {"memory that holds an address", PROOF_READS_UNWRITTEN, 3,
     INSNS(STORE(BPF_DW, 10, 1, -8), MOV(1, 10), ADD_IMM(1, -8), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 0), EXIT()),
     .alone = {ALONE(5, LENT(8))}},
    {"memory that may only be read", PROOF_NOT_WRITABLE, 8,
     INSNS(LOOKUP(READ_ONLY), MOV(1, 0), JUMP(0), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 0), EXIT()),
     .alone = {ALONE(10, LENT(8))}},
    {"a value with its lock", PROOF_HIDDEN_FIELD, 9,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JNE, 0, 0, 1), EXIT(), MOV(1, 0), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 0),
           EXIT()),
     .alone = {ALONE(11, LENT(8))}},
    {"but not what is behind the lock", PROOF_OK, 0,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JNE, 0, 0, 1), EXIT(), MOV(1, 0), ADD_IMM(1, 8), CALL(1), EXIT(),
           LOAD(BPF_W, 0, 1, 0), EXIT()),
     .alone = {ALONE(12, LENT(8))}},
    {"what may be NULL, where NULL may not be", PROOF_NOT_POINTER, 7,
     INSNS(LOOKUP(HASH), MOV(1, 0), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 0), EXIT()), .alone = {ALONE(9, LENT(8))}},
    {"where it may be", PROOF_OK, 0,
     INSNS(LOOKUP(HASH), MOV(1, 0), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP_IMM(BPF_JEQ, 1, 0, 1), LOAD(BPF_W, 0, 1, 0),
           EXIT()),
     .alone = {ALONE(9, LENT_OR_NULL(8))}},
    {"what may be NULL, and is too short if it is not", PROOF_OUTSIDE, 7,
     INSNS(LOOKUP(HASH), MOV(1, 0), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP_IMM(BPF_JEQ, 1, 0, 1), LOAD(BPF_W, 0, 1, 0),
           EXIT()),
     .alone = {ALONE(9, LENT_OR_NULL(9))}},
    {"its caller has not compared it by that", PROOF_NOT_POINTER, 9,
     INSNS(LOOKUP(HASH), MOV(6, 0), MOV(1, 0), CALL(2), LOAD(BPF_W, 0, 6, 0), EXIT(), MOV_IMM(0, 0),
           JUMP_IMM(BPF_JEQ, 1, 0, 1), LOAD(BPF_W, 0, 1, 0), EXIT()),
     .alone = {ALONE(11, LENT_OR_NULL(8))}},
    {"NULL itself", PROOF_OK, 0,
     INSNS(MOV_IMM(1, 0), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP_IMM(BPF_JEQ, 1, 0, 1), LOAD(BPF_W, 0, 1, 0), EXIT()),
     .alone = {ALONE(3, LENT_OR_NULL(8))}},
    {"NULL where memory must be", PROOF_BAD_ARGUMENT, 1,
     INSNS(MOV_IMM(1, 0), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 0), EXIT()), .alone = {ALONE(3, LENT(8))}},
    {"memory of no bytes, which could be anything", PROOF_BAD_ARGUMENT, 1,
     INSNS(MOV_IMM(1, 0), CALL(1), EXIT(), MOV_IMM(0, 0), EXIT()), .alone = {ALONE(3, LENT(0))}},
    {"an address for a number", PROOF_BAD_ARGUMENT, 0, INSNS(CALL(1), EXIT(), MOV(0, 1), EXIT()),
     .alone = {ALONE(2, NUMBER)}},
    {"a number for the context", PROOF_BAD_ARGUMENT, 1,
     INSNS(MOV_IMM(1, 0), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 12), EXIT()), .alone = {ALONE(3, THE_CONTEXT)}},
    {"the context but not its start", PROOF_BAD_ARGUMENT, 1,
     INSNS(ADD_IMM(1, 4), CALL(1), EXIT(), LOAD(BPF_W, 0, 1, 12), EXIT()), .alone = {ALONE(3, THE_CONTEXT)}},
    {"what holds nothing", PROOF_READS_UNREADABLE, 0, INSNS(CALL(1), EXIT(), MOV(0, 2), EXIT()),
     .alone = {ALONE(2, NOTHING, NUMBER)}},
    {"a kind of argument that there is not: a packet pointer", PROOF_BAD_ARGUMENT, 1,
     INSNS(LOAD(BPF_W, 1, 1, 0), CALL(1), EXIT(), RETURN_0), .alone = {ALONE(3, {.kind = PROOF_PACKET})}},
    {"with a lock held", PROOF_WHILE_LOCKED, 10,
     INSNS(LOOKUP(LOCKED), JUMP_IMM(BPF_JNE, 0, 0, 1), EXIT(), MOV(1, 0), CALL_HELPER(BPF_HELPER_SPIN_LOCK), CALL(1),
           EXIT(), RETURN_0),
     .alone = {ALONE(12, NOTHING)}},
    {"packet bytes are lent", PROOF_OK, 0, INSNS(PACKET_8, MOV(1, 7), CALL(1), EXIT(), LOAD(BPF_DW, 0, 1, 0), EXIT()),
     .alone = {ALONE(11, LENT(8))}},
    {"as many as were compared with the end", PROOF_OUTSIDE, 9,
     INSNS(PACKET_8, MOV(1, 7), CALL(1), EXIT(), LOAD(BPF_DW, 0, 1, 0), EXIT()), .alone = {ALONE(11, LENT(9))}},
    {"to none that may move the packet: they would go on using them (Linux permits it)", PROOF_BAD_ARGUMENT, 10,
     INSNS(PACKET_8, MOV(1, 6), MOV(2, 7), CALL(1), EXIT(), MOVE_PACKET, RETURN_0),
     .alone = {ALONE(12, THE_CONTEXT, LENT(8))}},
    {"stack is lent to it", PROOF_OK, 0,
     INSNS(MOV(6, 1), STACK_8(1), MOV(2, 1), MOV(1, 6), CALL(1), EXIT(), MOVE_PACKET, RETURN_0),
     .alone = {ALONE(8, THE_CONTEXT, LENT(8))}},
};

static const struct proof_case caller_cases[] = {
    {"the result is what all ways out give", PROOF_OK, 0,
     INSNS(MOV_IMM(1, 0), CALL(5), GLOBAL_TO(2, 0), ADD(2, 0), LOAD(BPF_B, 0, 2, 8), EXIT(), MOV_IMM(0, 3),
           JUMP_IMM(BPF_JEQ, 1, 0, 1), MOV_IMM(0, 7), EXIT()),
     .alone = {ALONE(7, NUMBER)}},
    {"not what the last one gives", PROOF_OUTSIDE, 5,
     INSNS(MOV_IMM(1, 0), CALL(5), GLOBAL_TO(2, 0), ADD(2, 0), LOAD(BPF_B, 0, 2, 8), EXIT(), JUMP_IMM(BPF_JEQ, 1, 0, 2),
           MOV_IMM(0, 8), EXIT(), MOV_IMM(0, 7), EXIT()),
     .alone = {ALONE(7, NUMBER)}},
    {"an address is no result", PROOF_READS_UNREADABLE, 4, INSNS(STACK_8(1), CALL(1), EXIT(), MOV(0, 1), EXIT()),
     .alone = {ALONE(5, LENT(8))}},
    {"nor is one that only some ways give", PROOF_READS_UNREADABLE, 4,
     INSNS(STACK_8(1), CALL(1), EXIT(), MOV(0, 1), JUMP_IMM(BPF_JEQ, 1, 0, 1), EXIT(), EXIT()),
     .alone = {ALONE(5, LENT_OR_NULL(8))}},
    {"a function need not give one", PROOF_OK, 0, INSNS(CALL(2), RETURN_0, EXIT()), .alone = {ALONE(3, NOTHING)}},
    {"what was not given is not read", PROOF_READS_UNREADABLE, 1, INSNS(CALL(1), EXIT(), EXIT()),
     .alone = {ALONE(2, NOTHING)}},
    {"arguments are gone", PROOF_READS_UNREADABLE, 2, INSNS(MOV_IMM(1, 0), CALL(2), ADD_IMM(1, 1), EXIT(), RETURN_0),
     .alone = {ALONE(4, NOTHING)}},
    {"what stood in lent memory may be something else", PROOF_OUTSIDE, 8,
     INSNS(STACK_8(1), CALL(6), LOAD(BPF_DW, 1, 10, -8), GLOBAL_TO(2, 0), ADD(2, 1), LOAD(BPF_B, 0, 2, 0), EXIT(),
           STORE_IMM(BPF_W, 1, 0, 99), RETURN_0),
     .alone = {ALONE(10, LENT(8))}},
    {"what stands beside it is the same", PROOF_OK, 0,
     INSNS(STORE_IMM(BPF_DW, 10, -16, 1), STACK_8(1), CALL(6), LOAD(BPF_DW, 1, 10, -16), GLOBAL_TO(2, 0), ADD(2, 1),
           LOAD(BPF_B, 0, 2, 0), EXIT(), STORE_IMM(BPF_W, 1, 0, 99), RETURN_0),
     .alone = {ALONE(11, LENT(8))}},
    {"packet pointers lapse if it may move the packet", PROOF_READS_UNREADABLE, 10,
     INSNS(PACKET_8, MOV(1, 6), CALL(2), LOAD(BPF_B, 0, 7, 0), EXIT(), MOVE_PACKET, RETURN_0),
     .alone = {ALONE(12, THE_CONTEXT)}},
    {"or calls one that may", PROOF_READS_UNREADABLE, 10,
     INSNS(PACKET_8, MOV(1, 6), CALL(2), LOAD(BPF_B, 0, 7, 0), EXIT(), CALL(1), EXIT(), MOVE_PACKET, RETURN_0),
     .alone = {ALONE(14, THE_CONTEXT), ALONE(12, THE_CONTEXT)}},
    {"otherwise they stay", PROOF_OK, 0, INSNS(PACKET_8, MOV(1, 6), CALL(2), LOAD(BPF_B, 0, 7, 0), EXIT(), RETURN_0),
     .alone = {ALONE(12, THE_CONTEXT)}},
    {"two calls of a function of three instructions", PROOF_OK, 0,
     INSNS(MOV_IMM(1, 0), CALL(3), MOV_IMM(1, 1), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP_IMM(BPF_JEQ, 1, 0, 0), EXIT()),
     .alone = {ALONE(5, NUMBER)}, .insns_at_most = 5 + 2 * 3},
    {"each call pays the longest way, also where it takes a short one", PROOF_OK, 0,
     INSNS(MOV_IMM(1, 0), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP_IMM(BPF_JEQ, 1, 0, 2), MOV_IMM(0, 1), MOV_IMM(0, 2),
           EXIT()),
     .alone = {ALONE(3, NUMBER)}, .insns_at_most = 3 + 5},
    {"a function that calls one pays for it", PROOF_OK, 0,
     INSNS(CALL(1), EXIT(), CALL(2), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP(0), EXIT()),
     .alone = {ALONE(5, NOTHING), ALONE(2, NOTHING)}, .insns_at_most = 2 + 3 + 2 * 3},
    {"one that stands behind its caller in the plan is walked into", PROOF_OK, 0,
     INSNS(CALL(1), EXIT(), CALL(2), CALL(1), EXIT(), MOV_IMM(0, 0), JUMP(0), EXIT()),
     .alone = {ALONE(2, NOTHING), ALONE(5, NOTHING)}, .insns_at_most = 2 + 3 + 2 * 3},
    {"six frames below a function are as many as there may be", PROOF_OK, 0,
     INSNS(CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(),
           CALL(1), EXIT(), RETURN_0),
     .alone = {ALONE(2, NOTHING)}},
    {"one more in its caller is too deep", PROOF_TOO_DEEP, 2,
     INSNS(CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(),
           CALL(1), EXIT(), CALL(1), EXIT(), RETURN_0),
     .alone = {ALONE(4, NOTHING)}},
    {"through another one, too", PROOF_TOO_DEEP, 6,
     INSNS(CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(), CALL(1), EXIT(),
           CALL(1), EXIT(), CALL(1), EXIT(), RETURN_0),
     .alone = {ALONE(8, NOTHING), ALONE(2, NOTHING)}},
};

static void test_body(void **state) { RUN_CASES(body_cases); }
static void test_call(void **state) { RUN_CASES(call_cases); }
static void test_caller(void **state) { RUN_CASES(caller_cases); }

/* Where a tail call leads is a matter of the program's bound, and that of its caller: such a function is not checked alone, unless there is
 * nothing to go on in. (Linux permits it.) */
static void test_tail_call(void **state) {
  static const struct bpf_insn insns[] = {
      CALL(1), EXIT(), LOAD_MAP(2, PROGRAMS), MOV_IMM(3, 0), CALL_HELPER(BPF_HELPER_TAIL_CALL), RETURN_0};
  static const struct proof_target to_itself = {PROGRAMS, 0};
  struct proof_root root = ALONE(2, THE_CONTEXT);
  const struct proof_plan plan = {.limits = {100, 10, 10}, .roots = &root, .root_count = 1};
  struct bpf_fact facts[COUNT(insns)];
  struct proof_program whole;
  struct proof_verdict verdict;
  struct proof_input input = case_input(insns, COUNT(insns), &whole);
  input.targets = &to_itself;
  void *arena = malloc(proof_walk_memory(&input, &plan));
  assert_non_null(arena);
  assert_true(proof_walk(&input, &plan, arena, NULL, facts, &verdict));
  input.target_count = 1;
  assert_false(proof_walk(&input, &plan, arena, NULL, facts, &verdict));
  assert_int_equal(verdict.failure.kind, PROOF_NO_HELPER);
  free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_body), cmocka_unit_test(test_call),
                                     cmocka_unit_test(test_caller), cmocka_unit_test(test_tail_call)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
