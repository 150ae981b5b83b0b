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

static size_t read_bytes(char *bytes, size_t size) {
  FILE *file = fopen(out_path, "r");
  size_t length = fread(bytes, 1, size - 1, file);
  bytes[length] = '\0';
  fclose(file);
  return length;
}

static const char *read_out(void) {
  static char bytes[4096];
  (void)read_bytes(bytes, sizeof bytes);
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
  assert_string_equal(read_out(), "!bad Ethernet header\n- 20 -\n");
  start("Idle -> ToIPSummaryDump(%s, VERBOSE true)", out_path);
  harness_stop();
  assert_non_null(strstr(read_out(), "\n!host "));
  assert_non_null(strstr(read_out(), "\n!runtime 1700000000.123456 ("));
  assert_non_null(strstr(read_out(), " 2023)\n!data ip_src ip_dst\n"));
}

/* BINARY: the lines of the header, then records; "!bad records, for example, are" lines with the top bit of the length set. Written and
 * read again they are the same, also compressed. */
static void binary(void **state) {
  char bytes[4096], again[4096];
  write_in("!data ip_src ip_tos\n1.2.3.4 5\n1.2.3.5 6\n");
  start("FromIPSummaryDump(%s) -> ToIPSummaryDump(%s, FIELDS ip_src ip_tos, BINARY true)", in_path, out_path);
  harness_run(6);
  harness_stop();
  size_t length = read_bytes(bytes, sizeof bytes);
  static const char records[] = "!IPSummaryDump 1.3\n!data ip_src ip_tos\n!binary\n"
                                "\0\0\0\x09\1\2\3\4\5\0\0\0\x09\1\2\3\5\6";
  assert_int_equal(length, sizeof records - 1);
  assert_memory_equal(bytes, records, length);
  static const char *const endings[] = {"", ".gz", ".bz2"};
  for (unsigned i = 0; i < 3; i++) {
    char path[64];
    format_text(path, sizeof path, "%s%s", in_path, endings[i]);
    FILE *file = fopen(in_path, "wb");
    fwrite(bytes, 1, length, file);
    fclose(file);
    start("FromIPSummaryDump(%s) -> ToIPSummaryDump(%s, FIELDS ip_src ip_tos, BINARY true)", in_path,
          i == 0 ? out_path : path);
    harness_run(6);
    harness_stop();
    if (i == 0) assert_int_equal(read_bytes(again, sizeof again), length);
    if (i == 0) assert_memory_equal(again, bytes, length);
    start("f :: FromIPSummaryDump(%s) -> ToIPSummaryDump(%s, FIELDS ip_src ip_tos, HEADER false)", path, out_path);
    assert_string_equal(harness_read("f.filesize"), i == 0 ? "65" : "-");
    harness_run(6);
    assert_string_equal(harness_read("f.filepos"), "65");
    harness_stop();
    assert_string_equal(read_out(), "1.2.3.4 5\n1.2.3.5 6\n");
    if (i > 0) unlink(path);
  }
  start("FromDump(tests/unit/elements/dumps/cut.pcap)"
        " -> ToIPSummaryDump(%s, FIELDS ntimestamp ip_src, BINARY true, BAD_PACKETS true)",
        out_path);
  harness_run(3);
  harness_stop();
  static const char bad[] = "!IPSummaryDump 1.3\n!data ntimestamp ip_src\n!binary\n"
                            "\x80\0\0\x16!bad no IP header\n"
                            "\0\0\0\x10\x3b\x9a\xca\0\x0e\xe6\xb2\x80\0\0\0\0"; /* 1000000000.25, no address */
  assert_int_equal(read_bytes(bytes, sizeof bytes), sizeof bad - 1);
  assert_memory_equal(bytes, bad, sizeof bad - 1);
}

/* Records that are damaged end the dump, and say where. */
static void damaged_records(void **state) {
  static const struct {
    const char *bytes;
    size_t length;
    const char *message;
  } cases[] = {
      {"\0\0\0\3", 4, "record"}, {"\0\0\0\x08\1\2", 6, ""}, {"\x7f\xff\xff\xff", 4, ""},
      {"\0\0", 2, ""},           {"\0\0\0\4", 4, ""}, /* a packet of which nothing is told */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    FILE *file = fopen(in_path, "wb");
    fputs("!data ip_src\n!binary\n", file);
    fwrite(cases[i].bytes, 1, cases[i].length, file);
    fclose(file);
    start("f :: FromIPSummaryDump(%s, STOP true) -> Discard", in_path);
    harness_run(6);
    assert_int_equal(harness_number("f.count"), 0);
    assert_int_equal(harness.stops, 1);
    assert_non_null(strstr(text_string(&harness.log), in_path));
    text_clear(&harness.log);
    harness_stop();
  }
}

/* A !data line tells the fields; comments and marks are no packets; PROTO, SAMPLE, ACTIVE and the handlers. */
static void reading(void **state) {
  write_in("!IPSummaryDump 1.3\r\n# comment\r!data ip_src sport\n1.2.3.4 5\n\n!bad x\n1.2.3.5\n");
  start("f :: FromIPSummaryDump(%s, PROTO 17, ACTIVE false, ZERO true) -> o :: Capture", in_path);
  harness_run(2);
  assert_int_equal(harness_number("f.count"), 0);
  assert_string_equal(harness_read("f.active"), "false");
  assert_string_equal(harness_read("f.filename"), in_path);
  assert_string_equal(harness_read("f.filesize"), "75");
  harness_expect_write("f.active", "true", 0);
  harness_run(2);
  assert_int_equal(harness_number("f.count"), 2);
  assert_int_equal(harness_last("o")->length, 28);
  assert_string_equal(harness_read("f.filepos"), "75");
  assert_string_equal(harness_read("f.encap"), "IP");
  harness_expect_write("f.stop", "", 0);
  assert_int_equal(harness.stops, 1);
  harness_stop();
  start("f :: FromIPSummaryDump(%s, SAMPLE 0.001, DEFAULT_CONTENTS ip_dst) -> o :: Discard", in_path);
  harness_run(2);
  assert_int_equal(harness_number("f.count"), 0);
  assert_int_equal(strncmp(harness_read("f.sampling_prob"), "0.001", 5), 0);
  harness_stop();
  write_in("!data ip_src ip_id\n1.2.3.4 x\n- -\nnonsense\n");
  start("f :: FromIPSummaryDump(%s) -> o :: Capture", in_path);
  harness_run(3);
  assert_int_equal(harness_number("f.count"), 1);
  assert_int_equal(harness_number("f.malformed"), 3);
  assert_non_null(strstr(text_string(&harness.log), ":3: packet parse error"));
  text_clear(&harness.log);
  harness_stop();
}

/* One packet of a dump that is given as DATA, with these arguments besides, in these fields. */
static void expect_data(const char *data, const char *arguments, const char *fields, const char *expected) {
  start("FromIPSummaryDump(DATA \"%s\"%s) -> ToIPSummaryDump(%s, FIELDS %s, HEADER false)", data, arguments, out_path,
        fields);
  harness_run(8);
  harness_stop();
  if (strcmp(read_out(), expected) != 0) fail_msg("%s%s: %s", data, arguments, read_out());
}

/* The lines with '!', and the arguments that say the same before the first of them. */
static void marks(void **state) {
  expect_data("!flowid 1.0.0.1 5 2.0.0.2 6 U\n!data ip_id\n7\n", "", "ip_src sport ip_dst dport ip_proto ip_id",
              "1.0.0.1 5 2.0.0.2 6 U 7\n");
  expect_data("!flowid 1.0.0.1 - - 6\n!data ip_src sport\n9.9.9.9 8\n", "", "ip_src sport ip_dst dport",
              "9.9.9.9 8 0.0.0.0 6\n");
  expect_data("!data ip_id\n7\n", ", FLOWID 1.0.0.1 5 2.0.0.2 6 17", "ip_src sport ip_proto", "1.0.0.1 5 U\n");
  expect_data("7\n", ", DEFAULT_FLOWID 1.0.0.1 5 2.0.0.2 6, DEFAULT_FIELDS ip_id", "ip_src sport ip_proto ip_id",
              "1.0.0.1 5 T 7\n");
  expect_data("7\n", ", DEFAULT_FLOWID 1.0.0.1 5 2.0.0.2 6, FIELDS ip_id", "ip_src sport ip_proto ip_id",
              "1.0.0.1 5 T 7\n");
  expect_data("!data ts_sec\n7\n!flowid 1.0.0.1 5 2.0.0.2 6\n8\n", "", "ts_sec ip_src", "7 -\n8 1.0.0.1\n");
  expect_data("!proto icmp\n!data ip_id\n7\n!proto 17\n8\n!proto T\n9\n", "", "ip_proto", "I\nU\nT\n");
  expect_data("!contents ip_id\n!aggregate 973\n7\n", "", "aggregate", "973\n");
  expect_data("!data aggregate\n!aggregate 973\n7\n", "", "aggregate", "7\n");
  expect_data("!IPSummaryDump 1.0\n!data ip_fragoff\n100+\n", "", "ip_fragoff", "800+\n"); /* units of 8 bytes then */
  expect_data("!IPSummaryDump 1.3\n!data ip_fragoff\n104+\n", "", "ip_fragoff", "104+\n");
  expect_data("!data ip_src 'tcp seq'\n1.0.0.1 5\n!data tcp_seq\n6\n", "", "ip_src tcp_seq", "1.0.0.1 5\n0.0.0.0 6\n");
  static const char *const wrong[][2] = {
      {"!flowid 1.0.0 5 2.0.0.2 6\n", "bad flow"},
      {"!flowid 1.0.0.1 5 2.0.0.2\n", "bad flow"},
      {"!flowid 1.0.0.1 5 2.0.0.2 65536\n", "bad flow"},
      {"!flowid 1.0.0.1 5 2.0.0.2 6 x\n", "bad protocol 'x'"},
      {"!proto 256\n", "bad protocol '256'"},
      {"!aggregate x\n", "bad !aggregate"},
      {"!data\n", "no contents"},
      {"!data color\n", "unknown content type 'color'"},
      {"!binary x\n", "bad !binary"},
      {"!IPSummaryDump 2.0\n", "unexpected IPSummaryDump version 2.0"},
      {"!creator me\n1.2.3.4\n", "no '!data' provided"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    start("FromIPSummaryDump(DATA \"!creator x\n%s\") -> Discard", wrong[i][0]);
    harness_run(4);
    if (strstr(text_string(&harness.log), wrong[i][1]) == NULL)
      fail_msg("%s: %s", wrong[i][0], text_string(&harness.log));
    text_clear(&harness.log);
    harness_stop();
  }
}

/* "MULTIPACKET: emit as many packets as the packet count field specifies", with lengths and times shared out; the other way round
 * "generate multiple summary entries for packets with nonzero extra-packets annotations", unless count is written. */
static void multipacket(void **state) {
  static const char three[] = "!data count timestamp first_timestamp ip_len\n3 30.0 10.0 151\n";
  expect_data(three, ", MULTIPACKET true", "count timestamp ip_len",
              "1 10.000000 50\n1 20.000000 50\n1 30.000000 51\n");
  expect_data(three, "", "count timestamp ip_len", "3 30.000000 151\n");
  expect_data(three, ", MULTIPACKET true, SAMPLE 0.001", "count", "");
  expect_data("!data count ip_len\n2 41\n", ", MULTIPACKET true", "ip_len", "40\n40\n"); /* headers are not shared */
  expect_data("!data count ip_proto ip_len\n2 U 100\n", ", MULTIPACKET true", "ip_len udp_len", "50 30\n50 30\n");
  expect_data("!data count wire_len timestamp\n2 9 5.0\n", "", "wire_len, MULTIPACKET true", "4\n5\n");
  expect_data(three, "", "timestamp, MULTIPACKET true", "10.000000\n20.000000\n30.000000\n");
  expect_data(three, "", "timestamp count, MULTIPACKET true", "30.000000 3\n");
  expect_data("!data count ts_sec\n1 5\n0 6\n", ", MULTIPACKET true", "ts_sec count", "5 1\n6 1\n");
  /* The packet itself passes as it was. */
  start("FromIPSummaryDump(DATA \"%s\") -> ToIPSummaryDump(/dev/null, FIELDS ip_len, MULTIPACKET true)"
        " -> ToIPSummaryDump(%s, FIELDS count timestamp wire_len, HEADER false)",
        three, out_path);
  harness_run(3);
  harness_stop();
  assert_string_equal(read_out(), "3 30.000000 151\n");
}

/* "CHECKSUM: packets' IP, TCP, and UDP checksums are set, and have actual data bytes covering the entire IP length." Bytes by scapy. */
static void checksums(void **state) {
  static const struct {
    const char *data;
    const char *bytes;
    size_t length;
  } cases[] = {
      {"!data ip_src ip_dst sport dport tcp_flags payload\n1.2.3.4 5.6.7.8 1 2 S 'abcd'\n",
       "\x45\x00\x00\x2c\x00\x00\x00\x00\x64\x06\x46\xb9\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00"
       "\x00\x00\x50\x02\x00\x00\xdb\x01\x00\x00"
       "abcd",
       44},
      {"!proto U\n!data ip_src ip_dst sport dport payload\n1.2.3.4 5.6.7.8 1 2 'abc'\n",
       "\x45\x00\x00\x1f\x00\x00\x00\x00\x64\x11\x46\xbb\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02\x00\x0b\x2b\x5f"
       "abc",
       31},
      {"!proto I\n!data ip_src ip_dst icmp_type icmp_flowid icmp_seq\n1.2.3.4 5.6.7.8 8 256 7\n",
       "\x45\x00\x00\x1c\x00\x00\x00\x00\x64\x01\x46\xce\x01\x02\x03\x04\x05\x06\x07\x08\x08\x00\xf6\xf8\x01\x00\x00\x07",
       28},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    start("f :: FromIPSummaryDump(DATA \"%s\", CHECKSUM true) -> CheckIPHeader -> o :: Capture", cases[i].data);
    harness_run(3);
    assert_int_equal(harness_last("o")->length, cases[i].length);
    assert_memory_equal(harness_last("o")->data, cases[i].bytes, cases[i].length);
    harness_stop();
  }
  start("f :: FromIPSummaryDump(DATA \"!data ip_len\n500\n65535\n\", CHECKSUM true) -> o :: Capture");
  harness_run(1);
  assert_int_equal(harness_last("o")->length, PACKET_DATA_CAPACITY); /* as much as there is room for */
  assert_int_equal(annotation_u32(harness_last("o"), 28), 65535 - PACKET_DATA_CAPACITY);
  harness_stop();
}

/* "TIMING: maintains the delays between packets"; packets may be pulled; a file that is not there may be allowed. */
static void arguments(void **state) {
  write_in("!data timestamp\n1.0\n2.5\n2.5\n4\n");
  start("f :: FromIPSummaryDump(%s, TIMING true) -> Discard", in_path);
  static const unsigned counts[] = {1, 1, 3, 4};
  for (unsigned second = 0; second < 4; second++) {
    harness_run(3);
    assert_int_equal(harness_number("f.count"), counts[second]);
    harness_run_until(harness.now + 1000000000, 100000000);
  }
  harness_stop();
  start("f :: FromIPSummaryDump(%s, STOP true) -> u :: Unqueue -> c :: Counter -> Discard", in_path);
  harness_run(10);
  assert_int_equal(harness_number("c.count"), 4);
  assert_true(harness.stops >= 1);
  harness_stop();
  start("f :: FromIPSummaryDump(/nowhere/x, ALLOW_NONEXISTENT true, STOP true) -> Discard");
  harness_run(3);
  assert_int_equal(harness.stops, 1);
  harness_stop();
  write_in("");
  start("f :: FromIPSummaryDump(%s, ALLOW_NONEXISTENT true, STOP true) -> Discard", in_path);
  harness_run(3);
  assert_int_equal(harness.stops, 1);
  harness_stop();
  /* From a queue it pulls, and passes on; what IP calls for and is not there is bad only where that is cared for. */
  write_in("!data ip_src ip_len\n1.2.3.4 100\n");
  static const char *const careful[] = {"false", "true"};
  for (unsigned i = 0; i < 2; i++) {
    start("FromIPSummaryDump(%s) -> q :: Queue -> ToIPSummaryDump(%s, FIELDS ip_src, HEADER false, EXTRA_LENGTH false, "
          "BAD_PACKETS true, CAREFUL_TRUNC %s) -> c :: Counter -> Discard",
          in_path, out_path, careful[i]);
    harness_run(6);
    assert_int_equal(harness_number("c.count"), 1);
    harness_stop();
    assert_string_equal(read_out(), i == 0 ? "1.2.3.4\n" : "!bad truncated IP missing 60\n1.2.3.4\n");
  }
}

/* Dumps go on through a hot swap: the one that is read where the graph that goes was, the one that is written without being emptied. */
static void hot_swap(void **state) {
  char config[512];
  write_in("!data ip_id\n1\n2\n3\n");
  start("f :: FromIPSummaryDump(%s, TIMING false) -> q :: Queue(1) -> t :: ToIPSummaryDump(%s, FIELDS ip_id)", in_path,
        out_path);
  harness_run(1);
  for (unsigned i = 0; i < 3; i++) {
    format_text(config, sizeof config,
                "f :: FromIPSummaryDump(%s) -> q :: Queue(1000) -> t :: ToIPSummaryDump(%s, FIELDS ip_id)", in_path,
                out_path);
    harness_replace(config);
    harness_run(2);
  }
  assert_int_equal(harness_number("f.count"), 3);
  format_text(config, sizeof config, "Idle -> t :: ToIPSummaryDump(%s, FIELDS ip_tos)", out_path);
  harness_write("t.flush", "", 0);
  char before[128];
  format_text(before, sizeof before, "%s", read_out());
  assert_int_equal(strncmp(before, "!IPSummaryDump 1.3\n!data ip_id\n1\n", 33), 0);
  assert_null(strstr(before + 1, "!IPSummaryDump"));
  harness_replace(config); /* other fields: a dump of its own */
  harness_stop();
  assert_string_equal(read_out(), "!IPSummaryDump 1.3\n!data ip_tos\n");
}

static void refusals(void **state) {
  harness_refuses("Idle -> ToIPSummaryDump(/dev/null, FIELDS ip_src color)", "unknown content type 'color'");
  harness_refuses("Idle -> ToIPSummaryDump(/dev/null, FIELDS payload, BINARY true)",
                  "cannot use field payload with BINARY");
  harness_refuses("Idle -> ToIPSummaryDump(/nowhere/x)", "No such file");
  harness_refuses("FromIPSummaryDump(/nowhere/x) -> Discard", "No such file");
  harness_refuses("FromIPSummaryDump(/dev/null) -> Discard", "empty file");
  harness_refuses("FromIPSummaryDump() -> Discard", "FILENAME: required argument missing");
  harness_refuses("FromIPSummaryDump(x, DATA y) -> Discard", "FILENAME and DATA conflict");
  harness_refuses("FromIPSummaryDump(/dev/null, FLOWID 1) -> Discard", "bad flow");
}

static int set_up(void **state) { return close(mkstemp(in_path)) | close(mkstemp(out_path)); }
static int tear_down(void **state) { return unlink(in_path) | unlink(out_path); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dump),      cmocka_unit_test(binary),    cmocka_unit_test(damaged_records),
      cmocka_unit_test(reading),   cmocka_unit_test(marks),     cmocka_unit_test(multipacket),
      cmocka_unit_test(checksums), cmocka_unit_test(arguments), cmocka_unit_test(hot_swap),
      cmocka_unit_test(refusals),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
