/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of FromIPSummaryDump and ToIPSummaryDump. What fields look like is in Click's manual page of ToIPSummaryDump; the
 * packets are scapy's (dumps/make.py).
 */
#include "tests/unit/elements/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char in_path[] = "/tmp/imago-summary-XXXXXX", out_path[] = "/tmp/imago-summary-XXXXXX";

static void write_in(const char *text) {
  FILE *file = fopen(in_path, "w");
  assert_true(fputs(text, file) >= 0);
  fclose(file);
}

static const char *read_out(void) {
  static char bytes[4096];
  FILE *file = fopen(out_path, "r");
  bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
  fclose(file);
  return bytes;
}

static void start(const char *format, ...) {
  char config[1024];
  va_list list;
  va_start(list, format);
  format_text_list(config, sizeof config, format, list);
  va_end(list);
  harness_start(config);
}

/* Each field that can be read is written as it was; "-" stays "-"; those that follow from others are derived. */
static void fields(void **state) {
  static const struct {
    const char *fields, *line, *expected;
  } cases[] = {
      {"timestamp", "996033261.451094", NULL},
      {"ntimestamp", "996033261.451094321", NULL},
      {"utimestamp", "1.000001", NULL},
      {"ts_sec ts_usec", "996033261 451094", NULL},
      {"ts_usec1", "996033261451094", NULL},
      {"ip_src ip_dst", "192.150.187.37 192.168.1.100", NULL},
      {"'ip src' dst", "192.150.187.37 192.168.1.100", NULL},
      {"ip_proto", "T", NULL},
      {"ip_proto", "U", NULL},
      {"ip_proto", "I", NULL},
      {"ip_proto", "10", NULL},
      {"ip_len ip_id ip_ttl ip_sum ip_hl", "132 48759 254 43812 20", NULL},
      {"ip_tos", "29", NULL},
      {"ip_dscp ip_ecn", "29 ce", NULL},
      {"ip_frag", "F", NULL},
      {"ip_frag", "f", NULL},
      {"ip_id ip_frag", "1 !", NULL},
      {"ip_frag", ".", NULL},
      {"ip_fragoff", "0+", NULL},
      {"ip_fragoff", "800!", NULL},
      {"ip_proto sport dport", "U 22 2943", NULL},
      {"sport dport tcp_seq tcp_ack tcp_flags tcp_off tcp_window tcp_urp", "22 2943 93167339 93178192 SA 20 480 0",
       NULL},
      {"tcp_flags", ".", NULL},
      {"tcp_flags", "18", "SA"},
      {"tcp_flags", "FSRPAUECN", NULL},
      {"ip_proto udp_len", "U 34", NULL},
      {"icmp_type icmp_code icmp_flowid icmp_seq ip_proto", "8 0 256 7 I", NULL},
      {"icmp_type icmp_code icmp_nextmtu ip_proto", "3 4 1400 I", NULL},
      {"ip_proto sport tcp_seq icmp_type", "10 - - -", NULL},
      {"count direction aggregate", "3 < 973", NULL},
      {"link", "7", NULL},
      {"ip_len payload_len ip_capture_len wire_len payload", "140 100 40 140 \"\"", NULL},
      {"eth_src eth_dst", "- -", NULL},
      {"ip_src ip_id", "1.2.3 99999", "0.0.0.0 0"}, /* malformed */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char line[256];
    format_text(line, sizeof line, "%s\n", cases[i].line);
    write_in(line);
    start("f :: FromIPSummaryDump(%s, STOP true, DEFAULT_FIELDS \"%s\")"
          " -> ToIPSummaryDump(%s, FIELDS \"%s\", HEADER false)",
          in_path, cases[i].fields, out_path, cases[i].fields);
    harness_run(3);
    assert_int_equal(harness.stops, 1);
    assert_int_equal(harness_number("f.malformed"), i == sizeof cases / sizeof *cases - 1);
    harness_stop();
    format_text(line, sizeof line, "%s\n", cases[i].expected ? cases[i].expected : cases[i].line);
    if (strcmp(read_out(), line) != 0) fail_msg("%s: %s, not %s", cases[i].fields, read_out(), line);
  }
}

/* The header lines of Click's example; a captured packet's fields; and what BAD_PACKETS says of one without IP. */
static void dump(void **state) {
  start(
      "FromDump(tests/unit/elements/dumps/ip.pcap) -> t :: ToIPSummaryDump(%s, BANNER me, CONTENTS ip_src sport payload)"
      " -> Discard",
      out_path);
  harness_run(3);
  assert_int_equal(harness_number("t.count"), 1);
  harness_expect_write("t.flush", "", 0);
  assert_string_equal(read_out(),
                      "!IPSummaryDump 1.3\n!creator \"me\"\n!data ip_src sport payload\n192.0.2.1 1 \"abc\"\n");
  harness_stop();
  start("FromDump(tests/unit/elements/dumps/cut.pcap)"
        " -> ToIPSummaryDump(%s, FIELDS eth_src wire_len ip_src, BAD_PACKETS true, HEADER false, EXTRA_LENGTH false)",
        out_path);
  harness_run(3);
  harness_stop();
  assert_string_equal(read_out(), "!bad no IP header\n- 20 -\n");
  start("Idle -> ToIPSummaryDump(%s, VERBOSE true)", out_path);
  harness_stop();
  assert_non_null(strstr(read_out(), "!runtime 1700000000.123456\n!data ip_src ip_dst\n"));
}

/* A !data line tells the fields; comments and marks are no packets; PROTO, SAMPLE, ACTIVE and the handlers. */
static void reading(void **state) {
  write_in("!IPSummaryDump 1.3\n# comment\n!data ip_src sport\n1.2.3.4 5\n\n!bad x\n1.2.3.5\n");
  start("f :: FromIPSummaryDump(%s, PROTO 17, ACTIVE false, ZERO true) -> o :: Capture", in_path);
  harness_run(2);
  assert_int_equal(harness_number("f.count"), 0);
  assert_string_equal(harness_read("f.active"), "false");
  harness_expect_write("f.active", "true", 0);
  harness_run(2);
  assert_int_equal(harness_number("f.count"), 2);
  assert_int_equal(harness_last("o")->length, 28);
  assert_string_equal(harness_read("f.encap"), "IP");
  harness_expect_write("f.stop", "", 0);
  assert_int_equal(harness.stops, 1);
  harness_stop();
  start("f :: FromIPSummaryDump(%s, SAMPLE 0.001, DEFAULT_CONTENTS ip_dst) -> o :: Discard", in_path);
  harness_run(2);
  assert_int_equal(harness_number("f.count"), 0);
  assert_int_equal(strncmp(harness_read("f.sampling_prob"), "0.001", 5), 0);
  harness_stop();
}

static void refusals(void **state) {
  harness_refuses("Idle -> ToIPSummaryDump(/dev/null, FIELDS ip_src color)", "unknown content type 'color'");
  harness_refuses("Idle -> ToIPSummaryDump(/dev/null, BINARY true)", "BINARY");
  harness_refuses("Idle -> ToIPSummaryDump(/nowhere/x)", "No such file");
  harness_refuses("FromIPSummaryDump(/nowhere/x) -> Discard", "No such file");
}

static int set_up(void **state) { return close(mkstemp(in_path)) | close(mkstemp(out_path)); }
static int tear_down(void **state) { return unlink(in_path) | unlink(out_path); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fields), cmocka_unit_test(dump), cmocka_unit_test(reading),
                                     cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
