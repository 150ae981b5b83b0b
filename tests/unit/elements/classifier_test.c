/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of Classifier and its pattern language.
 */
#include "elements/pattern.h"
#include "tests/unit/elements/harness.h"

/* Which of up to three patterns a frame matches; 3 stands for none. Frames are given by length, so they may hold
 * anything. */
static void matches(void **state) {
  static const struct {
    const char *patterns[3];
    const char *frame;
    uint32_t length;
    uint32_t expected;
  } cases[] = {
      /* short frames first: a clause needs the bytes it looks at, and no other */
      {{"0/00"}, "", 0, 3},
      {{"-"}, "", 0, 0},
      {{""}, "", 0, 0},
      {{"0/??"}, "", 0, 0},
      {{"0/ff%00"}, "", 0, 0},
      {{"9/???????? -"}, "", 0, 4}, /* 4: refused */
      {{"!0/00"}, "", 0, 0},
      {{"!0/??"}, "", 0, 3},
      {{"2/6364"}, "abc", 3, 3},
      {{"2/63??"}, "abc", 3, 0},
      {{"2/6364%ff00"}, "abc", 3, 0},
      {{"2/6364%fff0"}, "abc", 3, 3},
      {{"!2/6364"}, "abc", 3, 0},
      {{"65535/00"}, "abc", 3, 3},
      /* values of every length, at every offset */
      {{"0/61"}, "abcdefghij", 10, 0},
      {{"1/6263"}, "abcdefghij", 10, 0},
      {{"1/626364"}, "abcdefghij", 10, 0},
      {{"2/63646566"}, "abcdefghij", 10, 0},
      {{"3/6465666768"}, "abcdefghij", 10, 0},
      {{"1/62636465666768"}, "abcdefghij", 10, 0},
      {{"1/6263646566676869"}, "abcdefghij", 10, 0},
      {{"0/6162636465666768696a"}, "abcdefghij", 10, 0},
      {{"0/6162636465666768696b"}, "abcdefghij", 10, 3},
      {{"0/6162636465666758696a"}, "abcdefghij", 10, 3},
      {{"0/61626364656667686900%ffffffffffffffffff00"}, "abcdefghij", 10, 0},
      {{"0/6162??????66676869??"}, "abcdefghij", 10, 0},
      {{"0/??????????????????6a"}, "abcdefghij", 10, 0},
      {{"0/??????????????????6b"}, "abcdefghij", 10, 3},
      /* digits: both cases, single nibbles, masks */
      {{"0/C0"}, "\xc0", 1, 0},
      {{"0/c?"}, "\xcf", 1, 0},
      {{"0/?f"}, "\xcf", 1, 0},
      {{"0/?e"}, "\xcf", 1, 3},
      {{"0/ff%0f"}, "\xcf", 1, 0},
      {{"0/f0%0f"}, "\xc0", 1, 0},
      {{"0/f0%?f"}, "\xc0", 1, 0},
      /* all clauses must hold; the first pattern wins */
      {{"0/61 1/62", "0/61"}, "ab", 2, 0},
      {{"0/61 1/63", "0/61"}, "ab", 2, 1},
      {{"0/61  !1/62", " 0/61 ! 1/63 "}, "ab", 2, 1},
      {{"0/62", "0/63", "-"}, "ab", 2, 2},
      {{"0/61 0/62"}, "a", 1, 3},
      {{"0012/0806"}, "............\x08\x06", 14, 0},
      {{"12/0806 20/0001", "12/0806 20/0002", "12/0800"}, "............\x08\x06......\x00\x02", 22, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint32_t count = 0;
    while (count < 3 && cases[i].patterns[count])
      count++;
    struct pattern_set set;
    struct report report = {0};
    int status = pattern_set_compile(&set, (char *const *)cases[i].patterns, count, &report);
    assert_int_equal(status, cases[i].expected == 4 ? -ERROR_INVALID : 0);
    report_free(&report);
    if (status < 0) continue;
    /* In a block of exactly its length, so that a sanitizer sees a read behind the end. */
    uint8_t *frame = test_malloc(cases[i].length + 1);
    memcpy(frame + 1, cases[i].frame, cases[i].length);
    uint32_t match = pattern_set_match(&set, frame + 1, cases[i].length);
    if (match != (cases[i].expected == 3 ? count : cases[i].expected)) {
      fail_msg("%s: pattern %u", cases[i].patterns[0], match);
    }
    test_free(frame);
    pattern_set_free(&set);
  }
}

/* What is not a pattern is refused with its place and the reason, every one of them. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> Classifier(x) -> Capture", "pattern 0: expected a digit at 'x'; a clause is OFFSET/VALUE"},
      {"Inject -> Classifier(!) -> Capture", "pattern 0: expected a digit"},
      {"Inject -> Classifier(12) -> Capture", "pattern 0: expected '/' after offset 12"},
      {"Inject -> Classifier(12 /00) -> Capture", "pattern 0: expected '/' after offset 12"},
      {"Inject -> Classifier(12/) -> Capture", "pattern 0: value '' must have two hex digits for each byte"},
      {"Inject -> Classifier(12/080) -> Capture", "pattern 0: value '080' must have two hex digits for each byte"},
      {"Inject -> Classifier(12/0806%ff) -> Capture", "pattern 0: mask 'ff' has too few hex digits for value '0806'"},
      {"Inject -> Classifier(12/0806%ffffff) -> Capture", "pattern 0: mask 'ffffff' has too many hex digits"},
      {"Inject -> Classifier(12/08g6) -> Capture", "pattern 0: 'g' in a value; clauses are separated by spaces"},
      {"Inject -> Classifier(65536/00) -> Capture", "pattern 0: offset 65536 is over 65535"},
      {"Inject -> Classifier(99999999999999999999/00) -> Capture", "is over 65535"},
      {"Inject -> c :: Classifier(-, 1/zz); c -> Capture; c [1] -> Capture", "pattern 1: value ''"},
      {"Inject -> Classifier(-, -) -> Capture", "2 patterns, but 1 outputs are connected"},
      {"Inject -> Classifier -> Capture", "0 patterns, but 1 outputs are connected"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

/* A pattern behind one that takes everything is warned about, and accepted. */
static void warns(void **state) {
  static const char *const patterns[] = {"0/00", "-", "0/01"};
  struct pattern_set set;
  struct report report = {0};
  assert_int_equal(pattern_set_compile(&set, (char *const *)patterns, 3, &report), 0);
  assert_string_equal(text_string(&report.text),
                      "warning: pattern 2 matches no packets: pattern 1 before it matches every one\n");
  report_free(&report);
  pattern_set_free(&set);
}

/* Packets keep their order on each output, and what matches nothing is dropped by name. */
static void classifies(void **state) {
  harness_start("i :: Inject -> c :: Classifier(0/61, 0/62); c [0] -> a :: Capture; c [1] -> b :: Capture");
  harness_inject("i", "a1 a2 b1 x a3 b2 y", 256);
  assert_string_equal(harness_captured("a"), "a1 a2 a3 ");
  assert_string_equal(harness_captured("b"), "b1 b2 ");
  assert_string_equal(harness_read("c.drops"), "no_match 2\n");
  assert_string_equal(harness_read("c.program"), "0  0/61%ff\n1  0/62%ff\n");
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matches),
      cmocka_unit_test(refuses),
      cmocka_unit_test(warns),
      cmocka_unit_test(classifies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
