/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of FromDump and ToDump. The files under dumps/ were written by scapy (dumps/make.py); what the elements must do is in
 * Click's manual pages of the same names.
 */
#include "tests/unit/elements/harness.h"

#include <bzlib.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "platform/process/pcap.h"

#define DUMPS "tests/unit/elements/dumps/"
#define FIRST 1000000000250000000ull /* time of the first frame; each is a second later */

static char out_path[] = "/tmp/imago-dump-XXXXXX";

static size_t read_all(const char *path, char *bytes, size_t size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t length = fread(bytes, 1, size, file);
  fclose(file);
  return length;
}

static void assert_same_file(const char *a, const char *b) {
  static char one[4096], two[4096];
  size_t length = read_all(a, one, sizeof one);
  assert_int_equal(length, read_all(b, two, sizeof two));
  assert_memory_equal(one, two, length);
}

static void start(const char *format, ...) {
  char config[512];
  va_list list;
  va_start(list, format);
  format_text_list(config, sizeof config, format, list);
  va_end(list);
  harness_start(config);
}

/* A file that is read and written again is the same, byte for byte; from the other byte order, and from pcapng, it is as one that
 * was written on this machine. */
static void round_trips(void **state) {
  static const struct {
    const char *in, *extra, *expected;
  } cases[] = {
      {"little.pcap", "", "little.pcap"},
      {"big.pcap", "", "little.pcap"},
      {"next.pcapng", "", "little.pcap"},
      {"nano.pcap", ", NANO true", "nano.pcap"},
      {"next.pcapng", ", NANO true", "nano.pcap"},
      {"cut.pcap", "", "cut.pcap"},
      {"ip.pcap", ", USE_ENCAP_FROM from", "ip.pcap"},
      {"ip.pcap", ", ENCAP IP", "ip.pcap"},
      {"little.pcap", ", UNBUFFERED true", "little.pcap"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char expected[128];
    format_text(expected, sizeof expected, DUMPS "%s", cases[i].expected);
    start("from :: FromDump(" DUMPS "%s, STOP true) -> to :: ToDump(%s, SNAPLEN 65535%s)", cases[i].in, out_path,
          cases[i].extra);
    harness_run(5);
    assert_int_equal(harness.stops, 1);
    assert_int_equal(harness_number("from.count"), harness_number("to.count"));
    assert_string_equal(harness_read("to.filename"), out_path);
    harness_stop();
    assert_same_file(out_path, expected);
  }
}

/* "FromDump also transparently reads gzip- and bzip2-compressed tcpdump files": here as Python's modules write them, the bzip2 file in
 * two streams. Positions are those of what is in there. A file that is cut off gives what was before the cut. */
static void reads_compressed(void **state) {
  static const char *const files[] = {DUMPS "little.pcap.gz", DUMPS "little.pcap.bz2"};
  for (size_t i = 0; i < 2; i++) {
    start("f :: FromDump(%s) -> to :: ToDump(%s, SNAPLEN 65535)", files[i], out_path);
    harness_run(5);
    assert_int_equal(harness_number("f.count"), 5);
    assert_string_equal(harness_read("f.filesize"), "-");
    assert_string_equal(harness_read("f.filepos"), "330");
    harness_expect_write("f.filepos", "85", 0); /* back, to the second record */
    harness_expect_write("f.active", "true", 0);
    harness_run(5);
    assert_int_equal(harness_number("f.count"), 9);
    harness_stop();
    start("f :: FromDump(%s, FILEPOS 85) -> ToDump(%s)", files[i], out_path);
    harness_run(5);
    assert_int_equal(harness_number("f.count"), 4);
    harness_stop();
    char bytes[512], buffer[64];
    size_t length = read_all(files[i], bytes, sizeof bytes);
    for (size_t cut = 10; cut < length; cut++) {
      FILE *file = fopen(out_path, "wb");
      fwrite(bytes, 1, cut, file);
      fclose(file);
      struct pcap_reader reader;
      struct pcap_frame frame;
      int status, frames = 0;
      if (pcap_reader_open(&reader, out_path, NULL) != 0) continue;
      while ((status = pcap_read_frame(&reader, buffer, sizeof buffer, &frame)) == 1)
        frames++;
      /* Only the checksum behind the last frame may be missing without a frame missing, too. */
      assert_true(frames < 5 || cut + 12 > length);
      pcap_reader_close(&reader);
    }
  }
}

/* ToDump compresses where the name says so; the libraries' own file functions read it back. */
static void writes_compressed(void **state) {
  char path[64], bytes[512], expected[512];
  size_t length = read_all(DUMPS "little.pcap", expected, sizeof expected);
  format_text(path, sizeof path, "%s.gz", out_path);
  start("FromDump(" DUMPS "little.pcap) -> ToDump(%s, SNAPLEN 65535)", path);
  harness_run(5);
  harness_stop();
  assert_true(read_all(path, bytes, 2) == 2 && memcmp(bytes, "\x1f\x8b", 2) == 0);
  gzFile gz = gzopen(path, "rb");
  assert_int_equal(gzread(gz, bytes, sizeof bytes), length);
  assert_int_equal(gzclose(gz), Z_OK);
  assert_memory_equal(bytes, expected, length);
  unlink(path);
  format_text(path, sizeof path, "%s.bz2", out_path);
  start("FromDump(" DUMPS "little.pcap) -> ToDump(%s, SNAPLEN 65535)", path);
  harness_run(5);
  harness_stop();
  assert_true(read_all(path, bytes, 3) == 3 && memcmp(bytes, "BZh", 3) == 0);
  BZFILE *bz = BZ2_bzopen(path, "rb");
  assert_int_equal(BZ2_bzread(bz, bytes, sizeof bytes), length);
  BZ2_bzclose(bz);
  assert_memory_equal(bytes, expected, length);
  unlink(path);
}

/* A hot swap goes on where the graph that goes was: the pipe is not opened twice, the file that is written not emptied. */
static void hot_swap(void **state) {
  char fifo[64], bytes[512], config[256];
  size_t length = read_all(DUMPS "little.pcap", bytes, sizeof bytes);
  format_text(fifo, sizeof fifo, "%s.fifo", out_path);
  assert_int_equal(mkfifo(fifo, 0600), 0);
  int fd = open(fifo, O_RDWR);
  assert_int_equal(write(fd, bytes, length), length);
  start("f :: FromDump(%s, ACTIVE false) -> to :: ToDump(%s, 65535)", fifo, out_path);
  unlink(fifo);
  close(fd);
  format_text(config, sizeof config, "f :: FromDump(%s) -> Counter -> to :: ToDump(%s, 65535, USE_ENCAP_FROM f)", fifo,
              out_path);
  harness_replace(config);
  harness_run(5);
  assert_int_equal(harness_number("to.count"), 5);
  harness_replace("f :: Idle -> Discard");
  assert_same_file(out_path, DUMPS "little.pcap");
  harness_stop();
  /* A file of another link type begins anew, and what was there is gone. */
  start("FromDump(" DUMPS "little.pcap) -> to :: ToDump(%s, 65535)", out_path);
  harness_run(5);
  format_text(config, sizeof config, "FromDump(" DUMPS "ip.pcap) -> to :: ToDump(%s, 65535, IP)", out_path);
  harness_replace(config);
  harness_run(5);
  harness_stop();
  assert_same_file(out_path, DUMPS "ip.pcap");
}

/* FromDump gives packets to whoever pulls; ToDump with an output pulls for another, and the file is the same. */
static void pulls(void **state) {
  start("from :: FromDump(" DUMPS "little.pcap) -> ToDump(%s, 65535, ETHER) -> u :: Unqueue -> o :: Capture", out_path);
  harness_run(10);
  assert_int_equal(harness_last("o")->length, 45);
  harness_stop();
  assert_same_file(out_path, DUMPS "little.pcap");
  start("FromDump(" DUMPS "little.pcap) -> to :: ToDump(%s, 65535)", out_path); /* push, or pull with a task */
  harness_run(10);
  assert_int_equal(harness_number("to.count"), 5);
  harness_expect_write("to.reset_counts", "", 0);
  assert_int_equal(harness_number("to.count"), 0);
  harness_stop();
}

/* SNAPLEN cuts packets off in the file, which keeps their length; EXTRA_LENGTH false forgets what was cut off before. */
static void snaplen_and_extra_length(void **state) {
  struct pcap_reader reader;
  struct pcap_frame frame;
  char bytes[64];
  static const struct {
    const char *in, *extra;
    unsigned captured, length;
  } cases[] = {
      {"little.pcap", "10", 10, 45},
      {"little.pcap", "SNAPLEN 0", 45, 45},
      {"cut.pcap", "EXTRA_LENGTH true", 20, 45},
      {"cut.pcap", "EXTRA_LENGTH false", 20, 20},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    start("FromDump(" DUMPS "%s) -> ToDump(%s, %s)", cases[i].in, out_path, cases[i].extra);
    harness_run(5);
    harness_stop();
    assert_int_equal(pcap_reader_open(&reader, out_path, NULL), 0);
    assert_int_equal(pcap_read_frame(&reader, bytes, sizeof bytes, &frame), 1);
    assert_int_equal(frame.captured, cases[i].captured);
    assert_int_equal(frame.length, cases[i].length);
    pcap_reader_close(&reader);
  }
}

/* "START, START_AFTER, END, END_AFTER, INTERVAL: packets at or after the start and before the end." Frames are at .25 of seconds 0
 * to 4 of 1,000,000,000. */
static void windows(void **state) {
  static const struct {
    const char *arguments;
    unsigned count;
  } cases[] = {
      {"START 1000000002.25", 3}, {"START_AFTER 1", 4},
      {"START_AFTER 1500ms", 3},  {"END 1000000002.25", 2},
      {"END_AFTER 3", 3},         {"START_AFTER 1, INTERVAL 2", 2},
      {"INTERVAL 1", 1},          {"START 1000000001, END 1000000003", 2},
      {"FILEPOS 85", 4},   /* behind the first record: 24 + 16 + 45 */
      {"SAMPLE 0.001", 5}, /* the harness's random numbers are all 0x1234567: 0.0044 */
      {"SAMPLE 0.005", 5},        {"MMAP true", 5},
      {"ACTIVE false", 0},        {"FORCE_IP true", 4},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    start("f :: FromDump(" DUMPS "little.pcap, %s) -> o :: Counter -> Discard", cases[i].arguments);
    harness_run(5);
    unsigned expected = strcmp(cases[i].arguments, "SAMPLE 0.001") == 0 ? 0 : cases[i].count;
    if (harness_number("o.count") != expected) fail_msg("%s: %s", cases[i].arguments, harness_read("o.count"));
    assert_int_equal(harness_number("f.count"), expected);
    harness_stop();
  }
}

/* TIMING keeps the distances of the capture; without it all come at once. Timestamps are those of the file. */
static void timing(void **state) {
  start("f :: FromDump(" DUMPS "nano.pcap, TIMING true) -> o :: Capture");
  for (unsigned second = 0; second < 5; second++) {
    harness_run(3);
    assert_int_equal(harness_number("f.count"), second + 1);
    assert_true(harness_last("o")->timestamp == FIRST + second * 1000000000ull);
    harness_run_until(harness.now + 1000000000, 100000000);
  }
  harness_stop();
}

/* "FORCE_IP: emit only IP packets with their IP header annotations set; others go to output 1." */
static void force_ip(void **state) {
  start("f :: FromDump(" DUMPS "little.pcap, FORCE_IP true); f -> o :: Capture; f [1] -> other :: Capture");
  harness_run(3);
  struct packet *p = harness_last("o");
  assert_int_equal(p->network_header - (p->data - (uint8_t *)p), 14);
  assert_int_equal(p->transport_header - p->network_header, 20);
  assert_memory_equal(p->annotation, "\xc0\x00\x02\x02", 4);
  assert_int_equal(harness_last("other")->length, 42); /* the ARP request */
  assert_int_equal(harness_number("f.count"), 4);
  harness_stop();
}

/* Where the IP header is behind the link types of Click's list. Each frame is the header below and a datagram of IPv4 (0x45); the same
 * header with its `wrong` byte changed carries none. Layouts: tcpdump.org's link-layer header types and the RFCs named. */
static void link_types(void **state) {
  static const struct {
    unsigned type;
    const char *encap;
    unsigned header, wrong;
    const char *bytes;
  } cases[] = {
      {0, "NULL", 4, 0, "\2\0\0\0"},   /* BSD loopback: AF_INET, in this byte order */
      {0, "NULL", 4, 3, "\0\0\0\2"},   /* and in the other */
      {0, "NULL", 4, 3, "\0\0\0\x1e"}, /* AF_INET6 of Darwin */
      {1, "ETHER", 14, 12, "\2\2\2\2\2\2\2\2\2\2\2\2\x08\0"},
      {1, "ETHER", 18, 16, "\2\2\2\2\2\2\2\2\2\2\2\2\x81\0\0\5\x08\0"},
      {9, "PPP", 4, 3, "\xff\3\0\x21"}, /* RFC 1662 */
      {9, "PPP", 2, 1, "\0\x21"},       /* address and control compressed (RFC 1661, 6.6) */
      {9, "PPP", 1, 0, "\x21"},         /* and the protocol field (6.5) */
      {10, "FDDI", 21, 13, "\x50\2\2\2\2\2\2\2\2\2\2\2\2\xaa\xaa\3\0\0\0\x08\0"}, /* RFC 1188 */
      {12, "IP", 0, 0, ""},
      {14, "IP", 0, 0, ""},
      {101, "IP", 0, 0, ""},
      {228, "IP", 0, 0, ""},
      {50, "PPP_HDLC", 4, 3, "\xff\3\0\x21"},
      {50, "PPP_HDLC", 4, 2, "\x0f\0\x08\0"},                                         /* Cisco's address */
      {100, "ATM", 8, 7, "\xaa\xaa\3\0\0\0\x08\0"},                                   /* RFC 1483, 4.1 */
      {100, "ATM", 4, 1, "\6\6\3\0"},                                                 /* LLC's own number for IP */
      {100, "ATM", 12, 11, "\xaa\xaa\3\0\0\0\x81\0\0\5\x08\0"},                       /* a VLAN tag behind it */
      {100, "ATM", 22, 20, "\xaa\xaa\3\0\x80\xc2\0\7\2\2\2\2\2\2\2\2\2\2\2\2\x08\0"}, /* RFC 2684: Ethernet */
      {100, "ATM", 30, 28,
       "\xaa\xaa\3\0\x80\xc2\0\xa\0\x50\2\2\2\2\2\2\2\2\2\2\2\2\xaa\xaa\3\0\0\0\x08\0"}, /* RFC 2684: FDDI */
      {123, "SUNATM", 12, 10, "\1\1\1\1\xaa\xaa\3\0\0\0\x08\0"},
      {104, "HDLC", 4, 2, "\x0f\0\x08\0"},
      {113, "SLL", 16, 14, "\0\0\0\1\0\6\2\2\2\2\2\2\0\0\x08\0"},
      {105, "802_11", 32, 0, "\x08\0\0\0\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\0\0\xaa\xaa\3\0\0\0\x08\0"},
      {105, "802_11", 38, 0, "\x08\3\0\0\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\0\0\2\2\2\2\2\2\xaa\xaa\3\0\0\0\x08\0"},
      {127, "802_11_RADIO", 40, 8,
       "\0\0\x08\0\0\0\0\0\x08\0\0\0\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\0\0\xaa\xaa\3\0\0\0\x08\0"},
  };
  static const char datagram[] = "\x45\0\0\x14\0\0\0\0\x40\xfd\0\0\1\2\3\4\5\6\7\x08";
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char frame[128];
    uint32_t size = cases[i].header + 20;
    struct pcap_frame record = {.captured = size, .length = size, .time = FIRST};
    memcpy(frame, cases[i].bytes, cases[i].header);
    memcpy(frame + cases[i].header, datagram, 20);
    FILE *file = fopen(out_path, "wb");
    assert_int_equal(pcap_write_header(file, cases[i].type, 65535, true), 0);
    assert_int_equal(pcap_write_frame(file, true, &record, frame), 0);
    frame[cases[i].wrong] ^= 0x44; /* also makes 0x45 a version that does not exist */
    assert_int_equal(pcap_write_frame(file, true, &record, frame), 0);
    fclose(file);
    start("f :: FromDump(%s, FORCE_IP true); f -> o :: Capture; f [1] -> other :: Capture", out_path);
    harness_run(2);
    if (harness_number("f.count") != 1) fail_msg("row %zu: %s IP packets", i, harness_read("f.count"));
    struct packet *p = harness_last("o");
    assert_int_equal(p->network_header - (p->data - (uint8_t *)p), cases[i].header);
    assert_memory_equal(p->annotation, "\5\6\7\x08", 4);
    assert_string_equal(harness_read("f.encap"), cases[i].encap);
    harness_stop();
  }
  harness_refuses("Idle -> ToDump(/dev/null, ENCAP #x)", "bad encapsulation type");
  start("FromDump(" DUMPS "little.pcap) -> ToDump(%s, ENCAP #147)", out_path);
  harness_run(2);
  harness_stop();
  start("f :: FromDump(%s) -> Discard", out_path);
  assert_string_equal(harness_read("f.encap"), "#147");
  harness_stop();
  char config[128];
  format_text(config, sizeof config, "FromDump(%s, FORCE_IP true) -> Discard", out_path);
  harness_refuses(config, "unknown linktype 147; can't force IP packets");
}

/* The handler of END_CALL may go back to the beginning: then the file is read again. Without it the end leaves the element active, as in
 * Click, where only STOP and the end of a window do not. */
static void end_call(void **state) {
  start("f :: FromDump(" DUMPS "little.pcap, END_CALL again.run) -> Discard;"
        "again :: Script(TYPE PASSIVE, write f.filepos 24, write f.active true)");
  harness_run(4);
  assert_true(harness_number("f.count") >= 15);
  harness_stop();
  start("f :: FromDump(" DUMPS "little.pcap) -> Discard");
  harness_run(3);
  assert_string_equal(harness_read("f.active"), "true");
  assert_string_equal(harness_read("f.scheduled"), "false");
  harness_stop();
}

/* Handlers say what the file is and where one is in it; the window can be moved on; END_CALL replaces STOP. */
static void handlers(void **state) {
  start("f :: FromDump(" DUMPS "little.pcap, INTERVAL 1, SAMPLE 0.5) -> o :: Discard");
  assert_string_equal(harness_read("f.sampling_prob"), "0.5");
  assert_string_equal(harness_read("f.encap"), "ETHER");
  assert_string_equal(harness_read("f.filename"), DUMPS "little.pcap");
  assert_string_equal(harness_read("f.filesize"), "330");
  assert_string_equal(harness_read("f.filepos"), "24");
  harness_run(5);
  assert_string_equal(harness_read("f.count"), "1");
  assert_string_equal(harness_read("f.active"), "false");
  assert_string_equal(harness_read("f.packet_filepos"), "85");
  harness_expect_write("f.extend_interval", "2", 0);
  harness_expect_write("f.extend_interval", "x", -ERROR_INVALID);
  harness_run(5);
  assert_true(harness_number("f.count") >= 2);
  harness_expect_write("f.filepos", "24", 0);
  harness_expect_write("f.filepos", "-1", -ERROR_INVALID);
  harness_expect_write("f.reset_counts", "", 0);
  harness_expect_write("f.reset_timing", "", 0);
  harness_expect_write("f.active", "true", 0);
  harness_run(5);
  assert_string_equal(harness_read("f.count"), "5");
  harness_expect_write("f.stop", "", 0);
  assert_int_equal(harness.stops, 1);
  assert_string_equal(harness_read("f.scheduled"), "false");
  assert_string_equal(harness_read("f.tickets"), "1024");
  harness_stop();
  start("f :: FromDump(" DUMPS "little.pcap, END_CALL s.switch 1) -> s :: Switch(0) -> Discard; s[1] -> Discard");
  harness_run(5);
  assert_string_equal(harness_read("s.switch"), "1");
  harness_stop();
}

/* Arguments that contradict each other, and files that are none, are refused by name. */
static void refusals(void **state) {
  static const char *const cases[][2] = {
      {"FromDump(" DUMPS "little.pcap, START 1, START_AFTER 1) -> Discard", "mutually exclusive"},
      {"FromDump(" DUMPS "little.pcap, END 1, INTERVAL 1) -> Discard", "mutually exclusive"},
      {"FromDump(" DUMPS "little.pcap, STOP true, END_CALL stop) -> Discard", "mutually exclusive"},
      {"FromDump(" DUMPS "none.pcap) -> Discard", "No such file"},
      {"FromDump(" DUMPS "make.py) -> Discard", "not a capture file"},
      {"FromDump(/dev/null) -> Discard", "too short"},
      {"Idle -> ToDump(x.pcap, ENCAP TOKEN)", "bad encapsulation type"},
      {"Idle -> ToDump(/dev/null, ENCAP IP, USE_ENCAP_FROM x)", "at most one"},
      {"Idle -> ToDump(/nowhere/x.pcap)", "No such file"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    harness_refuses(cases[i][0], cases[i][1]);
  FILE *file = fopen(out_path, "wb");
  fwrite("\xfd\x37zXZ\0\0\0", 8, 1, file);
  fclose(file);
  char config[128];
  format_text(config, sizeof config, "FromDump(%s) -> Discard", out_path);
  harness_refuses(config, "xz -dc");
}

/* A pcapng block: `body` are its 32-bit words in this machine's order, followed by `bytes`. */
static void add_block(struct text *file, bool swapped, uint32_t type, const uint32_t *body, unsigned words,
                      struct slice bytes) {
  uint32_t total = 12 + words * 4 + (uint32_t)bytes.length, head[2] = {type, total};
  for (unsigned i = 0; i < 2 + words + 1; i++) {
    uint32_t word = i < 2 ? head[i] : i < 2 + words ? body[i - 2] : total;
    if (swapped) word = __builtin_bswap32(word);
    if (i == 2 + words) text_add_slice(file, bytes);
    text_add_bytes(file, &word, 4);
  }
}

/* pcapng's time is in units of if_tsresol (10^-n seconds, or 2^-n with the top bit) since if_tsoffset; without the option microseconds.
 * Sections in either byte order may follow each other; all three kinds of packet block are read, and others skipped
 * (draft-ietf-opsawg-pcapng, 4.2 to 4.4, appendix A). */
static void pcapng_times(void **state) {
  static const struct {
    int resolution; /* -1: no option */
    uint32_t offset, high, low;
    uint64_t time;
  } cases[] = {
      {-1, 0, 0, 1500000, 1500000000},     {6, 7, 0, 1500000, 8500000000}, {9, 0, 1, 5, 4294967301},
      {3, 0, 0, 2500, 2500000000},         {0, 0, 0, 3, 3000000000},       {12, 0, 0, 4000000000u, 4000000},
      {0x80 | 10, 1, 0, 1536, 2500000000}, /* 1536 / 1024 seconds after the first */
      {0x80, 0, 0, 9, 9000000000},
  };
  static const uint32_t section[] = {0x1a2b3c4d, 1u << 16, UINT32_MAX, UINT32_MAX}, other[] = {1, 2};
  for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
    bool swapped = i % 2;
    size_t at = i / 2;
    struct text file = {0};
    /* 16-bit fields and bytes stand in the words as the other order wants them. */
    uint32_t version = swapped ? 1u << 16 : 1, link = swapped ? 101u << 16 : 101;
    uint32_t body[] = {section[0], version, section[2], section[3]};
    add_block(&file, swapped, 0x0a0d0d0a, body, 4, slice_of(""));
    uint32_t resolution = (uint32_t)cases[at].resolution & 0xff;
    uint32_t option[] = {swapped ? 9u << 16 | 1 : 1u << 16 | 9, swapped ? resolution << 24 : resolution,
                         swapped ? 14u << 16 | 8 : 8u << 16 | 14, swapped ? 0 : cases[at].offset,
                         swapped ? cases[at].offset : 0};
    uint32_t interface[7] = {link, 20};
    memcpy(interface + 2, option, sizeof option);
    add_block(&file, swapped, 1, interface, cases[at].resolution < 0 ? 2 : 7, slice_of(""));
    add_block(&file, swapped, 5, other, 2, slice_of("")); /* statistics */
    uint32_t enhanced[] = {0, cases[at].high, cases[at].low, 4, 40};
    add_block(&file, swapped, 6, enhanced, 5, slice_of("abcd"));
    uint32_t old[] = {swapped ? 9 : 9u << 16, cases[at].high, cases[at].low, 4, 4}; /* 9 packets were dropped before */
    add_block(&file, swapped, 2, old, 5, slice_of("efgh"));
    uint32_t simple[] = {24};
    add_block(&file, swapped, 3, simple, 1,
              slice_of("ijklmnopqrstuvwxyz01")); /* 20 of 24 bytes, by the snapshot length */
    struct pcap_reader reader;
    struct pcap_frame frame;
    char bytes[64];
    assert_int_equal(pcap_reader_start(&reader, fmemopen(file.data, file.length, "rb"), "x", NULL), 0);
    assert_int_equal(pcap_read_frame(&reader, bytes, sizeof bytes, &frame), 1);
    if (frame.time != cases[at].time) fail_msg("row %zu: %llu", at, (unsigned long long)frame.time);
    assert_true(frame.captured == 4 && frame.length == 40 && memcmp(bytes, "abcd", 4) == 0 && frame.link_type == 101);
    assert_int_equal(pcap_read_frame(&reader, bytes, sizeof bytes, &frame), 1);
    assert_true(frame.time == cases[at].time && frame.length == 4 && memcmp(bytes, "efgh", 4) == 0);
    assert_int_equal(pcap_read_frame(&reader, bytes, sizeof bytes, &frame), 1);
    assert_true(frame.captured == 20 && frame.length == 24 && memcmp(bytes, "ijkl", 4) == 0);
    assert_int_equal(pcap_read_frame(&reader, bytes, sizeof bytes, &frame), 0);
    pcap_reader_close(&reader);
    text_free(&file);
  }
}

/* A file cut off anywhere gives the frames before the cut, says where it is damaged, and ends. */
static void truncation(void **state) {
  static const char *const files[] = {DUMPS "little.pcap", DUMPS "next.pcapng"};
  for (size_t f = 0; f < 2; f++) {
    char bytes[1024], buffer[2048];
    size_t length = read_all(files[f], bytes, sizeof bytes);
    unsigned frames = 0;
    for (size_t cut = 0; cut < length; cut++) {
      FILE *file = cut > 0 ? fmemopen(bytes, cut, "rb") : fopen("/dev/null", "rb");
      struct pcap_reader reader;
      struct pcap_frame frame;
      if (pcap_reader_start(&reader, file, "cut", NULL) != 0) continue;
      int status;
      for (frames = 0; (status = pcap_read_frame(&reader, buffer, sizeof buffer, &frame)) == 1;)
        frames++;
      assert_true(status == 0 || status == -ERROR_TRUNCATED);
      assert_true(frames < 5);
      pcap_reader_close(&reader);
    }
    assert_int_equal(frames, 4);
  }
}

static int set_up(void **state) {
  int fd = mkstemp(out_path);
  return fd < 0 ? -1 : close(fd);
}
static int tear_down(void **state) { return unlink(out_path); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(round_trips),
      cmocka_unit_test(reads_compressed),
      cmocka_unit_test(writes_compressed),
      cmocka_unit_test(hot_swap),
      cmocka_unit_test(link_types),
      cmocka_unit_test(end_call),
      cmocka_unit_test(pulls),
      cmocka_unit_test(snaplen_and_extra_length),
      cmocka_unit_test(windows),
      cmocka_unit_test(timing),
      cmocka_unit_test(force_ip),
      cmocka_unit_test(handlers),
      cmocka_unit_test(refusals),
      cmocka_unit_test(pcapng_times),
      cmocka_unit_test(truncation),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
