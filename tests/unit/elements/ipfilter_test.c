/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of IPFilter and IPClassifier: their language against packets of known contents, and the elements. The decision tree has
 * tests of its own, filter_tree_test.c.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "tests/unit/elements/filter_compiled.h"
#include "tests/unit/elements/filter_oracle.h"
#include "tests/unit/elements/harness.h"

/* Made by scapy 2.5 from the line above each. */
static const struct frame {
  const char *name, *hex;
} frames[] = {
    /* IP(src='10.0.0.1',dst='192.168.1.2',id=0x1234,ttl=64,tos=0xb8)/TCP(sport=1024,dport=80,flags='S',window=5840) */
    {"syn", "45b800281234000040069c390a000001c0a80102040000500000000000000000500216d0c9170000"},
    /* IP(src='192.168.1.2',dst='10.0.0.1',id=7,ttl=1)/TCP(sport=80,dport=1024,flags='A',window=100) */
    {"ack", "45000028000700000106ee1ec0a801020a00000100500400000000000000000050100064df750000"},
    /* IP(src='10.0.0.5',dst='10.0.0.9',tos=3)/UDP(sport=5353,dport=53)/b'abcd' */
    {"dns", "4503002000010000401166bc0a0000050a00000914e90035000c11e461626364"},
    /* IP(src='18.26.4.1',dst='10.0.0.1')/ICMP(type=8) */
    {"echo", "4500001c0001000040015ac5121a04010a0000010800f7ff00000000"},
    /* IP(src='10.0.0.1',dst='192.168.1.2',flags='MF')/TCP(sport=1024,dport=80,flags='S') */
    {"first", "450000280001200040068f240a000001c0a8010204000050000000000000000050022000bfe70000"},
    /* IP(src='10.0.0.1',dst='192.168.1.2',frag=100,proto=6)/ the TCP header above, as payload */
    {"later", "45000024000100644006aec40a000001c0a8010204000050000000000000000050022000"},
    /* IP(src='10.0.0.1',dst='192.168.1.2',options=[IPOption(b'\x01\x01\x01\x00')])/TCP(sport=1024,dport=22,flags='SA') */
    {"options", "4600002c000100004006ac1f0a000001c0a801020101010004000016000000000000000050122000c0110000"},
    /* IP(src='10.0.0.1',dst='224.0.0.1',proto=2)/ eight bytes */
    {"igmp", "4500001c00010000400290dd0a000001e00000011100000000000000"},
    /* syn, cut off behind the source port */
    {"cut", "45b800281234000040069c390a000001c0a801020400"},
    /* syn, cut off in the IP header */
    {"stub", "45b80028123400004006"},
    /* a header length of 4 words is too short for RFC 791 */
    {"bad", "44b800281234000040069c390a000001c0a80102040000500000000000000000500216d0c9170000"},
    {"none", ""},
};
enum { FRAMES = sizeof frames / sizeof *frames };

/* In a block of exactly its length, so that a sanitizer sees a read behind the end. */
static uint8_t *frame_bytes(const struct frame *frame, size_t *length) {
  *length = strlen(frame->hex) / 2;
  uint8_t *bytes = test_malloc(*length + 1);
  for (size_t i = 0; i < *length; i++)
    bytes[i + 1] = (uint8_t)(char_hex_value(frame->hex[2 * i]) * 16 + char_hex_value(frame->hex[2 * i + 1]));
  return bytes;
}

/* A pattern matches the frames named, and no other. The rows follow Click's manual page of IPClassifier, passage by passage; bytes
 * and their meaning are those of RFC 791, 792, 793 and 3168. */
static void matches(void **state) {
#define EVERY "syn ack dns echo first later options igmp cut stub bad none"
#define EVERY_PACKET "syn ack dns echo first later options igmp cut stub bad"
  static const struct {
    const char *pattern, *expected;
  } cases[] = {
      /* "-", "any", "all"; true and false; a packet without header matches what asks nothing */
      {"-", EVERY},
      {"any", EVERY},
      {"all", EVERY},
      {"none", ""},
      {"true", EVERY},
      {"false", ""},
      {"not false", EVERY},
      {"!true", ""},
      /* ip proto PROTO, and just PROTO */
      {"ip proto tcp", "syn ack first later options cut stub bad"},
      {"tcp", "syn ack first later options cut stub bad"},
      {"ip proto 17", "dns"},
      {"proto udp", "dns"},
      {"icmp or igmp", "echo igmp"},
      {"ip proto != 6", "dns echo igmp"},
      {"ip proto > 5", "syn ack dns first later options cut stub bad"},
      {"ip proto < 6", "echo igmp"},
      {"ip proto & 16 == 16", "dns"},
      {"tcpudp", "syn ack dns first later options cut stub bad"},
      {"not tcpudp", "echo igmp none"},
      {"transp", EVERY_PACKET},
      {"not tcp", "dns echo igmp none"},
      /* [SRCORDST] host and net */
      {"host 10.0.0.1", "syn ack echo first later options igmp cut bad"},
      {"src host 10.0.0.1", "syn first later options igmp cut bad"},
      {"dst host 10.0.0.1", "ack echo"},
      {"10.0.0.5", "dns"},
      {"src and dst net 10.0.0.0/24", "dns"},
      {"src or dst net 10.0.0.0/24", "syn ack dns echo first later options igmp cut bad"},
      {"src net 10.0.0.0 mask 255.255.255.0", "syn dns first later options igmp cut bad"},
      {"src net 10.0.0.0/255.255.255.0", "syn dns first later options igmp cut bad"},
      {"dst 10.0.0.0/24", "ack dns echo"},
      {"src host != 10.0.0.1", "ack dns echo"},
      {"host != 10.0.0.1", "dns"},
      {"src and dst host != 10.0.0.1", "syn ack dns echo first later options igmp cut bad"},
      {"not host 10.0.0.1", "dns stub none"},
      {"net 18.26.4/24", "echo"},
      {"src host & 255.0.0.255 == 10.0.0.5", "dns"},
      /* ports: TCP or UDP, first fragments only, as the packet's length allows */
      {"src port 1024", "syn first options cut"},
      {"dst port 80", "syn first"},
      {"port 80", "syn ack first"},
      {"port www", "syn ack first"},
      {"www", "syn ack first"},
      {"tcp port 80", "syn ack first"},
      {"udp port 80", ""},
      {"udp port 53", "dns"},
      {"dst udp port domain", "dns"},
      {"src port 80 or 5353", "ack dns"},
      {"src or dst port 53", "dns"},
      {"src and dst port > 52", "syn ack dns first"},
      {"dst port != 80", "ack dns options"},
      {"not dst port 80", "ack dns echo later options igmp cut stub bad none"},
      {"port != 80", "dns options"},
      {"port > 1024", "dns"},
      {"port >= 1024", "syn ack dns first options cut"},
      {"dst port < 80", "dns options"},
      {"dst port <= 80", "syn dns first options"},
      {"port < 1025", "syn ack first options"},
      {"dst port 50-60", "dns"},
      {"dst port != 22-80", "ack"},
      {"src port & 0xff == 0", "syn first options cut"},
      {"dst port & 0xfff0 == 80", "syn first"},
      {"src tcp port 1024 && dst port ssh", "options"},
      /* fields of the IP header */
      {"ip vers 4", EVERY_PACKET},
      {"ip hl 6", "options"},
      {"ip hl < 5", "bad"},
      {"ip tos 0xb8", "syn cut stub bad"},
      {"ip dscp 46", "syn cut stub bad"},
      {"ip ecn 3", "dns"},
      {"ip ect", "dns"},
      {"ip ect 0", "syn ack echo first later options igmp cut stub bad"},
      {"ip ce", "dns"},
      {"ip id 0x1234", "syn cut stub bad"},
      {"ip len 40", "syn ack first cut stub bad"},
      {"ip ttl 1", "ack"},
      {"ip ttl >= 64", "syn dns echo first later options igmp cut stub bad"},
      {"ttl < 64", "ack"},
      {"ip frag", "first later"},
      {"frag", "first later"},
      {"ip unfrag", "syn ack dns echo options igmp cut stub bad"},
      {"not frag", "syn ack dns echo options igmp cut stub bad none"},
      /* fields of transport headers */
      {"tcp opt syn", "syn first options"},
      {"syn", "syn first options"},
      {"syn ack", "options"},
      {"syn and not ack", "syn first"},
      {"tcp opt 0x12", "options"},
      {"tcp win 5840", "syn"},
      {"win > 99", "syn ack first options"},
      {"icmp type 8", "echo"},
      {"icmp type echo", "echo"},
      {"icmp type != 4", "echo"},
      {"type echo-reply or 8", "echo"},
      {"ip[9] 6", "syn ack first later options cut stub bad"},
      {"ip[16:4] 0x0a000001", "ack echo"},
      {"ip[16,19] 0x0a000001", "ack echo"},
      {"transp[0:2] 1024", "syn first options cut"},
      {"tcp[13] & 2 == 2", "syn first options"},
      {"tcp[2:2] > 79", "syn ack first"},
      {"tcp[2:2] < 80", "options"},
      {"udp[8:4] 0x61626364", "dns"},
      {"udp[12] 0", ""},
      {"not udp[12] 0", EVERY},
      /* connectives */
      {"(dst port www or dst port ssh) and tcp opt syn", "syn first options"},
      {"tcp && (syn || dst port 1024)", "syn ack first options"},
      {"!(src tcp port 1024)", "ack dns echo later igmp stub bad none"},
      {"tcp ? syn : icmp", "syn echo first options"},
      {"icmp ? true : udp ? true : ack", "ack dns echo options"},
      {"not (tcp ? syn : icmp)", "ack dns later igmp cut stub bad none"},
      {"not not tcp", "syn ack first later options cut stub bad"},
      {"dst port not 80", "ack dns echo later options igmp cut stub bad none"},
      {"10.0.0.0/24 and syn", "syn first options"},
      {"dst tcp port 8000 or 80", "syn first"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct compiled c;
    struct report report = {0};
    char *pattern = (char *)(uintptr_t)cases[i].pattern;
    if (compile(&c, &pattern, 1, &report) != 0) fail_msg("%s: %s", pattern, text_string(&report.text));
    for (size_t k = 0; k < FRAMES; k++) {
      bool expected = false;
      for (struct slice rest = slice_of(cases[i].expected), name; (name = slice_next_word(&rest)).length > 0;)
        expected |= slice_equals(name, frames[k].name);
      size_t length;
      uint8_t *bytes = frame_bytes(&frames[k], &length);
      const uint8_t *ip = length ? bytes + 1 : NULL;
      bool fast = filter_tree_find(&c.tree, ip, bytes + 1 + length) == 0;
      bool slow = filter_oracle(&c.program, ip, length) == 0;
      if (fast != expected || slow != expected) {
        fail_msg("'%s', frame %s: expected %d, tree %d, oracle %d", pattern, frames[k].name, expected, fast, slow);
      }
      test_free(bytes);
    }
    report_free(&report);
    discard(&c);
  }
}

/* --- errors and the elements --- */

/* What is wrong is refused with Click's words; the texts are those of Click's ipfilter.cc, quotes apart, except for ranges and depth. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> IPClassifier(host) -> Capture", "pattern 0: 'ip host': address missing"},
      {"Inject -> IPClassifier(port) -> Capture", "pattern 0: 'port': value missing"},
      {"Inject -> IPClassifier(net 10.0.0.1.2) -> Capture", "pattern 0: 'ip net': address missing"},
      {"Inject -> IPClassifier(80) -> Capture", "pattern 0: specify header field or 'port'"},
      {"Inject -> IPClassifier(port 65536) -> Capture", "pattern 0: 'port': out of range, bound 65535"},
      {"Inject -> IPClassifier(ip vers 16) -> Capture", "pattern 0: 'ip vers': out of range, bound 15"},
      {"Inject -> IPClassifier(ip ttl & 256 == 1) -> Capture", "pattern 0: 'ip ttl': mask out of range, bound 0xFF"},
      {"Inject -> IPClassifier(ip ttl & 0 == 1) -> Capture", "pattern 0: zero mask ignored"},
      {"Inject -> IPClassifier(src dst host 10.0.0.1) -> Capture", "pattern 0: 'src' or 'dst' specified twice"},
      {"Inject -> IPClassifier(tcp udp port 80) -> Capture", "pattern 0: transport protocol specified twice"},
      {"Inject -> IPClassifier(host net 10.0.0.1) -> Capture", "pattern 0: type specified twice"},
      {"Inject -> IPClassifier(host > 10.0.0.1) -> Capture", "pattern 0: 'ip host': operator not supported"},
      {"Inject -> IPClassifier(icmp port 80) -> Capture", "pattern 0: 'port': bad protocol 1"},
      {"Inject -> IPClassifier(tcp opt != syn) -> Capture", "pattern 0: 'tcp opt': operator or mask not supported"},
      {"Inject -> IPClassifier(udp opt syn) -> Capture", "pattern 0: 'syn' is meaningless here; try 'tcp opt syn'"},
      {"Inject -> IPClassifier(echo) -> Capture", "pattern 0: 'echo' is ambiguous; try 'tcp port echo'"},
      {"Inject -> IPClassifier(ip frag 3) -> Capture", "pattern 0: 'ip frag': value not supported"},
      {"Inject -> IPClassifier(port >) -> Capture", "pattern 0: dangling operator near ''"},
      {"Inject -> IPClassifier(port > bogus) -> Capture", "pattern 0: dangling operator near 'bogus'"},
      {"Inject -> IPClassifier(bogus) -> Capture", "pattern 0: empty term near 'bogus'"},
      {"Inject -> IPClassifier(tcp and) -> Capture", "pattern 0: missing expression"},
      {"Inject -> IPClassifier(or tcp) -> Capture", "pattern 0: missing expression"},
      {"Inject -> IPClassifier(not) -> Capture", "pattern 0: missing expression after 'not'"},
      {"Inject -> IPClassifier(\"(tcp\") -> Capture", "pattern 0: missing ')'"},
      {"Inject -> IPClassifier(\"tcp)\") -> Capture", "pattern 0: garbage after expression at ')'"},
      {"Inject -> IPClassifier(tcp ? syn) -> Capture", "pattern 0: missing ':' in ternary expression"},
      {"Inject -> IPClassifier(\"ip[3\") -> Capture", "pattern 0: missing ']'"},
      {"Inject -> IPClassifier(ip[3:2] 4) -> Capture", "pattern 0: field [3:2] does not fit in a single word"},
      {"Inject -> IPClassifier(ip[0:5] 4) -> Capture",
       "pattern 0: LEN in '[POS:LEN]' out of range, should be between 1 and 4"},
      {"Inject -> IPClassifier(ip[x] 4) -> Capture",
       "pattern 0: syntax error after '[', expected '[POS]' or '[POS:LEN]'"},
      {"Inject -> IPClassifier(port 90-80) -> Capture",
       "pattern 0: range '90-80' is empty; put the smaller number first"},
      {"Inject -> IPClassifier(port > 80-90) -> Capture",
       "pattern 0: '80-90' is a range, which can only be compared by = and !="},
      {"Inject -> IPClassifier(\"\") -> Capture", "pattern 0: empty pattern"},
      {"Inject -> IPClassifier(-, -) -> Capture", "need 1 arguments, one per output port"},
      {"Inject -> IPFilter(accept tcp) -> Capture", "pattern 0: unknown slot ID 'accept'"},
      {"Inject -> IPFilter(1 tcp) -> Capture", "pattern 0: slot '1' out of range"},
      {"Inject -> IPFilter(allow tcp, allow bogus) -> Capture", "pattern 1: empty term near 'bogus'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    harness_refuses(cases[i].config, cases[i].message);
  }
  struct text deep = {0};
  for (unsigned i = 0; i < 2000; i++)
    text_add(&deep, "(");
  struct compiled c;
  struct report report = {0};
  assert_int_equal(compile(&c, &deep.data, 1, &report), -ERROR_INVALID);
  assert_non_null(strstr(text_string(&report.text), "nested more than 64 deep"));
  report_free(&report);
  text_free(&deep);
}

/* Patterns that can match nothing, or always the same, are accepted with a warning; the texts are Click's. */
static void warns(void **state) {
  static const struct {
    const char *patterns[2], *message;
  } cases[] = {
      {{"tcp", "tcp and syn"}, "warning: pattern 1 matches no packets\n"},
      {{"-", "tcp"}, "warning: pattern 1 matches no packets\n"},
      {{"src port www and src port ftp", "-"}, "warning: pattern 0 matches no packets\n"},
      {{"port < 0", "-"}, "warning: pattern 0: relation '< 0' is always false (range 0-65535)\n"},
      {{"port <= 65535", "-"}, "warning: pattern 0: relation '<= 65535' is always true (range 0-65535)\n"},
      {{"src tcp", "-"}, "warning: pattern 0: 'proto': 'src' or 'dst' ignored\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    harness_open();
    struct text config = {0};
    text_addf(&config, "i :: Inject -> c :: IPClassifier(%s, %s); c[0] -> Capture; c[1] -> Capture",
              cases[i].patterns[0], cases[i].patterns[1]);
    struct report report = {0};
    assert_int_equal(router_create("test.click", slice_of(text_string(&config)), &harness.services, &harness.scheduler,
                                   &harness.router, &report),
                     0);
    const char *line = text_string(&report.text);
    if (!strstr(line, cases[i].message)) fail_msg("%s", line);
    report_free(&report);
    text_free(&config);
    harness_stop();
  }
}

/* Sends all frames through the graph, so many at once; what arrives at each of three captures, as names. */
static void send_frames(unsigned at_once) {
  struct element *inject = router_find(harness.router, "i");
  struct batch batch = {.count = 0};
  for (size_t i = 0; i < FRAMES; i++) {
    size_t length;
    uint8_t *bytes = frame_bytes(&frames[i], &length);
    struct packet *p = packet_new_from(&harness.pool, bytes + 1, length);
    test_free(bytes);
    p->network_header = length ? (uint16_t)(p->data - (uint8_t *)p) : 0;
    annotation_set_u8(p, ANNOTATION_PAINT, (uint8_t)i);
    batch.packet[batch.count++] = p;
    if (batch.count < at_once && i + 1 < FRAMES) continue;
    element_push(inject, 0, &batch);
    batch.count = 0;
  }
}

static void arrived(const char *name, const char *expected) {
  struct text names = {0};
  struct element *e = router_find(harness.router, name);
  /* The capture's packets lie behind its element. */
  struct capture {
    struct element element;
    uint32_t count;
    struct packet *packet[HARNESS_FRAMES];
  } *c = (struct capture *)e;
  for (uint32_t i = 0; i < c->count; i++)
    text_addf(&names, "%s%s", i ? " " : "", frames[annotation_u8(c->packet[i], ANNOTATION_PAINT)].name);
  assert_string_equal(text_string(&names), expected);
  text_free(&names);
  harness_captured(name);
}

/* Actions send, allow and drop; names come from AddressInfo and PortInfo; drops are counted by cause; and all that whatever the
 * batch size. */
static void filters(void **state) {
  static const unsigned sizes[] = {1, 5, 256};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    harness_open();
    struct report report = {0};
    const char *config =
        "AddressInfo(INSIDE 10.0.0.0/24, ME 192.168.1.2); PortInfo(bad 53/udp);"
        "i :: Inject -> f :: IPFilter(drop udp port bad, 1 src ME, allow src INSIDE and tcp, 1 icmp, deny igmp);"
        "f[0] -> a :: Capture; f[1] -> b :: Capture";
    assert_int_equal(
        router_create("test.click", slice_of(config), &harness.services, &harness.scheduler, &harness.router, &report),
        0);
    assert_string_equal(report.warnings == 1 ? "" : "no warning", "");
    assert_non_null(
        strstr(text_string(&report.text), "pattern 4: meaning of 'deny' has changed (now it means 'drop')"));
    report_free(&report);
    send_frames(sizes[i]);
    arrived("a", "syn first later options cut bad");
    arrived("b", "ack echo");
    assert_string_equal(harness_read("f.drops"), "no_match 2\ndenied 2\n"); /* stub, none; dns, igmp */
    harness_stop();
  }
}

/* Each output gets what its pattern takes; the example is that of Click's manual page. */
static void classifies(void **state) {
  harness_start("i :: Inject -> c :: IPClassifier(10.0.0.0/24 and syn, 10.0.0.0/24 and ack, 10.0.0.0/24 and tcp, -);"
                "c[0] -> a :: Capture; c[1] -> b :: Capture; c[2] -> d :: Capture; c[3] -> e :: Capture");
  send_frames(256);
  arrived("a", "syn first options");
  arrived("b", "ack");
  arrived("d", "later cut bad");
  arrived("e", "dns echo igmp stub none");
  assert_non_null(strstr(harness_read("c.program"), "step 0: field"));
  harness_stop();
  harness_start("i :: Inject -> c :: IPClassifier(dst port 80); c -> a :: Capture");
  assert_string_equal(harness_read("c.program"), "field 0: transp[0:4] >> 0 & 0xffff of TCP and UDP\n"
                                                 "start -> list 0\n"
                                                 "    list 0: rule 0 if field 0 in 80-80\n");
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matches), cmocka_unit_test(refuses),    cmocka_unit_test(warns),
      cmocka_unit_test(filters), cmocka_unit_test(classifies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
