/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the plain elements: Null, Counter, Discard, Idle, Tee, Switch, Paint, PaintSwitch, Print.
 */
#include "tests/unit/elements/harness.h"

/* Counter counts packets and bytes, and passes all on in order; reset_counts starts again. */
static void counts(void **state) {
  harness_start("i :: Inject -> c :: Counter -> Null -> o :: Capture");
  harness_inject("i", "one three five", 2);
  assert_string_equal(harness_captured("o"), "one three five ");
  assert_int_equal(harness_number("c.count"), 3);
  assert_int_equal(harness_number("c.byte_count"), 12);
  harness_expect_write("c.reset_counts", "", 0);
  assert_int_equal(harness_number("c.count") + harness_number("c.byte_count"), 0);
  harness_stop();
}

/* Discard drops under a name, from push and from pull inputs; an inactive one leaves a pull input alone. */
static void discards(void **state) {
  harness_start("i :: Inject -> d :: Discard; j :: Inject -> q :: Queue -> p :: Discard(ACTIVE false, BURST 2)");
  harness_inject("i", "a b c", 256);
  assert_int_equal(harness_number("d.count"), 3);
  assert_string_equal(harness_read("d.drops"), "discarded 3\n");
  harness_inject("j", "a b c", 256);
  harness_run(3);
  assert_int_equal(harness_number("p.count"), 0);
  harness_expect_write("p.active", "true", 0);
  harness_run(1);
  assert_int_equal(harness_number("q.length"), 1);
  harness_run(1);
  assert_int_equal(harness_number("p.count"), 3);
  harness_expect_write("p.active", "maybe", -ERROR_INVALID);
  harness_stop();
}

/* BURST 0 takes as many as come, a batch at once; more than a batch is taken as that. */
static void discards_all(void **state) {
  static const char *const cases[] = {"0", "100000"};
  for (size_t i = 0; i < 2; i++) {
    char config[64];
    format_text(config, sizeof config, "InfiniteSource(x) -> PullNull -> d :: Discard(BURST %s)", cases[i]);
    harness_start(config);
    harness_run(2);
    assert_int_equal(harness_number("d.count"), 2 * BATCH_MAX);
    harness_stop();
  }
}

/* Idle drops what it is pushed and gives nothing to who pulls. */
static void idles(void **state) {
  harness_start("i :: Inject -> idle :: Idle -> d :: Discard; j :: Idle -> u :: Unqueue -> o :: Capture");
  harness_inject("i", "a b", 1);
  harness_run(2);
  assert_string_equal(harness_read("idle.drops"), "discarded 2\n");
  assert_int_equal(harness_number("d.count"), 0);
  assert_string_equal(harness_captured("o"), "");
  harness_stop();
}

/* Each output of Tee gets every packet with its annotations, as a packet of its own. */
static void tees(void **state) {
  harness_start("i :: Inject -> Paint(7) -> t :: Tee(3); t [0] -> a :: Capture; t [1] -> b :: Capture;"
                "t [2] -> c :: Capture");
  harness_inject("i", "x y", 256);
  assert_ptr_not_equal(harness_last("a"), harness_last("b"));
  assert_int_equal(annotation_u8(harness_last("a"), ANNOTATION_PAINT), 7);
  harness_last("a")->data[0] = 'z';
  assert_string_equal(harness_captured("a"), "x z ");
  assert_string_equal(harness_captured("b"), "x y ");
  assert_string_equal(harness_captured("c"), "x y ");
  harness_stop();
}

/* A copy that finds no buffer is left out and counted; the packet itself goes on. */
static void tee_without_buffers(void **state) {
  harness_start("i :: Inject -> t :: Tee -> a :: Capture; t [1] -> b :: Capture");
  struct packet *hoard[HARNESS_PACKETS];
  uint32_t count = 0;
  while (harness.pool.free_count > 3)
    hoard[count++] = packet_new(&harness.pool);
  harness_inject("i", "x y", 256);
  assert_string_equal(harness_captured("a"), "x ");
  assert_string_equal(harness_captured("b"), "x y ");
  assert_string_equal(harness_read("t.drops"), "no_buffer 1\n");
  while (count > 0)
    packet_kill(hoard[--count]);
  harness_stop();
}

/* Switch sends all to the output that its handler sets; -1 drops; an output that is not there is refused and changes
 * nothing. */
static void switches(void **state) {
  harness_start("i :: Inject -> s :: Switch(1); s [0] -> a :: Capture; s [1] -> b :: Capture");
  harness_inject("i", "x", 256);
  harness_expect_write("s.switch", "0", 0);
  harness_inject("i", "y", 256);
  harness_expect_write("s.switch", " -1 ", 0);
  harness_inject("i", "z z", 256);
  assert_string_equal(harness_read("s.switch"), "-1");
  static const char *const bad[] = {"2", "99999999999", "x", "", "1 2", "--1"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    harness_expect_write("s.switch", bad[i], -ERROR_INVALID);
  assert_string_equal(harness_read("s.switch"), "-1");
  assert_string_equal(harness_captured("a"), "y ");
  assert_string_equal(harness_captured("b"), "x ");
  assert_string_equal(harness_read("s.drops"), "off 2\n");
  harness_stop();
}

/* PaintSwitch sends a packet to the output of its colour, 255 to all, and drops colours without an output. */
static void paints(void **state) {
  harness_start(
      "i :: Inject -> p :: Paint(1, 20) -> s :: PaintSwitch(20); s [0] -> a :: Capture; s [1] -> b :: Capture");
  static const struct {
    const char *color, *frame;
  } steps[] = {{"1", "one"}, {"0", "zero"}, {"2", "two"}, {"255", "all"}, {"254", "none"}};
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    harness_expect_write("p.color", steps[i].color, 0);
    harness_inject("i", steps[i].frame, 256);
  }
  assert_string_equal(harness_captured("a"), "zero all ");
  assert_string_equal(harness_captured("b"), "one all ");
  assert_string_equal(harness_read("s.drops"), "no_output 2\nno_buffer 0\n");
  harness_expect_write("p.color", "256", -ERROR_INVALID);
  assert_string_equal(harness_read("p.color"), "254");
  harness_stop();
}

/* Without ANNO both use Click's paint annotation. */
static void paints_by_default(void **state) {
  harness_start("i :: Inject -> Paint(3) -> o :: Capture");
  harness_inject("i", "x", 1);
  assert_int_equal(harness_last("o")->annotation[16], 3);
  harness_stop();
}

/* Print's lines are Click's, byte for byte. */
static void prints(void **state) {
  static const struct {
    const char *arguments, *line;
  } cases[] = {
      {"in", "in:   10 | 30313233 34353637 3839\n"},
      {"in, 4", "in:   10 | 30313233\n"},
      {"in, 5", "in:   10 | 30313233 34\n"},
      {"in, -1", "in:   10 | 30313233 34353637 3839\n"},
      {"", "  10 | 30313233 34353637 3839\n"},
      {"in, CONTENTS ASCII", "in:   10 |  01234567 89\n"},
      {"in, CONTENTS NONE", "in:   10\n"},
      {"in, 0", "in:   10\n"},
      {"in, 0, CPU true", "in(0):   10\n"},
      {"\"a b\", 2, TIMESTAMP true", "a b: 12.000345:   10 | 3031\n"},
      {"in, 1, HEADROOM true", "in:   10 (h256 t1654) | 30\n"},
      {"in, 1, ACTIVE false", ""},
      {"in, 1, PRINTANNO true", "in:   10 | 0000000000000000000000000000000009000000000000000000000000000000"
                                "00000000000000000000000000000000 | 30\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[256];
    format_text(config, sizeof config, "i :: Inject -> Paint(9) -> p :: Print(%s) -> o :: Capture", cases[i].arguments);
    harness_start(config);
    struct batch batch = {.count = 1};
    batch.packet[0] = packet_new_from(&harness.pool, "0123456789", 10);
    batch.packet[0]->timestamp = 12000345000;
    element_push(router_find(harness.router, "i"), 0, &batch);
    assert_string_equal(text_string(&harness.log), cases[i].line);
    assert_string_equal(harness_captured("o"), "0123456789 ");
    harness_stop();
  }
}

/* The longest packet with everything printed fits the line. */
static void prints_the_longest(void **state) {
  harness_start(
      "i :: Inject -> Print(MAXLENGTH -1, PRINTANNO true, TIMESTAMP true, HEADROOM true, CPU true) -> Discard");
  static uint8_t longest[PACKET_DATA_CAPACITY];
  struct batch batch = {.count = 1};
  batch.packet[0] = packet_new_from(&harness.pool, longest, sizeof longest);
  batch.packet[0]->timestamp = UINT64_MAX;
  element_push(router_find(harness.router, "i"), 0, &batch);
  assert_string_equal(text_string(&harness.log) + harness.log.length - 10, " 00000000\n");
  harness_stop();
}

/* Arguments that make no sense are refused with the reason. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> t :: Tee(3); t [0] -> Capture; t [1] -> Capture", "N: 3, but 2 outputs are connected"},
      {"Inject -> t :: Tee(0) -> Capture", "N: 0, but 1 outputs are connected"},
      {"Inject -> Switch(1) -> Capture", "OUTPUT: output 1 is not connected; the last one is 0, -1 drops"},
      {"Inject -> Switch", "OUTPUT: output 0 is not connected, nor is any other"},
      {"Inject -> Paint(256) -> Capture", "COLOR: must be between 0 and 255"},
      {"Inject -> Paint -> Capture", "COLOR"},
      {"Inject -> Paint(1, 48) -> Capture", "ANNO: parse error"},
      {"Inject -> PaintSwitch(x) -> Capture", "ANNO: parse error"},
      {"Inject -> Print(x, CONTENTS maybe) -> Capture", "CONTENTS: expected NONE, HEX or ASCII, not 'maybe'"},
      {"Inject -> Discard(ACTIVE false)", "ACTIVE is meaningless in push context"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts),
      cmocka_unit_test(discards),
      cmocka_unit_test(discards_all),
      cmocka_unit_test(idles),
      cmocka_unit_test(tees),
      cmocka_unit_test(tee_without_buffers),
      cmocka_unit_test(switches),
      cmocka_unit_test(paints),
      cmocka_unit_test(paints_by_default),
      cmocka_unit_test(prints),
      cmocka_unit_test(prints_the_longest),
      cmocka_unit_test(refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
