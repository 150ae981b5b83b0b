/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of CheckTCPHeader, CheckUDPHeader, CheckICMPHeader. Packets are scapy's; which are bad says Click's manual (lengths and
 * checksums of RFC 9293, 768, 792).
 */
#include <string.h>

#include "packet/headers.h"
#include "tests/unit/elements/frames.h"
#include "tests/unit/elements/vectors.h"

#define GOOD(element, packet) \
  { "MarkIPHeader -> " element, packet, packet, NULL }
#define BAD(element, packet) \
  { "MarkIPHeader -> " element, packet, "", NULL }

/* Bad packets do not pass, good ones do, unchanged. */
static void sorts(void **state) {
  static const struct frame_row rows[] = {
      {"CheckTCPHeader", VECTOR_TCP, "", VECTOR_TCP}, /* no header is marked */
      {"CheckUDPHeader", VECTOR_UDP, "", VECTOR_UDP},
      {"CheckICMPHeader", VECTOR_ICMP_ECHO, "", VECTOR_ICMP_ECHO},
      BAD("CheckTCPHeader", VECTOR_UDP),
      BAD("CheckTCPHeader", VECTOR_TCP_HEADER_16),
      BAD("CheckTCPHeader", VECTOR_TCP_HEADER_BEYOND),
      BAD("CheckTCPHeader", VECTOR_TCP_TRUNCATED_3),
      BAD("CheckTCPHeader", VECTOR_TCP_TRUNCATED_13),
      BAD("CheckTCPHeader", VECTOR_TCP_SUM_WRONG),
      BAD("CheckTCPHeader", VECTOR_TCP_SUM_OF_OTHER),
      BAD("CheckTCPHeader", VECTOR_IP_TINY),
      GOOD("CheckTCPHeader", VECTOR_TCP),
      GOOD("CheckTCPHeader", VECTOR_TCP_OPTIONS),
      GOOD("CheckTCPHeader", VECTOR_TCP_SYN_FIN),
      BAD("CheckUDPHeader", VECTOR_TCP),
      BAD("CheckUDPHeader", VECTOR_UDP_LENGTH_7),
      BAD("CheckUDPHeader", VECTOR_UDP_LENGTH_BEYOND),
      BAD("CheckUDPHeader", VECTOR_UDP_TRUNCATED_3),
      BAD("CheckUDPHeader", VECTOR_UDP_TRUNCATED_7),
      BAD("CheckUDPHeader", VECTOR_UDP_SUM_WRONG),
      GOOD("CheckUDPHeader", VECTOR_UDP),
      GOOD("CheckUDPHeader", VECTOR_UDP_OPTIONS),
      GOOD("CheckUDPHeader", VECTOR_UDP_NO_SUM),
      GOOD("CheckUDPHeader", VECTOR_UDP_LENGTH_LESS),
      BAD("CheckICMPHeader", VECTOR_UDP),
      BAD("CheckICMPHeader", VECTOR_ICMP_TRUNCATED_1),
      BAD("CheckICMPHeader", VECTOR_ICMP_TRUNCATED_7),
      BAD("CheckICMPHeader", VECTOR_ICMP_SUM_WRONG),
      BAD("CheckICMPHeader", VECTOR_ICMP_UNREACHABLE_EMPTY),
      BAD("CheckICMPHeader", VECTOR_ICMP_UNREACHABLE_QUOTES_IP),
      BAD("CheckICMPHeader", VECTOR_ICMP_TIMESTAMP_LONG),
      BAD("CheckICMPHeader", VECTOR_ICMP_INFORMATION_LONG),
      GOOD("CheckICMPHeader", VECTOR_ICMP_ECHO),
      GOOD("CheckICMPHeader", VECTOR_ICMP_ECHO_REPLY),
      GOOD("CheckICMPHeader", VECTOR_ICMP_UNREACHABLE_PORT),
      GOOD("CheckICMPHeader", VECTOR_ICMP_TIME_EXCEEDED),
      GOOD("CheckICMPHeader", VECTOR_ICMP_TIMESTAMP),
      GOOD("CheckICMPHeader", VECTOR_ICMP_INFORMATION),
      GOOD("CheckICMPHeader", VECTOR_ICMP_TYPE_99),
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    frames_check(&rows[i]);
}

/* Reasons, texts and counts are Click's, per protocol. */
static void reasons(void **state) {
  static const struct {
    const char *class, *packets[3], *details, *first;
  } rows[] = {
      {"CheckTCPHeader",
       {VECTOR_UDP, VECTOR_TCP_HEADER_16, VECTOR_TCP_SUM_WRONG},
       "1\tnot TCP\n1\tbad packet length\n1\tbad TCP checksum\n",
       "c: TCP header check failed: not TCP\n"},
      {"CheckUDPHeader",
       {VECTOR_TCP, VECTOR_UDP_LENGTH_7, VECTOR_UDP_SUM_WRONG},
       "1\tnot UDP\n1\tbad packet length\n1\tbad UDP checksum\n",
       "c: UDP header check failed: not UDP\n"},
      {"CheckICMPHeader",
       {VECTOR_TCP, VECTOR_ICMP_TIMESTAMP_LONG, VECTOR_ICMP_SUM_WRONG},
       "1\tnot ICMP\n1\tbad packet length\n1\tbad ICMP checksum\n",
       "c: ICMP header check failed: not ICMP\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (unsigned verbose = 0; verbose < 2; verbose++) {
      char config[256];
      format_text(config, sizeof config, "i :: Inject -> MarkIPHeader -> c :: %s(DETAILS true, VERBOSE %u) -> Capture",
                  rows[i].class, verbose);
      harness_start(config);
      for (unsigned j = 0; j < 3; j++)
        frames_send("i", rows[i].packets[j], 0);
      assert_string_equal(harness_read("c.drop_details"), rows[i].details);
      assert_string_equal(harness_read("c.drops"), "3");
      for (unsigned j = 0; j < 3; j++)
        assert_int_equal(router_find(harness.router, "c")->drops[j], 1);
      assert_memory_equal(text_string(&harness.log), rows[i].first, strlen(rows[i].first));
      assert_int_equal(harness.log.length > strlen(rows[i].first), verbose);
      harness_stop();
    }
  }
}

/* A header that was stripped since it was marked, or a packet cut behind it, does not pass. */
static void moved(void **state) {
  static const struct frame_row rows[] = {
      {"MarkIPHeader -> Strip(1) -> CheckTCPHeader", VECTOR_TCP, "", NULL},
      {"MarkIPHeader -> Strip(60) -> CheckTCPHeader", VECTOR_TCP, "", NULL},
      {"MarkIPHeader -> Truncate(42) -> CheckTCPHeader", VECTOR_TCP, "", NULL},
      {"MarkIPHeader -> Truncate(25) -> CheckUDPHeader", VECTOR_UDP, "", NULL},
      {"MarkIPHeader -> Truncate(10) -> CheckICMPHeader", VECTOR_ICMP_ECHO, "", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    frames_check(&rows[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sorts), cmocka_unit_test(reasons), cmocka_unit_test(moved)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
