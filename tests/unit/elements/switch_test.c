/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the elements that choose a port, and of those that look at colours: what they must do is in Click's manual pages.
 * Each row runs with batches of 1, 3 and 256.
 */
#include <string.h>

#include "tests/unit/elements/harness.h"

/* Element `e` between i and captures a, b, c on its outputs, as push. */
struct push_case {
  const char *element;
  unsigned outputs;
  const char *frames, *a, *b, *c, *drops;
};

static void check_push(const struct push_case *row, unsigned batch) {
  char config[320];
  size_t length = format_text(config, sizeof config,
                              "i :: Inject -> e :: %s; e [0] -> a :: Capture;"
                              "Inject -> b :: Capture; Inject -> c :: Capture;",
                              row->element);
  for (unsigned i = 1; i < row->outputs; i++)
    length += format_text(config + length, sizeof config - length, "e [%u] -> %c;", i, (char)('a' + i));
  harness_start(config);
  harness_inject("i", row->frames, batch);
  assert_string_equal(harness_captured("a"), row->a);
  assert_string_equal(harness_captured("b"), row->b);
  assert_string_equal(harness_captured("c"), row->c);
  assert_string_equal(harness_read("drops"), row->drops);
  harness_stop();
}

static void pushes(void **state) {
  static const struct push_case cases[] = {
      {"StaticSwitch(1)", 2, "p q", "", "p q ", "", "total 0\n"},
      {"StaticSwitch(-1)", 2, "p q", "", "", "", "e.off 2\ntotal 2\n"},
      {"RoundRobinSwitch", 3, "p q r s t", "p s ", "q t ", "r ", "total 0\n"},
      {"RoundRobinSwitch", 1, "p q", "p q ", "", "", "total 0\n"},
      /* 'a' is 0x61: 0x61 ^ 0x06 = 0x67, odd; 'b': 0x62 ^ 0x06 = 0x64, even; short packets go to output 0. */
      {"HashSwitch(1, 1)", 2, "xa xb x", "xb x ", "xa ", "", "total 0\n"},
      /* 97 + 97 = 194, modulo 3 is 2; 97 + 98 = 195: 0; 97 + 99 = 196: 1. */
      {"HashSwitch(0, 2)", 3, "aa ab ac", "ab ", "ac ", "aa ", "total 0\n"},
      /* The harness's random number is 0x1234567: the first of any number of outputs up to 225. */
      {"RandomSwitch", 3, "p q", "p q ", "", "", "total 0\n"},
      {"RandomSample(1)", 2, "p q", "p q ", "", "", "total 0\n"},
      {"RandomSample(0)", 2, "p q", "", "p q ", "", "total 0\n"},
      /* 0x1234567 of 2^32 is 0.00444. */
      {"RandomSample(P 0.0045)", 2, "p q", "p q ", "", "", "total 0\n"},
      {"RandomSample(SAMPLE 0.0044)", 1, "p q", "", "", "", "e.not_sampled 2\ntotal 2\n"},
      {"RandomSample(DROP 1)", 1, "p q", "", "", "", "e.not_sampled 2\ntotal 2\n"},
      {"RandomSample(DROP 1, ACTIVE false)", 1, "p q", "p q ", "", "", "total 0\n"},
      {"CheckPaint(0)", 2, "p q", "p q ", "", "", "total 0\n"},
      {"CheckPaint(1)", 2, "p q", "", "p q ", "", "total 0\n"},
      {"CheckPaint(1, 17)", 1, "p q", "", "", "", "e.other_color 2\ntotal 2\n"},
      {"PaintTee(0)", 2, "p q", "p q ", "p q ", "", "total 0\n"},
      {"PaintTee(1)", 2, "p q", "p q ", "", "", "total 0\n"},
      {"PushNull", 1, "p q", "p q ", "", "", "total 0\n"},
  };
  static const unsigned sizes[] = {1, 3, 256};
  for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++)
    check_push(&cases[i / 3], sizes[i % 3]);
}

/* The same between a queue and who pulls. */
static void pulls(void **state) {
  static const struct {
    const char *element, *links, *out, *aside;
  } cases[] = {
      {"PullNull", "", "p q r ", ""},
      {"PullTee", "e [1] -> x;", "p q r ", "p q r "},
      {"PullTee(1)", "", "p q r ", ""},
      {"PaintTee(0)", "e [1] -> x;", "p q r ", "p q r "},
      {"PaintTee(5)", "e [1] -> x;", "p q r ", ""},
      {"CheckPaint(0)", "", "p q r ", ""},
      {"CheckPaint(3)", "e [1] -> x;", "", "p q r "},
      {"RandomSample(0)", "e [1] -> x;", "", "p q r "},
      {"RandomSample(DROP 0)", "", "p q r ", ""},
      {"PullSwitch", "Idle -> [1] e;", "p q r ", ""},
      {"PullSwitch(1)", "Idle -> [1] e;", "", ""},
      {"PullSwitch(-1)", "", "", ""},
      {"StaticPullSwitch(0)", "Idle -> [1] e;", "p q r ", ""},
      {"StaticPullSwitch(1)", "Idle -> [1] e;", "", ""},
  };
  static const unsigned sizes[] = {1, 2, 256};
  for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
    char config[320];
    format_text(config, sizeof config,
                "i :: Inject -> Queue -> e :: %s; e -> Unqueue(BURST %u) -> o :: Capture; Inject -> x :: Capture; %s",
                cases[i / 3].element, sizes[i % 3], cases[i / 3].links);
    harness_start(config);
    harness_inject("i", "p q r", 256);
    harness_run(9);
    assert_string_equal(harness_captured("o"), cases[i / 3].out);
    assert_string_equal(harness_captured("x"), cases[i / 3].aside);
    harness_stop();
  }
}

/* Whatever is rejected on a pull path, what waits behind it is not slept on. */
static void pulls_on(void **state) {
  static const char *const cases[] = {"CheckPaint(1)", "RandomSample(0)", "CheckLength(0)", "Pad(1900)",
                                      "Strip(5) -> Unstrip(300)"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[160];
    format_text(config, sizeof config,
                "i :: Inject -> q :: Queue -> %s -> u :: Unqueue(BURST 2, ACTIVE false) -> o :: Capture", cases[i]);
    harness_start(config);
    for (unsigned n = 0; n < 40; n++)
      harness_inject("i", "aaaaaaaaaa bbbbbbbbbb", 2);
    harness_expect_write("u.active", "true", 0);
    harness_run_until_idle();
    if (harness_number("q.length") > 0) fail_msg("%s leaves %llu", cases[i], harness_number("q.length"));
    harness_stop();
  }
}

/* PullSwitch's handler chooses the input, and refuses one that is not there. */
static void pull_switch_handler(void **state) {
  harness_start("i :: Inject -> a :: Queue -> s :: PullSwitch -> u :: Unqueue -> o :: Capture;"
                "j :: Inject -> b :: Queue -> [1] s");
  harness_inject("i", "p", 1);
  harness_inject("j", "q", 1);
  harness_run(3);
  assert_string_equal(harness_captured("o"), "p ");
  harness_expect_write("s.switch", "1", 0);
  harness_expect_write("s.switch", "2", -ERROR_INVALID);
  assert_string_equal(harness_read("s.switch"), "1");
  harness_inject("j", "r", 1);
  harness_run(3);
  assert_string_equal(harness_captured("o"), "q r ");
  harness_stop();
}

/* RandomSample's probabilities are one: writing either changes both. */
static void random_sample_handlers(void **state) {
  harness_start("i :: Inject -> s :: RandomSample(0.25) -> Discard");
  assert_string_equal(harness_read("s.sampling_prob"), "0.25");
  assert_string_equal(harness_read("s.drop_prob"), "0.75");
  harness_expect_write("s.drop_prob", "1", 0);
  assert_string_equal(harness_read("s.sampling_prob"), "0");
  harness_inject("i", "p q", 256);
  assert_int_equal(harness_number("s.drops"), 2);
  harness_expect_write("s.sampling_prob", "2", -ERROR_INVALID);
  harness_expect_write("s.active", "false", 0);
  assert_string_equal(harness_read("s.active"), "false");
  harness_stop();
}

/* Colours written by handler; SetAnnoByte says that it is obsolete, and sets the byte. */
static void colors(void **state) {
  harness_start("i :: Inject -> p :: Paint(7, 20) -> c :: CheckPaint(8, 20) -> o :: Capture");
  harness_expect_write("c.color", "7", 0);
  assert_string_equal(harness_read("p.anno"), "20");
  harness_inject("i", "p", 1);
  assert_string_equal(harness_captured("o"), "p ");
  harness_expect_write("c.color", "256", -ERROR_INVALID);
  harness_stop();
  harness_open();
  struct report report = {0};
  assert_int_equal(router_create("test.click", slice_of("i :: Inject -> s :: SetAnnoByte(PAINT, 9) -> o :: Capture"),
                                 &harness.services, &harness.scheduler, &harness.router, &report),
                   0);
  assert_non_null(strstr(text_string(&report.text), "use Paint(VALUE, ANNO) instead"));
  report_free(&report);
  harness_inject("i", "p", 1);
  assert_int_equal(annotation_u8(harness_last("o"), 16), 9);
  harness_expect_write("s.value", "3", 0);
  assert_string_equal(harness_read("s.value"), "3");
  assert_string_equal(harness_read("s.anno"), "16");
  harness_stop();
}

/* What makes no sense is refused. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> StaticSwitch -> Capture", "OUTPUT: required argument missing"},
      {"Inject -> StaticSwitch(1) -> Capture", "OUTPUT: output 1 is not connected; the last one is 0, -1 drops"},
      {"Inject -> Queue -> PullSwitch(1) -> Discard", "INPUT: input 1 is not connected"},
      {"Inject -> HashSwitch(1, 0) -> Capture", "length must be > 0"},
      {"Inject -> HashSwitch(1) -> Capture", "LENGTH: required argument missing"},
      {"Inject -> RandomSample(1.1) -> Capture", "sampling probability must be between 0 and 1"},
      {"Inject -> RandomSample -> Capture", "give one of P, SAMPLE and DROP"},
      {"Inject -> RandomSample(SAMPLE 0.5, DROP 0.5) -> Capture", "give at most one of SAMPLE and DROP"},
      {"Inject -> RandomSample(DROP 1.1) -> Capture", "sampling probability must be between 0 and 1"},
      {"Inject -> CheckPaint(300) -> Capture", "COLOR: must be between 0 and 255"},
      {"Inject -> SetAnnoByte(48, 1) -> Capture", "ANNO: parse error"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pushes),
      cmocka_unit_test(pulls),
      cmocka_unit_test(pulls_on),
      cmocka_unit_test(pull_switch_handler),
      cmocka_unit_test(random_sample_handlers),
      cmocka_unit_test(colors),
      cmocka_unit_test(refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
