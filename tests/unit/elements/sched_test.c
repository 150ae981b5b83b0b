/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the packet schedulers: which input each packet comes from. What they must do is in Click's manual pages; DRR is
 * Shreedhar and Varghese (1995), stride scheduling Waldspurger (1995).
 */
#include <string.h>

#include "tests/unit/elements/harness.h"

/* Three queues before element `e`, filled with x, y, z; what comes out, pulled at most `burst` at once. */
static void orders(void **state) {
  static const struct {
    const char *element, *x, *y, *z, *out;
  } cases[] = {
      {"RoundRobinSched", "a1 a2 a3", "b1", "c1 c2", "a1 b1 c1 a2 c2 a3 "},
      {"RoundRobinSched", "", "b1", "", "b1 "},
      {"RoundRobinSched", "", "", "", ""},
      {"PrioSched", "a1 a2 a3", "b1", "c1 c2", "a1 a2 a3 b1 c1 c2 "},
      {"PrioSched", "", "b1 b2", "c1", "b1 b2 c1 "},
      /* With a quantum of 2 each round gives each input one packet of 2 bytes, or half of one of 4; input 0's first round comes last. */
      {"DRRSched(2)", "a1 a2", "b1 b2", "c1 c2", "b1 c1 a1 b2 c2 a2 "},
      {"DRRSched(2)", "a1__ a2__", "b1 b2 b3 b4", "", "b1 b2 a1__ b3 b4 a2__ "},
      {"DRRSched(QUANTUM 1)", "", "", "c1______", "c1______ "},
      {"DRRSched", "a1 a2", "b1 b2", "", "b1 b2 a1 a2 "},
      {"StrideSched(2, 1, 1)", "a1 a2 a3 a4", "b1 b2", "c1 c2", "a1 a2 b1 c1 a3 a4 b2 c2 "},
      {"StrideSched(1, 0, 1)", "a1 a2", "b1", "c1 c2", "a1 c1 a2 c2 "},
      {"StrideSched(0, 0, 0)", "a1", "b1", "c1", ""},
      /* Packets without timestamp are all of one time: in order of the inputs. */
      {"TimeSortedSched", "a1 a2", "b1", "c1", "a1 a2 b1 c1 "},
      {"TimeSortedSched(BUFFER 3)", "a1 a2", "b1", "c1", "a1 a2 b1 c1 "},
  };
  static const unsigned bursts[] = {1, 2, 256};
  for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
    char config[300];
    format_text(config, sizeof config,
                "x :: Inject -> Queue -> e :: %s -> u :: Unqueue(BURST %u, ACTIVE false) -> o :: Capture;"
                "y :: Inject -> Queue -> [1] e; z :: Inject -> Queue -> [2] e",
                cases[i / 3].element, bursts[i % 3]);
    harness_start(config);
    harness_inject("x", cases[i / 3].x, 256);
    harness_inject("y", cases[i / 3].y, 256);
    harness_inject("z", cases[i / 3].z, 256);
    harness_expect_write("u.active", "true", 0);
    harness_run(12);
    const char *out = harness_captured("o");
    if (strcmp(out, cases[i / 3].out) != 0) fail_msg("%s: %s", cases[i / 3].element, out);
    harness_stop();
  }
}

/* StrideSwitch sends twice as much to an output with twice the tickets, at any batch size; none without tickets. */
static void stride_switch(void **state) {
  static const unsigned sizes[] = {1, 3, 256};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    harness_start(
        "i :: Inject -> s :: StrideSwitch(2, 1, 0) -> a :: Capture; s [1] -> b :: Capture; s [2] -> c :: Capture");
    harness_inject("i", "1 2 3 4 5 6", sizes[i]);
    assert_string_equal(harness_captured("a"), "1 2 4 5 ");
    assert_string_equal(harness_captured("b"), "3 6 ");
    assert_string_equal(harness_captured("c"), "");
    harness_stop();
  }
  harness_start("i :: Inject -> s :: StrideSwitch(0) -> a :: Capture");
  harness_inject("i", "1 2", 256);
  assert_string_equal(harness_read("s.drops"), "no_tickets 2\n");
  harness_stop();
}

/* ticketsN is read and written for each port; a port that gets tickets anew has no credit. */
static void tickets(void **state) {
  harness_start("i :: Inject -> s :: StrideSwitch(1, 0) -> a :: Capture; s [1] -> b :: Capture");
  harness_inject("i", "1 2 3", 256);
  assert_string_equal(harness_captured("a"), "1 2 3 ");
  assert_string_equal(harness_read("s.tickets1"), "0");
  harness_expect_write("s.tickets1", "1", 0);
  harness_inject("i", "4 5 6 7", 256);
  assert_string_equal(harness_captured("a"), "4 5 7 ");
  assert_string_equal(harness_captured("b"), "6 ");
  harness_expect_write("s.tickets0", "-1", -ERROR_INVALID);
  harness_expect_write("s.tickets0", "70000", 0);
  assert_string_equal(harness_read("s.tickets0"), "65536");
  assert_true(strstr(harness_read("s.handlers"), "tickets1\trw") != NULL);
  harness_stop();
}

static void push_at(const char *name, const char *frame, uint64_t timestamp) {
  struct batch batch = {.count = 1};
  batch.packet[0] = packet_new_from(&harness.pool, frame, strlen(frame));
  batch.packet[0]->timestamp = timestamp;
  element_push(router_find(harness.router, name), 0, &batch);
}

/* TimeSortedSched merges by timestamp; BUFFER sorts an input that is out of order; STOP stops when all inputs are exhausted. */
static void sorts(void **state) {
  static const struct {
    const char *arguments, *out, *ordered;
  } cases[] = {{"STOP true", "b1 a3 a2 b4 ", "false"}, {"BUFFER 2", "b1 a2 a3 b4 ", "true"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[200];
    format_text(
        config, sizeof config,
        "x :: Inject -> Queue -> s :: TimeSortedSched(%s) -> Unqueue -> o :: Capture; y :: Inject -> Queue -> [1] s",
        cases[i].arguments);
    harness_start(config);
    push_at("x", "a3", 3);
    push_at("x", "a2", 2);
    push_at("y", "b1", 1);
    push_at("y", "b4", 4);
    harness_run(1);
    assert_string_equal(harness_captured("o"), cases[i].out);
    assert_string_equal(harness_read("s.well_ordered"), cases[i].ordered);
    assert_int_equal(harness.stops, 0);
    harness_run(3);
    assert_int_equal(harness.stops, i == 0);
    harness_stop();
  }
}

/* Packets that a scheduler holds go back to the pool with it. */
static void cleans_up(void **state) {
  harness_start(
      "x :: Inject -> Queue -> s :: TimeSortedSched(BUFFER 4) -> u :: Unqueue(BURST 1, LIMIT 1) -> o :: Capture;"
      "d :: DRRSched(1) -> Unqueue(BURST 1, LIMIT 1) -> o; y :: Inject -> Queue -> d; z :: Inject -> Queue -> [1] d");
  harness_inject("x", "a b c", 256);
  harness_inject("y", "dddd", 256);
  harness_inject("z", "ee", 256);
  harness_run(3);
  assert_string_equal(harness_captured("o"), "a ee ");
  harness_stop();
}

/* What makes no sense is refused. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Idle -> DRRSched(0) -> Discard", "bad QUANTUM"},
      {"Idle -> TimeSortedSched(BUFFER 0) -> Discard", "BUFFER: must be between 1 and 65536"},
      {"Idle -> StrideSched -> Discard", "need 1 arguments, one per input port"},
      {"Inject -> StrideSwitch(1, 2) -> Capture", "need 1 arguments, one per output port"},
      {"Inject -> StrideSwitch(-1) -> Capture", "argument 0 should be number of tickets (integer)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(orders),    cmocka_unit_test(stride_switch),
                                     cmocka_unit_test(tickets),   cmocka_unit_test(sorts),
                                     cmocka_unit_test(cleans_up), cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
