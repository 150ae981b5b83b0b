/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the elements that limit or measure rates: what they must do is in Click's manual pages, and GapRate and TokenBucket
 * beneath them. The clock is the test's, so counts are exact.
 */
#include "elements/rate.h"
#include "tests/unit/elements/harness.h"

enum { MS = 1000000 };

/* How many packets (of 10 bytes) have passed element `e` at certain times, with an endless source before it. */
static void rates(void **state) {
  static const struct {
    const char *element;
    unsigned step_us, ms, count;
  } cases[] = {
      /* Shaper spreads RATE packets over a second: the first at the start of its gap. */
      {"Shaper(10) -> Unqueue", 1000, 999, 10},
      {"Shaper(10) -> Unqueue", 1000, 4999, 50},
      {"Shaper(1000) -> Unqueue(BURST 1)", 500, 1999, 2000},
      {"Shaper(1000) -> Unqueue(BURST -1)", 100000, 2000, 1901},
      {"Shaper(0) -> Unqueue", 1000, 2000, 0},
      {"BandwidthShaper(100) -> Unqueue", 1000, 1999, 20},
      {"BandwidthShaper(8kbps) -> Unqueue", 1000, 999, 100},
      /* RatedUnqueue: the bucket begins empty, and holds 20 ms of tokens. */
      {"RatedUnqueue(10)", 1000, 999, 9},
      {"RatedUnqueue(10)", 1000, 1000, 10},
      {"RatedUnqueue(1000)", 1000, 1000, 1000},
      {"RatedUnqueue(1000)", 50000, 1000, 400},
      {"RatedUnqueue(1000, BURST_DURATION 50ms)", 50000, 1000, 1000},
      {"RatedUnqueue(1000, BURST_SIZE 5)", 50000, 1000, 100},
      {"RatedUnqueue(1000, ACTIVE false)", 1000, 1000, 0},
      /* Bytes: what the bucket's threshold needs comes first, then RATE. 131,072 bytes take 1,310.72 ms at 100,000 a second. */
      {"BandwidthRatedUnqueue(100kBps)", 1000, 1310, 0},
      {"BandwidthRatedUnqueue(100kBps)", 1000, 2311, 10003},
      {"RatedUnqueue(0)", 1000, 1000, 0},
      {"BandwidthRatedUnqueue(0)", 1000, 1000, 0},
      /* A burst of 8, or what is given, each interval, the first at once (Click's TimedUnqueue::run_task). The clock begins at 1 ms. */
      {"Burster(0.1)", 1000, 99, 8},
      {"Burster(0.1)", 1000, 1000, 80},
      {"Burster(0.1)", 1000, 1001, 88},
      {"Burster(INTERVAL 10ms, BURST 300)", 1000, 100, 3000},
      {"Burster(18446744073)", 1000, 1000, 8},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[200];
    format_text(config, sizeof config, "InfiniteSource(abcdefghij, ACTIVE true) -> %s -> c :: Counter -> Discard",
                cases[i].element);
    harness_start(config);
    harness_run_until((uint64_t)cases[i].ms * MS, (uint64_t)cases[i].step_us * 1000);
    /* The rest of what was due at this time. */
    for (unsigned n = 0; n < 8; n++)
      scheduler_run(&harness.scheduler, harness.now);
    if (harness_number("c.count") != cases[i].count)
      fail_msg("%s after %u ms: %llu", cases[i].element, cases[i].ms, harness_number("c.count"));
    harness_stop();
  }
}

/* RatedSplitter: what finds a token goes to output 0, the rest to output 1 or away; the same at any batch size. */
static void splits(void **state) {
  static const struct {
    const char *element;
    unsigned ms;
    const char *a, *b;
  } cases[] = {
      {"RatedSplitter(100)", 0, "", "p q r s "},
      {"RatedSplitter(100)", 19, "p ", "q r s "},
      {"RatedSplitter(100)", 5000, "p q ", "r s "},
      {"RatedSplitter(100, BURST_SIZE 3)", 5000, "p q r ", "s "},
      {"RatedSplitter(0)", 5000, "", "p q r s "},
      {"BandwidthRatedSplitter(1Bps, BURST_BYTES 1)", 0, "", "p q r s "},
      {"BandwidthRatedSplitter(100kBps, BURST_BYTES 1)", 5000, "p q ", "r s "},
  };
  static const unsigned sizes[] = {1, 3, 256};
  for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
    char config[200];
    format_text(config, sizeof config, "i :: Inject -> s :: %s -> a :: Capture; s [1] -> b :: Capture",
                cases[i / 3].element);
    harness_start(config);
    harness.now = (uint64_t)cases[i / 3].ms * MS;
    harness_inject("i", "p q r s", sizes[i % 3]);
    assert_string_equal(harness_captured("a"), cases[i / 3].a);
    assert_string_equal(harness_captured("b"), cases[i / 3].b);
    harness_stop();
  }
  harness_start("i :: Inject -> s :: RatedSplitter(1) -> Discard");
  harness_inject("i", "p q", 256);
  assert_string_equal(harness_read("s.drops"), "above_rate 2\n");
  harness_stop();
}

/* Meter: below the first rate output 0, below the second output 1, and so on. */
static void meters(void **state) {
  static const struct {
    const char *element;
    unsigned per_ms, a, b, c;
  } cases[] = {{"Meter(500, 3000)", 0, 0, 0, 0},
               {"Meter(2000, 3000)", 1, 300, 0, 0},
               {"BandwidthMeter(1kBps, 100kBps)", 2, 2, 598, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[200];
    format_text(config, sizeof config,
                "i :: Inject -> m :: %s; m [0] -> a :: Counter -> Discard; m [1] -> b :: Counter -> Discard;"
                "m [2] -> c :: Counter -> Discard",
                cases[i].element);
    harness_start(config);
    for (unsigned ms = 0; ms < 300 && cases[i].per_ms > 0; ms++) {
      harness_inject("i", cases[i].per_ms == 1 ? "abcdefghij" : "abcdefghij abcdefghij", 256);
      harness.now += MS;
    }
    assert_int_equal(harness_number("a.count"), cases[i].a);
    assert_int_equal(harness_number("b.count"), cases[i].b);
    assert_int_equal(harness_number("c.count"), cases[i].c);
    harness_stop();
  }
  harness_start("i :: Inject -> m :: Meter(1000) -> Discard; m [1] -> Discard");
  assert_string_equal(harness_read("m.meters"), "1000\n");
  assert_string_equal(harness_read("m.rate"), "0");
  harness_inject("i", "a a a a a a a a a a a a a a a a", 256);
  harness.now += MS;
  assert_string_equal(harness_read("m.rate"), "1000");
  harness_stop();
}

/* rate is read in the units of its argument, and written while packets flow. */
static void handlers(void **state) {
  static const struct {
    const char *element, *rate;
  } cases[] = {{"Shaper(10)", "10"},
               {"BandwidthShaper(1Mbps)", "1Mbps"},
               {"RatedUnqueue(10)", "10"},
               {"BandwidthRatedUnqueue(12500Bps)", "100kbps"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[160];
    format_text(config, sizeof config, "InfiniteSource -> e :: %s -> %s -> c :: Counter -> Discard", cases[i].element,
                i < 2 ? "Unqueue" : "Null");
    harness_start(config);
    assert_string_equal(harness_read("e.rate"), cases[i].rate);
    harness_expect_write("e.rate", "0", 0);
    harness_expect_write("e.rate", "x", -ERROR_INVALID);
    harness_run_until((uint64_t)200 * MS, MS);
    assert_int_equal(harness_number("c.count"), 0);
    if (i < 2) harness_expect_write("e.reset", "", 0);
    harness_stop();
  }
  harness_start(
      "InfiniteSource -> u :: RatedUnqueue(1000, ACTIVE false) -> c :: Counter -> Discard; b :: Burster(1s, 5) -> Discard;"
      "InfiniteSource -> b");
  harness_run(9);
  assert_int_equal(harness_number("c.count"), 0);
  harness_expect_write("u.active", "true", 0);
  harness_run_until(20 * (uint64_t)MS, MS);
  assert_int_equal(harness_number("c.count"), harness_number("u.count"));
  assert_true(harness_number("u.count") > 0);
  assert_string_equal(harness_read("b.interval"), "1s");
  assert_string_equal(harness_read("b.burst"), "5");
  harness_stop();
  harness_start("i :: Inject -> s :: RatedSplitter(5) -> Discard");
  harness_expect_write("s.rate", "0", 0);
  harness_inject("i", "a b", 256);
  assert_string_equal(harness_read("s.drops"), "above_rate 2\n");
  harness_stop();
}

/* Nobody polls for packets that aren't there; the first after a silence doesn't wait for the interval, those after it do. */
static void burster_sleeps(void **state) {
  harness_start("i :: Inject -> Queue -> b :: Burster(10ms, 2) -> o :: Capture");
  harness_run(3);
  assert_true(list_empty(&harness.scheduler.tasks));
  harness.now = 5 * MS;
  harness_inject("i", "a b c", 256);
  harness_run(2);
  assert_string_equal(harness_captured("o"), "a b ");
  harness_run_until(14 * MS, MS);
  harness_inject("i", "d", 256);
  harness_run(3);
  assert_string_equal(harness_captured("o"), "");
  assert_true(list_empty(&harness.scheduler.tasks));
  harness_run_until(15 * MS, MS);
  harness_run(2);
  assert_string_equal(harness_captured("o"), "c d ");
  harness_run_until(60 * MS, MS);
  harness_inject("i", "e", 1);
  harness_run(2);
  assert_string_equal(harness_captured("o"), "e ");
  harness_stop();
}

/* A worker that sleeps whenever nothing works still moves every packet when it is due, whatever stands between the queue and who pulls, and
 * wakes up for little else. 100 packets of one byte wait; so many are through after some time. */
static void sleepers_wake(void **state) {
  static const struct {
    const char *between;
    unsigned ms, count, sleeps;
  } cases[] = {
      {"Queue -> Shaper(10) -> Unqueue", 1999, 20, 25},
      {"Queue -> Shaper(10) -> Null -> Unqueue(BURST 1)", 1999, 20, 25},
      {"Queue -> Shaper(1000) -> Shaper(10) -> Unqueue", 1999, 20, 25},
      {"Queue -> DelayShaper(5ms) -> Shaper(10) -> Unqueue", 1999, 20, 50},
      {"Queue -> BandwidthShaper(2Bps) -> Unqueue", 9999, 20, 30},
      {"Queue -> Shaper(0) -> Unqueue", 9999, 0, 5},
      {"Queue -> (=> s :: PrioSched; Idle -> [1] s; s =>) -> Shaper(10) -> Unqueue", 1999, 20, 25},
      {"Queue -> RatedUnqueue(10)", 2000, 20, 25},
      {"Queue -> BandwidthRatedUnqueue(131072Bps)", 999, 0, 5},
      {"Queue -> Burster(100ms, 1)", 1999, 20, 25},
      {"Queue -> DelayUnqueue(100ms)", 1999, 19, 25},
      {"Queue -> DelayShaper(100ms) -> Unqueue", 1999, 19, 25},
      {"Queue -> LinkUnqueue(100ms, 100Bps)", 200, 10, 30},
      /* Nobody tells when a SimpleQueue has packets: it is polled. */
      {"SimpleQueue -> Shaper(10) -> Unqueue", 1999, 20, 30000},
      {"SimpleQueue -> DelayShaper(100ms) -> Unqueue", 1999, 19, 30000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[240];
    format_text(config, sizeof config, "i :: Inject -> %s -> c :: Counter -> Discard", cases[i].between);
    harness_start(config);
    unsigned sleeps = harness_live_until(0);
    for (unsigned n = 0; n < 10; n++)
      harness_inject("i", "a b c d e f g h i j", 256);
    sleeps += harness_live_until((uint64_t)cases[i].ms * MS);
    if (harness_number("c.count") != cases[i].count || sleeps > cases[i].sleeps)
      fail_msg("%s: %llu, %u sleeps", cases[i].between, harness_number("c.count"), sleeps);
    harness_stop();
  }
}

/* Packets that come while all sleep are moved when they come; a rate that is written counts at once. */
static void sleepers_notice(void **state) {
  static const char *const queues[] = {"Queue", "SimpleQueue"};
  for (size_t i = 0; i < 2; i++) {
    char config[120];
    format_text(config, sizeof config, "i :: Inject -> %s -> s :: Shaper(2) -> Unqueue -> o :: Capture", queues[i]);
    harness_start(config);
    harness_live_until(3000 * (uint64_t)MS);
    harness_inject("i", "a b c", 256);
    harness_live_until(3001 * (uint64_t)MS);
    assert_string_equal(harness_captured("o"), "a ");
    harness_live_until(3500 * (uint64_t)MS);
    assert_string_equal(harness_captured("o"), "b ");
    harness_expect_write("s.rate", "1000000", 0);
    harness_live_until(3501 * (uint64_t)MS);
    assert_string_equal(harness_captured("o"), "c ");
    harness_stop();
  }
}

/* Seconds in which nobody asks count as those in which somebody does: 10 bytes at 1 a second are paid after 10, not after 10 questions. */
static void gaps_after_silence(void **state) {
  struct gap_rate gap;
  gap_rate_set(&gap, 1);
  assert_true(gap_rate_due(&gap, 0));
  gap.count += 10;
  assert_false(gap_rate_due(&gap, 9999 * (uint64_t)MS));
  assert_true(gap_rate_due(&gap, 10000 * (uint64_t)MS));
  gap_rate_set(&gap, 10);
  assert_true(gap_rate_due(&gap, 0));
  gap.count += 3;
  assert_true(gap_rate_next(&gap, 50 * (uint64_t)MS) == 300 * (uint64_t)MS);
  assert_true(gap_rate_due(&gap, UINT64_MAX));
  assert_int_equal(gap.count, 3 - 10);
  gap_rate_set(&gap, 0);
  assert_true(gap_rate_next(&gap, 0) == UINT64_MAX);
}

/* calls in the four lines of Click's RatedUnqueue::read_handler: runs by the task, those in vain, pushes, and pulls in vain. */
static void calls(void **state) {
  harness_start("i :: Inject -> Queue -> u :: RatedUnqueue(1000) -> o :: Capture");
  harness_run(1); /* no token */
  harness_inject("i", "a b", 256);
  harness.now = 2 * MS;
  harness_run(2); /* both packets; then none */
  assert_string_equal(harness_read("u.calls"), "3 calls to run_task()\n2 empty runs\n2 pushes\n0 failed pulls\n");
  harness.now = 4 * MS;
  harness_run(2);
  assert_string_equal(harness_read("u.calls"), "4 calls to run_task()\n3 empty runs\n2 pushes\n1 failed pulls\n");
  harness_stop();
}

/* What makes no sense is refused. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> Queue -> Shaper -> Discard", "RATE: required argument missing"},
      {"Inject -> Queue -> RatedUnqueue(1, BURST_DURATION 1, BURST_SIZE 1) -> Capture",
       "cannot specify both BURST_DURATION and BURST_SIZE"},
      {"Inject -> Queue -> BandwidthRatedUnqueue(1, BURST_DURATION 1, BURST_BYTES 1) -> Capture",
       "cannot specify both BURST_DURATION and BURST_BYTES"},
      {"Inject -> Queue -> Burster(0) -> Capture", "INTERVAL: must be above 0"},
      {"Inject -> Queue -> Burster(1, 0) -> Capture", "bad BURST"},
      {"Inject -> m :: Meter -> Discard; m [1] -> Discard", "too few arguments to Meter(RATE, ...)"},
      {"Inject -> m :: Meter(x) -> Discard; m [1] -> Discard", "argument 1 should be unsigned (rate)"},
      {"Inject -> m :: Meter(2, 1) -> Discard; m [1] -> Discard", "2 rates need 3 outputs, but 2 are connected"},
      {"Inject -> m :: Meter(2000, 1000) -> Discard; m [1] -> Discard; m [2] -> Discard", "rate 2 must be > rate 1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rates),         cmocka_unit_test(splits),          cmocka_unit_test(meters),
      cmocka_unit_test(handlers),      cmocka_unit_test(burster_sleeps),  cmocka_unit_test(calls),
      cmocka_unit_test(sleepers_wake), cmocka_unit_test(sleepers_notice), cmocka_unit_test(gaps_after_silence),
      cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
