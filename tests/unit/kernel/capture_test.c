/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Capture files: what is read and written of them, good and bad, and frames through a graph from one to the other.
 */
#include "tests/unit/kernel/children.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "packet/packet.h"
#include "platform/process/pcap.h"

/* Captures that are no captures are refused by name. */
static void test_bad_captures(void **state) {
  static const struct {
    const char *bytes;
    size_t length;
    const char *expected;
  } cases[] = {
      {"", 0, "too short for a capture file"},
      {"\x0a\x0d\x0d\x0a aaaaaaaaaaaaaaaaaaaaaaa", 24, "damaged pcapng file"},
      {"not a capture at all, no sir", 28, "not a capture file"},
      {"\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\1\0\x71\0\0\0", 24, "link type 113"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pcap_reader reader;
    struct report report = {0};
    FILE *file = fopen(in_folder("bad.pcap"), "wb");
    assert_int_equal(fwrite(cases[i].bytes, 1, cases[i].length, file), cases[i].length);
    fclose(file);
    assert_true(pcap_reader_open(&reader, in_folder("bad.pcap"), &report) < 0);
    if (strstr(text_string(&report.text), cases[i].expected) == NULL) fail_msg("%s", text_string(&report.text));
    report_free(&report);
  }
}

/* Records: both byte orders are read, a frame over the buffer is measured whole, damage ends the file with a code. */
static void test_records(void **state) {
  static const char big[] = "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\1"
                            "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\3"
                            "abc"
                            "\0\0\0\1\0\0\0\2\0\0\0\5\0\0\0\5"
                            "defgh";
  static const struct {
    const char *tail;
    size_t length;
    int expected;
  } tails[] = {
      {"", 0, 0},
      {"\0\0\0\1\0\0\0\2", 8, -ERROR_TRUNCATED},
      {"\0\0\0\1\0\0\0\2\0\0\0\5\0\0\0\5"
       "de",
       18, -ERROR_TRUNCATED},
      {"\0\0\0\1\0\0\0\2\xff\xff\xff\xff\0\0\0\5", 16, -ERROR_INVALID},
  };
  for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
    struct pcap_reader reader;
    char buffer[4];
    uint32_t length;
    FILE *file = fopen(in_folder("records.pcap"), "wb");
    assert_int_equal(fwrite(big, sizeof big - 1, 1, file), 1);
    if (tails[i].length > 0) assert_int_equal(fwrite(tails[i].tail, tails[i].length, 1, file), 1);
    fclose(file);
    assert_int_equal(pcap_reader_open(&reader, in_folder("records.pcap"), NULL), 0);
    assert_int_equal(pcap_read(&reader, buffer, sizeof buffer, &length), 1);
    assert_int_equal(length, 3);
    assert_memory_equal(buffer, "abc", 3);
    assert_int_equal(pcap_read(&reader, buffer, sizeof buffer, &length), 1);
    assert_int_equal(length, 5);
    assert_memory_equal(buffer, "defg", 4);
    assert_int_equal(pcap_read(&reader, buffer, sizeof buffer, &length), tails[i].expected);
    pcap_reader_close(&reader);
  }
}

/* Every frame of the input leaves at the output, in order and unchanged, and the system ends by itself. */
static void test_capture_through_graph(void **state) {
  struct text archive = archive_of("FromDevice(eth0) -> c :: Counter -> Queue -> ToDevice(eth1);");
  write_capture(in_folder("in.pcap"), FRAMES);
  char in[160], out[160], errors[4096];
  snprintf(in, sizeof in, "pcap:%s,", in_folder("in.pcap"));
  snprintf(out, sizeof out, "pcap:,%s", in_folder("out.pcap"));
  const char *nics[] = {in, out};
  struct process_options options = {.archive = {archive.data, archive.length},
                                    .nics = nics,
                                    .nic_count = 2,
                                    .log_fd = -1,
                                    .stop_when_finished = true};
  int status = end_child(start_child(&options), errors, sizeof errors);
  assert_string_equal(errors, "");
  assert_int_equal(status, 0);
  check_capture(in_folder("out.pcap"), FRAMES);
  text_free(&archive);
}

/* A replay's frames are as far apart as they were captured: so many, 1 ms apart, take their time at least. One captured before its
 * predecessor (pcap has no order: draft-ietf-opsawg-pcap, section 5) does not wait. */
static void test_capture_at_recorded_speed(void **state) {
  enum { COUNT = 101 };
  uint8_t frame[PACKET_BUFFER_SIZE];
  struct text archive = archive_of("FromDevice(eth0) -> Queue -> ToDevice(eth1);");
  write_capture(in_folder("in.pcap"), COUNT);
  FILE *more = fopen(in_folder("in.pcap"), "abe");
  assert_non_null(more);
  size_t length = make_frame(COUNT, frame);
  assert_int_equal(pcap_write(more, 5 * 1000000ull, frame, (uint32_t)length), 0);
  assert_int_equal(fclose(more), 0);
  char in[160], out[160], errors[4096];
  snprintf(in, sizeof in, "replay:%s,", in_folder("in.pcap"));
  snprintf(out, sizeof out, "replay:,%s", in_folder("out.pcap"));
  const char *nics[] = {in, out};
  struct process_options options = {.archive = {archive.data, archive.length},
                                    .nics = nics,
                                    .nic_count = 2,
                                    .log_fd = -1,
                                    .stop_when_finished = true};
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  int status = end_child(start_child(&options), errors, sizeof errors);
  clock_gettime(CLOCK_MONOTONIC, &end);
  assert_string_equal(errors, "");
  assert_int_equal(status, 0);
  assert_true((end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec >= (COUNT - 1) * 1000000);
  check_capture(in_folder("out.pcap"), COUNT + 1);
  text_free(&archive);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_captures),
      cmocka_unit_test(test_records),
      cmocka_unit_test(test_capture_through_graph),
      cmocka_unit_test(test_capture_at_recorded_speed),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
