/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The whole system as a process: boot archives good and bad, capture files through the graph, the control socket. Each case
 * runs process_run in a child, as there is one system per process.
 */
#define _GNU_SOURCE /* mkdtemp, pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* after the above, as it asks */
#include <cmocka.h>

#include "kernel/platform.h"
#include "lib/cpio_write.h"
#include "platform/process/pcap.h"
#include "platform/process/process.h"

enum { DEADLINE_MS = 10000, FRAMES = 1000 };

static char folder[] = "/tmp/imago-process-test-XXXXXX";

static const char *in_folder(const char *name) {
  static char paths[8][128];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static struct text archive_of(const char *config) {
  struct cpio_writer writer = {0};
  if (config != NULL) assert_int_equal(cpio_write_file(&writer, "config.click", config, strlen(config), NULL), 0);
  assert_int_equal(cpio_write_end(&writer, NULL), 0);
  return writer.bytes;
}

/* A child that runs the system; its standard error is a pipe. */
struct child {
  pid_t pid;
  int errors;
};

static struct child start_child(const struct process_options *options) {
  int pipe_ends[2];
  assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
  fflush(NULL);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct report report = {0};
    dup2(pipe_ends[1], STDERR_FILENO);
    alarm(60);
    int status = process_run(options, &report);
    fputs(text_string(&report.text), stderr);
    fflush(stderr);
    _exit(status);
  }
  close(pipe_ends[1]);
  return (struct child){pid, pipe_ends[0]};
}

/* Reads until the end of file. */
static void read_all(int fd, char *text, size_t size) {
  size_t used = 0;
  ssize_t n;
  while (used + 1 < size && (n = read(fd, text + used, size - 1 - used)) > 0)
    used += (size_t)n;
  text[used] = '\0';
}

static int end_child(struct child child, char *errors, size_t size) {
  int status;
  read_all(child.errors, errors, size);
  close(child.errors);
  assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
  if (!WIFEXITED(status)) print_error("child: signal %d: %s\n", WTERMSIG(status), errors);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static int connect_control(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  for (int waited = 0; waited < DEADLINE_MS; waited++) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    poll(NULL, 0, 1);
  }
  fail_msg("no control socket at %s", path);
  return -1;
}

/* Reads until the text ends in `end`, within the deadline. */
static void expect_end(int fd, const char *end, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  while (strlen(text) < strlen(end) || strcmp(text + used - strlen(end), end) != 0) {
    struct pollfd p = {fd, POLLIN, 0};
    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
    ssize_t n = read(fd, text + used, size - 1 - used);
    if (n <= 0) fail_msg("closed; got '%s', expected it to end in '%s'", text, end);
    used += (size_t)n;
    text[used] = '\0';
  }
}

static void send_line(int fd, const char *line) { assert_int_equal(write(fd, line, strlen(line)), strlen(line)); }

/* Reads a handler: the text behind DATA into value. */
static void read_handler(int fd, const char *name, char *value, size_t size) {
  char line[256], buffer[65536];
  snprintf(line, sizeof line, "READ %s\r\n", name);
  send_line(fd, line);
  size_t used = 0, length = 0;
  const char *data = NULL;
  for (;;) {
    buffer[used] = '\0';
    data = strstr(buffer, "\r\nDATA ");
    if (data != NULL && strstr(data + 2, "\r\n") != NULL) {
      length = strtoul(data + 7, NULL, 10);
      data = strstr(data + 2, "\r\n") + 2;
      if (used - (size_t)(data - buffer) >= length) break;
    }
    struct pollfd p = {fd, POLLIN, 0};
    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
    ssize_t n = read(fd, buffer + used, sizeof buffer - 1 - used);
    assert_true(n > 0);
    used += (size_t)n;
  }
  assert_true(length < size);
  memcpy(value, data, length);
  value[length] = '\0';
}

/* --- captures --- */

/* Frame i has 60 + i % 1000 bytes, each i + its place. */
static size_t make_frame(unsigned i, uint8_t *frame) {
  size_t length = 60 + i % 1000;
  for (size_t k = 0; k < length; k++)
    frame[k] = (uint8_t)(i + k);
  return length;
}

static void write_capture(const char *path, unsigned count) {
  uint8_t frame[PACKET_BUFFER_SIZE];
  struct report report = {0};
  FILE *file = pcap_writer_open(path, &report);
  assert_non_null(file);
  for (unsigned i = 0; i < count; i++) {
    size_t length = make_frame(i, frame);
    assert_int_equal(pcap_write(file, i * 1000000ull, frame, (uint32_t)length), 0);
  }
  assert_int_equal(fclose(file), 0);
}

static void check_capture(const char *path, unsigned count) {
  uint8_t expected[PACKET_BUFFER_SIZE], frame[PACKET_BUFFER_SIZE];
  struct pcap_reader reader;
  struct report report = {0};
  uint32_t length;
  assert_int_equal(pcap_reader_open(&reader, path, &report), 0);
  for (unsigned i = 0; i < count; i++) {
    assert_int_equal(pcap_read(&reader, frame, sizeof frame, &length), 1);
    assert_int_equal(length, make_frame(i, expected));
    assert_memory_equal(frame, expected, length);
  }
  assert_int_equal(pcap_read(&reader, frame, sizeof frame, &length), 0);
  pcap_reader_close(&reader);
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

static int bind_datagram(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
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
  strcpy(to.sun_path, in_folder("e0"));
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

static int make_folder(void **state) { return mkdtemp(folder) == NULL ? -1 : 0; }

static int remove_folder(void **state) {
  static const char *const names[] = {"in.pcap", "out.pcap", "bad.pcap", "records.pcap", "control", "p0",
                                      "p1",      "e0",       "e1"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    unlink(in_folder(names[i]));
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_captures),
      cmocka_unit_test(test_records),
      cmocka_unit_test(test_memory_cables),
      cmocka_unit_test(test_refused_frames),
      cmocka_unit_test(test_bad_boots),
      cmocka_unit_test(test_bad_archives),
      cmocka_unit_test(test_files_are_no_stale_sockets),
      cmocka_unit_test(test_capture_through_graph),
      cmocka_unit_test(test_capture_at_recorded_speed),
      cmocka_unit_test(test_control_socket),
      cmocka_unit_test(test_signal_stops),
      cmocka_unit_test(test_idle_sleeps),
      cmocka_unit_test(test_unix_sockets),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
