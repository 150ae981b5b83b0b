/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of timers in the maps of programs that elements run: when callbacks run, and what becomes of them when the program or the
 * graph is replaced. As in Linux (kernel/bpf/helpers.c) a timer belongs to its map, and keeps the program of its callback.
 */
#include <string.h>

#include "tests/unit/bpf/asm.h"
#include "tests/unit/elements/bundles.h"

enum { INIT = 169, SET_CALLBACK = 170, START = 171 };

/* The timer of entry 0 is to run after as many microseconds as the packet's first digit says, and calls back what adds `step` to the entry,
 * then does `then`. */
#define START_TIMER(step, ...)                                                                                      \
  {                                                                                                                 \
    LOAD(BPF_W, 2, 1, 0), LOAD(BPF_B, 7, 2, 0), ADD_IMM(7, -'0'), INSN(BPF_ALU64 | BPF_MUL | BPF_K, 7, 0, 0, 1000), \
        STORE_IMM(BPF_W, 10, -4, 0), LOAD_MAP(1, 0), MOV(2, 10), ADD_IMM(2, -4),                                    \
        CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM), JUMP_IMM(BPF_JEQ, 0, 0, 15), MOV(6, 0), ADD_IMM(6, 16), MOV(1, 6), \
        LOAD_MAP(2, 0), MOV_IMM(3, 1), CALL_HELPER(INIT), MOV(1, 6), LOAD_KIND(2, BPF_PSEUDO_FUNC, 8, 0),           \
        CALL_HELPER(SET_CALLBACK), MOV(1, 6), MOV(2, 7), MOV_IMM(3, 0), CALL_HELPER(START), MOV_IMM(0, XDP_PASS),   \
        EXIT(), LOAD(BPF_DW, 4, 3, 0), ADD_IMM(4, step), STORE(BPF_DW, 3, 4, 0), __VA_ARGS__ MOV_IMM(0, 0), EXIT(), \
  }
#define AGAIN MOV(1, 3), ADD_IMM(1, 16), MOV_IMM(2, 1000), MOV_IMM(3, 0), CALL_HELPER(START),

static const struct bpf_insn once[] = START_TIMER(1, );
static const struct bpf_insn again[] = START_TIMER(1, AGAIN);
static const struct bpf_insn hundred[] = START_TIMER(100, );
static const struct bpf_insn fault[] = START_TIMER(1, MOV_IMM(4, 1), LOAD(BPF_B, 4, 4, 0), );
static const struct bpf_insn pass[] = {MOV_IMM(0, XDP_PASS), EXIT()};

static const struct bpf_map_def alarm = {"alarm", BPF_MAP_TYPE_ARRAY, 4, 32, 1, 0, .timer = 1 + 16};

#define TIMED(name, version, code) \
  { name, version, CODE(code), .maps = &alarm, .map_count = 1 }
static const struct recipe once_1 = TIMED("t", 1, once);
static const struct recipe again_1 = TIMED("t", 1, again);
static const struct recipe hundred_2 = TIMED("t", 2, hundred);

#define GRAPH(arguments) "i :: Inject -> e :: BPFilter(first" arguments ") -> Discard"

/* The first 8 bytes of entry 0, as the hexadecimal digits of its lowest two. */
static void expect_count(const char *digits) {
  char expected[32];
  format_text(expected, sizeof expected, "0: %s000000000000", digits);
  const char *value = harness_read_with("e.map_get", "alarm 0");
  if (strncmp(value, expected, strlen(expected)) != 0) fail_msg("%s, not %s", value, digits);
}

static void advance(uint64_t nanoseconds) { harness_run_until(harness.now + nanoseconds, nanoseconds); }

/* A callback runs when its time has come, once, in both engines; starting it anew moves it. */
static void runs_when_due(void **state) {
  static const char *const graphs[] = {GRAPH(""), GRAPH(", JIT false")};
  for (size_t i = 0; i < 2; i++) {
    bundles_start(once_1, graphs[i]);
    harness_inject("i", "5", 256);
    advance(4999);
    expect_count("0000");
    assert_int_equal(harness_number("e.callbacks"), 0);
    advance(1);
    expect_count("0100");
    advance(100000);
    expect_count("0100");
    harness_inject("i", "9", 256);
    advance(8000);
    harness_inject("i", "3", 256); /* expires at 11 us, not at 9 */
    advance(2000);
    expect_count("0100");
    advance(1000);
    expect_count("0200");
    assert_int_equal(harness_number("e.callbacks"), 2);
    assert_non_null(strstr(harness_read("e.stats"), "callbacks 2\n"));
    harness_stop();
  }
}

/* One that starts itself again goes on, however late it is called. */
static void runs_again(void **state) {
  bundles_start(again_1, GRAPH(""));
  harness_inject("i", "1", 256);
  for (unsigned i = 0; i < 16; i++)
    advance(1000);
  expect_count("1000");
  advance(1000000); /* late: one call, which counts from now on */
  expect_count("1100");
  advance(1000);
  expect_count("1200");
  harness_stop();
}

/* A callback that faults is counted and told like a packet; the timer is then as if it had run. */
static void faults_are_told(void **state) {
  bundles_start((struct recipe)TIMED("t", 1, fault), GRAPH(""));
  harness_inject("i", "1", 256);
  advance(1000);
  assert_int_equal(harness_number("e.faults"), 1);
  assert_non_null(strstr(harness_read("e.last_fault"), "t 1: instruction 32: memory access outside"));
  assert_non_null(strstr(text_string(&harness.log), "e: t 1: instruction 32"));
  advance(1000000);
  assert_int_equal(harness_number("e.faults"), 1);
  harness_stop();
}

/* The map goes on, and with it the timer and its callback in the old program, which is freed when no timer needs it any more. */
static void timers_survive_a_change_of_program(void **state) {
  bundles_start(once_1, GRAPH(""));
  harness_inject("i", "5", 256);
  bundles_expect_load("e.program", hundred_2);
  harness_quiesce();
  advance(5000);
  expect_count("0100");
  assert_int_equal(harness_number("e.callbacks"), 1);
  harness_inject("i", "5", 256); /* the new program's callback takes its place */
  advance(5000);
  expect_count("6500");
  bundles_expect_load("e.program", (struct recipe)TIMED("t", 3, once));
  harness_quiesce();
  assert_int_equal(harness_number("e.callbacks"), 2);
  assert_int_equal(harness_number("e.passed"), 2);
  harness_stop();
}

/* A fault of a callback in a program that was replaced is told under that program's name. */
static void faults_of_the_replaced_are_told(void **state) {
  bundles_start((struct recipe)TIMED("old", 1, fault), GRAPH(""));
  harness_inject("i", "5", 256);
  bundles_expect_load("e.program", (struct recipe)TIMED("new", 1, once));
  harness_quiesce();
  advance(5000);
  assert_non_null(strstr(harness_read("e.last_fault"), "old 1: instruction 32"));
  harness_stop();
}

/* A program without the map takes the timer along when it comes. */
static void timers_end_with_their_map(void **state) {
  bundles_start(again_1, GRAPH(""));
  harness_inject("i", "1", 256);
  bundles_expect_load("e.program", (struct recipe){"t", 2, CODE(pass)});
  advance(1000);
  harness_quiesce();
  advance(1000000);
  assert_int_equal(harness_number("e.callbacks"), 0);
  bundles_expect_load("e.program", (struct recipe)TIMED("t", 3, once));
  expect_count("0000");
  harness_stop();
}

/* Only so many programs live on for their timers: the eldest one's are cancelled. */
static void few_programs_linger(void **state) {
  static const struct bpf_insn by_key[] = {
      /* starts the timer of the entry that the first digit names, after 9 us; the callback adds 1 */
      LOAD(BPF_W, 2, 1, 0),
      LOAD(BPF_B, 7, 2, 0),
      ADD_IMM(7, -'0'),
      STORE(BPF_W, 10, 7, -4),
      LOAD_MAP(1, 0),
      MOV(2, 10),
      ADD_IMM(2, -4),
      CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM),
      JUMP_IMM(BPF_JEQ, 0, 0, 15),
      MOV(6, 0),
      ADD_IMM(6, 16),
      MOV(1, 6),
      LOAD_MAP(2, 0),
      MOV_IMM(3, 1),
      CALL_HELPER(INIT),
      MOV(1, 6),
      LOAD_KIND(2, BPF_PSEUDO_FUNC, 8, 0),
      CALL_HELPER(SET_CALLBACK),
      MOV(1, 6),
      MOV_IMM(2, 9000),
      MOV_IMM(3, 0),
      CALL_HELPER(START),
      MOV_IMM(0, XDP_PASS),
      EXIT(),
      LOAD(BPF_DW, 4, 3, 0),
      ADD_IMM(4, 1),
      STORE(BPF_DW, 3, 4, 0),
      MOV_IMM(0, 0),
      EXIT()};
  static const struct bpf_map_def many = {"alarm", BPF_MAP_TYPE_ARRAY, 4, 32, 10, 0, .timer = 1 + 16};
  bundles_start((struct recipe){"t", 1, CODE(by_key), .maps = &many, .map_count = 1}, GRAPH(""));
  for (unsigned i = 0; i < 6; i++) {
    const char frame[] = {(char)('0' + i), 0};
    harness_inject("i", frame, 256);
    bundles_expect_load("e.program", (struct recipe){"t", i + 2, CODE(by_key), .maps = &many, .map_count = 1});
    harness_quiesce();
  }
  advance(9000);
  assert_int_equal(harness_number("e.callbacks"), 4);
  expect_count("0000");
  assert_int_equal(strncmp(harness_read_with("e.map_get", "alarm 1"), "1: 00", 5), 0);
  assert_int_equal(strncmp(harness_read_with("e.map_get", "alarm 2"), "2: 01", 5), 0);
  harness_stop();
}

/* Another graph that goes on with the program goes on with its timers; one that starts it anew cancels them, though the map is kept. */
static void graphs_are_replaced(void **state) {
  bundles_start(again_1, GRAPH(""));
  harness_inject("i", "1", 256);
  advance(1000);
  harness_replace("i :: Inject -> Null -> e :: BPFilter(first) -> Discard");
  advance(1000);
  expect_count("0200");
  bundles_expect_load("e.program", hundred_2);
  harness_quiesce();
  advance(1000);
  expect_count("0300");
  harness_replace("i :: Inject -> Null -> e :: BPFilter(first) -> Discard");
  advance(1000);
  expect_count("0400");
  harness_replace(GRAPH(", JIT false"));
  harness_quiesce();
  advance(1000000);
  expect_count("0400");
  harness_inject("i", "1", 256);
  advance(1000);
  expect_count("6800");
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_when_due),
      cmocka_unit_test(runs_again),
      cmocka_unit_test(faults_are_told),
      cmocka_unit_test(timers_survive_a_change_of_program),
      cmocka_unit_test(faults_of_the_replaced_are_told),
      cmocka_unit_test(timers_end_with_their_map),
      cmocka_unit_test(few_programs_linger),
      cmocka_unit_test(graphs_are_replaced),
  };
  return cmocka_run_group_tests(tests, NULL, bundles_release);
}
