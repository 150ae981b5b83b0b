/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of writing `config` to running elements. The classes are those of Click's that say can_live_reconfigure, and the others
 * whose arguments are all there is to them; what they do with the new arguments is what their manual pages say.
 */
#include <string.h>

#include "tests/unit/elements/harness.h"

/* After the write packets meet the new arguments, and what has been counted or stored stays. */
static void packets_meet_the_new_arguments(void **state) {
  static const struct {
    const char *graph, *config;
    const char *frames;             /* injected by i after the write */
    const char *capture, *expected; /* what Capture then has */
    const char *shown;              /* what `config` then reads; NULL: what was written */
  } rows[] = {
      {"i :: Inject -> e :: Strip(1) -> o :: Capture", "2", "abc", "o", "c "},
      {"i :: Inject -> Strip(2) -> e :: Unstrip(1) -> o :: Capture", "2", "abc", "o", "abc "},
      {"i :: Inject -> e :: Truncate(1) -> o :: Capture", "2", "abc", "o", "ab "},
      {"i :: Inject -> e :: CheckLength(5) -> o :: Capture; e [1] -> l :: Capture", "2", "abc ab", "l", "abc "},
      {"i :: Inject -> e :: Switch(0) -> o :: Capture; e [1] -> p :: Capture", "1", "a b", "p", "a b "},
      {"i :: Inject -> e :: HashSwitch(0, 1) -> o :: Capture; e [1] -> p :: Capture", "OFFSET 1, LENGTH 1", "ab ba",
       "p", "ba "},
      {"i :: Inject -> e :: RandomSample(1) -> o :: Capture; e [1] -> p :: Capture", "DROP 1", "a b", "p", "a b ",
       "SAMPLE 0, ACTIVE true"}, /* randomsample.cc, read_handler */
      {"i :: Inject -> e :: RandomSample(DROP 1) -> o :: Capture", "1", "a b", "o", "a b ", "SAMPLE 1, ACTIVE true"},
      {"i :: Inject -> e :: Classifier(0/61, -) -> Discard; e [1] -> p :: Capture", "0/62, 1/63", "ac ad", "p", "ac "},
      {"i :: Inject -> MarkIPHeader -> e :: IPFilter(drop all) -> o :: Capture", "allow all", "a b", "o", "a b "},
      {"i :: Inject -> e :: IPClassifier(ip proto 1, -) -> p :: Capture; e [1] -> Discard", "-, ip proto 1", "a", "p",
       "a "},
      {"i :: Inject -> e :: StrideSwitch(1, 0) -> Discard; e [1] -> p :: Capture", "0, 1", "a b", "p", "a b "},
      {"i :: Inject -> e :: Paint(1) -> s :: PaintSwitch -> o :: Capture; s [1] -> p :: Capture", "0", "a", "o", "a "},
      {"i :: Inject -> e :: Paint(1) -> s :: PaintSwitch(ANNO 20) -> o :: Capture; s [1] -> p :: Capture", "1, 20", "a",
       "p", "a "},
      {"i :: Inject -> Paint(1, 20) -> e :: PaintSwitch -> o :: Capture; e [1] -> p :: Capture", "ANNO 20", "a", "p",
       "a "},
      {"i :: Inject -> Paint(3) -> e :: CheckPaint(2) -> o :: Capture", "3", "a", "o", "a "},
      {"i :: Inject -> Paint(3) -> e :: PaintTee(2) -> o :: Capture; e [1] -> p :: Capture", "3", "a", "p", "a "},
      {"i :: Inject -> q :: Queue -> e :: Unqueue(ACTIVE false) -> o :: Capture", "BURST 2", "a b c", "o", "a b c "},
      {"i :: Inject -> q :: Queue -> e :: Unqueue(LIMIT 0) -> o :: Capture", "LIMIT 2", "a b c", "o", "a b "},
      {"i :: Inject -> a :: Queue; Idle -> b :: Queue; a -> e :: PullSwitch(1); b -> [1] e; e -> Unqueue -> o :: Capture",
       "0", "a", "o", "a "},
      {"i :: Inject -> q :: Queue(1) -> Unqueue(ACTIVE false) -> o :: Capture; q [1] -> e :: Strip(1) -> p :: Capture",
       "0", "a b", "p", "b "},
      {"i :: Inject -> e :: RatedSplitter(0) -> Discard; e [1] -> p :: Capture", "1000", "a b c", "p", ""},
      {"i :: Inject -> e :: Meter(1) -> o :: Capture; e [1] -> Discard", "1000000", "a b", "o", "a b "},
      {"i :: Inject -> Queue -> e :: RatedUnqueue(0) -> o :: Capture", "1000", "a b c", "o", "a b c "},
      {"i :: Inject -> Queue -> e :: Shaper(0) -> Unqueue -> o :: Capture", "1000000", "a", "o", "a "},
      {"i :: Inject -> Discard; e :: InfiniteSource(x, LIMIT 0) -> o :: Capture", "y, LIMIT 2", "", "o", "y y "},
      {"i :: Inject -> Discard; e :: InfiniteSource(x, ACTIVE false) -> o :: Capture", "DATA yz, LENGTH 3, LIMIT 1", "",
       "o", "yzy "},
      {"i :: Inject -> Discard; e :: RatedSource(x, LIMIT 0) -> o :: Capture", "y, RATE 1000, LIMIT 2", "", "o",
       "y y "},
      {"i :: Inject -> Discard; e :: RandomSource(5, LIMIT 0) -> Truncate(0) -> o :: Capture", "4, LIMIT 2", "", "o",
       "  "},
  };
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
    harness_start(rows[r].graph);
    harness_run(3);
    harness_captured(rows[r].capture);
    harness_expect_write("e.config", rows[r].config, 0);
    assert_string_equal(harness_read("e.config"), rows[r].shown ? rows[r].shown : rows[r].config);
    harness.now += 100000000; /* so that a new rate has brought tokens */
    harness_inject("i", rows[r].frames, 1);
    harness_run(50);
    const char *got = harness_captured(rows[r].capture);
    if (strcmp(got, rows[r].expected) != 0) fail_msg("%s, then %s: '%s'", rows[r].graph, rows[r].config, got);
    harness_stop();
  }
}

/* Handlers show the new arguments, also where configure derives something from them. */
static void handlers_show_the_new_arguments(void **state) {
  static const struct {
    const char *graph, *config, *handler, *expected;
  } rows[] = {
      {"Idle -> e :: Paint(1) -> Discard", "2", "e.color", "2"},
      {"Idle -> e :: SetAnnoByte(16, 1) -> Discard", "17, 2", "e.anno", "17"},
      {"Idle -> e :: RandomSample(0.25) -> Discard", "DROP 0.5", "e.sampling_prob", "0.5"},
      {"Idle -> e :: Shaper(10) -> Discard", "20", "e.rate", "20"},
      {"Idle -> e :: BandwidthShaper(10) -> Discard", "20", "e.rate", "160bps"},
      {"Idle -> e :: RatedSplitter(10) -> Discard", "20", "e.rate", "20"},
      {"Idle -> e :: BandwidthRatedUnqueue(10) -> Discard", "1kbps", "e.rate", "1kbps"},
      {"Idle -> e :: Meter(1000) -> Discard; e [1] -> Discard", "2000", "e.meters", "2000\n"},
      {"Idle -> e :: Burster(1, 2) -> Discard", "2, 3", "e.burst", "3"},
      {"Idle -> e :: DelayUnqueue(1) -> Discard", "2", "e.delay", "2s"},
      {"Idle -> e :: DelayShaper(1) -> Discard", "2", "e.delay", "2s"},
      {"e :: TimedSource(1) -> Discard", "2", "e.interval", "2s"},
      {"e :: RatedSource(abcd) -> Discard", "abcd, BANDWIDTH 8", "e.rate", "2"},
      {"e :: RatedSource(abcd) -> Discard", "", "e.rate", "10"},
      {"e :: InfiniteSource(abcd, LIMIT 0) -> Discard", "\\<61 62>, LIMIT 0", "e.data", "ab"},
  };
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
    harness_open();
    struct report report = {0}; /* SetAnnoByte warns that it is old */
    assert_int_equal(
        router_create("t", slice_of(rows[r].graph), &harness.services, &harness.scheduler, &harness.router, &report),
        0);
    harness_expect_write("e.config", rows[r].config, 0);
    const char *got = harness_read(rows[r].handler);
    if (strcmp(got, rows[r].expected) != 0) fail_msg("%s, then %s: '%s'", rows[r].graph, rows[r].config, got);
    report_free(&report);
    harness_stop();
  }
}

/* Where a handler stands for an argument in Click (reconfigure_keyword_handler, or a `config` of its own), `config` follows it; a value that
 * is refused leaves it. */
static void config_follows_handlers(void **state) {
  static const struct {
    const char *graph, *handler, *value, *expected; /* value refused: expected is the graph's */
  } rows[] = {
      {"Idle -> e :: Queue(10) -> Discard", "e.capacity", "x", "10"},
      {"Idle -> e :: Queue -> Discard", "e.capacity", "20", "CAPACITY 20"},
      {"Idle -> e :: Queue(10) -> Discard", "e.capacity", " 20 ", "20"},
      {"Idle -> e :: FrontDropQueue(CAPACITY 10) -> Discard", "e.capacity", "20", "CAPACITY 20"},
      {"Idle -> e :: Shaper(10) -> Discard", "e.rate", "20", "20"},
      {"Idle -> e :: RatedSplitter(10) -> Discard", "e.rate", "20", "20"},
      {"Idle -> e :: RatedUnqueue(10, BURST_SIZE 4) -> Discard", "e.rate", "20", "20, BURST_SIZE 4"},
      {"Idle -> e :: BandwidthRatedUnqueue(1kbps) -> Discard", "e.rate", "2kbps", "2kbps"},
      {"Idle -> e :: EtherEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2) -> Discard", "e.dst", "3:3:3:3:3:3",
       "0x0800, 1:1:1:1:1:1, 3:3:3:3:3:3"},
      {"Idle -> e :: EtherEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2) -> Discard", "e.etht", "0x0806",
       "0x0806, 1:1:1:1:1:1, 2:2:2:2:2:2"},
      {"Idle -> e :: Switch(0) -> Discard; e [1] -> Discard", "e.switch", "2", "0"},
      {"Idle -> e :: Switch(0) -> Discard; e [1] -> Discard", "e.switch", "1", "1"},
      {"Idle -> e :: PullSwitch -> Discard; Idle -> [1] e", "e.switch", "1", "1"},
      {"Idle -> e :: RandomSample(0.5) -> Discard", "e.drop_prob", "0.25", "SAMPLE 0.75, ACTIVE true"},
      {"Idle -> e :: RandomSample(0.5) -> Discard", "e.active", "false", "SAMPLE 0.5, ACTIVE false"},
      {"Idle -> e :: StrideSched(1, 2) -> Discard; Idle -> [1] e", "e.tickets1", "5", "1, 5"},
  };
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
    harness_start(rows[r].graph);
    (void)harness_write(rows[r].handler, rows[r].value, strlen(rows[r].value));
    const char *got = harness_read("e.config");
    if (strcmp(got, rows[r].expected) != 0) fail_msg("%s, %s: '%s'", rows[r].graph, rows[r].handler, got);
    harness_stop();
  }
}

/* The log lines of Print, IPPrint and ARPPrint take the new label; CONTENTS, which they turn into something else, as well. */
static void printing_changes(void **state) {
  harness_start("i :: Inject -> e :: Print(old) -> Discard");
  harness_expect_write("e.config", "new, 1, CONTENTS ASCII", 0);
  harness_inject("i", "abc", 1);
  assert_string_equal(text_string(&harness.log), "new:    3 |  a\n");
  harness_stop();
  static const char *const classes[] = {"IPPrint", "ARPPrint"};
  for (size_t i = 0; i < 2; i++) {
    char graph[64];
    format_text(graph, sizeof graph, "Idle -> e :: %s(old) -> Discard", classes[i]);
    harness_start(graph);
    harness_expect_write("e.config", "new, TIMESTAMP false", 0);
    harness_expect_write("e.config", "OUTFILE x", -ERROR_UNSUPPORTED);
    assert_string_equal(harness_read("e.config"), "new, TIMESTAMP false");
    harness_stop();
  }
}

/* Of a mistake nothing remains: the hostile texts are refused with the words of a new graph, and the old arguments go on. */
static void mistakes_change_nothing(void **state) {
  static const struct {
    const char *graph, *config, *message, *handler, *expected;
  } rows[] = {
      {"Idle -> e :: Paint(1) -> Discard", "256", "COLOR: must be between 0 and 255", "e.color", "1"},
      {"Idle -> e :: Paint(1) -> Discard", "", "COLOR: required argument missing", "e.color", "1"},
      {"Idle -> e :: Switch(0) -> Discard", "1", "output 1 is not connected", "e.switch", "0"},
      {"Idle -> e :: RandomSample(0.5) -> Discard", "2", "sampling probability", "e.sampling_prob", "0.5"},
      {"Idle -> e :: Meter(1000) -> Discard; e [1] -> Discard", "1000, 2000", "2 rates need 3 outputs", "e.meters",
       "1000\n"},
      {"Idle -> e :: RatedUnqueue(10) -> Discard", "1, BURST_SIZE 1, BURST_DURATION 1", "cannot specify both", "e.rate",
       "10"},
      {"e :: InfiniteSource(abcd, LIMIT 0) -> Discard", "x, BURST 0", "burst size must be >= 1", "e.data", "abcd"},
      {"e :: RatedSource(abcd, LIMIT 0) -> Discard", "x, LENGTH 100000", "a packet has room for", "e.data", "abcd"},
      {"e :: TimedSource(1) -> Discard", "0", "INTERVAL: must be above 0", "e.interval", "1s"},
  };
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
    harness_start(rows[r].graph);
    assert_true(harness_write("e.config", rows[r].config, strlen(rows[r].config)) < 0);
    if (strstr(harness_message(), rows[r].message) == NULL) fail_msg("%s says '%s'", rows[r].config, harness_message());
    assert_string_equal(harness_read(rows[r].handler), rows[r].expected);
    harness_stop();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(packets_meet_the_new_arguments), cmocka_unit_test(handlers_show_the_new_arguments),
      cmocka_unit_test(config_follows_handlers),        cmocka_unit_test(printing_changes),
      cmocka_unit_test(mistakes_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
