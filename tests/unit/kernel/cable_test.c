/* SPDX-License-Identifier: BSD-3-Clause
 *
 * NICs that are no interfaces of the host: memory cables and unix sockets, fast and slow readers, refused frames.
 */
#include "tests/unit/kernel/children.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "packet/packet.h"

/* Two memory NICs of one name are joined; one alone loops back; each worker's sleep ends when the other has something. What goes to an
 * end that nobody receives from is dropped and counted. */
static void test_memory_cables(void **state) {
  static const struct {
    const char *config;
    const char *nics[4];
  } cases[] = {
      /* eth1 and eth2 are one cable. */
      {"FromDevice(eth0) -> Queue(4096) -> ToDevice(eth1); FromDevice(eth2) -> Queue(4096) -> ToDevice(eth3);",
       {"", "memory:a", "memory:a", ""}},
      /* A loop, which the graph opens by name. */
      {"FromDevice(eth0) -> Queue(4096) -> ToDevice(memory:b); FromDevice(memory:b) -> Queue(4096) -> ToDevice(eth1);",
       {"", ""}},
      /* Two cables are two. */
      {"FromDevice(eth0) -> Queue(4096) -> ToDevice(eth1); FromDevice(eth1) -> Queue(4096) -> ToDevice(eth2); Idle -> ToDevice(eth3);",
       {"", "memory:c", "", "memory:d"}},
      /* eth2 has no reader: nothing waits for it, and all is written by the other path. */
      {"FromDevice(eth0) -> t :: Tee; t[0] -> Queue(4096) -> ToDevice(eth1); t[1] -> Queue(4096) -> ToDevice(eth3);"
       "Idle -> ToDevice(eth2)",
       {"", "memory:e", "memory:e", ""}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char in[160], out[160], errors[4096];
    const char *nics[4];
    unsigned count = 0, empty = 0;
    write_capture(in_folder("in.pcap"), FRAMES);
    snprintf(in, sizeof in, "pcap:%s,", in_folder("in.pcap"));
    snprintf(out, sizeof out, "pcap:,%s", in_folder("out.pcap"));
    for (; count < 4 && cases[i].nics[count] != NULL; count++) {
      bool file = cases[i].nics[count][0] == '\0';
      nics[count] = !file ? cases[i].nics[count] : empty++ == 0 ? in : out;
    }
    struct text archive = archive_of(cases[i].config);
    struct process_options options = {.archive = {archive.data, archive.length},
                                      .nics = nics,
                                      .nic_count = count,
                                      .log_fd = -1,
                                      .stop_when_finished = true};
    int status = end_child(start_child(&options), errors, sizeof errors);
    assert_string_equal(errors, "");
    assert_int_equal(status, 0);
    check_capture(in_folder("out.pcap"), FRAMES);
    text_free(&archive);
  }
}

/* What nobody takes comes back, in order and unchanged, at ToDevice's output 1 (its manual page in Click). Here from a cable that nobody
 * reads at. */
static void test_refused_frames(void **state) {
  char in[160], out[160], errors[4096];
  snprintf(in, sizeof in, "pcap:%s,", in_folder("in.pcap"));
  snprintf(out, sizeof out, "pcap:,%s", in_folder("out.pcap"));
  write_capture(in_folder("in.pcap"), FRAMES);
  const char *nics[] = {in, "memory:alone", out};
  struct text archive = archive_of("FromDevice(eth0) -> Queue(4096) -> t :: ToDevice(eth1); t -> Discard; "
                                   "t[1] -> Queue(4096) -> ToDevice(eth2)");
  struct process_options options = {.archive = {archive.data, archive.length},
                                    .nics = nics,
                                    .nic_count = 3,
                                    .log_fd = -1,
                                    .stop_when_finished = true};
  int status = end_child(start_child(&options), errors, sizeof errors);
  assert_string_equal(errors, "");
  assert_int_equal(status, 0);
  check_capture(in_folder("out.pcap"), FRAMES);
  text_free(&archive);
}

static int bind_datagram(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

/* A reader that is slower than the sender loses nothing: the full socket holds the system back, and it holds the sender back. Too
 * long frames are counted, and without a reader frames are counted as lost. */
static void test_unix_sockets(void **state) {
  struct text archive = archive_of("FromDevice(eth0) -> Queue(100) -> ToDevice(eth1);"
                                   "FromDevice(eth1) -> Discard; Idle -> ToDevice(eth0);");
  char eth0[300], eth1[300], text[8192], errors[4096];
  snprintf(eth0, sizeof eth0, "unix:%s,%s", in_folder("e0"), in_folder("p0"));
  snprintf(eth1, sizeof eth1, "unix:%s,%s", in_folder("e1"), in_folder("p1"));
  const char *nics[] = {eth0, eth1};
  struct process_options options = {.archive = {archive.data, archive.length},
                                    .nics = nics,
                                    .nic_count = 2,
                                    .control_path = in_folder("control"),
                                    .log_fd = -1};
  struct child child = start_child(&options);
  int reader = bind_datagram(in_folder("p1")); /* after the fork: the child must not keep it open */
  int control = connect_control(options.control_path);
  expect_end(control, "1.3\r\n", text, sizeof text);

  struct sockaddr_un to = {.sun_family = AF_UNIX};
  snprintf(to.sun_path, sizeof to.sun_path, "%s", in_folder("e0"));
  int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(sender, (struct sockaddr *)&to, sizeof to), 0);
  uint8_t frame[4096] = {0}, expected[PACKET_BUFFER_SIZE];
  /* Round by round, fewer than the Queue holds, so that it has no reason to drop. */
  for (unsigned round = 0; round < 10; round++) {
    for (unsigned i = 0; i < 80; i++) {
      size_t length = make_frame(round * 80 + i, frame);
      assert_int_equal(send(sender, frame, length, 0), length);
    }
    for (unsigned i = 0; i < 80; i++) {
      struct pollfd p = {reader, POLLIN, 0};
      assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
      ssize_t n = recv(reader, frame, sizeof frame, 0);
      assert_int_equal(n, make_frame(round * 80 + i, expected));
      assert_memory_equal(frame, expected, n);
    }
  }
  assert_int_equal(send(sender, frame, sizeof frame, 0), sizeof frame);
  close(reader);
  assert_int_equal(send(sender, frame, 60, 0), 60);
  for (int waited = 0;; waited++) {
    read_handler(control, "stats", text, sizeof text);
    if (strstr(text, "eth1.tx_error 1\n") != NULL) break;
    if (waited == DEADLINE_MS) fail_msg("tx_error is not 1:\n%s", text);
    poll(NULL, 0, 1);
  }
  assert_non_null(strstr(text, "eth0.rx_packets 801\n"));
  assert_non_null(strstr(text, "eth0.rx_too_long 1\n"));
  assert_non_null(strstr(text, "eth1.tx_packets 800\n"));
  read_handler(control, "drops", text, sizeof text);
  assert_non_null(strstr(text, "total 2\n"));
  kill(child.pid, SIGTERM);
  assert_int_equal(end_child(child, errors, sizeof errors), 0);
  assert_string_equal(errors, "");
  close(sender);
  close(control);
  text_free(&archive);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_cables),
      cmocka_unit_test(test_refused_frames),
      cmocka_unit_test(test_unix_sockets),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
