/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the fields of IP summary dumps: each is read from text into a packet and from there written as text and as a binary
 * record, which is read again. Fields, examples and the binary form are those of the manual page of Click's ToIPSummaryDump; the bytes
 * were worked out by hand from that and from the RFCs of the headers.
 */
#include "tests/unit/elements/harness.h"

#include <stdlib.h>
#include <string.h>

#include "platform/process/summary/summary.h"

static struct packet_pool pool;

static void from_hex(const char *hex, uint8_t *bytes, size_t *length) {
  for (*length = 0; *hex != '\0'; hex++) {
    if (*hex == ' ') continue;
    bytes[(*length)++] = (uint8_t)(char_hex_value(hex[0]) << 4 | char_hex_value(hex[1]));
    hex++;
  }
}

static struct packet *read_line(const char *fields, const char *line) {
  struct summary_context context;
  bool malformed;
  summary_context_init(&context);
  assert_int_equal(summary_fields_parse(fields, SUMMARY_READ, &context.fields, NULL), 0);
  struct packet *p = packet_new(&pool);
  if (summary_read(&context, slice_of(line), false, p, &malformed) == 0) fail_msg("%s: %s: no packet", fields, line);
  return p;
}

static void write_line(const char *fields, const struct packet *p, bool binary, struct text *out, struct text *bad) {
  struct summary_fields parsed;
  struct summary_style style = {.binary = binary, .extra_length = true, .careful_truncation = true};
  assert_int_equal(summary_fields_parse(fields, binary ? SUMMARY_WRITE_BINARY : SUMMARY_WRITE, &parsed, NULL), 0);
  text_clear(out);
  summary_write(&parsed, p, &style, out, bad);
}

struct row {
  const char *fields, *line;
  const char *written; /* fields that are written; NULL: the same */
  const char *text;    /* as which they are written; NULL: the same */
  const char *record;  /* and in a record, behind its length; NULL: they have no binary form */
  int offset;          /* where in the packet are the bytes; -1: nowhere */
  const char *bytes;
};

static void check_row(const struct row *row) {
  const char *written = row->written != NULL ? row->written : row->fields;
  char expected[512];
  uint8_t bytes[256];
  size_t length;
  struct text out = {0}, again = {0};
  struct packet *p = read_line(row->fields, row->line);
  write_line(written, p, false, &out, NULL);
  format_text(expected, sizeof expected, "%s\n", row->text != NULL ? row->text : row->line);
  if (strcmp(text_string(&out), expected) != 0) fail_msg("%s: %s, not %s", written, text_string(&out), expected);
  if (row->offset >= 0) {
    from_hex(row->bytes, bytes, &length);
    if (p->length < row->offset + length || memcmp(p->data + row->offset, bytes, length) != 0)
      fail_msg("%s: bytes of the packet are wrong", row->fields);
  }
  if (row->record != NULL) {
    from_hex(row->record, bytes + 4, &length);
    store_be32(bytes, (uint32_t)length + 4);
    write_line(written, p, true, &out, NULL);
    if (out.length != length + 4 || memcmp(out.data, bytes, out.length) != 0) fail_msg("%s: record is wrong", written);
    /* What is in the record gives it again; "-" has become 0 there. */
    struct summary_context context;
    bool malformed;
    summary_context_init(&context);
    (void)!summary_fields_parse(written, SUMMARY_READ, &context.fields, NULL);
    struct packet *q = packet_new(&pool);
    unsigned told = summary_read(&context, (struct slice){out.data + 4, out.length - 4}, true, q, &malformed);
    if (told > 0 && strchr(expected, '-') == NULL && strncmp(written, "payload_md5", 11) != 0) {
      write_line(written, q, true, &again, NULL);
      if (again.length != out.length || memcmp(again.data, out.data, out.length) != 0)
        fail_msg("%s: the record is not read as it was written", written);
    }
    packet_kill(q);
  }
  text_free(&out);
  text_free(&again);
  packet_kill(p);
}

/* "Valid field names, with examples, are": all of them. Lines without remark have the manual page's example. */
static void every_field(void **state) {
  static const struct row rows[] = {
      {"timestamp", "996033261.451094", NULL, NULL, "3b5e42ed 0006e216", -1, NULL},
      {"utimestamp", "1.000001", NULL, NULL, "00000001 00000001", -1, NULL},
      {"ts", "7.5", NULL, "7.500000", "00000007 0007a120", -1, NULL},
      {"ntimestamp", "996033261.451094321", NULL, NULL, "3b5e42ed 1ae32731", -1, NULL},
      {"timestamp", "1.000000001", "ntimestamp", NULL, "00000001 00000001", -1, NULL},
      {"first_timestamp", "996033261.451094", NULL, NULL, "3b5e42ed 0006e216", -1, NULL},
      {"first_ntimestamp", "996033261.451094321", NULL, NULL, "3b5e42ed 1ae32731", -1, NULL},
      {"ts_sec ts_usec", "996033261 451094", NULL, NULL, "3b5e42ed 0006e216", -1, NULL},
      {"sec usec", "1 999999", "timestamp", "1.999999", "00000001 000f423f", -1, NULL},
      {"ts_usec1", "996033261451094", NULL, NULL, "000389e3 10bbb756", -1, NULL},
      {"count", "1", NULL, NULL, "00000001", -1, NULL},
      {"packet_count", "3", NULL, NULL, "00000003", -1, NULL},
      {"direction", "2", NULL, NULL, "02", -1, NULL},
      {"direction", ">", NULL, NULL, "00", -1, NULL},
      {"direction", "<", NULL, NULL, "01", -1, NULL},
      {"direction", "L", "link", "0", "00", -1, NULL},
      {"direction", "R", "paint", "1", "01", -1, NULL},
      {"direction", "X", "direction", "<", "01", -1, NULL},
      {"link", "7", NULL, NULL, "07", -1, NULL},
      {"paint", "1", NULL, NULL, "01", -1, NULL},
      {"aggregate", "973", NULL, NULL, "000003cd", -1, NULL},
      {"wire_len", "54", NULL, NULL, "00000036", -1, NULL},
      {"eth_src", "00-0A-95-A6-D9-BC", NULL, NULL, "000a95a6d9bc", 6, "000a95a6d9bc 0800"},
      {"ether_dst eth_type", "00-0A-95-A6-D9-BC 0806", NULL, NULL, "000a95a6d9bc 0806", 0, "000a95a6d9bc"},
      {"eth_src ip_src", "00-0A-95-A6-D9-BC 1.2.3.4", NULL, NULL, "000a95a6d9bc 01020304", 26, "01020304"},
      {"ip_src ip_dst", "192.150.187.37 192.168.1.100", NULL, NULL, "c096bb25 c0a80164", 12, "c096bb25 c0a80164"},
      {"'ip src' dst", "192.150.187.37 192.168.1.100", NULL, NULL, "c096bb25 c0a80164", 12, "c096bb25 c0a80164"},
      {"ip_frag", "F", NULL, NULL, "46", 6, "2000"},
      {"ip_frag", "f", NULL, NULL, "66", 6, "0064"}, /* some later fragment: Click takes 100 */
      {"ip_frag", "!", NULL, NULL, "21", 6, "4000"},
      {"ip_frag", ".", NULL, NULL, "2e", 6, "0000"},
      {"ip_fragoff", "0", NULL, NULL, "0000", 6, "0000"},
      {"ip_fragoff", "0+", NULL, NULL, "2000", 6, "2000"},
      {"ip_fragoff", "0!", NULL, NULL, "4000", 6, "4000"},
      {"ip_fragoff", "800+!", NULL, NULL, "6064", 6, "6064"},
      {"ip_fragoff ip_frag", "16 f", NULL, NULL, "0002 66", 6, "0002"}, /* the exact one counts */
      {"ip_len", "132", NULL, NULL, "00000084", 2, "0084"},
      {"length", "65535", NULL, NULL, "0000ffff", 2, "ffff"},
      {"ip_len", "70000", NULL, NULL, "00011170", 2, "ffff"}, /* the rest is the extra length annotation's */
      {"ip_proto", "10", NULL, NULL, "0a", 9, "0a"},
      {"proto", "I", NULL, NULL, "01", 9, "01"},
      {"ip_p", "T", NULL, NULL, "06", 9, "06"},
      {"ip_proto", "U", NULL, NULL, "11", 9, "11"},
      {"ip_hl", "20", NULL, NULL, "14", 0, "45"},
      {"ip_hl", "28", NULL, NULL, "1c", 0, "47"},
      {"ip_id", "48759", NULL, NULL, "be77", 4, "be77"},
      {"ip_tos", "29", NULL, NULL, "1d", 1, "1d"},
      {"ip_dscp", "29", NULL, NULL, "1d", 1, "74"},
      {"ip_ecn", "no", NULL, NULL, "00", 1, "00"},
      {"ip_ecn", "ect1", NULL, NULL, "01", 1, "01"}, /* clicknet/ip.h: IP_ECN_ECT1 is 1 */
      {"ip_ecn", "ect2", NULL, NULL, "02", 1, "02"},
      {"ip_ecn", "ce", NULL, NULL, "03", 1, "03"},
      {"ip_ecn", "ECT(0)", NULL, "ect2", "02", 1, "02"}, /* RFC 3168, 5: ECT(0) is 10 */
      {"ip_ecn", "1", NULL, "ect1", "01", 1, "01"},
      {"ip_dscp ip_ecn", "1 ce", "ip_tos", "7", "07", 1, "07"},
      {"ip_ttl", "254", NULL, NULL, "fe", 8, "fe"},
      {"ip_src", "1.1.1.1", "ip_ttl", "100", "64", 8, "64"}, /* "the default time-to-live is 100" */
      {"ip_sum", "43812", NULL, NULL, "ab24", 10, "ab24"},
      {"ip_opt", ".", NULL, NULL, "00", 0, "45"},
      {"sport dport", "22 2943", NULL, NULL, "0016 0b7f", 20, "0016 0b7f"},
      {"ip_proto sport dport", "U 22 2943", NULL, NULL, "11 0016 0b7f", 20, "0016 0b7f"},
      {"ip_proto sport dport", "33 22 2943", NULL, NULL, "21 0016 0b7f", 20, "0016 0b7f"},  /* DCCP */
      {"ip_proto sport dport", "136 22 2943", NULL, NULL, "88 0016 0b7f", 20, "0016 0b7f"}, /* UDP-Lite */
      {"ip_proto sport", "50 22", NULL, "50 -", "32 0000", 9, "32"},                        /* ESP has no ports */
      {"tcp_seq tcp_ack", "93167339 93178192", NULL, NULL, "058d9eeb 058dc950", 24, "058d9eeb 058dc950"},
      {"tcp_seqno", "4294967295", NULL, NULL, "ffffffff", 24, "ffffffff"},
      {"tcp_off", "20", NULL, NULL, "14", 32, "50"},
      {"tcp_off", "24", NULL, NULL, "18", 32, "60"},
      {"tcp_flags", "SA", NULL, NULL, "12", 33, "12"},
      {"tcp_flags", ".", NULL, NULL, "00", 33, "00"},
      {"tcp_flags", "FSRPAUEC", NULL, NULL, "ff", 33, "ff"},
      {"tcp_flags", "FSRPAUECN", NULL, NULL, NULL, 32, "51ff"},
      {"tcp_flags", "XW", NULL, "EC", "c0", 33, "c0"}, /* "old dumps might use X and Y", W "is also acceptable" */
      {"tcp_flags", "18", NULL, "SA", "12", 33, "12"}, /* "or an unsigned integer" */
      {"tcp_opt", ".", NULL, NULL, "00", 32, "50"},
      {"tcp_window", "480", NULL, NULL, "01e0", 34, "01e0"},
      {"tcp_win tcp_urp", "480 0", NULL, NULL, "01e0 0000", 38, "0000"},
      {"tcp_urp", "513", NULL, NULL, "0201", 38, "0201"},
      {"ip_proto udp_len", "U 34", NULL, NULL, "11 00000022", 24, "0022"},
      {"ip_proto ip_len", "U 34", "udp_len", "14", "0000000e", 24, "000e"}, /* 34 less IP's 20 */
      {"ip_proto icmp_type icmp_code", "I 0 2", NULL, NULL, "01 00 02", 20, "0002"},
      {"ip_proto icmp_type_name", "I echo", NULL, NULL, "01 08", 20, "08"},
      {"ip_proto icmp_type_name", "I 200", NULL, NULL, "01 c8", 20, "c8"},
      {"ip_proto icmp_type", "I timestamp-reply", NULL, "I 14", "01 0e", 20, "0e"},
      {"ip_proto icmp_type_name icmp_code_name", "I unreachable needfrag", NULL, NULL, "01 03 04", 20, "0304"},
      {"ip_proto icmp_code_name icmp_type_name", "I reassembly timeexceeded", NULL, NULL, "01 01 0b", 20, "0b01"},
      {"ip_proto icmp_type_name icmp_code_name", "I echo-reply 3", NULL, NULL, "01 00 03", 20, "0003"},
      {"ip_proto icmp_type icmp_flowid icmp_seq", "I 8 256 7", NULL, NULL, "01 08 0100 0007", 24, "01000007"},
      {"ip_proto icmp_type icmp_flowid", "I 3 256", NULL, "I 3 -", "01 03 0000", 24, "0000"}, /* not of this type */
      {"ip_proto icmp_type icmp_code icmp_nextmtu", "I 3 4 256", NULL, NULL, "01 03 04 0100", 26, "0100"},
      {"ip_proto icmp_type icmp_code icmp_nextmtu", "I 3 1 256", NULL, "I 3 1 -", "01 03 01 0000", 26, "0000"},
      {"payload", "\"abc\"", NULL, NULL, NULL, 40, "616263"},
      {"ip_proto payload", "U \"a\\\"\\\\\\$\\n\\t\\r\\000\\377\"", NULL, NULL, NULL, 28, "61225c240a090d00ff"},
      {"payload", "\"\"", NULL, NULL, NULL, 32, "50"},
      {"payload", "\"abc\"", "payload_len ip_len", "3 43", "00000003 0000002b", 2, "002b"},
      {"ip_proto payload", "50 \"abcd\"", "payload_len payload", "4 \"abcd\"", NULL, 20, "61626364"},
      {"payload_len", "34", NULL, NULL, "00000022", 2, "004a"}, /* 20 + 20 + 34 */
      {"ip_proto payload_length", "U 34", NULL, NULL, "11 00000022", 2, "003e"},
      {"ip_proto payload_len", "I 34", NULL, NULL, "01 00000022", 2, "0036"}, /* ICMP counts as payload */
      /* "MD5 (abc) = 900150983cd24fb0d6963f7d28e17f72", RFC 1321, A.5; 22 letters of 6 bits, low bits first */
      {"payload", "\"abc\"", "payload_md5 payload_md5_hex", "qgauyYJ0pbR1w_tFOe_FYb 900150983cd24fb0d6963f7d28e17f72",
       "900150983cd24fb0d6963f7d28e17f72 900150983cd24fb0d6963f7d28e17f72", -1, NULL},
      /* "MD5 () = d41d8cd98f00b204e9800998ecf8427e" */
      {"payload", "\"\"", "payload_md5_hex payload_md5", "d41d8cd98f00b204e9800998ecf8427e u3bJz@iaYsq6aMaMSJVq_b",
       "d41d8cd98f00b204e9800998ecf8427e d41d8cd98f00b204e9800998ecf8427e", -1, NULL},
      {"ip_len", "140", "ip_capture_len ip_len payload_len wire_len", "40 140 100 140",
       "00000028 0000008c 00000064 0000008c", -1, NULL},
      /* A length that leaves room between what is known of the headers and the payload: options that were not told. */
      {"ip_len payload_len", "60 8", "ip_hl tcp_off payload_len", "20 32 8", "14 20 00000008", 32, "80"},
      {"ip_len payload_len", "100 8", "ip_hl tcp_off payload_len", "32 60 8", "20 3c 00000008", 0, "48"},
      {"ip_len payload_len tcp_opt", "60 8 sackok", "ip_hl tcp_off", "28 24", "1c 18", 48, "04020000"},
      {"ip_len", "22", "sport", "0", "0000", -1, NULL}, /* a packet that ends in its TCP header */
      {"ip_len sport dport", "22 5 6", "sport dport", "5 -", "0005 0000", 20, "0005"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_row(&rows[i]);
}

/* IP options and TCP options in the notation of the manual page, and where they stand in the header. */
static void options(void **state) {
  static const struct row rows[] = {
      {"ip_opt", "rr{10.0.0.1,20.0.0.2}+5", NULL, NULL,
       "20 071f0c0a00000114000002 0000000000000000000000000000000000000000 00", 0, "4d"},
      {"ip_opt", "rr{10.0.0.1}", NULL, NULL, "08 0707080a000001 00", 20, "0707080a000001 00"},
      {"ip_opt", "ssrr{1.0.0.1,1.0.0.2^1.0.0.3}", NULL, NULL, "10 890f0c010000010100000201000003 00", 20, "890f0c"},
      {"ip_opt", "lsrr{^1.0.0.1}", NULL, NULL, "08 83070401000001 00", 20, "830704"},
      {"ip_opt", "lsrr{1.0.0.1^}", NULL, NULL, "08 83070801000001 00", 20, "830708"},
      {"ip_opt", "ts{1,10000,!45}+2++3", NULL, NULL, "18 44181130 00000001 00002710 8000002d 0000000000000000", 20,
       "4418"},
      {"ip_opt", "ts.ip{1.0.0.1=1,1.0.0.2=2}+2", NULL, NULL,
       "24 44241501 01000001 00000001 01000002 00000002 00000000000000000000000000000000", 20, "4424"},
      {"ip_opt", "ts.preip{1.0.0.1=1^1.0.0.2,1.0.0.3}", NULL, NULL,
       "1c 441c0d03 01000001 00000001 01000002 00000000 01000003 00000000", 20, "441c"},
      {"ip_opt", "ts.2{1.0.0.1=1^}", NULL, NULL, "0c 440c0d02 01000001 00000001", 20, "440c"},
      {"ip_opt", "98;99=0:5:10", NULL, NULL, "08 6202 63050005 0a 00", 20, "6202630500050a"},
      {"ip_opt", "nop,98", NULL, "98", "04 01620200", 20, "01620200"}, /* ',' is of older dumps */
      {"opt", "nop;nop;nop;eol", NULL, ".", "04 01010100", 20, "01010100"},
      {"ip_opt sport", "98 5", NULL, NULL, "04 62020000 0005", 24, "0005"},
      {"tcp_opt", "mss1400", NULL, NULL, "04 02040578", 40, "02040578"},
      {"tcp_opt", "wscale10", NULL, NULL, "04 03030a00", 32, "60"},
      {"tcp_opt", "sackok", NULL, NULL, "04 04020000", 40, "04020000"},
      {"tcp_opt", "sack95-98", NULL, NULL, "0c 050a0000005f00000062 0000", 40, "050a"},
      {"tcp_opt", "sack95:98", NULL, "sack95-98", "0c 050a0000005f00000062 0000", 40, "050a"}, /* format 1.1 */
      {"tcp_opt", "sack1-2;sack3-4", NULL, NULL, "14 0512 00000001 00000002 00000003 00000004 0000", 40, "0512"},
      {"tcp_opt", "ts669063908:38382731", NULL, NULL, "0c 0101080a27e11ae40249ac8b", 40, "0101080a"},
      {"tcp_opt", "98;99=0:5:10", NULL, NULL, "08 6202630500050a00", 40, "6202"},
      {"tcp_opt", "nop;eol", NULL, ".", "04 01000000", 40, "0100"},
      {"tcp_opt", "mss1400;sackok;ts1:2;nop;wscale10", NULL, "mss1400;sackok;ts1:2;wscale10",
       "14 02040578 0402 080a0000000100000002 01 03030a", 40, "02040578"},
      {"tcp_opt", "mss1400;sackok;ts1:2;nop;wscale10", "tcp_ntopt tcp_sack", "mss1400;sackok;wscale10 sackok",
       "09 02040578 0402 03030a 02 0402", -1, NULL},
      {"tcp_opt", "ts1:2", "tcp_ntopt tcp_sack", ". .", "00 00", -1, NULL},
      {"tcp_opt", "mss1400", "tcp_sack", ".", "00", -1, NULL},
      {"tcp_ntopt", "mss1400;98", NULL, NULL, "06 02040578 6202", 40, "020405786202"},
      {"tcp_sack", "sackok;sack95-98", NULL, NULL, "0c 0402 050a0000005f00000062", 40, "0402050a"},
      {"tcp_opt payload", "mss1400 \"x\"", NULL, NULL, NULL, 44, "78"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_row(&rows[i]);
}

/* Options that contradict themselves are "?"; what runs past the header is not read. */
static void damaged_options(void **state) {
  static const char *const cases[][3] = {
      {"ip_opt", "4600001800000000640000000102030405060708 07ff0400", "?"},    /* longer than the header */
      {"ip_opt", "4600001800000000640000000102030405060708 07020400", "?"},    /* shorter than its pointer */
      {"ip_opt", "4600001800000000640000000102030405060708 07030300", "?"},    /* pointer into the option's head */
      {"ip_opt", "4600001800000000640000000102030405060708 44040400", "?"},    /* the same of timestamps */
      {"ip_opt", "4600001800000000640000000102030405060708 01010144", "?"},    /* no length at all */
      {"ip_opt", "4600001800000000640000000102030405060708 44042000", "ts{}"}, /* pointer past the end */
      {"ip_opt", "4600001800000000640000000102030405060708 62010000", "?"},
      {"tcp_opt", "4500002c00000000640600000102030405060708 00010002000000000000000060000000000000000205 0000", "?"},
      {"tcp_opt", "4500002c00000000640600000102030405060708 00010002000000000000000060000000000000000509 0000", "?"},
      {"tcp_opt", "4500002c00000000640600000102030405060708 00010002000000000000000060000000000000000101 0102", "?"},
      {"tcp_opt", "4500002c00000000640600000102030405060708 00010002000000000000000060000000000000000502 0000", "."},
      {"tcp_sack", "4500002c00000000640600000102030405060708 00010002000000000000000060000000000000000204 0578", "."},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char expected[64];
    struct text out = {0};
    size_t length;
    uint8_t bytes[256];
    from_hex(cases[i][1], bytes, &length);
    struct packet *p = packet_new_from(&pool, bytes, length);
    p->network_header = (uint16_t)(p->data - (uint8_t *)p);
    write_line(cases[i][0], p, false, &out, NULL);
    format_text(expected, sizeof expected, "%s\n", cases[i][2]);
    if (strcmp(text_string(&out), expected) != 0) fail_msg("%s: %s", cases[i][1], text_string(&out));
    write_line(cases[i][0], p, true, &out, NULL);
    text_free(&out);
    packet_kill(p);
  }
}

/* "If a field does not apply to a particular packet ToIPSummaryDump prints a single dash", and with BAD_PACKETS why. */
static void bad_packets(void **state) {
  static const struct {
    const char *bytes; /* from the IP header on; NULL: there is none */
    uint32_t extra;
    const char *fields, *text, *bad;
  } cases[] = {
      {NULL, 0, "ip_src", "-", "no IP header"},
      {NULL, 0, "ip_len ip_capture_len payload_len", "3 3 3", ""},
      {NULL, 5, "ip_len wire_len", "8 8", ""},
      {NULL, 0, "eth_src", "-", "Ethernet header"},
      {"4500", 0, "ip_tos", "-", "truncated IP header"},
      {"45000014", 0, "ip_tos ip_ttl", "0 -", "truncated IP missing 16"},
      {"45000014", 16, "ip_tos ip_ttl", "0 -", "truncated IP header capture"},
      {"6500001400000000640000000102030405060708", 0, "ip_ttl", "-", "IP version 6"},
      {"4400001400000000640000000102030405060708", 0, "ip_ttl", "-", "IP header length 4"},
      {"4500001300000000640000000102030405060708", 0, "ip_ttl", "-", "IP length 19"},
      {"4500001500000000640000000102030405060708", 0, "ip_ttl", "100", "truncated IP missing 1"},
      {"4500001500000000640000000102030405060708", 1, "ip_ttl", "100", ""},
      {"4500001400000000640000000102030405060708", 0, "ip_ttl ip_len ip_capture_len", "100 20 20", ""},
      /* padding behind what IP says is not of the packet */
      {"4500001400000000640000000102030405060708 ffff", 0, "ip_capture_len payload_len wire_len", "20 0 22", ""},
      {"4600001400000000640000000102030405060708", 0, "ip_opt", "-", "IP length 20"},
      {"4600001800000000640000000102030405060708", 4, "ip_opt", "-", "truncated IP header capture"},
      {"4500001400000000640600000102030405060708", 0, "sport", "-", "truncated TCP/UDP header"},
      {"4500001800000000640600000102030405060708 00010002", 0, "sport dport tcp_seq", "1 2 -", "truncated TCP header"},
      {"4500002800000000640600000102030405060708 00010002", 16, "sport tcp_seq", "1 -", "truncated TCP header capture"},
      {"45000018 0000 4000 640600000102030405060708 00010002", 0, "sport", "1", ""},
      {"4500001800000000641100000102030405060708 00010002", 0, "udp_len", "-", "truncated UDP header"},
      {"4500001800002000641100000102030405060708 00010002", 0, "udp_len", "-", "truncated UDP header"},
      {"4500001800000000640100000102030405060708 08000002", 0, "icmp_seq", "-", "truncated ICMP header"},
      {"4500001800000000643200000102030405060708 00010002", 0, "sport tcp_seq icmp_type", "- - -", ""},
      {"4500002800000000640600000102030405060708 0001000200000000000000004000000000000000", 0, "tcp_seq", "-",
       "TCP header length 4"},
      {"45000018 0000 0003 640600000102030405060708 00010002", 0, "sport", "-", "fragmented TCP/UDP header"},
      {"45000018 0000 0003 640600000102030405060708 00010002", 0, "payload_len payload", "4 \"\\000\\001\\000\\002\"",
       ""},
      {"4500002800000000640600000102030405060708 00010002", 16, "payload payload_md5 payload_len",
       "\"\" u3bJz@iaYsq6aMaMSJVq_b 0", ""},
      {"4500002a00000000640600000102030405060708 00010002", 18, "payload payload_md5 payload_len", "- - 2", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char expected[128];
    uint8_t bytes[256];
    size_t length = 3;
    struct text out = {0}, bad = {0};
    if (cases[i].bytes != NULL) from_hex(cases[i].bytes, bytes, &length);
    struct packet *p = packet_new_from(&pool, cases[i].bytes != NULL ? (char *)bytes : "abc", length);
    if (cases[i].bytes != NULL) p->network_header = (uint16_t)(p->data - (uint8_t *)p);
    annotation_set_u32(p, SUMMARY_EXTRA_LENGTH, cases[i].extra);
    write_line(cases[i].fields, p, false, &out, &bad);
    format_text(expected, sizeof expected, "%s\n", cases[i].text);
    if (strcmp(text_string(&out), expected) != 0) fail_msg("row %zu: %s", i, text_string(&out));
    if (strcmp(text_string(&bad), cases[i].bad) != 0) fail_msg("row %zu: bad %s", i, text_string(&bad));
    text_free(&out);
    text_free(&bad);
    packet_kill(p);
  }
}

/* A value that makes no sense is left out and said to be malformed; a line without a value is no packet. */
static void malformed_values(void **state) {
  static const char *const cases[][2] = {
      {"ip_src", "1.2.3"},
      {"ip_src", "1.2.3.4.5"},
      {"ip_id", "65536"},
      {"ip_id", "-1"},
      {"ip_proto", "256"},
      {"ip_proto", "X"},
      {"ip_ttl", "x"},
      {"ip_dscp", "64"},
      {"ip_ecn", "4"},
      {"ip_ecn", "ect3"},
      {"ip_frag", "FF"},
      {"ip_frag", "x"},
      {"ip_fragoff", "7"},
      {"ip_fragoff", "65536"},
      {"ip_fragoff", "8?"},
      {"ip_hl", "16"},
      {"ip_hl", "61"},
      {"ip_opt", "rr{1.2.3}"},
      {"ip_opt", "rr{1.2.3.4"},
      {"ip_opt", "ts{1"},
      {"ip_opt", "98="},
      {"ip_opt", "256"},
      {"ip_opt", "98;"},
      {"ip_opt", "98x"},
      {"ip_opt", "ts.ip{1}"},
      {"ip_opt", "ts.16{}"},
      {"ip_opt", "rr{}+11"},
      {"ip_opt", "ts{1}++16"},
      {"ip_opt", "ts.ip{1.0.0.1=1,1.0.0.2=2}+5"}, /* more than a header holds, though the manual page has it */
      {"tcp_opt", "mss65536"},
      {"tcp_opt", "mss"},
      {"tcp_opt", "wscale256"},
      {"tcp_opt", "sack1"},
      {"tcp_opt", "ts1"},
      {"tcp_sack", "mss1"},
      {"tcp_ntopt", "ts1:2"},
      {"tcp_opt", "sack1-2;sack3-4;sack5-6;sack7-8;sack9-1"},
      {"tcp_flags", "Z"},
      {"tcp_flags", "512"},
      {"tcp_off", "16"},
      {"tcp_off", "64"},
      {"timestamp", "x"},
      {"timestamp", "5s"},
      {"ts_usec", "1000000"},
      {"timestamp", "4294967296"},
      {"eth_src", "0-1-2"},
      {"eth_type", "10000"},
      {"eth_type", "xyz"},
      {"link", "256"},
      {"direction", "="},
      {"count", "x"},
      {"udp_len", "3"}, /* TCP by default */
      {"icmp_type", "3"},
      {"payload_len", "4294967295"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct summary_context context;
    bool malformed;
    summary_context_init(&context);
    assert_int_equal(summary_fields_parse(cases[i][0], SUMMARY_READ, &context.fields, NULL), 0);
    struct packet *p = packet_new(&pool);
    unsigned told = summary_read(&context, slice_of(cases[i][1]), false, p, &malformed);
    if (told != 0 || !malformed) fail_msg("%s %s: taken", cases[i][0], cases[i][1]);
    told = summary_read(&context, slice_of("-"), false, p, &malformed);
    assert_true(told == 0 && !malformed);
    packet_kill(p);
  }
}

/* A record that is cut off anywhere gives what was before the cut. */
static void short_records(void **state) {
  struct summary_context context;
  struct text record = {0};
  struct packet *p = read_line("timestamp ip_src tcp_opt eth_src", "5.000000 1.2.3.4 mss1400 00-01-02-03-04-05");
  write_line("timestamp ip_src tcp_opt eth_src", p, true, &record, NULL);
  packet_kill(p);
  summary_context_init(&context);
  (void)!summary_fields_parse("timestamp ip_src tcp_opt eth_src", SUMMARY_READ, &context.fields, NULL);
  for (size_t cut = 0; cut <= record.length - 4; cut++) {
    bool malformed;
    char *copy = malloc(cut > 0 ? cut : 1);
    memcpy(copy, record.data + 4, cut);
    p = packet_new(&pool);
    unsigned told = summary_read(&context, (struct slice){copy, cut}, true, p, &malformed);
    assert_int_equal(told, (cut >= 8) + (cut >= 12) + (cut >= 17) + (cut >= 23));
    assert_int_equal(malformed, cut < 23);
    packet_kill(p);
    free(copy);
  }
  text_free(&record);
}

/* Names: unknown ones, and those without binary form, are refused when writing; reading goes on with a warning. */
static void names(void **state) {
  struct summary_fields fields;
  struct report report = {0};
  assert_int_equal(summary_fields_parse("ip_src color size", SUMMARY_WRITE, &fields, &report), -ERROR_NOT_FOUND);
  assert_string_equal(text_string(&report.text), "unknown content type 'color'\nunknown content type 'size'\n");
  text_clear(&report.text);
  assert_int_equal(summary_fields_parse("payload", SUMMARY_WRITE_BINARY, &fields, &report), -ERROR_INVALID);
  assert_string_equal(text_string(&report.text), "cannot use field payload with BINARY\n");
  text_clear(&report.text);
  assert_int_equal(summary_fields_parse(" ", SUMMARY_WRITE, &fields, &report), -ERROR_INVALID);
  assert_string_equal(text_string(&report.text), "no contents specified\n");
  text_clear(&report.text);
  assert_int_equal(summary_fields_parse("color payload_md5 ttl", SUMMARY_READ, &fields, &report), 0);
  assert_string_equal(text_string(&report.text), "warning: unknown content type 'color'\n"
                                                 "warning: content type 'payload_md5' ignored on input\n");
  assert_int_equal(fields.count, 3);
  report_free(&report);
}

static int set_up(void **state) { return packet_pool_init(&pool, 16); }
static int tear_down(void **state) {
  assert_int_equal(pool.free_count, 16);
  packet_pool_destroy(&pool);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_field), cmocka_unit_test(options),          cmocka_unit_test(damaged_options),
      cmocka_unit_test(bad_packets), cmocka_unit_test(malformed_values), cmocka_unit_test(short_records),
      cmocka_unit_test(names),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
