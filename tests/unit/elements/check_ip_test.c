/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of MarkIPHeader, CheckIPHeader, CheckIPHeader2. Packets are scapy's; which are bad says RFC 1812, 5.2.2 and Click's
 * manual.
 */
#include <string.h>

#include "packet/headers.h"
#include "tests/unit/elements/frames.h"
#include "tests/unit/elements/vectors.h"

#define GOOD(element, in, out) \
  {element, in, out, NULL}, { element, in, out, "" }
#define BAD(element, in) \
  {element, in, "", NULL}, { element, in, "", in }

/* Each packet leaves where the manual says, cut to its IP length, the same bytes whatever the batch. */
static void sorts(void **state) {
  static const struct frame_row rows[] = {
      BAD("CheckIPHeader", VECTOR_IP_TINY),
      BAD("CheckIPHeader", VECTOR_IP_VERSION_6),
      BAD("CheckIPHeader", VECTOR_IP_HEADER_LENGTH_16),
      BAD("CheckIPHeader", VECTOR_IP_HEADER_LENGTH_BEYOND),
      BAD("CheckIPHeader", VECTOR_IP_LENGTH_BEYOND),
      BAD("CheckIPHeader", VECTOR_IP_LENGTH_IN_HEADER),
      BAD("CheckIPHeader", VECTOR_IP_LENGTH_ZERO),
      BAD("CheckIPHeader", VECTOR_IP_SUM_WRONG),
      BAD("CheckIPHeader", VECTOR_IP_OPTIONS_SUM_WRONG),
      GOOD("CheckIPHeader", VECTOR_UDP, VECTOR_UDP),
      GOOD("CheckIPHeader", VECTOR_UDP_PADDED, VECTOR_UDP),
      GOOD("CheckIPHeader", VECTOR_UDP_OPTIONS, VECTOR_UDP_OPTIONS),
      GOOD("CheckIPHeader", VECTOR_IP_LONGEST_HEADER, VECTOR_IP_LONGEST_HEADER),
      GOOD("CheckIPHeader", VECTOR_IP_HEADER_ALONE, VECTOR_IP_HEADER_ALONE),
      GOOD("CheckIPHeader(CHECKSUM false)", VECTOR_IP_SUM_WRONG, VECTOR_IP_SUM_WRONG),
      GOOD("CheckIPHeader2", VECTOR_IP_SUM_WRONG, VECTOR_IP_SUM_WRONG),
      BAD("CheckIPHeader2(CHECKSUM true)", VECTOR_IP_SUM_WRONG),
      BAD("CheckIPHeader2", VECTOR_IP_LENGTH_BEYOND),
      GOOD("CheckIPHeader(14)", VECTOR_ETHER_UDP_PADDED, VECTOR_ETHER_UDP),
      GOOD("CheckIPHeader(OFFSET 14)", VECTOR_ETHER_UDP_PADDED, VECTOR_ETHER_UDP),
      BAD("CheckIPHeader(OFFSET 4294967295)", VECTOR_UDP),
      BAD("CheckIPHeader(OFFSET 34)", VECTOR_UDP),
      {"CheckIPHeader", VECTOR_UDP " " VECTOR_IP_TINY " " VECTOR_UDP_OPTIONS " " VECTOR_IP_SUM_WRONG,
       VECTOR_UDP " " VECTOR_UDP_OPTIONS, VECTOR_IP_TINY " " VECTOR_IP_SUM_WRONG},
      GOOD("CheckIPHeader", VECTOR_IP_FROM_ZERO, VECTOR_IP_FROM_ZERO),
      GOOD("CheckIPHeader", VECTOR_IP_FROM_ONES, VECTOR_IP_FROM_ONES),
      BAD("CheckIPHeader(BADSRC 1.2.3.4 10.0.0.1)", VECTOR_UDP),
      GOOD("CheckIPHeader(BADSRC 10.0.0.1, GOODDST 9.9.9.9 10.0.0.2)", VECTOR_UDP, VECTOR_UDP),
      BAD("CheckIPHeader(BADSRC 10.0.0.1, GOODDST 10.0.0.2)", VECTOR_UDP_TO_THIRD),
      BAD("CheckIPHeader(INTERFACES 18.26.4.9/24 18.32.9.44/28)", VECTOR_IP_FROM_NET_BROADCAST),
      GOOD("CheckIPHeader(INTERFACES 18.26.4.9/24)", VECTOR_IP_FROM_NET_BROADCAST_TO_US,
           VECTOR_IP_FROM_NET_BROADCAST_TO_US),
      BAD("CheckIPHeader(INTERFACES 18.26.4.9/24)", VECTOR_IP_FROM_ZERO),
      BAD("CheckIPHeader(INTERFACES 18.26.4.9/24)", VECTOR_IP_FROM_ONES),
      BAD("CheckIPHeader(18.26.4.255, 0)", VECTOR_IP_FROM_ONES),
      BAD("CheckIPHeader(18.26.4.255, 0)", VECTOR_IP_FROM_NET_BROADCAST),
      GOOD("CheckIPHeader(18.26.4.255 1.2.3.4, 14)", VECTOR_ETHER_UDP, VECTOR_ETHER_UDP),
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    frames_check(&rows[i]);
}

/* Good packets have both headers marked and their destination annotated. */
static void marks(void **state) {
  static const struct {
    const char *element, *packet;
    unsigned network, transport;
  } rows[] = {{"CheckIPHeader(14)", VECTOR_ETHER_UDP, 14, 34}, {"CheckIPHeader", VECTOR_UDP_OPTIONS, 0, 28}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> %s -> o :: Capture", rows[i].element);
    harness_start(config);
    frames_send("i", rows[i].packet, 0);
    struct packet *p = harness_last("o");
    assert_int_equal(packet_network(p) - p->data, rows[i].network);
    assert_int_equal(packet_transport(p) - p->data, rows[i].transport);
    assert_memory_equal(p->annotation + ANNOTATION_DST_IP, "\x0a\0\0\x02", 4);
    harness_stop();
  }
}

/* MarkIPHeader believes any header, but marks nothing outside of the packet. */
static void marks_without_check(void **state) {
  static const struct {
    const char *arguments, *packet;
    int network, transport; /* -1: unset */
  } rows[] = {{"14", VECTOR_ETHER_UDP, 14, 34},        {"OFFSET 14", VECTOR_ETHER_UDP, 14, 34},
              {"", VECTOR_UDP_OPTIONS, 0, 28},         {"", VECTOR_IP_SUM_WRONG, 0, 20},
              {"", VECTOR_IP_HEADER_LENGTH_16, 0, 16}, {"33", VECTOR_UDP, -1, -1},
              {"4294967295", VECTOR_UDP, -1, -1}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> MarkIPHeader(%s) -> o :: Capture", rows[i].arguments);
    harness_start(config);
    frames_send("i", rows[i].packet, 0);
    struct packet *p = harness_last("o");
    assert_int_equal(packet_network(p) == NULL ? -1 : packet_network(p) - p->data, rows[i].network);
    assert_int_equal(packet_transport(p) == NULL ? -1 : packet_transport(p) - p->data, rows[i].transport);
    harness_stop();
  }
}

/* `drops` is the number of bad packets wherever they go; drop counters count those that are gone; `drop_details` has Click's
 * texts and needs DETAILS. */
static void counts(void **state) {
  static const char *const bad[] = {VECTOR_IP_TINY,          VECTOR_IP_VERSION_6, VECTOR_IP_HEADER_LENGTH_16,
                                    VECTOR_IP_LENGTH_BEYOND, VECTOR_IP_SUM_WRONG, VECTOR_IP_FROM_ZERO,
                                    VECTOR_IP_FROM_ONES};
  harness_start("i :: Inject -> c :: CheckIPHeader(DETAILS true, INTERFACES 1.1.1.1/24) -> o :: Capture;"
                "j :: Inject -> d :: CheckIPHeader2(DETAILS true) -> p :: Capture; d [1] -> r :: Capture");
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    frames_send("i", bad[i], 0);
  frames_send("i", VECTOR_UDP, 0);
  frames_send("j", VECTOR_IP_TINY, 0);
  assert_string_equal(
      harness_read("c.drop_details"),
      "1\ttiny packet\n1\tbad IP version\n1\tbad IP header length\n1\tbad IP length\n1\tbad IP checksum\n"
      "2\tbad source address\n");
  assert_string_equal(harness_read("c.drops"), "7");
  assert_string_equal(harness_read("d.drops"), "1");
  assert_int_equal(router_find(harness.router, "c")->drops[5], 2);
  assert_int_equal(router_find(harness.router, "d")->drops[0], 0);
  assert_non_null(strstr(harness_read("c.handlers"), "drop_details"));
  harness_stop();
  harness_start("Inject -> c :: CheckIPHeader -> Capture");
  assert_null(strstr(harness_read("c.handlers"), "drop_details"));
  harness_stop();
}

/* The first bad packet is logged, all with VERBOSE, in Click's words. */
static void tells(void **state) {
  harness_start(
      "i :: Inject -> c :: CheckIPHeader -> Capture; j :: Inject -> v :: CheckIPHeader(VERBOSE true) -> Capture");
  for (unsigned i = 0; i < 2; i++) {
    frames_send("i", VECTOR_IP_SUM_WRONG, 0);
    frames_send("j", VECTOR_IP_TINY, 0);
  }
  assert_string_equal(text_string(&harness.log),
                      "c: IP header check failed: bad IP checksum\nv: IP header check failed: tiny packet\n"
                      "v: IP header check failed: tiny packet\n");
  harness_stop();
}

/* Arguments that make no sense are refused with the reason. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> CheckIPHeader(BADSRC 1.2.3) -> Capture", "BADSRC: '1.2.3' is not an IP address"},
      {"Inject -> CheckIPHeader(GOODDST x) -> Capture", "GOODDST: 'x' is not an IP address"},
      {"Inject -> CheckIPHeader(INTERFACES 1.2.3.4/33) -> Capture", "INTERFACES: '1.2.3.4/33' is not an address"},
      {"Inject -> CheckIPHeader(-1) -> Capture", "BADSRC: '-1' is not an IP address"},
      {"Inject -> CheckIPHeader(1.2.3.4, x) -> Capture", "OFFSET"},
      {"Inject -> CheckIPHeader(1.2.3.4, 0, 0) -> Capture", "too many arguments"},
      {"Inject -> MarkIPHeader(x) -> Capture", "OFFSET"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

/* The sum of 64-bit words is that of 16-bit words (RFC 1071, 2B), also where each addition carries: headers of all lengths, of ones and of
 * any bytes, right and one off. */
static void sums_carry(void **state) {
  uint32_t seed = 1;
  for (unsigned round = 0; round < 1000; round++) {
    uint8_t ip[60];
    unsigned length = 20 + 4 * (round % 11);
    for (unsigned i = 0; i < sizeof ip; i++) {
      seed = seed * 1664525 + 1013904223;
      ip[i] = round < 100 || (seed >> 28) > 12 ? 0xff : (uint8_t)(seed >> 24);
    }
    ip[10] = ip[11] = 0;
    uint32_t sum = 0;
    for (unsigned i = 0; i < length; i += 2)
      sum += load_be16(ip + i);
    while (sum > 0xffff)
      sum = (sum & 0xffff) + (sum >> 16);
    store_be16(ip + 10, (uint16_t)~sum);
    assert_true(ip_checksum_holds(ip, length));
    ip[11]++;
    assert_false(ip_checksum_holds(ip, length));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sums_carry), cmocka_unit_test(sorts),
                                     cmocka_unit_test(marks),      cmocka_unit_test(marks_without_check),
                                     cmocka_unit_test(counts),     cmocka_unit_test(tells),
                                     cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
