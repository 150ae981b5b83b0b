/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of Counter and AverageCounter, and of the rates below them. What they must do is in Click's manual pages.
 */
#include "elements/parameter.h"
#include "elements/rate.h"
#include "tests/unit/elements/harness.h"

#include <string.h>

enum { MS = 1000000 };

/* A fixed-point number prints as the shortest decimal that rounds to it (Knuth, TeX, section 103: 16 bits there). */
static void prints_fixed(void **state) {
  static const struct {
    uint64_t value;
    unsigned bits;
    const char *text;
  } cases[] = {{0, 10, "0"},           {1024, 10, "1"},         {1536, 10, "1.5"},      {1, 10, "0.001"},
               {1023, 10, "0.999"},    {65536, 16, "1"},        {6554, 16, "0.1"},      {21845, 16, "0.33333"},
               {65535, 16, "0.99998"}, {1ull << 31, 32, "0.5"}, {429496730, 32, "0.1"}, {5, 0, "5"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct text text = {0};
    text_add_fixed(&text, cases[i].value, cases[i].bits);
    assert_string_equal(text_string(&text), cases[i].text);
    text_free(&text);
  }
}

/* One packet each millisecond is 1,000 a second; without packets the rate falls to nothing in a tenth of a second. */
static void rates(void **state) {
  harness_start("i :: Inject -> c :: Counter -> Discard");
  assert_string_equal(harness_read("c.rate"), "0");
  for (unsigned i = 0; i < 1000; i++) {
    harness.now += MS;
    harness_inject("i", "abcd", 1);
  }
  harness.now += MS;
  /* Rounding stops a sixteenth short of a thousandth: see ewma_step. */
  unsigned long long rate = harness_number("c.rate"), bytes = harness_number("c.byte_rate");
  assert_in_range(rate, 990, 1000);
  assert_in_range(bytes, 3990, 4000);
  assert_in_range(harness_number("c.bit_rate"), 8 * bytes, 8 * bytes + 8);
  harness.now += 200 * MS;
  assert_string_equal(harness_read("c.rate"), "0");
  assert_int_equal(harness_number("c.byte_count"), 4000);
  harness_stop();
}

/* The first millisecond with 16 packets brings the average to 1 packet a millisecond: each counts a sixteenth. */
static void rate_of_one_millisecond(void **state) {
  harness_start("i :: Inject -> c :: Counter -> Discard");
  harness_inject("i", "a a a a a a a a a a a a a a a a", 256);
  assert_string_equal(harness_read("c.rate"), "0");
  harness.now += MS;
  assert_string_equal(harness_read("c.rate"), "1000");
  harness.now += MS;
  assert_string_equal(harness_read("c.rate"), "937.5");
  harness_expect_write("c.reset", "", 0);
  assert_string_equal(harness_read("c.rate"), "0");
  harness_stop();
}

/* "COUNT_CALL: when the packet count reaches N, call the handler": before that packet goes on, at any batch size, and once. */
static void calls(void **state) {
  static const struct {
    const char *arguments, *a, *b;
  } cases[] = {
      {"COUNT_CALL 3 s.switch 1", "p1 p2 ", "p3 p4 p5 "},
      {"COUNT_CALL 1 s.switch 1", "", "p1 p2 p3 p4 p5 "},
      {"COUNT_CALL 9 s.switch 1", "p1 p2 p3 p4 p5 ", ""},
      {"BYTE_COUNT_CALL 5 s.switch 1", "p1 p2 ", "p3 p4 p5 "},
      {"BYTE_COUNT_CALL 4 s.switch 1, COUNT_CALL 4 s.switch 0", "p1 p4 p5 ", "p2 p3 "},
  };
  static const unsigned sizes[] = {1, 2, 256};
  for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
    char config[256];
    format_text(config, sizeof config,
                "i :: Inject -> c :: Counter(%s) -> s :: Switch; s [0] -> a :: Capture; s [1] -> b :: Capture",
                cases[i / 3].arguments);
    harness_start(config);
    harness_inject("i", "p1 p2 p3 p4 p5", sizes[i % 3]);
    assert_string_equal(harness_captured("a"), cases[i / 3].a);
    assert_string_equal(harness_captured("b"), cases[i / 3].b);
    harness_stop();
  }
}

/* The calls can be read and written, and are armed again by reset; on a pull path they come at the packet that counts. */
static void call_handlers(void **state) {
  harness_start("i :: Inject -> q :: Queue -> c :: Counter -> u :: Unqueue(ACTIVE false) -> s :: Switch;"
                "s [0] -> a :: Capture; s [1] -> b :: Capture");
  assert_string_equal(harness_read("c.count_call"), "");
  harness_expect_write("c.count_call", "2 s.switch 1", 0);
  assert_string_equal(harness_read("c.count_call"), "2");
  harness_expect_write("c.count_call", "x s.switch 1", -ERROR_INVALID);
  harness_expect_write("c.byte_count_call", "8 s.switch 0", 0);
  harness_inject("i", "p1 p2 p3 p4 p5", 256);
  harness_expect_write("u.active", "true", 0);
  harness_run(9);
  assert_string_equal(harness_captured("a"), "p1 p4 p5 ");
  assert_string_equal(harness_captured("b"), "p2 p3 ");
  harness_expect_write("c.reset_counts", "", 0);
  harness_inject("i", "p1 p2", 256);
  harness_run(9);
  assert_string_equal(harness_captured("b"), "p2 ");
  harness_stop();
}

/* A handler that fails is told in the log. */
static void call_fails(void **state) {
  harness_start("i :: Inject -> c :: Counter(COUNT_CALL 1 s.switch 7) -> s :: Switch -> Discard");
  harness_inject("i", "a", 1);
  assert_non_null(strstr(text_string(&harness.log), "output 7 is not connected"));
  harness_stop();
}

/* AverageCounter: packets over the time from the first to the last; IGNORE leaves the first seconds out. */
static void averages(void **state) {
  static const struct {
    const char *arguments;
    unsigned packets, gap_ms;
    const char *count, *rate, *byte_rate;
  } cases[] = {
      {"", 0, 1, "0", "0", "0"},          {"", 1, 100, "1", "1000", "2000"},
      {"", 11, 100, "11", "11", "22"},    {"", 4, 1000, "4", "1.33333333333", "2.66666666667"},
      {"1", 31, 100, "21", "10.5", "21"}, {"IGNORE 9", 3, 100, "0", "0", "0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[96];
    format_text(config, sizeof config, "i :: Inject -> c :: AverageCounter(%s) -> Discard", cases[i].arguments);
    harness_start(config);
    for (unsigned n = 0; n < cases[i].packets; n++) {
      harness_inject("i", "ab", 1);
      harness.now += (uint64_t)cases[i].gap_ms * MS;
    }
    assert_string_equal(harness_read("c.count"), cases[i].count);
    assert_string_equal(harness_read("c.rate"), cases[i].rate);
    assert_string_equal(harness_read("c.byte_rate"), cases[i].byte_rate);
    harness_expect_write("c.reset", "", 0);
    assert_int_equal(harness_number("c.count") + harness_number("c.byte_count") + harness_number("c.rate"), 0);
    harness_stop();
  }
}

/* What makes no sense is refused. */
static void refuses(void **state) {
  harness_refuses("Inject -> Counter(COUNT_CALL x.y) -> Capture", "'COUNT_CALL' first word should be unsigned (count)");
  harness_refuses("Inject -> Counter(BYTE_COUNT_CALL -1 x.y) -> Capture", "'BYTE_COUNT_CALL' first word");
  harness_refuses("Inject -> Counter(COUNT_CALL 1 x.y) -> Capture", "no element named 'x'");
  harness_refuses("Inject -> AverageCounter(x) -> Capture", "IGNORE: parse error");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prints_fixed), cmocka_unit_test(rates),         cmocka_unit_test(rate_of_one_millisecond),
      cmocka_unit_test(calls),        cmocka_unit_test(call_handlers), cmocka_unit_test(call_fails),
      cmocka_unit_test(averages),     cmocka_unit_test(refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
