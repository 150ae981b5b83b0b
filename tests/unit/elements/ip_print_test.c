/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of IPPrint, ARPPrint and Print's old arguments. Packets are scapy's; lines are in the formats of Click's IPPrint and
 * ARPPrint.
 */
#include <string.h>

#include "tests/unit/elements/frames.h"
#include "tests/unit/elements/vectors.h"

struct row {
  const char *arguments, *packet, *lines;
};

/* What the element logs of the packet, which it passes on as it is. */
static void check(const char *graph, const struct row *row) {
  char config[256];
  format_text(config, sizeof config, graph, row->arguments);
  harness_start(config);
  frames_send("i", row->packet, 12000345000);
  if (strcmp(text_string(&harness.log), row->lines) != 0) {
    fail_msg("%s %s\n  logs %s  not  %s", row->arguments, row->packet, text_string(&harness.log), row->lines);
  }
  char expected[512];
  format_text(expected, sizeof expected, "%s ", row->packet);
  assert_string_equal(frames_captured("o"), expected);
  harness_stop();
}

/* Every kind of packet, whole, cut, and in fragments. */
static void packets(void **state) {
  static const struct row rows[] = {
      {"", VECTOR_IP_TINY, "truncated-ip\n"},
      {"", VECTOR_TCP, "10.0.0.1.1024 > 10.0.0.2.80: P 100:103(3,43,43) ack 200 win 4096\n"},
      {"", VECTOR_TCP_SYN_FIN, "10.0.0.1.1 > 10.0.0.2.2: SF 4294967295:1(2,40,40) win 0\n"},
      {"", VECTOR_TCP_RESET, "10.0.0.1.1 > 10.0.0.2.2: R 5:5(0,40,40) ack 6 win 1\n"},
      {"", VECTOR_TCP_SILENT, "10.0.0.1.1 > 10.0.0.2.2: . 5:5(0,40,40) ack 6 win 1\n"},
      {"", VECTOR_TCP_TRUNCATED_3, "10.0.0.1 > 10.0.0.2: truncated-tcp\n"},
      {"", VECTOR_TCP_TRUNCATED_13, "10.0.0.1.1024 > 10.0.0.2.80: truncated-tcp\n"},
      {"", VECTOR_TCP_TRUNCATED_15, "10.0.0.1.1024 > 10.0.0.2.80: P 100:95(-5,35,35) ack 200truncated-tcp\n"},
      {"", VECTOR_UDP, "10.0.0.1.1234 > 10.0.0.2.53: udp 13\n"},
      {"", VECTOR_UDP_OPTIONS, "10.0.0.1.1234 > 10.0.0.2.53: udp 13\n"},
      {"", VECTOR_UDP_TRUNCATED_3, "10.0.0.1 > 10.0.0.2: truncated-udp\n"},
      {"", VECTOR_UDP_TRUNCATED_7, "10.0.0.1.1234 > 10.0.0.2.53: truncated-udp\n"},
      {"", VECTOR_ICMP_ECHO, "10.0.0.1 > 10.0.0.2: icmp echo (4660, 5)\n"},
      {"", VECTOR_ICMP_ECHO_REPLY, "10.0.0.1 > 10.0.0.2: icmp echo-reply (4660, 5)\n"},
      {"SWAP false", VECTOR_ICMP_ECHO, "10.0.0.1 > 10.0.0.2: icmp echo (13330, 1280)\n"},
      {"SWAP true", VECTOR_ICMP_ECHO, "10.0.0.1 > 10.0.0.2: icmp echo (4660, 5)\n"},
      {"", VECTOR_ICMP_TRUNCATED_1, "10.0.0.1 > 10.0.0.2: truncated-icmp\n"},
      {"", VECTOR_ICMP_TRUNCATED_7, "10.0.0.1 > 10.0.0.2: icmp echo truncated-icmp\n"},
      {"", VECTOR_ICMP_UNREACHABLE_PORT, "10.0.0.1 > 10.0.0.2: icmp 192.0.2.9 unreachable port udp/161\n"},
      {"", VECTOR_ICMP_UNREACHABLE_QUOTES_IP,
       "10.0.0.1 > 10.0.0.2: icmp 192.0.2.9 unreachable port udptruncated-icmp\n"},
      {"", VECTOR_ICMP_UNREACHABLE_PROTOCOL, "10.0.0.1 > 10.0.0.2: icmp 192.0.2.9 unreachable protocol 132\n"},
      {"", VECTOR_ICMP_UNREACHABLE_MTU, "10.0.0.1 > 10.0.0.2: icmp 192.0.2.9 unreachable needfrag (mtu 1400)\n"},
      {"", VECTOR_ICMP_UNREACHABLE_EMPTY, "10.0.0.1 > 10.0.0.2: icmp unreachable host truncated-icmp\n"},
      {"", VECTOR_ICMP_UNREACHABLE_CODE_99, "10.0.0.1 > 10.0.0.2: icmp 192.0.2.9 unreachable code 99\n"},
      {"", VECTOR_ICMP_TIME_EXCEEDED, "10.0.0.1 > 10.0.0.2: icmp timeexceeded reassembly\n"},
      {"", VECTOR_ICMP_TIMESTAMP, "10.0.0.1 > 10.0.0.2: icmp timestamp\n"},
      {"", VECTOR_ICMP_TYPE_99, "10.0.0.1 > 10.0.0.2: icmp type 99 code 2\n"},
      {"", VECTOR_FRAGMENT_FIRST, "10.0.0.1.1234 > 10.0.0.2.53: udp 100 (frag 7:16@0+)\n"},
      {"", VECTOR_FRAGMENT_MIDDLE_TCP, "10.0.0.1 > 10.0.0.2: tcp (frag 7:8@24+)\n"},
      {"", VECTOR_FRAGMENT_LAST_UDP, "10.0.0.1 > 10.0.0.2: udp (frag 7:4@1480)\n"},
      {"", VECTOR_FRAGMENT_LAST_ICMP, "10.0.0.1 > 10.0.0.2: icmp (frag 7:4@16)\n"},
      {"", VECTOR_PROTOCOL_47, "10.0.0.1 > 10.0.0.2: ip-proto-47\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    check("i :: Inject -> MarkIPHeader -> IPPrint(TIMESTAMP false, %s) -> o :: Capture", &rows[i]);
}

/* Every argument. */
static void arguments(void **state) {
#define LINE "10.0.0.1.1234 > 10.0.0.2.53: udp 13\n"
  static const struct row rows[] = {
      {"", VECTOR_UDP, "12.000345: " LINE},
      {"in", VECTOR_UDP, "in: 12.000345: " LINE},
      {"LABEL \"a b\", TIMESTAMP true", VECTOR_UDP, "a b: 12.000345: " LINE},
      {"TIMESTAMP false, ID true", VECTOR_UDP, "id 7 " LINE},
      {"TIMESTAMP false, TTL true, TOS true, LENGTH true", VECTOR_UDP, "ttl 64 tos 0 length 33 " LINE},
      {"TIMESTAMP false, PAINT true", VECTOR_UDP, "paint 9: " LINE},
      {"TIMESTAMP false, AGGREGATE true", VECTOR_UDP, "#7: " LINE},
      {"TIMESTAMP false, AGGREGATE true, PAINT true", VECTOR_UDP, "#7.9: " LINE},
      {"TIMESTAMP false, ETHER true", VECTOR_UDP, LINE},
      {"ACTIVE false", VECTOR_UDP, ""},
      {"TIMESTAMP false, CHANNEL x", VECTOR_UDP, ""}, /* nobody listens to it */
      {"TIMESTAMP false, CHANNEL default", VECTOR_UDP, LINE},
      {"TIMESTAMP false, CONTENTS false", VECTOR_UDP, LINE},
      {"TIMESTAMP false, CONTENTS hex", VECTOR_UDP,
       LINE "  45000021 00070000 401166c3 0a000001 0a000002 04d20035\n  000da2f8 68656c6c 6f\n"},
      {"TIMESTAMP false, CONTENTS NONE, PAYLOAD ascii", VECTOR_UDP, LINE "  hello\n"},
      {"TIMESTAMP false, PAYLOAD hex", VECTOR_UDP, LINE "  68656c6c 6f\n"},
      {"TIMESTAMP false, PAYLOAD hex, MAXLENGTH 4", VECTOR_UDP, LINE "  68656c6c\n"},
      {"TIMESTAMP false, PAYLOAD hex, MAXLENGTH -1", VECTOR_UDP, LINE "  68656c6c 6f\n"},
      {"TIMESTAMP false, PAYLOAD hex, MAXLENGTH 0", VECTOR_UDP, LINE},
      {"TIMESTAMP false, PAYLOAD ascii", VECTOR_TCP,
       "10.0.0.1.1024 > 10.0.0.2.80: P 100:103(3,43,43) ack 200 win 4096\n  odd\n"},
      {"TIMESTAMP false, PAYLOAD ascii", VECTOR_TCP_TRUNCATED_3, "10.0.0.1 > 10.0.0.2: truncated-tcp\n"},
      {"TIMESTAMP false, PAYLOAD ascii", VECTOR_FRAGMENT_LAST_UDP,
       "10.0.0.1 > 10.0.0.2: udp (frag 7:4@1480)\n  1234\n"},
      {"TIMESTAMP false, CONTENTS ascii, MAXLENGTH 20", VECTOR_UDP, LINE "  E..!.... @.f..... ....\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    check("i :: Inject -> MarkIPHeader -> Paint(9) -> Paint(7, 20) -> IPPrint(%s) -> o :: Capture", &rows[i]);
  static const struct row unmarked = {"x", VECTOR_UDP, ""};
  check("i :: Inject -> IPPrint(%s) -> o :: Capture", &unmarked);
}

/* Ethernet addresses of a frame whose header EtherEncap has marked. */
static void ethernet(void **state) {
  static const struct row row = {"TIMESTAMP false, ETHER true", VECTOR_UDP,
                                 "02-00-00-00-00-0A > 02-00-00-00-00-0B: 10.0.0.1.1234 > 10.0.0.2.53: udp 13\n"};
  check("i :: Inject -> MarkIPHeader -> EtherEncap(0x0800, 2:0:0:0:0:a, 2:0:0:0:0:b) -> IPPrint(%s) -> Strip(14)"
        "-> o :: Capture",
        &row);
}

/* NBYTES and LENGTH are old names, which are taken with a warning. */
static void old_names(void **state) {
  static const struct {
    const char *config, *line;
  } rows[] = {
      {"MarkIPHeader -> IPPrint(TIMESTAMP 0, PAYLOAD hex, NBYTES 2)", "10.0.0.1.1234 > 10.0.0.2.53: udp 13\n  6865\n"},
      {"Print(x, NBYTES 2)", "x:   33 | 4500\n"},
      {"Print(x, LENGTH 3)", "x:   33 | 450000\n"},
      {"Print(x, LENGTH 2, CONTENTS Ascii)", "x:   33 |  E.\n"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char config[128];
    struct report report = {0};
    format_text(config, sizeof config, "i :: Inject -> %s -> Discard", rows[i].config);
    harness_open();
    assert_int_equal(
        router_create("test.click", slice_of(config), &harness.services, &harness.scheduler, &harness.router, &report),
        0);
    assert_non_null(strstr(text_string(&report.text), "deprecated"));
    report_free(&report);
    frames_send("i", VECTOR_UDP, 0);
    assert_string_equal(text_string(&harness.log), rows[i].line);
    harness_stop();
  }
}

/* `active` switches printing while it runs. */
static void handlers(void **state) {
  harness_start("i :: Inject -> MarkIPHeader -> p :: IPPrint(p, TIMESTAMP false) -> q :: ARPPrint(q) -> Discard");
  static const char *const names[] = {"p.active", "q.active"};
  for (unsigned i = 0; i < 2; i++) {
    assert_string_equal(harness_read(names[i]), "true");
    harness_expect_write(names[i], "maybe", -ERROR_INVALID);
    harness_expect_write(names[i], "false", 0);
    assert_string_equal(harness_read(names[i]), "false");
  }
  frames_send("i", VECTOR_UDP, 0);
  assert_string_equal(text_string(&harness.log), "");
  harness_expect_write("p.active", "true", 0);
  frames_send("i", VECTOR_PROTOCOL_47, 0);
  assert_string_equal(text_string(&harness.log), "p: 10.0.0.1 > 10.0.0.2: ip-proto-47\n");
  harness_stop();
}

/* ARP in all its kinds, at the marked header or behind an Ethernet header. */
static void arp(void **state) {
  static const struct row marked[] = {
      {"TIMESTAMP false", VECTOR_ARP_TRUNCATED, "truncated-arp (7)\n"},
      {"TIMESTAMP false", VECTOR_ARP_ADDRESSES_TRUNCATED, "truncated-arp (27)\n"},
      {"TIMESTAMP false", VECTOR_ARP_REQUEST, "arp who-has 10.0.0.2 tell 10.0.0.1\n"},
      {"TIMESTAMP false", VECTOR_ARP_REQUEST_TO_KNOWN, "arp who-has 10.0.0.2 (02-00-00-00-00-0B) tell 10.0.0.1\n"},
      {"TIMESTAMP false", VECTOR_ARP_REPLY, "arp reply 10.0.0.1 is-at 02-00-00-00-00-0A\n"},
      {"TIMESTAMP false", VECTOR_ARP_REVERSE_REQUEST, "rarp who-is 02-00-00-00-00-0B tell 02-00-00-00-00-0A\n"},
      {"TIMESTAMP false", VECTOR_ARP_REVERSE_REPLY, "rarp reply 02-00-00-00-00-0B at 10.0.0.2\n"},
      {"TIMESTAMP false", VECTOR_ARP_INVERSE_REQUEST, "invarp who-is 02-00-00-00-00-0B tell 02-00-00-00-00-0A\n"},
      {"TIMESTAMP false", VECTOR_ARP_INVERSE_REPLY, "invarp reply 02-00-00-00-00-0B at 10.0.0.2\n"},
      {"TIMESTAMP false", VECTOR_ARP_OPERATION_77, "arp-#77\n"},
      {"TIMESTAMP false", VECTOR_ARP_TRAILER, "trailer-arp who-has 10.0.0.2 tell 10.0.0.1\n"},
      {"TIMESTAMP false", VECTOR_ARP_HARDWARE_6, "arp who-has 10.0.0.2 tell 10.0.0.1hardware #6\n"},
      {"TIMESTAMP false", VECTOR_ARP_PROTOCOL_6, "arp-#1 for proto #6 (4) hardware #1 (6)\n"},
      {"LABEL in, TIMESTAMP true", VECTOR_ARP_REQUEST, "in: 12.000345: arp who-has 10.0.0.2 tell 10.0.0.1\n"},
      {"in, ACTIVE false", VECTOR_ARP_REQUEST, ""},
  };
  static const struct row frames[] = {
      {"in", VECTOR_ETHER_ARP_REQUEST, "in: 12.000345: arp who-has 10.0.0.2 tell 10.0.0.1\n"},
      {"TIMESTAMP false, ETHER true", VECTOR_ETHER_ARP_REQUEST,
       "02-00-00-00-00-0A > FF-FF-FF-FF-FF-FF: arp who-has 10.0.0.2 tell 10.0.0.1\n"},
      {"in", VECTOR_ETHER_UDP, ""},
      {"in", VECTOR_ARP_TRUNCATED, ""},
  };
  for (size_t i = 0; i < sizeof marked / sizeof marked[0]; i++)
    check("i :: Inject -> MarkIPHeader -> ARPPrint(%s) -> o :: Capture", &marked[i]);
  for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
    check("i :: Inject -> ARPPrint(%s) -> o :: Capture", &frames[i]);
}

/* The longest packet with everything printed fits the buffer. */
static void the_longest(void **state) {
  static const char *const contents[] = {"hex", "ascii"};
  for (unsigned i = 0; i < 2; i++) {
    char config[256];
    format_text(
        config, sizeof config,
        "i :: Inject -> MarkIPHeader -> IPPrint(MAXLENGTH -1, CONTENTS %s, ID 1, TTL 1, TOS 1, LENGTH 1, PAINT 1,"
        "AGGREGATE 1) -> Discard",
        contents[i]);
    harness_start(config);
    static uint8_t longest[PACKET_DATA_CAPACITY];
    memset(longest, 'x', sizeof longest);
    longest[0] = 0x4f;
    struct batch batch = {.count = 1};
    batch.packet[0] = packet_new_from(&harness.pool, longest, sizeof longest);
    batch.packet[0]->timestamp = UINT64_MAX;
    element_push(router_find(harness.router, "i"), 0, &batch);
    const char *end = text_string(&harness.log) + harness.log.length;
    assert_string_equal(end - 5, i == 0 ? "7878\n" : "xxxx\n");
    harness_stop();
  }
}

/* Arguments that make no sense are refused with the reason. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> IPPrint(OUTFILE x) -> Capture", "OUTFILE: lines go to the log only"},
      {"Inject -> ARPPrint(OUTFILE x) -> Capture", "OUTFILE: lines go to the log only"},
      {"Inject -> IPPrint(CONTENTS maybe) -> Capture", "CONTENTS: expected NONE, HEX or ASCII, not 'maybe'"},
      {"Inject -> IPPrint(PAYLOAD maybe) -> Capture", "PAYLOAD: expected NONE, HEX or ASCII, not 'maybe'"},
      {"Inject -> IPPrint(CONTENTS hex, PAYLOAD hex) -> Capture", "specify at most one of PAYLOAD and CONTENTS"},
      {"Inject -> ARPPrint(TTL true) -> Capture", "TTL"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(packets),     cmocka_unit_test(arguments),
                                     cmocka_unit_test(ethernet),    cmocka_unit_test(old_names),
                                     cmocka_unit_test(handlers),    cmocka_unit_test(arp),
                                     cmocka_unit_test(the_longest), cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
