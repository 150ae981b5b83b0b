/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of argument values: numbers, times, rates, addresses, ports, annotations, elements, handlers, and names in scopes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "click/annotation.h"
#include "click/number.h"
#include "click/variables.h"
#include "lib/memory.h"
#include "tests/unit/click/test_elements.h"

/* Integers are read in Click's four bases (IntArg), and what does not fit is told from what is no number. */
static void integers(void **state) {
  static const struct {
    const char *text;
    int result;
    uint64_t value;
  } cases[] = {
      {"", -ERROR_INVALID, 0},
      {"-1", -ERROR_INVALID, 0},
      {"0x", -ERROR_INVALID, 0},
      {"08", -ERROR_INVALID, 0},
      {"0b2", -ERROR_INVALID, 0},
      {"1_", -ERROR_INVALID, 0},
      {"_1", -ERROR_INVALID, 0},
      {"1__0", -ERROR_INVALID, 0},
      {"1 ", -ERROR_INVALID, 0},
      {"18446744073709551616", -ERROR_TOO_BIG, UINT64_MAX},
      {"99999999999999999999999", -ERROR_TOO_BIG, UINT64_MAX},
      {"18446744073709551615", 0, UINT64_MAX},
      {"0", 0, 0},
      {"+7", 0, 7},
      {"010", 0, 8},
      {"0x1F", 0, 31},
      {"0b101", 0, 5},
      {"1_000_000", 0, 1000000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint64_t value = 0;
    int result = number_unsigned(slice_of(cases[i].text), UINT64_MAX, &value);
    if (result != cases[i].result) fail_msg("%s: %d", cases[i].text, result);
    assert_true(value == cases[i].value || result == -ERROR_INVALID);
  }
  int64_t value;
  assert_int_equal(number_signed(slice_of("-9223372036854775808"), INT64_MAX, &value), 0);
  assert_true(value == INT64_MIN);
  assert_int_equal(number_signed(slice_of("-9223372036854775809"), INT64_MAX, &value), -ERROR_TOO_BIG);
  assert_int_equal(number_signed(slice_of("-129"), INT8_MAX, &value), -ERROR_TOO_BIG);
  assert_int_equal(value, -128);
  assert_int_equal(number_signed(slice_of("-+1"), INT8_MAX, &value), -ERROR_INVALID);
  assert_int_equal(number_signed(slice_of("-0x10"), INT8_MAX, &value), 0);
  assert_int_equal(value, -16);
}

/* Times, rates and fractions are exact to their unit, rounded to nearest. Rows marked * are from Click's ClickArgs test element
 * (SecondsArg, BandwidthArg) in our unit. */
static void measures(void **state) {
  static const struct {
    int (*parse)(struct slice, uint64_t *);
    const char *text;
    int result;
    uint64_t value;
  } cases[] = {
      {number_time, "3600", 0, 3600000000000},
      {number_time, "3600s", 0, 3600000000000},      /* * */
      {number_time, "3.6e6 msec", 0, 3600000000000}, /* * */
      {number_time, "60m", 0, 3600000000000},        /* * */
      {number_time, "1 hr", 0, 3600000000000},       /* * */
      {number_time, "1.9ms", 0, 1900000},            /* * */
      {number_time, "5us", 0, 5000},
      {number_time, "7ns", 0, 7},
      {number_time, "0.4ns", 0, 0},
      {number_time, "0.5ns", 0, 1},
      {number_time, "2min", 0, 120000000000},
      {number_time, "1.5d", 0, 129600000000000},
      {number_time, "1.000000001", 0, 1000000001},
      {number_time, ".5", 0, 500000000},
      {number_time, "18446744073.709551615", 0, UINT64_MAX},
      {number_time, "18446744074", -ERROR_TOO_BIG, 0},
      {number_time, "1e30", -ERROR_TOO_BIG, 0},
      {number_time, "1e-30", 0, 0},
      {number_time, "0e99999", 0, 0},
      {number_time, "", -ERROR_INVALID, 0},
      {number_time, "s", -ERROR_INVALID, 0},
      {number_time, "-1", -ERROR_INVALID, 0},
      {number_time, "1.2.3", -ERROR_INVALID, 0},
      {number_time, "1 week", -ERROR_INVALID, 0},
      {number_time, "1e", -ERROR_INVALID, 0},
      {number_fraction, "1", 0, FRACTION_ONE},
      {number_fraction, "0.5", 0, FRACTION_ONE / 2},
      {number_fraction, "0.25", 0, FRACTION_ONE / 4},
      {number_fraction, "1e-3", 0, 4294967},
      {number_fraction, "0.333333333333333333333333333333", 0, 1431655765},
      {number_fraction, "4294967295.75", 0, UINT64_MAX - 0x3fffffff},
      {number_fraction, "4294967296", -ERROR_TOO_BIG, 0},
      {number_fraction, "1e9", 0, 1000000000 * FRACTION_ONE},
      {number_fraction, "0", 0, 0},
      {number_fraction, "x", -ERROR_INVALID, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint64_t value = 0;
    int result = cases[i].parse(slice_of(cases[i].text), &value);
    if (result != cases[i].result || (result == 0 && value != cases[i].value))
      fail_msg("%s: %d, %llu", cases[i].text, result, (unsigned long long)value);
  }
  static const struct {
    const char *text;
    uint64_t value;
    bool unitless;
  } rates[] = {
      {"8", 8, true},
      {"8 baud", 1, false},
      {"8Kbps", 1000, false},
      {"8KBps", 8000, false}, /* all * */
      {"10Mbps", 1250000, false},
      {"64kB/s", 64000, false},
      {"1Gb/s", 125000000, false},
      {"0", 0, false},
      {"100Gbps", 12500000000, false},
  };
  for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
    uint64_t value;
    bool unitless;
    assert_int_equal(number_bandwidth(slice_of(rates[i].text), &value, &unitless), 0);
    assert_true(value == rates[i].value);
    assert_int_equal(unitless, rates[i].unitless);
  }
}

/* IPv4 and its prefixes; the shortened form and its limit are from Click's test of IPPrefixArg. */
static void ip_addresses(void **state) {
  static const struct {
    const char *text, *printed; /* NULL: refused */
  } cases[] = {
      {"18.26.4/24", "18.26.4.0/24"},
      {"18.26.4/28", NULL},
      {"10.0.0.1/8", "10.0.0.1/8"},
      {"10/8", "10.0.0.0/8"},
      {"1.2.3.4/255.255.0.0", "1.2.3.4/16"},
      {"1.2.3.4/255.0.255.0", "1.2.3.4/255.0.255.0"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"1.2.3.4/33", NULL},
      {"1.2.3.4/", NULL},
      {"1.2.3.4", NULL},
      {"1.2.3.256/8", NULL},
      {"/8", NULL},
      {"1.2.3.4.5/8", NULL},
      {"1..3.4/8", NULL},
      {"1.2.3.0004/8", NULL},
      {"", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ip_prefix prefix;
    struct text out = {0};
    int result = address_ip_prefix(NULL, slice_of(cases[i].text), false, &prefix);
    if (result == 0) address_ip_prefix_text(&out, &prefix);
    if (cases[i].printed) {
      assert_string_equal(text_string(&out), cases[i].printed);
    } else {
      assert_int_equal(result, -ERROR_INVALID);
    }
    text_free(&out);
  }
  struct ip_prefix prefix;
  assert_int_equal(address_ip_prefix(NULL, slice_of("10.0.0.1"), true, &prefix), 0);
  assert_int_equal(prefix.mask, UINT32_MAX);
  uint32_t address;
  assert_int_equal(address_ip(NULL, slice_of("10.0.1"), &address), -ERROR_INVALID);
  assert_int_equal(address_ip(NULL, slice_of("10.0.0.258"), &address), -ERROR_INVALID);
  assert_int_equal(address_ip(NULL, slice_of("10.0.0.7"), &address), 0);
  assert_memory_equal(&address, "\x0a\0\0\x07", 4);
}

/* IPv6 in and out by RFC 4291 section 2.2 and RFC 5952 section 4. */
static void ip6_addresses(void **state) {
  static const struct {
    const char *text, *printed;
  } cases[] = {
      {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
      {"FF01::101", "ff01::101"},
      {"::1", "::1"},
      {"::", "::"},
      {"0:0:0:0:0:FFFF:129.144.52.38", "::ffff:8190:3426"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"1::", "1::"},
      {"1:2:3:4:5:6:7", NULL},
      {"1:2:3:4:5:6:7:8:9", NULL},
      {"1::2::3", NULL},
      {":::", NULL},
      {":1", NULL},
      {"1:", NULL},
      {"12345::", NULL},
      {"1:2:3:4:5:6:7:1.2.3.4", NULL},
      {"", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ip6_address address;
    struct text out = {0};
    int result = address_ip6(NULL, slice_of(cases[i].text), &address);
    if (result == 0) address_ip6_text(&out, &address);
    if (cases[i].printed) {
      assert_string_equal(text_string(&out), cases[i].printed);
    } else {
      if (result == 0) fail_msg("%s is taken for %s", cases[i].text, text_string(&out));
    }
    text_free(&out);
  }
  struct ip6_prefix prefix;
  assert_int_equal(address_ip6_prefix(NULL, slice_of("2001:db8::/32"), false, &prefix), 0);
  assert_int_equal(prefix.length, 32);
  assert_int_equal(address_ip6_prefix(NULL, slice_of("2001:db8::/129"), false, &prefix), -ERROR_INVALID);
  assert_int_equal(address_ip6_prefix(NULL, slice_of("::1"), false, &prefix), -ERROR_INVALID);
}

/* Ethernet addresses with ':' or '-', not mixed; ports by number and by the names of /etc/services. */
static void ethernet_and_ports(void **state) {
  static const struct {
    const char *text, *printed;
  } cases[] = {
      {"0:a0:c9:9c:fd:9c", "00-A0-C9-9C-FD-9C"},
      {"00-01-02-03-04-05", "00-01-02-03-04-05"},
      {"00:01-02:03:04:05", NULL},
      {"00:01:02:03:04", NULL},
      {"00:01:02:03:04:05:06", NULL},
      {"00:01:02:03:04:100", NULL},
      {"00:01:02:03:04:0g", NULL},
      {"", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t ether[6];
    struct text out = {0};
    int result = address_ether(NULL, slice_of(cases[i].text), ether);
    if (result == 0) address_ether_text(&out, ether);
    assert_int_equal(result, cases[i].printed ? 0 : -ERROR_INVALID);
    if (cases[i].printed) assert_string_equal(text_string(&out), cases[i].printed);
    text_free(&out);
  }
  uint16_t port;
  assert_int_equal(address_port(NULL, slice_of("http"), PROTOCOL_TCP, &port), 0);
  assert_int_equal(port, 80);
  assert_int_equal(address_port(NULL, slice_of("ntp"), PROTOCOL_UDP, &port), 0);
  assert_int_equal(port, 123);
  assert_int_equal(address_port(NULL, slice_of("ntp"), PROTOCOL_TCP, &port), -ERROR_INVALID);
  assert_int_equal(address_port(NULL, slice_of("65536"), PROTOCOL_TCP, &port), -ERROR_INVALID);
  assert_string_equal(address_port_name(PROTOCOL_UDP, 53), "domain");
  assert_null(address_port_name(PROTOCOL_UDP, 22222));
}

/* Annotations by name and by offset, of the right size and aligned (Click's packet_anno.hh and AnnoArg). */
static void annotations(void **state) {
  static const struct {
    const char *text;
    uint32_t size;
    int64_t offset; /* -1: refused */
  } cases[] = {
      {"PAINT", 1, 16},      {"DST_IP", 4, 0}, {"VLAN_TCI", 2, 20}, {"AGGREGATE", 4, 20},
      {"FIX_IP_SRC", 1, 19}, {"PAINT", 4, -1}, {"DST_IP6", 4, -1},  {"paint", 1, -1},
      {"47", 1, 47},         {"48", 1, -1},    {"46", 4, -1},       {"45", 2, -1},
      {"44", 4, 44},         {"0x10", 1, 16},  {"-1", 1, -1},       {"PERFCTR", 8, 40},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t offset = 99;
    int result = annotation_parse(slice_of(cases[i].text), cases[i].size, &offset);
    assert_int_equal(result, cases[i].offset < 0 ? -ERROR_INVALID : 0);
    if (result == 0) assert_int_equal(offset, cases[i].offset);
  }
}

struct target {
  uint64_t pad;
  uint8_t u8;
  uint16_t u16, tcp, udp;
  int64_t i64;
  struct argument_data data;
  char *file;
  uint64_t time, rate, fraction;
  uint32_t ip;
  struct ip_prefix prefix, network;
  struct ip6_address ip6;
  struct ip6_prefix prefix6;
  uint8_t ether[6];
  uint32_t anno1, anno2, anno4, anno8;
  struct element *element;
  struct handler_reference read, write;
  bool given;
};

#define ROW(NAME, TYPE, FIELD) \
  { NAME, TYPE, 0, offsetof(struct target, FIELD), "", 0 }
static const struct argument table[] = {
    {"U8", ARGUMENT_U8, 0, offsetof(struct target, u8), "", offsetof(struct target, given)},
    ROW("U16", ARGUMENT_U16, u16),
    ROW("I64", ARGUMENT_I64, i64),
    ROW("DATA", ARGUMENT_DATA, data),
    ROW("FILE", ARGUMENT_FILENAME, file),
    ROW("TIME", ARGUMENT_TIME, time),
    ROW("RATE", ARGUMENT_BANDWIDTH, rate),
    ROW("P", ARGUMENT_FRACTION, fraction),
    ROW("IP", ARGUMENT_IP, ip),
    ROW("PREFIX", ARGUMENT_IP_PREFIX, prefix),
    ROW("NETWORK", ARGUMENT_IP_NETWORK, network),
    ROW("IP6", ARGUMENT_IP6, ip6),
    ROW("PREFIX6", ARGUMENT_IP6_PREFIX, prefix6),
    ROW("ETHER", ARGUMENT_ETHER, ether),
    ROW("TCP", ARGUMENT_TCP_PORT, tcp),
    ROW("UDP", ARGUMENT_UDP_PORT, udp),
    ROW("ANNO1", ARGUMENT_ANNO1, anno1),
    ROW("ANNO2", ARGUMENT_ANNO2, anno2),
    ROW("ANNO4", ARGUMENT_ANNO4, anno4),
    ROW("ANNO8", ARGUMENT_ANNO8, anno8),
    ROW("ELEMENT", ARGUMENT_ELEMENT, element),
    ROW("READ", ARGUMENT_READ_HANDLER, read),
    ROW("WRITE", ARGUMENT_WRITE_HANDLER, write),
    {0}};

/* A configuration in which names mean different things in different scopes. */
static const char scopes[] =
    "AddressInfo(a 10.0.0.1/24 00:00:00:00:00:01 2001:db8::1/32, b 10.0.0.2);\n"
    "PortInfo(web 8080/tcp other, web 8081/udp, # nothing);\n"
    "x :: { AddressInfo(a 10.0.1.1); c :: TestSource -> TestSink; y :: { c :: TestSource -> d :: TestSink } };\n"
    "c :: TestSource -> TestSink";

/* Names are found in the element's own scope first, then around it, and not in what is inside. */
static void names_have_scopes(void **state) {
  static const struct {
    const char *from, *name;
    const char *found; /* NULL: nothing */
  } elements[] = {{"x/y/d", "c", "x/y/c"}, {"x/c", "c", "x/c"},     {"x/c", "d", NULL},        {"c", "x/c", "x/c"},
                  {"c", "c", "c"},         {"x/c", "y/d", "x/y/d"}, {"x/y/d", "nothing", NULL}};
  static const struct {
    const char *from, *name, *found;
  } addresses[] = {
      {"c", "a", "10.0.0.1"},        {"x/c", "a", "10.0.1.1"},   {"x/y/c", "a", "10.0.1.1"}, {"x/y/c", "b", "10.0.0.2"},
      {"x/y/c", "a:ip", "10.0.1.1"}, {"c", "a:IP4", "10.0.0.1"}, {"c", "a:eth", NULL},       {"c", "z", NULL}};
  struct scheduler scheduler;
  struct router *router = test_router(&scheduler, scopes);
  for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
    struct element *found = router_find_in(router_find(router, elements[i].from), elements[i].name);
    assert_string_equal(found ? found->name : "", elements[i].found ? elements[i].found : "");
  }
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    uint32_t address;
    struct text out = {0};
    if (address_ip(router_find(router, addresses[i].from), slice_of(addresses[i].name), &address) == 0)
      address_ip_text(&out, address);
    assert_string_equal(text_string(&out), addresses[i].found ? addresses[i].found : "");
    text_free(&out);
  }
  const struct element *c = router_find(router, "c");
  uint8_t ether[6];
  struct ip_prefix prefix;
  uint16_t port;
  assert_int_equal(address_ether(c, slice_of("a"), ether), 0);
  assert_int_equal(ether[5], 1);
  assert_int_equal(address_ip_prefix(c, slice_of("a:ipnet"), false, &prefix), 0);
  assert_int_equal(address_ip_prefix(c, slice_of("b/31"), false, &prefix), 0);
  assert_int_equal(address_ip_prefix(c, slice_of("b"), false, &prefix), -ERROR_INVALID);
  assert_int_equal(address_port(c, slice_of("web"), PROTOCOL_TCP, &port), 0);
  assert_int_equal(port, 8080);
  assert_int_equal(address_port(c, slice_of("web"), PROTOCOL_UDP, &port), 0);
  assert_int_equal(port, 8081);
  assert_int_equal(address_port(c, slice_of("other"), PROTOCOL_TCP, &port), 0);
  router_destroy(router);
}

/* Every type reaches its target, and what is wrong is told in Click's words. */
static void types(void **state) {
  struct scheduler scheduler;
  struct router *router = test_router(&scheduler, scopes);
  struct element *c = router_find(router, "x/c");
  struct target t = {0};
  int result = args_parse_in(
      c,
      "U8 255, U16 0xffff, I64 -5, DATA \\<00 41>, FILE \"a//b\", TIME 5ms, RATE 8kbps, P 0.5, IP a, PREFIX 10/8, NETWORK 1.2.3.4,"
      "IP6 ::1, PREFIX6 a, ETHER a, TCP web, UDP domain, ANNO1 PAINT, ANNO2 VLAN, ANNO4 0, ANNO8 FIRST_TIMESTAMP, ELEMENT y/c, READ c.count,"
      "WRITE y/d.config 1 2",
      table, &t, NULL, NULL);
  assert_int_equal(result, 0);
  assert_int_equal(t.u8, 255);
  assert_int_equal(t.u16, 65535);
  assert_int_equal(t.i64, -5);
  assert_int_equal(t.data.length, 2);
  assert_memory_equal(t.data.data, "\0A", 3);
  assert_string_equal(t.file, "a/b");
  assert_int_equal(t.time, 5000000);
  assert_int_equal(t.rate, 1000);
  assert_int_equal(t.fraction, FRACTION_ONE / 2);
  assert_memory_equal(&t.ip, "\x0a\0\1\1", 4);
  assert_memory_equal(&t.prefix, "\x0a\0\0\0\xff\0\0\0", 8);
  assert_memory_equal(&t.network, "\1\2\3\4\xff\xff\xff\xff", 8);
  assert_int_equal(t.ip6.bytes[15], 1);
  assert_int_equal(t.prefix6.length, 32);
  assert_int_equal(t.ether[5], 1);
  assert_int_equal(t.tcp, 8080);
  assert_int_equal(t.udp, 53);
  assert_int_equal(t.anno1, 16);
  assert_int_equal(t.anno2, 20);
  assert_int_equal(t.anno4, 0);
  assert_int_equal(t.anno8, 32);
  assert_ptr_equal(t.element, router_find(router, "x/y/c"));
  assert_string_equal(t.read.name, "x/c.count");
  assert_string_equal(t.read.value, "");
  assert_string_equal(t.write.name, "x/y/d.config");
  assert_string_equal(t.write.value, "1 2");
  assert_true(t.given);
  args_release(table, &t);
  assert_null(t.data.data);
  static const struct {
    const char *config, *message;
  } wrong[] = {
      {"U8 256", "U8: out of range, bound 255\n"},
      {"U16 65536", "U16: out of range, bound 65535\n"},
      {"I64 9223372036854775808", "I64: out of range, bound 9223372036854775807\n"},
      {"FILE \"\"", "FILE: parse error\n"},
      {"TIME 1e30", "TIME: out of range\n"},
      {"TIME soon", "TIME: parse error\n"},
      {"RATE 5 miles", "RATE: parse error\n"},
      {"P 1e10", "P: out of range\n"},
      {"IP d", "IP: parse error\n"},
      {"ETHER 1:2", "ETHER: parse error\n"},
      {"TCP none", "TCP: parse error\n"},
      {"ANNO4 PAINT", "ANNO4: parse error\n"},
      {"ANNO8 36", "ANNO8: parse error\n"},
      {"ELEMENT d", "ELEMENT: does not name an element\n"},
      {"READ d.count", "READ: no element named 'd'\n"},
      {"READ \"\"", "READ: parse error\n"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct report report = {0};
    assert_true(args_parse_in(c, wrong[i].config, table, &t, NULL, &report) < 0);
    assert_string_equal(text_string(&report.text), wrong[i].message);
    report_free(&report);
  }
  args_release(table, &t);
  router_destroy(router);
}

/* Substitution by Click's rules: in "..." the value stays one value, in '...' and comments nothing happens. */
static void variables(void **state) {
  static const struct {
    const char *config, *expanded;
  } cases[] = {
      {"$a", "1"},
      {"${a}2$a", "121"},
      {"$ab $b $", "$ab x \"y\" $"},
      {"\"$b\"", "\"x \\\"y\\\"\""},
      {"'$a' \"'$a'\"", "'$a' \"'1'\""},
      {"/* $a */ $a // $a\n$a", "/* $a */ 1 // $a\n1"},
      {"\"\\$a\" \\$a", "\"\\$a\" \\1"},
      {"${none} ${none-d} ${a-d} ${left-d} $left.", "${none} d 1 d ."},
      {"${a", "${a"},
      {"$1$?", "$1$?"},
      {"$outer", "o"},
  };
  struct slice outer_names[] = {slice_of("outer"), slice_of("a")},
               names[] = {slice_of("a"), slice_of("b"), slice_of("left")};
  char *outer_values[] = {"o", "hidden"}, *values[] = {"1", "x \"y\"", NULL};
  struct variable_scope outer = {NULL, 0, 2, outer_names, outer_values}, scope = {&outer, 1, 3, names, values};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct text out = {0};
    variable_expand(&scope, slice_of(cases[i].config), &out);
    assert_string_equal(text_string(&out), cases[i].expanded);
    text_free(&out);
  }
}

/* What is quoted is one argument, one word, and unquotes to itself, whatever bytes it has. */
static void quoting(void **state) {
  static const struct {
    const char *bytes;
    size_t length;
  } cases[] = {{"", 0},           {"plain", 5}, {"a b", 3}, {"a,b", 3}, {"\"'\\", 3},
               {"\0\xff\n\t", 4}, {"$x", 2},    {"//c", 3}, {"(", 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct text quoted = {0};
    args_quote((struct slice){cases[i].bytes, cases[i].length}, &quoted);
    struct args args, words;
    assert_int_equal(args_split(text_string(&quoted), &args), 0);
    assert_int_equal(args_split_words(text_string(&quoted), &words), 0);
    assert_int_equal(args.count, 1);
    assert_int_equal(words.count, 1);
    size_t length;
    char *plain = args_unquote(args.values[0], &length);
    assert_int_equal(length, cases[i].length);
    assert_memory_equal(plain, cases[i].bytes, length);
    memory_free(plain);
    args_free(&args);
    args_free(&words);
    text_free(&quoted);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers),           cmocka_unit_test(measures),
      cmocka_unit_test(ip_addresses),       cmocka_unit_test(ip6_addresses),
      cmocka_unit_test(ethernet_and_ports), cmocka_unit_test(annotations),
      cmocka_unit_test(names_have_scopes),  cmocka_unit_test(types),
      cmocka_unit_test(variables),          cmocka_unit_test(quoting),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
