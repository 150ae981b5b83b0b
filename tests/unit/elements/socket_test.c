/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Socket: arguments, hot swaps, and what holds for every kind of it. Sentences in quotes are from Click's manual page of Socket
 * (elements/userlevel/socket.hh).
 */
#define _GNU_SOURCE /* accept4 */
#include "tests/unit/elements/sockets.h"

#include <errno.h>
#include <unistd.h>

/* Every argument in its place and by keyword, and what is wrong with it. */
static void arguments(void **state) {
  static const struct {
    const char *arguments, *message;
  } refused[] = {
      {"", "TYPE: required argument missing"},
      {"SCTP, 10.0.0.1, 80", "unknown socket type 'SCTP'; expected TCP, UDP, UNIX or UNIX_DGRAM"},
      {"TCP", "ADDR: required argument missing"},
      {"TCP, 10.0.0.1", "PORT: required argument missing"},
      {"TCP, here, 80", "ADDR"},
      {"TCP, 10.0.0.1, 65536", "PORT"},
      {"TCP, 10.0.0.1, nosuchport", "PORT"},
      {"TCP, 10.0.0.1, 80, there, 81", "LOCAL_ADDR"},
      {"TCP, 10.0.0.1, 80, 10.0.0.1, x-y", "LOCAL_PORT"},
      {"TCP, 10.0.0.1, 80, 10.0.0.1, 81, 82", "too many arguments"},
      {"TCP, 10.0.0.1, 80, FILENAME /tmp/x", "FILENAME: only sockets of TYPE UNIX and UNIX_DGRAM have files"},
      {"UNIX", "FILENAME: required argument missing"},
      {"UNIX, /tmp/a, /tmp/b, /tmp/c", "too many arguments"},
      {"UNIX, /tmp/a, FILENAME /tmp/b", "too many arguments"},
      {"UNIX, \"\"", "remote filename is empty"},
      {"UNIX, /x23456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/1234567",
       "remote filename '/x23456789/123456789/123456789/123456789...' too long: at most 107 bytes"},
      {"UNIX, /nonexistent/a", "bind /nonexistent/a: No such file or directory"},
      {"UNIX, /nonexistent/a, CLIENT true", "connect /nonexistent/a: No such file or directory"},
      {"UDP, 192.0.2.1, 80", "bind 192.0.2.1:80: Cannot assign requested address"}, /* RFC 5737: nobody's */
      {"UDP, 127.0.0.1, 0, SNAPLEN 0", "SNAPLEN: must be at least 1"},
      {"UDP, 127.0.0.1, 0, HEADROOM 1920", "HEADROOM: must be less than 1920"},
      {"UDP, 127.0.0.1, 0, NODELAY maybe", "NODELAY"},
      {"UDP, 127.0.0.1, 0, ALLOW o", "ALLOW: 'o' is no element with IP routes"},
      {"UDP, 127.0.0.1, 0, DENY o", "DENY: 'o' is no element with IP routes"},
      {"UDP, 127.0.0.1, 0, DENY nobody", "DENY"},
      {"UDP, 127.0.0.1, 0, SPEED 5", "SPEED: unknown argument"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    char config[512];
    format_text(config, sizeof config, "Socket(%s) -> o :: Capture", refused[i].arguments);
    harness_refuses(config, refused[i].message);
  }
  static const char *const accepted[] = {
      "udp, 127.0.0.1, 0",
      "TYPE UDP, ADDR 127.0.0.1, PORT 0, PROPER true, VERBOSE true, NODELAY 0",
      "UDP, 127.0.0.1, http, 127.0.0.1, 0", /* a client; well-known ports have names */
      "UDP, 127.0.0.1, 9, LOCAL_ADDR 127.0.0.1, LOCAL_PORT 0, SNDBUF 10000, RCVBUF 10000",
      "UDP, 127.0.0.1, 0, 192.0.2.1, 5, CLIENT false", /* "If CLIENT is set to false, any LOCALIP ... are ignored." */
      "UNIX, \\<00 69 6d 61 67 6f 2d 74 65 73 74>",    /* abstract */
      "UDP, 127.0.0.1, 0, TIMESTAMP false, SNAPLEN 1, HEADROOM 1919",
  };
  for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
    start("Socket(%s) -> Capture", accepted[i]);
    run_a_while();
    harness_stop();
  }
}

/* A server without output throws away what comes, under a name, and yet notices that its client goes. */
static void server_without_output(void **state) {
  start("i :: Inject -> s :: Socket(UNIX, %s/sink, CLIENT false)", directory);
  int client = connected_file("sink", SOCK_STREAM);
  assert_int_equal(send(client, "noise", 5, 0), 5);
  run_until_dropped("no_output ", 1);
  harness_inject("i", "hello", 1);
  expect_received(client, "hello");
  close(client);
  run_a_while();
  client = connected_file("sink", SOCK_STREAM);
  assert_int_equal(send(client, "noise", 5, 0), 5);
  run_until_dropped("no_output ", 2);
  close(client);
  harness_stop();
}

/* A Socket may be its own source. */
static void echo(void **state) {
  start("s :: Socket(UNIX, %s/echo) -> c :: Counter -> s", directory);
  int client = connected_file("echo", SOCK_STREAM);
  assert_int_equal(send(client, "to and fro", 10, 0), 10);
  run_until("c.count", 1);
  expect_received(client, "to and fro");
  close(client);
  harness_stop();
}

/* A hot swap keeps the connection and what waits, also with other buffer sizes; with another address it opens that. */
static void hot_swap(void **state) {
  int listener = bound_file("keep", SOCK_STREAM);
  start("i :: Inject -> s :: Socket(UNIX, %s/keep, CLIENT true, SNDBUF 4608) -> c :: Counter -> o :: Capture",
        directory);
  int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  static char words[700 * 6 + 1], got[700 * 5 + 5];
  for (unsigned i = 0; i < 700; i++)
    format_text(words + i * 6, 7, "w%04u ", i);
  harness_inject("i", words, 100);
  size_t expected = (700 - (size_t)drops("full ")) * 5 + 5, length = 0;
  char next[256];
  format_text(next, sizeof next,
              "i :: Inject -> s :: Socket(UNIX, %s/keep, CLIENT true, SNAPLEN 3) -> c :: Counter -> o :: Capture",
              directory);
  harness_replace(next);
  assert_string_equal(harness_message(), "");
  harness_run(1);
  while (length < expected - 5) {
    ssize_t n = recv(peer, got + length, sizeof got - length, MSG_DONTWAIT);
    assert_true(n > 0 || errno == EAGAIN);
    if (n > 0) length += (size_t)n;
    step();
  }
  for (unsigned i = 0; i * 5 < expected - 5; i++)
    assert_memory_equal(got + i * 5, words + i * 6, 5);
  harness_inject("i", "after", 1);
  expect_received(peer, "after");
  assert_int_equal(send(peer, "back", 4, 0), 4);
  run_until("c.count", 2); /* SNAPLEN is the new one */
  assert_int_equal(recv(listener, got, 1, MSG_DONTWAIT), -1);
  format_text(next, sizeof next, "i :: Inject -> s :: Socket(UNIX, %s/other, CLIENT true)", directory);
  harness_refuses_beside(next, "connect ");
  assert_int_equal(send(peer, "still", 5, 0), 5);
  run_until("c.count", 4);
  int other = bound_file("other", SOCK_STREAM);
  harness_replace(next);
  assert_int_equal(recv(peer, got, 1, 0), 0);
  close(other);
  close(peer);
  close(listener);
  harness_stop();
  assert_int_equal(unlink(file_address("keep").sun_path), 0);
  assert_int_equal(unlink(file_address("other").sun_path), 0);
}

/* A server in a hot swap: it goes on listening, its client stays, and the file is removed only at the end. */
static void hot_swap_server(void **state) {
  char config[256];
  format_text(config, sizeof config, "i :: Inject -> s :: Socket(UNIX, %s/stay) -> c :: Counter -> o :: Capture",
              directory);
  harness_start(config);
  int client = connected_file("stay", SOCK_STREAM);
  assert_int_equal(send(client, "a", 1, 0), 1);
  run_until("c.count", 1);
  harness_replace(config);
  assert_int_equal(send(client, "b", 1, 0), 1);
  run_until("c.count", 2);
  harness_inject("i", "hello", 1);
  expect_received(client, "hello");
  close(client);
  client = connected_file("stay", SOCK_STREAM);
  assert_int_equal(send(client, "c", 1, 0), 1);
  run_until("c.count", 3);
  close(client);
  harness_stop();
  assert_int_equal(access(file_address("stay").sun_path, F_OK), -1);
}

/* Without a single free buffer nothing is lost: it stays in the socket until there is one. */
static void no_buffers(void **state) {
  start("s :: Socket(UNIX, %s/empty) -> c :: Counter -> o :: Capture", directory);
  int client = connected_file("empty", SOCK_STREAM);
  run_a_while();
  static struct packet *taken[HARNESS_PACKETS + 1];
  unsigned count = 0;
  while ((taken[count] = packet_new(&harness.pool)) != NULL)
    count++;
  assert_int_equal(send(client, "wait", 4, 0), 4);
  run_a_while();
  assert_int_equal(harness_number("c.count"), 0);
  while (count > 0)
    packet_kill(taken[--count]);
  run_until("c.count", 1);
  assert_string_equal(harness_captured("o"), "wait ");
  close(client);
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arguments), cmocka_unit_test(server_without_output), cmocka_unit_test(echo),
      cmocka_unit_test(hot_swap),  cmocka_unit_test(hot_swap_server),       cmocka_unit_test(no_buffers),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
