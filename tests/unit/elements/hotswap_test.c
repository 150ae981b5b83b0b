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

/* What is counted goes on, whatever counts it; so do drops under their names. */
static void counts_go_on(void **state) {
  static const char config[] =
      "i :: Inject -> s :: RandomSample(0) -> Discard; j :: Inject -> Queue -> r :: RatedUnqueue(1000) -> f :: Discard;"
      "k :: Inject -> Queue -> u :: Unqueue2(QUIET true) -> d :: Discard; l :: Inject -> p :: CheckPaint(1) -> Discard;"
      "m :: Inject -> a :: AverageCounter -> e :: Idle";
  static const struct {
    const char *handler, *value;
  } cases[] = {{"s.drops", "2"},
               {"r.count", "2"},
               {"u.packets", "2 packets\n"},
               {"d.count", "2"},
               {"a.count", "2"},
               {"a.byte_count", "2"},
               {"drops", "s.not_sampled 2\nf.discarded 2\nd.discarded 2\np.other_color 2\ne.discarded 2\ntotal 10\n"}};
  harness_start(config);
  harness_run(1);
  harness.now = 5000000;
  static const char *const names[] = {"i", "j", "k", "l", "m"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    harness_inject(names[i], "x y", 256);
  harness_run(3);
  for (unsigned round = 0; round < 3; round++) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
      if (strcmp(harness_read(cases[i].handler), cases[i].value) != 0)
        fail_msg("round %u: %s is %s", round, cases[i].handler, harness_read(cases[i].handler));
    }
    harness_replace(config);
    assert_string_equal(harness_message(), "");
  }
  harness_stop();
}

/* A source makes what LIMIT leaves, and ends once: not again in each new graph, and not before what the new LIMIT says. */
static void sources_go_on(void **state) {
  static const char *const sources[] = {
      "InfiniteSource(x, LIMIT %u, STOP true)", "RandomSource(9, LIMIT %u, STOP true)",
      "RatedSource(x, RATE 1000, LIMIT %u, STOP true)", "TimedSource(1ms, LIMIT %u, STOP true)"};
  for (size_t i = 0; i < 2 * (sizeof sources / sizeof sources[0]); i++) {
    char config[2][100];
    const char *rest = i % 2 == 0 ? "-> Discard" : "-> Queue -> Discard";
    for (unsigned n = 0; n < 2; n++) {
      size_t length = (size_t)format_text(config[n], sizeof config[n], "s :: ");
      length += (size_t)format_text(config[n] + length, sizeof config[n] - length, sources[i / 2], n == 0 ? 5 : 7);
      format_text(config[n] + length, sizeof config[n] - length, " %s", rest);
    }
    harness_start(config[0]);
    harness_run_until(3000000, 1000000);
    assert_in_range(harness_number("s.count"), 3, 4);
    harness_replace(config[0]);
    harness_run_until(20000000, 1000000);
    assert_int_equal(harness_number("s.count"), 5);
    assert_int_equal(harness.stops, 1);
    harness_replace(config[0]);
    harness_run_until(40000000, 1000000);
    assert_int_equal(harness_number("s.count"), 5);
    assert_int_equal(harness.stops, 1);
    harness_replace(config[1]);
    harness_run_until(60000000, 1000000);
    assert_int_equal(harness_number("s.count"), 7);
    assert_int_equal(harness.stops, 2);
    harness_stop();
  }
}

/* A swap gives nobody more than the rate: buckets, seconds and rhythms are where they were. Each row: how many packets passed before
 * a swap at 100 ms, and until 200 ms, with an endless source in front. */
static void rates_go_on(void **state) {
  static const struct {
    const char *element;
    unsigned before, after;
  } cases[] = {
      {"Shaper(100) -> Unqueue", 10, 20}, {"BandwidthShaper(100) -> Unqueue", 10, 20}, /* of one byte each */
      {"RatedUnqueue(100)", 10, 20},      {"RatedUnqueue(100, BURST_SIZE 50)", 10, 20}, {"Burster(80ms, 5)", 10, 15},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[120];
    format_text(config, sizeof config, "InfiniteSource(x) -> e :: %s -> c :: Counter -> Discard", cases[i].element);
    harness_start(config);
    for (unsigned part = 0; part < 2; part++) {
      harness_run_until((99 + 100 * (uint64_t)part) * 1000000, 1000000);
      harness_run(2);
      if (part == 0) harness_replace(config);
      /* RatedUnqueue's first token is there after 10 ms, so one less is. */
      assert_in_range(harness_number("c.count"), (part == 0 ? cases[i].before : cases[i].after) - 1,
                      part == 0 ? cases[i].before : cases[i].after);
    }
    harness_stop();
  }
  harness_start("i :: Inject -> s :: RatedSplitter(100, BURST_SIZE 2) -> o :: Capture; s [1] -> Discard");
  harness.now = 1000000000;
  harness_inject("i", "a b c", 256);
  harness_replace("i :: Inject -> s :: RatedSplitter(100, BURST_SIZE 2) -> o :: Capture; s [1] -> Discard");
  harness_inject("i", "d e f", 256);
  assert_string_equal(harness_captured("o"), "");
  harness.now += 10000000;
  harness_inject("i", "g h", 256);
  assert_string_equal(harness_captured("o"), "g ");
  harness_stop();
}

/* Whose turn it is stays; packets that a scheduler had pulled come out of the new one, in a smaller buffer too; those of an input that is
 * no more are dropped under a name. */
static void schedulers_go_on(void **state) {
  static const char turns[] = "i :: Inject -> r :: RoundRobinSwitch -> a :: Capture; r [1] -> b :: Capture";
  harness_start(turns);
  harness_inject("i", "1", 1);
  harness_replace(turns);
  harness_inject("i", "2", 1);
  assert_string_equal(harness_captured("b"), "2 ");
  harness_stop();

  static const char strides[] = "i :: Inject -> s :: StrideSwitch(1, 1) -> a :: Capture; s [1] -> b :: Capture";
  harness_start(strides);
  harness_expect_write("s.tickets0", "3", 0);
  harness_replace(strides);
  assert_string_equal(harness_read("s.tickets0"), "3");
  harness_inject("i", "1 2 3 4", 256);
  /* Both stand at 65,536; output 0 strides by 21,845 to 131,071, output 1 by 65,536. */
  assert_string_equal(harness_captured("b"), "2 ");
  harness_replace("i :: Inject -> s :: StrideSwitch(1, 2) -> a :: Capture; s [1] -> b :: Capture");
  assert_string_equal(harness_read("s.tickets0"), "1");
  harness_stop();

#define SORT(options, active)                                                                               \
  "x :: Inject -> xq :: Queue -> s :: TimeSortedSched(" options ") -> u :: Unqueue(BURST 1, LIMIT 1" active \
  ") -> o :: Capture; y :: Inject -> yq :: Queue -> [1] s"
  harness_start(SORT("BUFFER 4", ""));
  harness_inject("x", "a b c d e f", 256);
  harness_inject("y", "p q", 256);
  harness_run(3);
  assert_string_equal(harness_captured("o"), "a ");
  static const char *const next[] = {SORT("BUFFER 2", ", ACTIVE false"), SORT("BUFFER 8", ", ACTIVE false")};
  for (size_t i = 0; i < 2; i++)
    harness_replace(next[i]);
  harness_expect_write("u.limit", "-1", 0);
  harness_expect_write("u.active", "true", 0);
  harness_run(12);
  assert_string_equal(harness_captured("o"), "b c d e f p q ");
  harness_stop();

  static const char *const held[] = {"TimeSortedSched(BUFFER 4)", "DRRSched(1)"};
  for (size_t i = 0; i < 2; i++) {
    char config[2][240];
    format_text(
        config[0], sizeof config[0],
        "x :: Inject -> xq :: Queue -> s :: %s -> Unqueue(BURST 1, LIMIT 1) -> o :: Capture; y :: Inject -> yq :: Queue -> [1] s",
        held[i]);
    format_text(config[1], sizeof config[1],
                "x :: Inject -> xq :: Queue -> s :: %s -> u :: Unqueue(BURST 1) -> o :: Capture", held[i]);
    harness_start(config[0]);
    harness_inject("y", "pp", 1);
    harness_inject("x", "a", 1);
    harness_run(2);
    assert_string_equal(harness_captured("o"), "a ");
    harness_replace(config[1]);
    harness_run(3);
    assert_string_equal(harness_captured("o"), "");
    assert_string_equal(harness_read("drops"), "s.input_gone 1\ntotal 1\n");
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
      cmocka_unit_test(counts_go_on),
      cmocka_unit_test(sources_go_on),
      cmocka_unit_test(rates_go_on),
      cmocka_unit_test(schedulers_go_on),
      cmocka_unit_test(refused_graphs_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
