/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of EtherEncap, EtherMirror, HostEtherFilter, CheckLength, Truncate, Pad, SetTimestamp. Packets are scapy's, behaviour
 * is that of Click's manual.
 */
#include <string.h>

#include "tests/unit/elements/frames.h"
#include "tests/unit/elements/vectors.h"

#define FILTER(arguments) "HostEtherFilter(" arguments ")"
#define PADDING "00000000000000000000000000"

/* Each packet leaves as the manual says, the same bytes whatever the batch, pushed and pulled. */
static void converts(void **state) {
  static const struct frame_row rows[] = {
      {"EtherMirror", VECTOR_ETHER_UDP, VECTOR_ETHER_UDP_MIRRORED, NULL},
      {"EtherMirror -> EtherMirror", VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, NULL},
      {"Truncate(13) -> EtherMirror", VECTOR_ETHER_UDP, "02000000000b02000000000a08", NULL},
      {"Truncate(14) -> EtherMirror", VECTOR_ETHER_UDP, "02000000000a02000000000b0800", NULL},
      {"EtherEncap(0x0800, 2:0:0:0:0:a, 2:0:0:0:0:b)", VECTOR_UDP, VECTOR_ETHER_UDP, NULL},
      {"EtherEncap(SRC 2:0:0:0:0:a, DST 02-00-00-00-00-0B, ETHERTYPE 2048)", VECTOR_UDP, VECTOR_ETHER_UDP, NULL},
      {"EtherEncap(0x88b5, 2:0:0:0:0:a, 2:0:0:0:0:b)", VECTOR_UDP, VECTOR_ETHER_TYPE_88B5, NULL},
      {"Unstrip(243) -> EtherEncap(0x0800, 2:0:0:0:0:a, 2:0:0:0:0:b)", VECTOR_UDP, "", NULL},
      {FILTER("2:0:0:0:0:b"), VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, ""},
      {FILTER("2:0:0:0:0:b"), VECTOR_ETHER_BROADCAST " " VECTOR_ETHER_MULTICAST,
       VECTOR_ETHER_BROADCAST " " VECTOR_ETHER_MULTICAST, ""},
      {FILTER("2:0:0:0:0:c"), VECTOR_ETHER_UDP, "", VECTOR_ETHER_UDP},
      {FILTER("ETHER 2:0:0:0:0:c"), VECTOR_ETHER_UDP " " VECTOR_ETHER_BROADCAST, VECTOR_ETHER_BROADCAST, NULL},
      {FILTER("2:0:0:0:0:c, DROP_OTHER false"), VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, ""},
      {FILTER("2:0:0:0:0:c, false, false"), VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, NULL},
      {FILTER("2:0:0:0:0:a, true"), VECTOR_ETHER_BROADCAST, "", VECTOR_ETHER_BROADCAST},
      {FILTER("2:0:0:0:0:a, DROP_OWN false"), VECTOR_ETHER_BROADCAST, VECTOR_ETHER_BROADCAST, ""},
      {"Unstrip(2) -> " FILTER("2:0:0:0:0:b, OFFSET 2") " -> Strip(2)", VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, NULL},
      {FILTER("2:0:0:0:0:b, OFFSET 4294967295"), VECTOR_ETHER_UDP, "", VECTOR_ETHER_UDP},
      {FILTER("2:0:0:0:0:b, OFFSET 34"), VECTOR_ETHER_UDP, "", VECTOR_ETHER_UDP},
      {"CheckLength(33)", VECTOR_UDP, VECTOR_UDP, ""},
      {"CheckLength(LENGTH 32)", VECTOR_UDP, "", VECTOR_UDP},
      {"CheckLength(40)", VECTOR_UDP " " VECTOR_ETHER_UDP " " VECTOR_UDP, VECTOR_UDP " " VECTOR_UDP, VECTOR_ETHER_UDP},
      {"CheckLength(40)", VECTOR_ETHER_UDP " " VECTOR_UDP, VECTOR_UDP, NULL},
      {"Truncate(47) -> CheckLength(59)", VECTOR_ETHER_UDP_PADDED, VECTOR_ETHER_UDP, NULL},
      {"Truncate(47) -> CheckLength(59, EXTRA_LENGTH true)", VECTOR_ETHER_UDP_PADDED, "", NULL},
      {"Truncate(47) -> CheckLength(60, EXTRA_LENGTH true)", VECTOR_ETHER_UDP_PADDED, VECTOR_ETHER_UDP, NULL},
      {"Truncate(47, EXTRA_LENGTH false) -> CheckLength(59, EXTRA_LENGTH true)", VECTOR_ETHER_UDP_PADDED,
       VECTOR_ETHER_UDP, NULL},
      {"Truncate(LENGTH 33)", VECTOR_UDP_PADDED, VECTOR_UDP, NULL},
      {"Truncate(100)", VECTOR_UDP, VECTOR_UDP, NULL},
      {"Pad(46)", VECTOR_UDP, VECTOR_UDP PADDING, NULL},
      {"Pad(LENGTH 46)", VECTOR_UDP_PADDED, VECTOR_UDP_PADDED, NULL},
      {"Pad(10)", VECTOR_UDP, VECTOR_UDP, NULL},
      {"Pad(1911)", VECTOR_UDP, "", NULL},
      {"Pad(4294967295)", VECTOR_UDP, "", NULL},
      {"Truncate(20) -> Pad(0, ZERO false)", VECTOR_UDP, VECTOR_UDP, NULL},
      {"Truncate(33) -> Pad", VECTOR_UDP_PADDED, VECTOR_UDP PADDING, NULL},
      {"Truncate(33) -> Pad -> Pad", VECTOR_UDP_PADDED, VECTOR_UDP PADDING, NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    frames_check(&rows[i]);
}

/* Drops have names. */
static void drops(void **state) {
  static const struct {
    const char *element, *packet, *drops;
  } rows[] = {
      {"Unstrip(250) -> c :: EtherEncap(1, 1:1:1:1:1:1, 1:1:1:1:1:1)", VECTOR_UDP, "no_headroom 1\n"},
      {"c :: HostEtherFilter(2:0:0:0:0:c)", VECTOR_ETHER_UDP, "too_short 0\nown 0\nother_host 1\n"},
      {"c :: HostEtherFilter(2:0:0:0:0:a, true)", VECTOR_ETHER_UDP, "too_short 0\nown 1\nother_host 0\n"},
      {"c :: HostEtherFilter(2:0:0:0:0:a, OFFSET 40)", VECTOR_ETHER_UDP, "too_short 1\nown 0\nother_host 0\n"},
      {"c :: CheckLength(32)", VECTOR_UDP, "too_long 1\n"},
      {"c :: Pad(2000)", VECTOR_UDP, "no_tailroom 1\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> %s -> Capture", rows[i].element);
    harness_start(config);
    frames_send("i", rows[i].packet, 0);
    assert_string_equal(harness_read("c.drops"), rows[i].drops);
    harness_stop();
  }
}

/* HostEtherFilter sets Click's packet type. */
static void types(void **state) {
  static const struct {
    const char *packet;
    enum packet_type type;
  } rows[] = {{VECTOR_ETHER_BROADCAST, PACKET_BROADCAST},
              {VECTOR_ETHER_UDP, PACKET_HOST},
              {VECTOR_ETHER_MULTICAST, PACKET_MULTICAST},
              {VECTOR_ETHER_UDP_MIRRORED, PACKET_OTHERHOST}};
  harness_start("i :: Inject -> HostEtherFilter(2:0:0:0:0:b, false, false) -> o :: Capture");
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    frames_send("i", rows[i].packet, 0);
    assert_int_equal(harness_last("o")->type, rows[i].type);
  }
  harness_stop();
}

/* Handlers read what was given, write what counts from then on, and refuse what makes no sense. */
static void handlers(void **state) {
  static const struct {
    const char *element, *handler, *before, *write, *after, *bad;
  } rows[] = {
      {"EtherEncap(2048, 2:0:0:0:0:a, 2:0:0:0:0:b)", "c.src", "02-00-00-00-00-0A", "1:2:3:4:5:6", "01-02-03-04-05-06",
       "x"},
      {"EtherEncap(2048, 2:0:0:0:0:a, 2:0:0:0:0:b)", "c.dst", "02-00-00-00-00-0B", " 1:2:3:4:5:6 ", "01-02-03-04-05-06",
       ""},
      {"EtherEncap(2048, 2:0:0:0:0:a, 2:0:0:0:0:b)", "c.ethertype", "2048", "0x86dd", "34525", "65536"},
      {"EtherEncap(2048, 2:0:0:0:0:a, 2:0:0:0:0:b)", "c.etht", "2048", "1", "1", "-1"},
      {"HostEtherFilter(2:0:0:0:0:b)", "c.ether", "02-00-00-00-00-0B", "1:2:3:4:5:6", "01-02-03-04-05-06", "1:2"},
      {"CheckLength(1500)", "c.length", "1500", "60", "60", "4294967296"},
      {"Truncate(1500)", "c.nbytes", "1500", " 0 ", "0", "x"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> c :: %s -> o :: Capture", rows[i].element);
    harness_start(config);
    assert_string_equal(harness_read(rows[i].handler), rows[i].before);
    harness_expect_write(rows[i].handler, rows[i].bad, -ERROR_INVALID);
    harness_expect_write(rows[i].handler, rows[i].write, 0);
    assert_string_equal(harness_read(rows[i].handler), rows[i].after);
    harness_stop();
  }
}

/* What handlers and a new configuration write is what packets get. */
static void takes_effect(void **state) {
  harness_start("i :: Inject -> e :: EtherEncap(1, 1:1:1:1:1:1, 1:1:1:1:1:1) -> o :: Capture;"
                "j :: Inject -> f :: HostEtherFilter(1:1:1:1:1:1) -> t :: Truncate(0) -> q :: Capture");
  harness_expect_write("e.src", "2:0:0:0:0:a", 0);
  harness_expect_write("e.dst", "2:0:0:0:0:b", 0);
  harness_expect_write("e.ethertype", "2048", 0);
  frames_send("i", VECTOR_UDP, 0);
  assert_string_equal(frames_captured("o"), VECTOR_ETHER_UDP " ");
  harness_expect_write("e.config", "0x88b5, 2:0:0:0:0:a, 2:0:0:0:0:b", 0);
  frames_send("i", VECTOR_UDP, 0);
  assert_string_equal(frames_captured("o"), VECTOR_ETHER_TYPE_88B5 " ");
  harness_expect_write("f.ether", "2:0:0:0:0:b", 0);
  harness_expect_write("t.nbytes", "100", 0);
  frames_send("j", VECTOR_ETHER_UDP, 0);
  assert_string_equal(frames_captured("q"), VECTOR_ETHER_UDP " ");
  harness_stop();
}

/* The time is the clock's, once a batch, or the one given; FIRST leaves the packet's own alone. */
static void timestamps(void **state) {
  static const struct {
    const char *arguments;
    uint64_t time, first;
  } rows[] = {{"", 1700000000123456000, 0},
              {"12.5", 12500000000, 0},
              {"TIMESTAMP 0", 0, 0},
              {"FIRST true", 77, 1700000000123456000},
              {"3, FIRST true", 77, 3000000000},
              {"DELTA false", 1700000000123456000, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> SetTimestamp(%s) -> o :: Capture", rows[i].arguments);
    harness_start(config);
    frames_send("i", VECTOR_UDP, 77);
    assert_true(harness_last("o")->timestamp == rows[i].time);
    assert_true(load_le64(harness_last("o")->annotation + 32) == rows[i].first);
    harness_stop();
  }
}

/* Arguments that make no sense are refused with the reason. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> EtherEncap(0x0800, 1:1:1:1:1:1) -> Capture", "DST: required argument missing"},
      {"Inject -> EtherEncap(65536, 1:1:1:1:1:1, 1:1:1:1:1:1) -> Capture", "ETHERTYPE: out of range, bound 65535"},
      {"Inject -> HostEtherFilter -> Capture", "ETHER: required argument missing"},
      {"Inject -> CheckLength -> Capture", "LENGTH: required argument missing"},
      {"Inject -> Truncate(x) -> Capture", "LENGTH: parse error"},
      {"Inject -> Pad(-1) -> Capture", "LENGTH"},
      {"Inject -> SetTimestamp(DELTA true) -> Capture", "use SetTimestampDelta(TYPE FIRST)"},
      {"Inject -> EtherMirror(1) -> Capture", "too many arguments"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(converts),     cmocka_unit_test(drops),
                                     cmocka_unit_test(types),        cmocka_unit_test(handlers),
                                     cmocka_unit_test(takes_effect), cmocka_unit_test(timestamps),
                                     cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
