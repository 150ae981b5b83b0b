/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The whole system as a process: boot archives good and bad, the control socket, signals, sleep.
 */
#include "tests/unit/kernel/children.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cpio_write.h"
#include "platform/process/pcap.h"

/* What is wrong with a boot is said by name, and the exit status is 1. */
static void test_bad_boots(void **state) {
  static const struct {
    const char *config; /* NULL: an archive without one */
    const char *nic;
    const char *expected;
  } cases[] = {
      {NULL, "pcap:,", "the boot archive has no config.click"},
      {"FromDevice(eth0) -> ", "pcap:,", "config.click:1"},
      {"Idle -> Nonesuch -> Discard;", "pcap:,", "Nonesuch"},
      {"FromDevice(eth7) -> Discard;", "pcap:,", "eth7"},
      {"Idle -> Discard;", "usb:1", "no network interface 'usb:1'; expected one of the host, or tap:NAME, "},
      {"Idle -> Discard;", "pcap:one", "one comma"},
      {"Idle -> Discard;", "pcap:/nonexistent/in.pcap,", "/nonexistent/in.pcap: cannot be read"},
      {"Idle -> Discard;", "pcap:,/nonexistent/out.pcap", "/nonexistent/out.pcap: cannot be written"},
      {"Idle -> Discard;", "unix:,x", "must have 1 to"},
      {"Idle -> Discard;", "memory:", "NIC 'memory:': expected a name behind it"},
      {"FromDevice(eth0, METHOD AF_PACKET) -> Discard;", "pcap:,", "METHOD: interface 'eth0' is open as PCAP already"},
      {"FromDevice(x, METHOD DPDK) -> Discard;", "pcap:,",
       "METHOD: there is no 'DPDK'; expected TAP, AF_PACKET, AF_XDP, PCAP, REPLAY, UNIX or MEMORY"},
      {"FromDevice(memory:x, METHOD UNIX) -> Discard;", "pcap:,",
       "METHOD: UNIX does not fit 'memory:x', which asks for MEMORY"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct text archive = archive_of(cases[i].config);
    struct process_options options = {.archive = {archive.data, archive.length},
                                      .nics = &cases[i].nic,
                                      .nic_count = 1,
                                      .log_fd = -1,
                                      .stop_when_finished = true};
    char errors[4096];
    int status = end_child(start_child(&options), errors, sizeof errors);
    if (strstr(errors, cases[i].expected) == NULL) fail_msg("'%s' is not in: %s", cases[i].expected, errors);
    assert_int_equal(status, 1);
    text_free(&archive);
  }
}

/* Damaged archives and keys are refused by name. */
static void test_bad_archives(void **state) {
  struct cpio_writer short_key = {0};
  const char config[] = "Idle -> Discard;";
  assert_int_equal(cpio_write_file(&short_key, "config.click", config, strlen(config), NULL), 0);
  assert_int_equal(cpio_write_file(&short_key, "keys/operator.pub", "short", 5, NULL), 0);
  assert_int_equal(cpio_write_end(&short_key, NULL), 0);
  const struct {
    struct slice archive;
    unsigned pool;
    const char *expected;
  } cases[] = {
      {{NULL, 0}, 0, "no boot archive"},
      {{"garbage", 7}, 0, "archive"},
      {{short_key.bytes.data, short_key.bytes.length}, 0, "keys/operator.pub: 5 bytes"},
      {{short_key.bytes.data, short_key.bytes.length - 600}, 0, "archive"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct process_options options = {.archive = cases[i].archive, .log_fd = -1, .pool_packets = cases[i].pool};
    char errors[4096];
    int status = end_child(start_child(&options), errors, sizeof errors);
    if (strstr(errors, cases[i].expected) == NULL) fail_msg("'%s' is not in: %s", cases[i].expected, errors);
    assert_int_equal(status, 1);
  }
  text_free(&short_key.bytes);
}

/* A socket path that names a file with something in it is refused, and the file stays: it is no socket that somebody left. */
static void test_files_are_no_stale_sockets(void **state) {
  const char *precious = in_folder("precious");
  char nic[256], control_path[256], text[16] = "";
  snprintf(control_path, sizeof control_path, "%s", precious);
  snprintf(nic, sizeof nic, "unix:%s,%s", precious, in_folder("peer"));
  const char *nics[] = {nic};
  for (unsigned as_nic = 0; as_nic < 2; as_nic++) {
    FILE *file = fopen(control_path, "w");
    assert_non_null(file);
    fputs("precious", file);
    fclose(file);
    struct text archive = archive_of("Idle -> Discard;");
    struct process_options options = {.archive = {archive.data, archive.length},
                                      .nics = nics,
                                      .nic_count = as_nic,
                                      .control_path = as_nic ? NULL : control_path,
                                      .log_fd = -1,
                                      .stop_when_finished = true};
    char errors[4096];
    assert_int_equal(end_child(start_child(&options), errors, sizeof errors), 1);
    assert_non_null(strstr(errors, "it exists and is no socket"));
    file = fopen(control_path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "precious");
    fclose(file);
    unlink(control_path);
    text_free(&archive);
  }
}

/* The control socket answers, tells a second client that it is busy, starts afresh for the next, and stops the system after
 * the reply to `stop` has gone out. */
static void test_control_socket(void **state) {
  struct text archive = archive_of("Idle -> c :: Counter -> Discard;");
  struct process_options options = {
      .archive = {archive.data, archive.length}, .control_path = in_folder("control"), .log_fd = -1};
  char text[65536], errors[4096];
  struct child child = start_child(&options);

  int fd = connect_control(options.control_path);
  expect_end(fd, "Click::ControlSocket/1.3\r\n", text, sizeof text);
  read_handler(fd, "c.count", text, sizeof text);
  assert_string_equal(text, "0");
  read_handler(fd, "handlers", text, sizeof text);
  assert_non_null(strstr(text, "stop\tw\n"));
  assert_non_null(strstr(text, "version\t"));
  read_handler(fd, "boot", text, sizeof text);
  assert_non_null(strstr(text, " graph made\n"));
  read_handler(fd, "platform", text, sizeof text);
  assert_non_null(strstr(text, "platform process\n"));
  read_handler(fd, "drops", text, sizeof text);
  assert_non_null(strstr(text, "total 0\n"));

  int second = connect_control(options.control_path);
  expect_end(second, "IMAGO: control port is in use by another client\r\n", text, sizeof text);
  assert_int_equal(read(second, text, 1), 0);
  close(second);

  send_line(fd, "WRITEDATA c.reset 1000\r\nhalf of it"); /* left unfinished: must not leak into the next session */
  close(fd);
  fd = connect_control(options.control_path);
  expect_end(fd, "Click::ControlSocket/1.3\r\n", text, sizeof text);
  send_line(fd, "WRITE stop\r\n");
  expect_end(fd, "200 Write handler 'stop' OK\r\n", text, sizeof text);
  assert_int_equal(end_child(child, errors, sizeof errors), 0);
  assert_string_equal(errors, "");
  close(fd);
  struct stat gone;
  assert_int_equal(stat(options.control_path, &gone), -1); /* the socket file goes with the system */
  text_free(&archive);
}

/* SIGTERM ends a sleeping system cleanly. */
static void test_signal_stops(void **state) {
  struct text archive = archive_of("Idle -> Discard;");
  struct process_options options = {
      .archive = {archive.data, archive.length}, .control_path = in_folder("control"), .log_fd = -1};
  char text[256], errors[4096];
  struct child child = start_child(&options);
  int fd = connect_control(options.control_path);
  expect_end(fd, "1.3\r\n", text, sizeof text);
  kill(child.pid, SIGTERM);
  assert_int_equal(end_child(child, errors, sizeof errors), 0);
  assert_string_equal(errors, "");
  close(fd);
  text_free(&archive);
}

/* A system without packets sleeps: over half a second of its life the loop wakes a few times at most. */
static void test_idle_sleeps(void **state) {
  struct text archive = archive_of("Idle -> Discard;");
  struct process_options options = {
      .archive = {archive.data, archive.length}, .control_path = in_folder("control"), .log_fd = -1};
  char text[4096], errors[4096];
  unsigned long sleeps[2], slept[2];
  struct child child = start_child(&options);
  int fd = connect_control(options.control_path);
  expect_end(fd, "1.3\r\n", text, sizeof text);
  for (int i = 0; i < 2; i++) {
    read_handler(fd, "workers", text, sizeof text);
    sleeps[i] = strtoul(strstr(text, "worker0.sleeps ") + 15, NULL, 10);
    slept[i] = strtoul(strstr(text, "worker0.slept_us ") + 17, NULL, 10);
    if (i == 0) poll(NULL, 0, 500);
  }
  assert_true(sleeps[1] - sleeps[0] <= 5);
  assert_true(slept[1] - slept[0] >= 400000);
  kill(child.pid, SIGINT);
  assert_int_equal(end_child(child, errors, sizeof errors), 0);
  close(fd);
  text_free(&archive);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_boots),
      cmocka_unit_test(test_bad_archives),
      cmocka_unit_test(test_files_are_no_stale_sockets),
      cmocka_unit_test(test_control_socket),
      cmocka_unit_test(test_signal_stops),
      cmocka_unit_test(test_idle_sleeps),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
