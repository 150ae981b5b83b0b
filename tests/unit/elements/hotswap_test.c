/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of hot swap: what elements take over from their namesakes.
 */
#include <string.h>

#include "tests/unit/elements/harness.h"

/* A Queue keeps its packets in order and wakes who pulls from it; what has no room any more is dropped under its name, and said. */
static void queue_keeps_its_packets(void **state) {
  harness_start("i :: Inject -> q :: Queue(5) -> u :: Unqueue(ACTIVE false) -> o :: Capture");
  harness_inject("i", "a b c d e f", 6);
  harness_replace("i :: Inject -> q :: Queue(3) -> u :: Unqueue(ACTIVE false) -> o :: Capture");
  assert_non_null(strstr(harness_message(), "q :: Queue: CAPACITY is 3 now: 2 packets dropped"));
  assert_int_equal(harness_number("q.length"), 3);
  assert_int_equal(harness_number("q.drops"), 3);
  assert_int_equal(harness_number("q.highwater_length"), 3);
  assert_string_equal(harness_read("drops"), "q.full 3\ntotal 3\n");
  harness_replace("i :: Inject -> q :: Queue(10) -> u :: Unqueue -> o :: Capture");
  assert_string_equal(harness_message(), "");
  harness_inject("i", "g h", 2);
  harness_run(3);
  assert_string_equal(harness_captured("o"), "a b c g h ");
  assert_int_equal(harness_number("u.count"), 5);
  harness_stop();
}

/* What ToDevice had pulled and not sent yet goes out first; FromDevice and Counter go on counting. */
static void devices_hand_over(void **state) {
  static const char config[] = "f :: FromDevice(eth0) -> c :: Counter -> q :: Queue -> t :: ToDevice(eth1)";
  harness_start(config);
  harness.nic[0].incoming = slice_of("nememe1 nememe2 nememe3");
  harness.nic[1].accept = 1;
  harness_run(1);
  assert_string_equal(text_string(&harness.nic[1].sent), "nememe1 ");
  harness_replace("c :: Counter -> q :: Queue; f :: FromDevice(eth0) -> Null -> c; q -> other :: ToDevice(eth1)");
  harness.nic[1].accept = BATCH_MAX;
  harness.nic[0].incoming = slice_of("nememe4");
  harness_run(3);
  assert_string_equal(text_string(&harness.nic[1].sent), "nememe1 nememe2 nememe3 nememe4 ");
  assert_int_equal(harness_number("f.count"), 4);
  assert_int_equal(harness_number("c.count"), 4);
  assert_int_equal(harness_number("other.count"), 3);
  harness_stop();
}

/* A Switch stays where a handler put it, unless its configuration changed. */
static void switch_keeps_its_position(void **state) {
#define OUTPUTS "s -> Discard; s [1] -> Discard; s [2] -> Discard; Inject -> s"
  static const struct {
    const char *next;
    int position;
  } cases[] = {
      {"s :: Switch(0); " OUTPUTS, 2},
      {"s :: Switch(1); " OUTPUTS, 1},
      {"s :: Switch(0); s -> Discard; s [1] -> Discard; Inject -> s", 0}, /* there is no output 2 any more */
      {"r :: Switch(0); Inject -> r -> Discard; s :: Counter; Inject -> s -> Discard", -1}, /* another class */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    harness_start("s :: Switch(0); " OUTPUTS);
    harness_expect_write("s.switch", "2", 0);
    harness_replace(cases[i].next);
    assert_string_equal(harness_message(), "");
    if (cases[i].position >= 0) assert_int_equal(harness_number("s.switch"), cases[i].position);
    harness_stop();
  }
}

/* A graph that is refused leaves the one that runs as it was; in a running image a class that is not there is said to be missing from
 * it. */
static void refused_graphs_change_nothing(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> c :: Counter -> ", "next.click:1"},
      {"Inject -> c :: Counter -> Nonesuch -> Discard",
       "element class 'Nonesuch' is not in this image; rebuild with imago build"},
      {"Inject -> c :: Counter -> Countre -> Discard",
       "element class 'Countre' is not in this image; rebuild with imago build"},
      {"Inject -> c :: Counter -> FromDevice(eth0)", "FromDevice"},
      {"f :: FromDevice(eth7) -> c :: Counter -> Discard", "eth7"},
  };
  harness_start("i :: Inject -> c :: Counter -> q :: Queue -> t :: ToDevice(eth0); f :: FromDevice(eth0) -> Discard");
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    harness_inject("i", "a b", 2);
    harness_refuses_beside(cases[i].config, cases[i].message);
    harness_run(2);
    assert_int_equal(harness_number("c.count"), 2 * (i + 1));
    assert_int_equal(harness_number("t.count"), 2 * (i + 1));
  }
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(queue_keeps_its_packets),
      cmocka_unit_test(devices_hand_over),
      cmocka_unit_test(switch_keeps_its_position),
      cmocka_unit_test(refused_graphs_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
