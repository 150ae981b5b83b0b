/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of Classifier and its pattern language.
 */
#include <stdio.h>

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
    uint32_t match = pattern_table_find(&set.table, frame + 1, cases[i].length, count);
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

/* As Click's manual says: there is a warning if no packet will ever match a pattern, because of one before it or because it
 * contradicts itself. All are accepted. */
static void warns(void **state) {
  static const struct {
    const char *patterns[3];
    const char *text;
  } cases[] = {
      {{"0/00", "-", "0/01"}, "warning: pattern 2 matches no packets: pattern 1 before it matches every one\n"},
      {{"0/00 0/01", "0/00 1/00", "-"}, "warning: pattern 0 matches no packets: its clauses contradict each other\n"},
      {{"10/0806 11/07", "10/0806 11/06", "-"},
       "warning: pattern 0 matches no packets: its clauses contradict each other\n"},
      {{"0/f?", "0/f? 0/?0%0e", "0/f? 0/e0%10"},
       "warning: pattern 2 matches no packets: its clauses contradict each other\n"},
      {{"0/00", "!0/??", "-"}, "warning: pattern 1 matches no packets: its clauses contradict each other\n"},
      {{"3/61626364 !4/62", "3/61626364 !4/63", "-"},
       "warning: pattern 0 matches no packets: its clauses contradict each other\n"},
      {{"!0/61 !0/62", "!0/6? !0/??00", "-"}, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pattern_set set;
    struct report report = {0};
    assert_int_equal(pattern_set_compile(&set, (char *const *)cases[i].patterns, 3, &report), 0);
    assert_string_equal(text_string(&report.text), cases[i].text);
    report_free(&report);
    pattern_set_free(&set);
  }
}

/* The limit on clauses with '!' is refused by name; at the limit it works. */
static void limits(void **state) {
  char text[8 * (PATTERN_MAX_NEGATED + 1) + 1] = "";
  for (unsigned i = 0; i <= PATTERN_MAX_NEGATED; i++)
    snprintf(text + 8 * i, 9, " !0/%02x  ", i);
  struct pattern_set set;
  struct report report = {0};
  char *pattern = text;
  assert_int_equal(pattern_set_compile(&set, &pattern, 1, &report), -ERROR_TOO_BIG);
  assert_string_equal(text_string(&report.text), "pattern 0: more than 62 clauses with '!'\n");
  report_free(&report);
  text[8 * PATTERN_MAX_NEGATED] = '\0';
  assert_int_equal(pattern_set_compile(&set, &pattern, 1, &report), 0);
  for (unsigned value = 0; value < 256; value++) {
    uint8_t frame[2] = {(uint8_t)value, 0};
    assert_int_equal(pattern_table_find(&set.table, frame, sizeof frame, 1), value < PATTERN_MAX_NEGATED ? 1 : 0);
  }
  pattern_set_free(&set);
}

/* --- a slow classifier, to compare with --- */

enum { SLOW_PATTERNS = 90, SLOW_CLAUSES = 3, SLOW_BYTES = 11, SLOW_FRAMES = 64, SLOW_LENGTH = 40 };

struct slow_clause {
  unsigned offset, count;
  bool negated;
  uint8_t value[SLOW_BYTES], mask[SLOW_BYTES];
};
struct slow_pattern {
  unsigned count;
  struct slow_clause clauses[SLOW_CLAUSES];
};

static uint32_t seed;
static unsigned chance(unsigned below) {
  seed = seed * 1664525 + 1013904223;
  return (unsigned)((uint64_t)seed * below >> 32);
}

/* Few values, so that much matches; some clauses are long, most are short. */
static void make_slow(struct slow_pattern *pattern, char *text, size_t size) {
  static const uint8_t masks[] = {0xff, 0xff, 0xff, 0x0f, 0xf0, 0x01, 0x00};
  size_t at = 0;
  pattern->count = chance(SLOW_CLAUSES + 1);
  text[0] = '\0';
  for (unsigned i = 0; i < pattern->count; i++) {
    struct slow_clause *clause = &pattern->clauses[i];
    clause->offset = chance(16) * chance(3);
    clause->count = chance(4) ? 1 + chance(2) : 1 + chance(SLOW_BYTES);
    clause->negated = chance(3) == 0;
    at += (size_t)snprintf(text + at, size - at, "%s%u/", clause->negated ? " !" : " ", clause->offset);
    for (unsigned b = 0; b < clause->count; b++) {
      clause->value[b] = (uint8_t)chance(3);
      clause->mask[b] = masks[chance(sizeof masks)];
      at += (size_t)snprintf(text + at, size - at, "%02x", clause->value[b]);
    }
    at += (size_t)snprintf(text + at, size - at, "%%");
    for (unsigned b = 0; b < clause->count; b++)
      at += (size_t)snprintf(text + at, size - at, "%02x", clause->mask[b]);
  }
}

static bool slow_holds(const struct slow_clause *clause, const uint8_t *frame, unsigned length) {
  for (unsigned b = 0; b < clause->count; b++) {
    if (clause->mask[b] == 0) continue;
    if (clause->offset + b >= length) return clause->negated;
    if ((frame[clause->offset + b] ^ clause->value[b]) & clause->mask[b]) return clause->negated;
  }
  return !clause->negated;
}

static unsigned slow_match(const struct slow_pattern *patterns, unsigned count, const uint8_t *frame, unsigned length) {
  for (unsigned i = 0; i < count; i++) {
    unsigned holding = 0;
    while (holding < patterns[i].count && slow_holds(&patterns[i].clauses[holding], frame, length))
      holding++;
    if (holding == patterns[i].count) return i;
  }
  return count;
}

/* Sets of patterns made by chance, up to three groups of them, tell frames apart as the definition of a pattern does, byte by byte: one
 * frame at a time and in batches of up to 64: all long enough for every field and some not, all alike, all but one alike, and all different. */
static void agrees(void **state) {
  static struct slow_pattern patterns[SLOW_PATTERNS];
  static char texts[SLOW_PATTERNS][256];
  static struct packet packets[SLOW_FRAMES];
  static struct batch batch;
  char *list[SLOW_PATTERNS];
  for (unsigned round = 0; round < 400; round++) {
    seed = round;
    unsigned count = 1 + chance(round % 4 == 0 ? SLOW_PATTERNS : 12);
    for (unsigned i = 0; i < count; i++) {
      make_slow(&patterns[i], texts[i], sizeof texts[i]);
      /* Otherwise the first of them ends it all. */
      while (patterns[i].count == 0 && i + 1 < count)
        make_slow(&patterns[i], texts[i], sizeof texts[i]);
      list[i] = texts[i];
    }
    struct pattern_set set;
    assert_int_equal(pattern_set_compile(&set, list, count, NULL), 0);
    unsigned expected[SLOW_FRAMES];
    uint32_t numbers[SLOW_FRAMES];
    bool alike = round % 6 == 1 || round % 6 == 3;
    unsigned odd = round % 6 == 1 ? SLOW_FRAMES : 1 + chance(SLOW_FRAMES - 1); /* the one that is not like the others */
    for (unsigned i = 0; i < SLOW_FRAMES; i++) {
      unsigned length = round % 2 ? SLOW_LENGTH + 8 : chance(SLOW_LENGTH + 8);
      uint8_t *frame = test_malloc(length + 1);
      for (unsigned b = 0; b < length; b++)
        frame[b + 1] = (uint8_t)(chance(8) ? chance(3) : chance(256));
      if (alike && i > 0 && i != odd) memcpy(frame + 1, packets[0].data, length);
      packets[i] = (struct packet){.data = frame + 1, .length = length};
      batch.packet[i] = &packets[i];
      expected[i] = slow_match(patterns, count, frame + 1, length);
      if (pattern_table_find(&set.table, frame + 1, length, count) != expected[i])
        fail_msg("round %u, frame %u", round, i);
    }
    batch.count = round % 5 == 0 ? chance(SLOW_FRAMES + 1) : SLOW_FRAMES;
    bool same = pattern_table_find_all(&set.table, &batch, numbers, count);
    if (alike && odd == SLOW_FRAMES && set.table.group_count == 1) assert_int_equal(same, batch.count > 0);
    for (unsigned i = 0; i < SLOW_FRAMES; i++) {
      if (i < batch.count && numbers[same ? 0 : i] != expected[i])
        fail_msg("round %u, frame %u of the batch", round, i);
      test_free(packets[i].data - 1);
    }
    pattern_set_free(&set);
  }
}

/* No pattern matches nothing, and an empty batch has no answer. */
static void nothing_to_find(void **state) {
  struct packet packet = {0};
  struct batch batch = {.count = 1, .packet = {&packet}};
  struct pattern_set set;
  uint32_t number = 7;
  assert_int_equal(pattern_set_compile(&set, NULL, 0, NULL), 0);
  assert_true(pattern_table_find_all(&set.table, &batch, &number, 5));
  assert_int_equal(number, 5);
  batch.count = 0;
  assert_false(pattern_table_find_all(&set.table, &batch, &number, 5));
  pattern_set_free(&set);
}

/* Packets keep their order on each output, and what matches nothing is dropped by name. */
static void classifies(void **state) {
  harness_start("i :: Inject -> c :: Classifier(0/61, 0/62); c [0] -> a :: Capture; c [1] -> b :: Capture");
  harness_inject("i", "a1 a2 b1 x a3 b2 y", 256);
  assert_string_equal(harness_captured("a"), "a1 a2 a3 ");
  assert_string_equal(harness_captured("b"), "b1 b2 ");
  assert_string_equal(harness_read("c.drops"), "no_match 2\n");
  harness_inject("i", "x y z", 256);
  assert_string_equal(harness_read("c.drops"), "no_match 5\n");
  assert_string_equal(harness_read("c.program"), "0  0/61%ff\n1  0/62%ff\n");
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matches),    cmocka_unit_test(refuses), cmocka_unit_test(warns),
      cmocka_unit_test(limits),     cmocka_unit_test(agrees),  cmocka_unit_test(nothing_to_find),
      cmocka_unit_test(classifies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
