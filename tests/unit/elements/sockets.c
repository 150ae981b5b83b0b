/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The other side of Socket in its tests, and the graph's.
 */
#define _GNU_SOURCE /* mkdtemp */
#include "tests/unit/elements/sockets.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "platform/process/host.h"

char directory[] = "/tmp/imago-socket-XXXXXX";

int plain_socket(int family, int kind) {
  int fd = socket(family, kind | SOCK_CLOEXEC, 0);
  const struct timeval patience = {PATIENCE_S, 0};
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  return fd;
}

struct sockaddr_un file_address(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  format_text(address.sun_path, sizeof address.sun_path, "%s/%s", directory, name);
  return address;
}

int bound_file(const char *name, int kind) {
  int fd = plain_socket(AF_UNIX, kind);
  const struct sockaddr_un address = file_address(name);
  assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
  if (kind == SOCK_STREAM) assert_int_equal(listen(fd, 5), 0);
  return fd;
}

int connected_file(const char *name, int kind) {
  int fd = plain_socket(AF_UNIX, kind);
  const struct sockaddr_un address = file_address(name);
  assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

unsigned address_byte(unsigned i) { return i == 1 ? 1 + (unsigned)getpid() / 250 % 250 : 1 + (unsigned)getpid() % 250; }

struct sockaddr_in our_address(unsigned port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(127u << 24 | address_byte(1) << 16 | address_byte(2) << 8 | 1)};
}

const char *our_ip(void) {
  static char text[16];
  format_text(text, sizeof text, "127.%u.%u.1", address_byte(1), address_byte(2));
  return text;
}

struct sockaddr_in loopback(int fd) {
  struct sockaddr_in address = our_address(0);
  socklen_t length = sizeof address;
  assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
  return address;
}

unsigned free_port(int kind) {
  int fd = plain_socket(AF_INET, kind);
  unsigned port = ntohs(loopback(fd).sin_port);
  close(fd);
  return port;
}

int connected_tcp(unsigned port) {
  int fd = plain_socket(AF_INET, SOCK_STREAM);
  const struct sockaddr_in address = our_address(port);
  assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

void expect_received(int fd, const char *expected) {
  char got[256];
  size_t length = strlen(expected), at = 0;
  while (at < length) {
    ssize_t n = recv(fd, got + at, length - at, 0);
    assert_true(n > 0);
    at += (size_t)n;
  }
  assert_memory_equal(got, expected, length);
}

/* --- our side --- */

void start(const char *format, ...) {
  char config[1024];
  va_list list;
  va_start(list, format);
  format_text_list(config, sizeof config, format, list);
  va_end(list);
  harness_start(config);
}

void step(void) {
  static const struct timespec soon = {0, 1000000};
  (void)process_watch_poll(NULL, 0, &soon);
  harness_run(1);
}

void run_until(const char *handler, unsigned long long expected) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  time_t end = now.tv_sec + PATIENCE_S;
  while (harness_number(handler) != expected && now.tv_sec < end) {
    step();
    clock_gettime(CLOCK_MONOTONIC, &now);
  }
  assert_int_equal(harness_number(handler), expected);
}

unsigned long long drops(const char *name) {
  const char *found = strstr(harness_read("s.drops"), name);
  assert_non_null(found);
  return strtoull(found + strlen(name), NULL, 10);
}

void run_until_dropped(const char *name, unsigned long long expected) {
  for (int i = 0; i < PATIENCE_S * 1000 && drops(name) != expected; i++)
    step();
  assert_int_equal(drops(name), expected);
}

void run_a_while(void) {
  for (int i = 0; i < 5; i++)
    step();
}

int make_directory(void **state) { return mkdtemp(directory) ? 0 : -1; }

int remove_directory(void **state) {
  process_watch_release();
  return rmdir(directory); /* every file is removed by whoever made it */
}
