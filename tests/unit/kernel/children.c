/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Systems in child processes, their control sockets, and capture files.
 */
#define _GNU_SOURCE /* mkdtemp, pipe2 */
#include "tests/unit/kernel/children.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/platform.h"
#include "lib/cpio_write.h"
#include "platform/process/pcap.h"

static char folder[] = "/tmp/imago-process-test-XXXXXX";

const char *in_folder(const char *name) {
  static char paths[8][128];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

struct text archive_of(const char *config) {
  struct cpio_writer writer = {0};
  if (config != NULL) assert_int_equal(cpio_write_file(&writer, "config.click", config, strlen(config), NULL), 0);
  assert_int_equal(cpio_write_end(&writer, NULL), 0);
  return writer.bytes;
}

struct child start_child(const struct process_options *options) {
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

int end_child(struct child child, char *errors, size_t size) {
  int status;
  read_all(child.errors, errors, size);
  close(child.errors);
  assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
  if (!WIFEXITED(status)) print_error("child: signal %d: %s\n", WTERMSIG(status), errors);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

int connect_control(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  for (int waited = 0; waited < DEADLINE_MS; waited++) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    poll(NULL, 0, 1);
  }
  fail_msg("no control socket at %s", path);
  return -1;
}

void expect_end(int fd, const char *end, char *text, size_t size) {
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

void send_line(int fd, const char *line) { assert_int_equal(write(fd, line, strlen(line)), strlen(line)); }

void read_handler(int fd, const char *name, char *value, size_t size) {
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

size_t make_frame(unsigned i, uint8_t *frame) {
  size_t length = 60 + i % 1000;
  for (size_t k = 0; k < length; k++)
    frame[k] = (uint8_t)(i + k);
  return length;
}

void write_capture(const char *path, unsigned count) {
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

void check_capture(const char *path, unsigned count) {
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

int make_folder(void **state) { return mkdtemp(folder) == NULL ? -1 : 0; }

int remove_folder(void **state) {
  static const char *const names[] = {"in.pcap", "out.pcap", "bad.pcap", "records.pcap", "control", "p0",
                                      "p1",      "e0",       "e1"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    unlink(in_folder(names[i]));
  return rmdir(folder);
}
