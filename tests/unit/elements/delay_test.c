/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the elements that hold packets back: what they must do is in Click's manual pages. The clock is the test's.
 */
#include "tests/unit/elements/harness.h"

enum { MS = 1000000 };

/* Which packets have come out at certain times. Packets of 10 bytes arrive: a and b at 0, c at 5 ms. */
static void delays(void **state) {
  static const struct {
    const char *element;
    struct {
      unsigned ms;
      const char *out;
    } steps[5];
  } cases[] = {
      /* Without timestamps the delay counts from when each is pulled; b waits upstream until a is gone. */
      {"DelayUnqueue(10ms)", {{9, ""}, {10, "a_________ "}, {19, ""}, {20, "b_________ "}, {30, "c_________ "}}},
      {"DelayUnqueue(0)", {{0, "a_________ b_________ "}, {4, ""}, {5, "c_________ "}}},
      {"DelayShaper(10ms) -> Unqueue",
       {{9, ""}, {10, "a_________ "}, {19, ""}, {20, "b_________ "}, {30, "c_________ "}}},
      {"DelayShaper(0) -> Unqueue", {{0, "a_________ b_________ "}, {4, ""}, {5, "c_________ "}}},
      /* Timestamps given: DELAY after them, whenever they are pulled. */
      {"SetNow -> DelayShaper(10ms) -> Unqueue",
       {{9, ""}, {10, "a_________ b_________ "}, {14, ""}, {15, "c_________ "}}},
      {"SetNow -> DelayUnqueue(10ms)", {{9, ""}, {10, "a_________ b_________ "}, {14, ""}, {15, "c_________ "}}},
      /* 10 bytes at 10,000 a second take 1 ms; then the latency. */
      {"LinkUnqueue(3ms, 10kBps)", {{3, ""}, {4, "a_________ "}, {5, "b_________ "}, {8, ""}, {9, "c_________ "}}},
      /* 4 ms each: c, which arrives at 5, waits for b. */
      {"LinkUnqueue(0, 20kbps)", {{3, ""}, {4, "a_________ "}, {8, "b_________ "}, {11, ""}, {12, "c_________ "}}},
      {"LinkUnqueue(LATENCY 20ms, BANDWIDTH 1GBps)",
       {{20, ""}, {21, "a_________ b_________ "}, {25, ""}, {26, "c_________ "}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[200];
    bool stamp = cases[i].element[0] == 'S';
    format_text(config, sizeof config, "i :: Inject -> Queue -> %s -> o :: Capture",
                cases[i].element + (stamp ? 10 : 0));
    harness_start(config);
    size_t step = 0;
    for (unsigned ms = 0; ms <= 40 && cases[i].steps[step].out != NULL; ms++) {
      harness.now = (uint64_t)ms * MS;
      for (unsigned n = 0; n < (ms == 0 ? 2 : ms == 5 ? 1 : 0); n++) {
        struct batch batch = {.count = 1};
        batch.packet[0] = packet_new_from(&harness.pool,
                                          ms == 5  ? "c_________"
                                          : n == 0 ? "a_________"
                                                   : "b_________",
                                          10);
        if (stamp) batch.packet[0]->timestamp = harness.services.wall();
        element_push(router_find(harness.router, "i"), 0, &batch);
      }
      harness_run(4);
      if (cases[i].steps[step].ms != ms) continue;
      assert_string_equal(harness_captured("o"), cases[i].steps[step].out);
      if (++step == 5) break;
    }
    harness_stop();
  }
}

/* Nobody polls while a packet is held, nor while there is none. */
static void sleeps(void **state) {
  static const char *const cases[] = {"DelayUnqueue(10ms)", "DelayShaper(10ms) -> Unqueue", "LinkUnqueue(10ms, 1Mbps)"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[120];
    format_text(config, sizeof config, "i :: Inject -> Queue -> %s -> o :: Capture", cases[i]);
    harness_start(config);
    harness_run(4);
    assert_true(list_empty(&harness.scheduler.tasks));
    harness_inject("i", "a b", 256);
    harness_run(6);
    assert_true(list_empty(&harness.scheduler.tasks));
    assert_string_equal(harness_captured("o"), "");
    harness_run_until(40 * MS, MS);
    assert_string_equal(harness_captured("o"), "a b ");
    harness_run(4);
    assert_true(list_empty(&harness.scheduler.tasks));
    harness_stop();
  }
}

/* delay, latency, bandwidth, size and reset. */
static void handlers(void **state) {
  harness_start(
      "i :: Inject -> Queue -> d :: DelayUnqueue(1.5) -> o :: Capture; Idle -> s :: DelayShaper(20us) -> Discard;"
      "j :: Inject -> Queue -> l :: LinkUnqueue(1s, 8Mbps) -> o");
  assert_string_equal(harness_read("d.delay"), "1.5s");
  assert_string_equal(harness_read("s.delay"), "20us");
  assert_string_equal(harness_read("l.latency"), "1s");
  assert_string_equal(harness_read("l.bandwidth"), "1000000");
  harness_expect_write("d.delay", "1ms", 0);
  harness_expect_write("s.delay", "x", -ERROR_INVALID);
  harness_inject("i", "a", 1);
  harness_inject("j", "b c", 256);
  harness_run_until(2 * MS, MS);
  assert_string_equal(harness_captured("o"), "a ");
  assert_string_equal(harness_read("l.size"), "2");
  harness_expect_write("l.reset", "", 0);
  assert_string_equal(harness_read("l.size"), "0");
  assert_string_equal(harness_read("l.drops"), "reset 2\n");
  /* Either can be changed, which drops what is on the link (Click's LinkUnqueue::write_handler). */
  harness_inject("j", "d", 1);
  harness_run(2);
  harness_expect_write("l.bandwidth", "99", -ERROR_INVALID);
  assert_string_equal(harness_read("l.size"), "1");
  harness_expect_write("l.bandwidth", "8kbps", 0);
  assert_string_equal(harness_read("l.bandwidth"), "1000");
  assert_string_equal(harness_read("l.size"), "0");
  harness_expect_write("l.latency", "3ms", 0);
  assert_string_equal(harness_read("l.latency"), "3ms");
  harness_inject("j", "e", 1);
  harness_run(2);
  uint64_t start = harness.now;
  harness_run_until(start + 3 * MS, MS);
  assert_string_equal(harness_captured("o"), "");
  harness_run_until(start + 4 * MS, MS);
  assert_string_equal(harness_captured("o"), "e ");
  harness_stop();
}

/* A delay that leads beyond what a clock can count to is no delay of nothing. */
static void endless(void **state) {
  static const char *const cases[] = {"DelayUnqueue(18446744073)", "DelayShaper(18446744073) -> Unqueue",
                                      "LinkUnqueue(18446744073, 100)"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[120];
    format_text(config, sizeof config, "i :: Inject -> Queue -> %s -> o :: Capture", cases[i]);
    harness_start(config);
    harness_inject("i", "a b", 256);
    harness_run_until(20 * MS, MS);
    assert_string_equal(harness_captured("o"), "");
    harness_stop();
  }
}

/* What makes no sense is refused; what is held goes back to the pool. */
static void refuses(void **state) {
  harness_refuses("Idle -> DelayUnqueue -> Discard", "DELAY: required argument missing");
  harness_refuses("Idle -> DelayShaper(-1) -> Discard", "DELAY: parse error");
  harness_refuses("Idle -> LinkUnqueue(1, 99) -> Discard", "bandwidth too small, minimum 100Bps");
  harness_start("i :: Inject -> Queue -> DelayUnqueue(1) -> Discard; j :: Inject -> Queue -> DelayShaper(1) -> Discard;"
                "k :: Inject -> Queue -> LinkUnqueue(1, 100) -> Discard");
  harness_inject("i", "a", 1);
  harness_inject("j", "a", 1);
  harness_inject("k", "a", 1);
  harness_run(4);
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(delays), cmocka_unit_test(sleeps), cmocka_unit_test(handlers),
                                     cmocka_unit_test(endless), cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
