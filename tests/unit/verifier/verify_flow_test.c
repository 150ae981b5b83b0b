/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loops and live locations, on code small enough to see them. Expected slots are read off the code by hand.
 */
#include "verifier/verify_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bpf/isa.h"
#include "verifier/verify_live.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MOV(dst, value) \
  { .code = BPF_ALU64 | BPF_MOV | BPF_K, .regs = (dst), .imm = (value) }
#define ADD(dst, value) \
  { .code = BPF_ALU64 | BPF_ADD | BPF_K, .regs = (dst), .imm = (value) }
#define JUMP(distance) \
  { .code = BPF_JMP | BPF_JA, .off = (distance) }
#define JNE(dst, value, distance) \
  { .code = BPF_JMP | BPF_JNE | BPF_K, .regs = (dst), .imm = (value), .off = (distance) }
#define EXIT \
  { .code = BPF_JMP | BPF_EXIT }

/* Two nested loops, the outer one entered in its middle, and a function behind. */
static const struct bpf_insn nested[] = {
    [0] = MOV(6, 0),
    [1] = JUMP(1),       /* to 3 */
    [2] = ADD(6, 1),     /* where the outer loop goes on */
    [3] = MOV(7, 0),     /* and its head */
    [4] = ADD(7, 1),     /* head of the inner loop */
    [5] = JNE(7, 9, -2), /* to 4 */
    [6] = JNE(6, 5, -5), /* to 2 */
    [7] = {.code = BPF_JMP | BPF_CALL, .regs = BPF_PSEUDO_CALL << 4, .imm = 1},
    [8] = EXIT,
    [9] = MOV(0, 0),
    [10] = EXIT,
};

static struct proof_input input_of(const struct bpf_insn *insns, uint32_t count, struct proof_program *program) {
  *program = (struct proof_program){0, count};
  return (struct proof_input){.insns = insns, .insn_count = count, .programs = program, .program_count = 1};
}

/* A loop's head is where control enters it, not where it jumps back to, and all that comes back to the head is inside. */
static void loops_begin_where_control_enters(void **state) {
  struct proof_program program;
  const struct proof_input input = input_of(nested, COUNT(nested), &program);
  struct flow flow;
  uint32_t first, last;
  assert_int_equal(flow_build(&flow, &input), 0);
  for (uint32_t i = 0; i < COUNT(nested); i++) {
    assert_int_equal(flow_is_head(&flow, i), i == 3 || i == 4);
    assert_int_equal(flow_head_of(&flow, i), i == 4 || i == 5 ? 4 : i >= 2 && i <= 6 ? 3 : FLOW_NONE);
    assert_int_equal(flow_is_backward(&flow, i), i == 5 || i == 6);
  }
  assert_int_equal(flow.around[4], 3);
  assert_int_equal(flow.around[3], FLOW_NONE);
  flow_loop_range(&flow, 3, &first, &last);
  assert_int_equal(first, 2);
  assert_int_equal(last, 6);
  flow_loop_range(&flow, 4, &first, &last);
  assert_int_equal(first, 4);
  assert_int_equal(last, 5);
  assert_int_equal(flow.function[8], 0);
  assert_int_equal(flow.function[10], 9);
  flow_free(&flow);
}

/* A jump backwards alone is no loop: 1 and 2 stand before the code that leads to them. */
static void what_never_comes_back_is_no_loop(void **state) {
  static const struct bpf_insn insns[] = {
      [0] = JUMP(2),                                    /* to 3 */
      [1] = MOV(0, 0), [2] = EXIT, [3] = JNE(1, 0, -3), /* to 1 */
      [4] = JUMP(-4),                                   /* to 1 */
  };
  struct proof_program program;
  const struct proof_input input = input_of(insns, COUNT(insns), &program);
  struct flow flow;
  assert_int_equal(flow_build(&flow, &input), 0);
  for (uint32_t i = 0; i < COUNT(insns); i++)
    assert_int_equal(flow_head_of(&flow, i), FLOW_NONE);
  flow_free(&flow);
}

/* Entered at 2 and at 4, a loop has one head nevertheless, and every slot of the cycle is in it. */
static void a_loop_with_two_entries_has_a_head(void **state) {
  static const struct bpf_insn insns[] = {
      [0] = JNE(1, 0, 3),                                                                         /* to 4 */
      [1] = MOV(0, 0),    [2] = ADD(0, 1), [3] = MOV(3, 0), [4] = ADD(0, 1), [5] = JNE(0, 9, -4), /* to 2 */
      [6] = EXIT,
  };
  struct proof_program program;
  const struct proof_input input = input_of(insns, COUNT(insns), &program);
  struct flow flow;
  uint32_t heads = 0;
  assert_int_equal(flow_build(&flow, &input), 0);
  for (uint32_t i = 0; i < COUNT(insns); i++) {
    heads += flow_is_head(&flow, i);
    assert_int_equal(flow_head_of(&flow, i) != FLOW_NONE, i >= 2 && i <= 5);
  }
  assert_int_equal(heads, 1);
  flow_free(&flow);
}

/* r1 is read at 3, r2 never again; r6 lives through the loop; the word at r10 - 8 is read at 4, that at r10 - 16 never. */
static const struct bpf_insn code[] = {
    [0] = {.code = BPF_STX | BPF_MEM | BPF_DW, .regs = 10 | 1 << 4, .off = -8},
    [1] = {.code = BPF_STX | BPF_MEM | BPF_DW, .regs = 10 | 2 << 4, .off = -16},
    [2] = MOV(6, 3),
    [3] = {.code = BPF_ALU64 | BPF_MOV | BPF_X, .regs = 0 | 1 << 4},
    [4] = {.code = BPF_LDX | BPF_MEM | BPF_DW, .regs = 3 | 10 << 4, .off = -8},
    [5] = ADD(6, -1),
    [6] = JNE(6, 0, -3), /* to 4 */
    [7] = EXIT,
};

static void what_is_read_later_is_live(void **state) {
  enum { AT_8 = 63, AT_16 = 62 };
  static const struct {
    uint32_t pc;
    unsigned location;
    bool live;
  } rows[] = {
      {0, 1, true},
      {0, 2, true},
      {2, 2, false},
      {2, 1, true},
      {4, 1, false}, /* copied before */
      {4, 0, true},  /* the result */
      {2, 6, false}, /* about to be set */
      {4, 6, true},
      {7, 6, false},
      {4, 3, false},                       /* about to be loaded */
      {0, PROOF_FIRST_SLOT + AT_8, false}, /* about to be stored */
      {1, PROOF_FIRST_SLOT + AT_8, true},
      {6, PROOF_FIRST_SLOT + AT_8, true},
      {7, PROOF_FIRST_SLOT + AT_8, false},
      {2, PROOF_FIRST_SLOT + AT_16, false},
  };
  struct proof_program program;
  const struct proof_input input = input_of(code, COUNT(code), &program);
  struct flow flow;
  struct live live;
  assert_int_equal(flow_build(&flow, &input), 0);
  assert_int_equal(live_init(&live, &flow), 0);
  live_compute(&live);
  for (size_t i = 0; i < COUNT(rows); i++) {
    const struct proof_state at = {.pc = rows[i].pc};
    if (live_at(&live, &at, rows[i].location) != rows[i].live) fail_msg("row %zu", i);
  }
  live_free(&live);
  flow_free(&flow);
}

/* A read through a pointer is known once a walk saw it: of 4 bytes at r2 = r10 - 16. */
static void reads_through_pointers_are_seen(void **state) {
  static const struct bpf_insn insns[] = {
      [0] = JUMP(0), [1] = {.code = BPF_LDX | BPF_MEM | BPF_W, .regs = 0 | 2 << 4, .off = 4}, [2] = EXIT};
  struct proof_program program;
  const struct proof_input input = input_of(insns, COUNT(insns), &program);
  struct flow flow;
  struct live live;
  struct proof_state at = {.pc = 1};
  assert_int_equal(flow_build(&flow, &input), 0);
  assert_int_equal(live_init(&live, &flow), 0);
  live_compute(&live);
  const struct proof_state start = {.pc = 0};
  assert_false(live_at(&live, &start, proof_location(0, 62)));
  at.reg[2] = (struct proof_value){.kind = PROOF_STACK, .delta = -16, .number = proof_number_constant(0)};
  live_watch(&live, &input, &at);
  assert_true(live.stale);
  live_compute(&live);
  assert_true(live_at(&live, &start, proof_location(0, 62)));
  assert_false(live_at(&live, &start, proof_location(0, 61)));
  assert_false(live_at(&live, &start, proof_location(0, 63)));
  live_free(&live);
  flow_free(&flow);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loops_begin_where_control_enters),   cmocka_unit_test(what_never_comes_back_is_no_loop),
      cmocka_unit_test(a_loop_with_two_entries_has_a_head), cmocka_unit_test(what_is_read_later_is_live),
      cmocka_unit_test(reads_through_pointers_are_seen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
