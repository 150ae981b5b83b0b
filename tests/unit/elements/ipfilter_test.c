/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of IPFilter and IPClassifier: their language against packets of known contents, the decision tree against the slow
 * evaluator, and the elements.
 */
#include <stdlib.h>
#include <string.h>

#include "elements/filter_tree.h"
#include "lib/memory.h"
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

struct compiled {
  struct filter_program program;
  struct filter_normal normal;
  struct filter_tree tree;
  bool *reached;
};

static int compile(struct compiled *c, char *const *patterns, uint32_t count, struct report *report) {
  memset(c, 0, sizeof *c);
  int status = filter_parse(&c->program, patterns, count, false, count, NULL, report);
  if (status != 0) return status;
  c->reached = test_calloc(count + 1, 1);
  assert_int_equal(filter_normalize(&c->program, &c->normal), 0);
  assert_int_equal(filter_tree_build(&c->tree, &c->program, &c->normal, c->reached), 0);
  return 0;
}

static void discard(struct compiled *c) {
  filter_tree_free(&c->tree);
  filter_normal_free(&c->normal);
  filter_program_free(&c->program);
  if (c->reached) test_free(c->reached);
}

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

/* --- the property --- */

static uint32_t seed;
static uint32_t chance(uint32_t below) {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % below;
}
static const char *pick(const char *const *words) {
  uint32_t count = 0;
  while (words[count])
    count++;
  return words[chance(count)];
}

/* Values are drawn from few, so that rules and packets meet. */
static const uint32_t numbers[] = {0,  1,  2,  3,   5,   6,    17,   22,   53,    63,    64,
                                   79, 80, 81, 255, 256, 1023, 1024, 1025, 32768, 65534, 65535};
static uint32_t number(uint32_t most) {
  for (;;) {
    uint32_t value = numbers[chance(sizeof numbers / sizeof *numbers)];
    if (value <= most) return value;
  }
}

static void random_test(struct text *out) {
  static const char *const directions[] = {"", "src ", "dst ", "src and dst ", "src or dst ", NULL};
  static const char *const relations[] = {"", "= ", "!= ", "< ", "> ", "<= ", ">= ", NULL};
  static const char *const words[] = {"tcp",    "udp",    "icmp",   "ip frag",        "ip unfrag",
                                      "ip ect", "ip ce",  "syn",    "tcp opt ack",    "true",
                                      "false",  "tcpudp", "transp", "icmp type echo", NULL};
  static const char *const protocols[] = {"", "tcp ", "udp ", NULL};
  static const struct {
    const char *name;
    uint32_t most;
  } fields[] = {{"ip ttl", 255},     {"ip tos", 255},       {"ip dscp", 63},
                {"ip id", 65535},    {"ip len", 65535},     {"ip hl", 15},
                {"ip proto", 255},   {"tcp win", 65535},    {"icmp type", 255},
                {"ip[1]", 255},      {"tcp[2:2]", 65535},   {"transp[0:4]", 65535},
                {"udp[4:2]", 65535}, {"ip[3] & 0x55", 255}, {"tcp[0:2] & 0x0ff5", 65535},
                {"ip vers", 15}};
  switch (chance(6)) {
    case 0:
      text_addf(out, "%shost %s10.0.%u.%u", pick(directions), chance(4) ? "" : "!= ", chance(2), chance(4));
      break;
    case 1:
      text_addf(out, "%snet %s10.0.%u.0/%u", pick(directions), chance(4) ? "" : "!= ", chance(3), number(32));
      break;
    case 2:
      text_addf(out, "%s%sport %s%u", pick(directions), pick(protocols), pick(relations), number(65535));
      break;
    case 3: {
      uint32_t low = number(65535);
      text_addf(out, "%s%sport %u-%u", pick(directions), pick(protocols), low, low + chance(65536 - low));
      break;
    }
    case 4: {
      uint32_t field = chance(sizeof fields / sizeof *fields);
      text_addf(out, "%s %s%u", fields[field].name, pick(relations), number(fields[field].most));
      break;
    }
    default:
      text_add(out, pick(words));
  }
}

static void random_expression(struct text *out, unsigned depth) {
  static const char *const connectives[] = {" and ", " or ", " && ", " || ", NULL};
  if (depth == 0 || chance(3) == 0) {
    if (chance(5) == 0) text_add(out, "not ");
    random_test(out);
  } else if (chance(8) == 0) {
    text_add(out, "(");
    random_expression(out, depth - 1);
    text_add(out, " ? ");
    random_expression(out, depth - 1);
    text_add(out, " : ");
    random_expression(out, depth - 1);
    text_add(out, ")");
  } else {
    text_add(out, chance(4) ? "(" : "not (");
    random_expression(out, depth - 1);
    text_add(out, pick(connectives));
    random_expression(out, depth - 1);
    text_add(out, ")");
  }
}

/* The usual rule of a firewall: a conjunction. */
static void random_tuple(struct text *out) {
  text_addf(out, "src net 10.0.%u.%u/%u && dst net 10.%u.0.0/%u", chance(3), chance(256), 8 + chance(25), chance(3),
            8 + chance(25));
  if (chance(2)) text_addf(out, " && tcp dst port %u", number(65535));
  if (chance(3) == 0) text_addf(out, " && src port > %u", number(65535));
}

static size_t random_packet(uint8_t *bytes) {
  size_t header = 4 * (chance(8) ? 5 + chance(2) : chance(16)), length = 60;
  for (size_t i = 0; i < length; i++)
    bytes[i] = (uint8_t)numbers[chance(15)];
  bytes[0] = (uint8_t)(0x40 | header / 4);
  store_be16(bytes + 4, (uint16_t)number(65535));
  store_be16(bytes + 6, chance(4) ? 0 : (uint16_t)(chance(2) ? 0x2000 : numbers[chance(22)]));
  static const uint8_t protocols[] = {1, 2, 6, 6, 6, 17, 17, 255};
  bytes[9] = protocols[chance(8)];
  for (unsigned i = 0; i < 2; i++)
    store_be32(bytes + 12 + 4 * i, 0x0a000000 | chance(3) << 16 | chance(3) << 8 | chance(4));
  if (header < 56) {
    store_be16(bytes + header, (uint16_t)(number(65535) + chance(2)));
    store_be16(bytes + header + 2, (uint16_t)(number(65535) - chance(2)));
  }
  return chance(4) ? length : chance(61);
}

/* Any packet goes where the slow evaluator, which goes through the rules one by one, sends it; whatever the rules. A rule that the
 * tree holds for unreachable is never the first. */
static void agrees_with_oracle(void **state) {
  for (uint32_t round = 0; round < 600; round++) {
    seed = round;
    uint32_t count = round % 7 == 0 ? 100 + chance(300) : 1 + chance(30);
    char **patterns = test_calloc(count, sizeof *patterns);
    for (uint32_t i = 0; i < count; i++) {
      struct text text = {0};
      if (round % 3 == 0) {
        random_tuple(&text);
      } else if (round % 3 == 1) {
        text_addf(&text, "tcp dst port %u-%u", i * 7 % 1000, i * 7 % 1000 + chance(400));
        if (chance(3) == 0) text_add(&text, " && ip ttl > 5");
      } else {
        random_expression(&text, round % 2 ? 3 : 1);
      }
      patterns[i] = text.data;
    }
    struct compiled c;
    struct report report = {0};
    if (compile(&c, patterns, count, &report) != 0) fail_msg("round %u: %s", round, text_string(&report.text));
    for (uint32_t i = 0; i < 400; i++) {
      uint8_t packet[60];
      size_t length = random_packet(packet);
      uint8_t *bytes = test_malloc(length + 1);
      memcpy(bytes + 1, packet, length);
      uint32_t fast = filter_tree_find(&c.tree, bytes + 1, bytes + 1 + length);
      uint32_t slow = filter_oracle(&c.program, bytes + 1, length);
      if (fast != slow) {
        fail_msg("round %u, packet %u: tree %u (%s), oracle %u (%s)", round, i, fast,
                 fast == FILTER_NONE ? "none" : patterns[fast], slow, slow == FILTER_NONE ? "none" : patterns[slow]);
      }
      assert_true(slow == FILTER_NONE || c.reached[slow]);
      test_free(bytes);
    }
    for (uint32_t i = 0; i < count; i++)
      memory_free(patterns[i]);
    test_free(patterns);
    report_free(&report);
    discard(&c);
  }
}

/* A pattern that would fall into 2^20 boxes is matched all the same, and in little memory. */
static void holds_explosive_patterns(void **state) {
  struct text text = {0};
  for (unsigned i = 0; i < 20; i++)
    text_addf(&text, "%s(ip[%u] > %u or ip[%u] < %u)", i ? " and " : "", i, i * 3, i, i);
  struct compiled c;
  struct report report = {0};
  assert_int_equal(compile(&c, &text.data, 1, &report), 0);
  report_free(&report);
  assert_true(c.normal.box_count < 2000);
  for (uint32_t i = 0; i < 2000; i++) {
    uint8_t packet[60];
    size_t length = random_packet(packet);
    if (i % 4) memset(packet, (int)(60 + i % 8), 20);
    assert_int_equal(filter_tree_find(&c.tree, packet, packet + length), filter_oracle(&c.program, packet, length));
  }
  discard(&c);
  text_free(&text);
}

/* Ten thousand rules take memory in proportion, whatever they are: wide, nested and crossing ranges. */
static void stays_small(void **state) {
  enum { RULES = 10000 };
  static char *patterns[RULES];
  for (unsigned kind = 0; kind < 4; kind++) {
    for (unsigned i = 0; i < RULES; i++) {
      struct text text = {0};
      if (kind == 0) text_addf(&text, "dst tcp port %u", i);
      if (kind == 1) text_addf(&text, "port > %u", i);
      if (kind == 2) text_addf(&text, "src port %u-%u && dst port %u-%u", i, 65535 - i, RULES - i, 20000 + i);
      if (kind == 3) {
        text_addf(&text, "src 10.%u.%u.0/24 && dst 10.%u.0.0/16 && tcp && dst port %u", i % 50, i % 256, i % 200,
                  i % 1000);
      }
      patterns[i] = text.data;
    }
    struct compiled c;
    assert_int_equal(compile(&c, patterns, RULES, NULL), 0);
    assert_true((uint64_t)c.tree.word_count * 4 + c.tree.node_count * sizeof *c.tree.nodes < 24u << 20);
    seed = kind;
    for (uint32_t i = 0; i < 200; i++) {
      uint8_t packet[60];
      size_t length = random_packet(packet);
      assert_int_equal(filter_tree_find(&c.tree, packet, packet + length), filter_oracle(&c.program, packet, length));
    }
    discard(&c);
    for (unsigned i = 0; i < RULES; i++)
      memory_free(patterns[i]);
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
      cmocka_unit_test(matches),
      cmocka_unit_test(agrees_with_oracle),
      cmocka_unit_test(holds_explosive_patterns),
      cmocka_unit_test(stays_small),
      cmocka_unit_test(refuses),
      cmocka_unit_test(warns),
      cmocka_unit_test(filters),
      cmocka_unit_test(classifies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
