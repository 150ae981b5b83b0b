/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the elements that make packets: InfiniteSource, RandomSource, RatedSource, TimedSource. What they must do is in
 * Click's manual pages of the same names.
 */
#include "tests/unit/elements/harness.h"

#include <string.h>

enum { MS = 1000000 };

/* "Pushes BURST such packets each time it is scheduled. Stops after LIMIT packets. STOP: stops the driver then." */
static void infinite_bursts(void **state) {
  harness_start("s :: InfiniteSource(ab, 7, 3, STOP true) -> o :: Capture");
  static const char *const rounds[] = {"ab ab ab ", "ab ab ab ", "ab ", "", ""};
  for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
    harness_run(1);
    assert_string_equal(harness_captured("o"), rounds[i]);
    assert_int_equal(harness.stops, i >= 3);
  }
  assert_int_equal(harness_number("s.count"), 7);
  harness_expect_write("s.reset", "", 0);
  harness_run(9);
  assert_string_equal(harness_captured("o"), "ab ab ab ab ab ab ab ");
  assert_int_equal(harness.stops, 2);
  harness_stop();
}

/* A burst above what one batch holds is pushed as several. */
static void infinite_large_burst(void **state) {
  harness_start("s :: InfiniteSource(x, LIMIT 600, BURST 600) -> c :: Counter -> Discard");
  harness_run(1);
  assert_int_equal(harness_number("c.count"), 600);
  harness_stop();
}

/* DATA is any bytes; LENGTH cuts it off or repeats it; the handlers change both. */
static void infinite_data(void **state) {
  static const struct {
    const char *arguments, *frame;
  } cases[] = {
      {"abc", "abc "},
      {"\\<616263>", "abc "},
      {"\"a b\"", "a b "},
      {"abc, LENGTH 2", "ab "},
      {"abc, LENGTH 7", "abcabca "},
      {"DATA abc, BURST 1, LIMIT 1, ACTIVE true, TIMESTAMP false", "abc "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[128];
    format_text(config, sizeof config, "InfiniteSource(%s) -> o :: Capture", cases[i].arguments);
    harness_start(config);
    harness_run(1);
    assert_string_equal(harness_captured("o"), cases[i].frame);
    harness_stop();
  }
  harness_start("s :: InfiniteSource(abc) -> o :: Capture");
  assert_string_equal(harness_read("s.length"), "-1");
  harness_expect_write("s.length", "4", 0);
  harness_expect_write("s.data", "x,\\y", 0);
  assert_string_equal(harness_read("s.data"), "x,\\y");
  harness_run(1);
  assert_int_equal(harness_last("o")->timestamp, 1700000000123456000);
  assert_string_equal(harness_captured("o"), "x,\\y ");
  harness_expect_write("s.length", "-1", 0);
  harness_expect_write("s.length", "5000", -ERROR_TOO_BIG);
  assert_string_equal(harness_read("s.length"), "-1");
  harness_stop();
}

/* Without DATA, packets are as long as Click's: 69 bytes, "at least 64 bytes long". */
static void infinite_default(void **state) {
  harness_start("s :: InfiniteSource -> o :: Capture");
  harness_run(1);
  assert_int_equal(harness_last("o")->length, 69);
  assert_int_equal(harness_number("s.count"), 1);
  harness_stop();
}

/* limit, burst and active can be written; nothing is made while inactive; bad values change nothing. */
static void infinite_handlers(void **state) {
  harness_start("s :: InfiniteSource(a, 2, ACTIVE false) -> o :: Capture");
  harness_run(3);
  assert_string_equal(harness_captured("o"), "");
  assert_string_equal(harness_read("s.scheduled"), "false");
  harness_expect_write("s.active", "true", 0);
  harness_run(5);
  assert_string_equal(harness_captured("o"), "a a ");
  harness_expect_write("s.limit", "5", 0);
  harness_expect_write("s.burst", "2", 0);
  harness_run(1);
  assert_string_equal(harness_captured("o"), "a a ");
  static const char *const bad[][2] = {{"s.burst", "0"}, {"s.burst", "x"}, {"s.limit", ""}, {"s.active", "7"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_true(harness_write(bad[i][0], bad[i][1], strlen(bad[i][1])) < 0);
  assert_string_equal(harness_read("s.burst"), "2");
  assert_string_equal(harness_read("s.limit"), "5");
  assert_string_equal(harness_read("s.active"), "true");
  assert_string_equal(harness_read("s.tickets"), "1024");
  harness_expect_write("s.tickets", "2048", 0);
  harness_expect_write("s.tickets", "0", -ERROR_INVALID);
  assert_string_equal(harness_read("s.tickets"), "2048");
  harness_stop();
}

/* END_CALL is written once when LIMIT is reached; written to by handler, it replaces STOP. */
static void infinite_end_call(void **state) {
  harness_start("s :: InfiniteSource(a, 2, END_CALL w.switch 1) -> w :: Switch(0); w [0] -> a :: Capture;"
                "w [1] -> b :: Capture");
  harness_run(5);
  assert_string_equal(harness_read("w.switch"), "1");
  harness_expect_write("s.end_call", "w.switch 0", 0);
  harness_expect_write("s.reset", "", 0);
  harness_run(5);
  assert_string_equal(harness_read("w.switch"), "0");
  assert_string_equal(harness_captured("a"), "a a ");
  assert_string_equal(harness_captured("b"), "a a ");
  harness_stop();
}

/* On a pull output it gives what is asked for, and its notifier sleeps when LIMIT is reached. */
static void infinite_pull(void **state) {
  harness_start("s :: InfiniteSource(a, 5, STOP true) -> u :: Unqueue(BURST 2) -> o :: Capture");
  harness_run(2);
  assert_string_equal(harness_captured("o"), "a a a a ");
  harness_run(3);
  assert_string_equal(harness_captured("o"), "a ");
  assert_int_equal(harness.stops, 1);
  assert_true(list_empty(&harness.scheduler.tasks));
  harness_expect_write("s.reset", "", 0);
  harness_run(9);
  assert_string_equal(harness_captured("o"), "a a a a a ");
  harness_stop();
}

/* With an empty pool nothing is counted, and it goes on when there are buffers again. */
static void infinite_without_buffers(void **state) {
  harness_start("s :: InfiniteSource(a, 4, BURST 4) -> o :: Capture");
  struct packet *hoard[HARNESS_PACKETS];
  uint32_t count = 0;
  while (harness.pool.free_count > 1)
    hoard[count++] = packet_new(&harness.pool);
  harness_run(3);
  assert_int_equal(harness_number("s.count"), 1);
  while (count > 0)
    packet_kill(hoard[--count]);
  harness_run(1);
  assert_int_equal(harness_number("s.count"), 4);
  harness_stop();
}

/* RandomSource makes packets of LENGTH random bytes. */
static void random_bytes(void **state) {
  harness_start("s :: RandomSource(6, 3, BURST 2) -> o :: Capture");
  harness_run(9);
  const struct packet *p = harness_last("o");
  static const uint8_t expected[] = {0x67, 0x45, 0x23, 0x01, 0x67, 0x45};
  assert_int_equal(p->length, sizeof expected);
  assert_memory_equal(p->data, expected, sizeof expected);
  assert_int_equal(harness_number("s.count"), 3);
  harness_expect_write("s.length", "9", 0);
  harness_expect_write("s.length", "-2", -ERROR_INVALID);
  harness_expect_write("s.reset", "", 0);
  harness_run(1);
  assert_int_equal(harness_last("o")->length, 9);
  harness_stop();
}

/* "RATE packets per second": the first at once, then one each 1/RATE. */
static void rated(void **state) {
  harness_start("s :: RatedSource(a, RATE 10, LIMIT 25, STOP true) -> o :: Capture");
  harness_run(3);
  assert_int_equal(harness_number("s.count"), 1);
  static const struct {
    unsigned ms, count;
  } times[] = {{99, 1}, {100, 2}, {199, 2}, {200, 3}, {1000, 11}, {2400, 25}, {5000, 25}};
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    harness_run_until((uint64_t)times[i].ms * MS, MS);
    harness_run(3);
    assert_int_equal(harness_number("s.count"), times[i].count);
  }
  assert_int_equal(harness.stops, 1);
  harness_stop();
}

/* A token bucket without rate is idle (Click, tokenbucket.hh): what it begins with is all there is, and no timer is wanted. */
static void rated_zero(void **state) {
  harness_start(
      "s :: RatedSource(a, 0) -> Discard; RatedSource(b, 0, ACTIVE true) -> u :: Unqueue -> c :: Counter -> Discard");
  harness_run_until((uint64_t)10000 * MS, (uint64_t)100 * MS);
  assert_int_equal(harness_number("s.count"), 1);
  assert_int_equal(harness_number("c.count"), 1);
  assert_true(scheduler_next_deadline(&harness.scheduler) == UINT64_MAX);
  harness_expect_write("s.rate", "10", 0);
  harness_run_until((uint64_t)20000 * MS, (uint64_t)100 * MS);
  assert_int_equal(harness_number("s.count"), 1 + 2 + 99); /* the bucket of 2 is full at 10.1 s */
  harness_stop();
}

/* An interval that leads beyond what a clock can count to is waited for; it is not over at once. */
static void timed_for_ever(void **state) {
  harness_start("s :: TimedSource(18446744073) -> Discard; t :: TimedSource(1, ACTIVE false) -> Discard");
  harness.now = 1000 * (uint64_t)1000 * MS;
  harness_expect_write("t.interval", "18446744073", 0);
  harness_expect_write("t.active", "true", 0);
  harness_run(9);
  assert_int_equal(harness_number("s.count"), 0);
  assert_int_equal(harness_number("t.count"), 1);
  harness_stop();
}

/* What Click calls burstsize is burst; activating a source that has reached its limit doesn't end it once more. */
static void infinite_old_names(void **state) {
  harness_start("s :: InfiniteSource(a, 4, STOP true) -> Discard");
  harness_expect_write("s.burstsize", "3", 0);
  assert_string_equal(harness_read("s.burst"), "3");
  assert_string_equal(harness_read("s.burstsize"), "3");
  harness_run(5);
  assert_int_equal(harness.stops, 1);
  harness_expect_write("s.active", "true", 0);
  harness_run(5);
  assert_int_equal(harness.stops, 1);
  harness_expect_write("s.reset", "", 0);
  harness_run(5);
  assert_int_equal(harness_number("s.count"), 4);
  assert_int_equal(harness.stops, 2);
  harness_stop();
}

/* A source that could not run for long makes up for no more than its bucket holds: 2 below 200 packets a second, then a hundredth. */
static void rated_bucket(void **state) {
  static const struct { unsigned rate, burst; } cases[] = {{10, 2}, {199, 2}, {200, 2}, {1000, 10}, {25000, 250}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[96];
    format_text(config, sizeof config, "s :: RatedSource(a, %u) -> Discard", cases[i].rate);
    harness_start(config);
    harness.now = (uint64_t)60000 * MS;
    harness_run(5);
    assert_int_equal(harness_number("s.count"), cases[i].burst);
    harness_stop();
  }
}

/* BANDWIDTH is divided by the packet's length; rate can be read and written; pulled, it gives no more than the rate. */
static void rated_handlers(void **state) {
  harness_start("s :: RatedSource(abcd, BANDWIDTH 4kBps) -> u :: Unqueue -> d :: Discard");
  assert_string_equal(harness_read("s.rate"), "1000");
  harness_run_until((uint64_t)1000 * MS, MS);
  assert_int_equal(harness_number("d.count"), 1001);
  harness_expect_write("s.rate", "100", 0);
  harness_expect_write("s.rate", "-1", -ERROR_INVALID);
  harness_run_until((uint64_t)2000 * MS, MS);
  assert_int_equal(harness_number("d.count"), 1101);
  harness_expect_write("s.active", "false", 0);
  harness_run_until((uint64_t)3000 * MS, MS);
  assert_int_equal(harness_number("d.count"), 1101);
  harness_stop();
}

/* "Pushes such a packet about once every INTERVAL": the first after one interval; 500 milliseconds without argument. */
static void timed(void **state) {
  static const struct {
    const char *arguments;
    unsigned ms, count, stops;
  } cases[] = {
      {"", 499, 0, 0},
      {"", 500, 1, 0},
      {"", 5000, 10, 0},
      {"0.25", 1000, 4, 0},
      {"10ms, x", 1000, 100, 0},
      {"INTERVAL 0.1, LIMIT 3, STOP true", 300, 3, 0},
      {"0.1, LIMIT 3, STOP true", 400, 3, 1},
      {"0.1, ACTIVE false", 900, 0, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[128];
    format_text(config, sizeof config, "s :: TimedSource(%s) -> Discard", cases[i].arguments);
    harness_start(config);
    harness_run_until((uint64_t)cases[i].ms * MS, MS);
    assert_int_equal(harness_number("s.count"), cases[i].count);
    assert_int_equal(harness.stops, cases[i].stops);
    harness_stop();
  }
}

/* interval, data, active and reset of TimedSource; HEADROOM in front of the data. */
static void timed_handlers(void **state) {
  harness_start("s :: TimedSource(1, abc, LIMIT 1, HEADROOM 40) -> o :: Capture");
  assert_string_equal(harness_read("s.interval"), "1s");
  harness_run_until((uint64_t)5000 * MS, MS);
  assert_int_equal(packet_headroom(harness_last("o")), 40);
  assert_string_equal(harness_captured("o"), "abc ");
  harness_expect_write("s.interval", "250ms", 0);
  assert_string_equal(harness_read("s.interval"), "250ms");
  harness_expect_write("s.interval", "0", -ERROR_INVALID);
  harness_expect_write("s.data", "xy", 0);
  harness_expect_write("s.headroom", "2000", -ERROR_TOO_BIG);
  assert_string_equal(harness_read("s.headroom"), "40");
  harness_expect_write("s.headroom", "50", 0);
  /* Click's h_reset: a timer that stands still is scheduled for now. */
  harness_expect_write("s.reset", "", 0);
  harness_run(1);
  assert_int_equal(packet_headroom(harness_last("o")), 50);
  assert_string_equal(harness_captured("o"), "xy ");
  harness_stop();
}

/* What makes no sense is refused. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"InfiniteSource(BURST 0) -> Discard", "burst size must be >= 1"},
      {"InfiniteSource(LENGTH 1700) -> Discard", "not for 256 and 1700"},
      {"d :: Discard; InfiniteSource(STOP true, END_CALL d.reset_counts) -> d",
       "END_CALL and STOP are mutually exclusive"},
      {"InfiniteSource(END_CALL x.y) -> Discard", "END_CALL: no element named 'x'"},
      {"RandomSource -> Discard", "LENGTH: required argument missing"},
      {"RandomSource(-1) -> Discard", "bad length -1"},
      {"RandomSource(65536) -> Discard", "not for 256 and 65536"},
      {"RatedSource(RATE -1) -> Discard", "RATE: parse error"},
      {"TimedSource(0) -> Discard", "INTERVAL: must be above 0"},
      {"TimedSource(1, HEADROOM 4000000000) -> Discard", "not for 4000000000"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(infinite_bursts),    cmocka_unit_test(infinite_large_burst),
      cmocka_unit_test(infinite_data),      cmocka_unit_test(infinite_default),
      cmocka_unit_test(infinite_handlers),  cmocka_unit_test(infinite_end_call),
      cmocka_unit_test(infinite_pull),      cmocka_unit_test(infinite_without_buffers),
      cmocka_unit_test(random_bytes),       cmocka_unit_test(rated),
      cmocka_unit_test(rated_zero),         cmocka_unit_test(timed_for_ever),
      cmocka_unit_test(infinite_old_names), cmocka_unit_test(rated_bucket),
      cmocka_unit_test(rated_handlers),     cmocka_unit_test(timed),
      cmocka_unit_test(timed_handlers),     cmocka_unit_test(refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
