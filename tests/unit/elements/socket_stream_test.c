/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Socket over TCP and unix streams, against plain sockets of the test. Sentences in quotes are from Click's manual page of Socket
 * (elements/userlevel/socket.hh).
 */
#define _GNU_SOURCE /* accept4 */
#include "tests/unit/elements/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "platform/process/host.h"

/* "connections are accepted one at a time": a second client waits until the first has gone, and then is served. */
static void stream_server(void **state) {
  start("i :: Inject -> s :: Socket(UNIX, %s/server, VERBOSE true) -> c :: Counter -> o :: Capture", directory);
  harness_inject("i", "early", 1); /* nobody is there */
  assert_int_equal(drops("not_connected "), 1);
  int first = connected_file("server", SOCK_STREAM), second = connected_file("server", SOCK_STREAM);
  assert_int_equal(send(second, "second", 6, 0), 6);
  assert_int_equal(send(first, "first", 5, 0), 5);
  run_until("c.count", 1);
  assert_string_equal(harness_captured("o"), "first ");
  harness_inject("i", "to the first", 3);
  expect_received(first, "tothefirst");
  run_a_while();
  assert_int_equal(harness_number("c.count"), 1);
  close(first);
  run_until("c.count", 2);
  assert_string_equal(harness_captured("o"), "second ");
  harness_inject("i", "hello", 1);
  expect_received(second, "hello");
  assert_non_null(strstr(text_string(&harness.log), "s :: Socket: listening for connections "));
  assert_non_null(strstr(text_string(&harness.log), "s :: Socket: opened connection "));
  assert_non_null(strstr(text_string(&harness.log), " from (unnamed)\n"));
  assert_non_null(strstr(text_string(&harness.log), "s :: Socket: closed connection "));
  close(second);
  harness_stop();
  const struct sockaddr_un address = file_address("server");
  assert_int_equal(access(address.sun_path, F_OK), -1); /* removed at the end */
}

/* Nothing is said without VERBOSE; the file of a server that died is replaced; one that lives, or another file, is not. */
static void stream_server_file(void **state) {
  close(bound_file("left", SOCK_STREAM));
  start("s :: Socket(UNIX, %s/left) -> c :: Counter -> Capture", directory);
  int client = connected_file("left", SOCK_STREAM);
  assert_int_equal(send(client, "x", 1, 0), 1);
  run_until("c.count", 1);
  close(client);
  run_a_while();
  assert_string_equal(text_string(&harness.log), "");
  harness_stop();
  int living = bound_file("living", SOCK_STREAM);
  char config[256];
  format_text(config, sizeof config, "Socket(UNIX, %s/living) -> Capture", directory);
  harness_refuses(config, "/living: another process has it open");
  close(living);
  struct sockaddr_un address = file_address("file");
  close(open(address.sun_path, O_CREAT | O_WRONLY, 0600));
  format_text(config, sizeof config, "Socket(UNIX, %s/file) -> Capture", directory);
  harness_refuses(config, "/file: it exists and is no socket");
  assert_int_equal(unlink(address.sun_path), 0);
  address = file_address("living");
  assert_int_equal(unlink(address.sun_path), 0);
}

/* "If a Socket element has no output and CLIENT is unspecified, it is assumed to be a client socket." What it sends from a queue
 * arrives in order and complete, though the peer reads late and the host's buffer is small. */
static void stream_client_pulls(void **state) {
  int listener = bound_file("peer", SOCK_STREAM);
  start("i :: Inject -> q :: Queue(1000) -> s :: Socket(UNIX, %s/peer, SNDBUF 4608)", directory);
  int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  assert_true(peer >= 0);
  static char words[700 * 6 + 1], got[700 * 5];
  for (unsigned i = 0; i < 700; i++)
    format_text(words + i * 6, 7, "w%04u ", i);
  harness_inject("i", words, 100);
  run_a_while();
  assert_true(harness_number("q.length") > 0); /* the buffer is full: the rest waits where it is */
  size_t length = 0;
  while (length < sizeof got) {
    ssize_t n = recv(peer, got + length, sizeof got - length, MSG_DONTWAIT);
    assert_true(n > 0 || (n < 0 && errno == EAGAIN));
    if (n > 0) length += (size_t)n;
    step();
  }
  for (unsigned i = 0; i < 700; i++)
    assert_memory_equal(got + i * 5, words + i * 6, 5);
  assert_string_equal(harness_read("drops"), "total 0\n");
  close(peer);
  close(listener);
  harness_stop();
  assert_int_equal(unlink(file_address("peer").sun_path), 0);
}

/* Pushed packets wait when the peer does not read, as many as have room; more are dropped as full, and counted; a source that
 * knows FULL notifiers waits, and none of its packets is lost. */
static void stream_client_full(void **state) {
  int listener = bound_file("slow", SOCK_STREAM);
  start("i :: Inject -> s :: Socket(UNIX, %s/slow, SNDBUF 4608)", directory);
  int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  static char words[4000 * 6 + 1];
  for (unsigned i = 0; i < 4000; i++)
    format_text(words + i * 6, 7, "w%04u ", i);
  harness_inject("i", words, 256);
  unsigned long long full = drops("full ");
  assert_true(full > 0 && full < 4000 - 512);
  char got[4096];
  size_t expected = (4000 - (size_t)full) * 5, length = 0;
  while (length < expected) {
    ssize_t n = recv(peer, got, sizeof got, MSG_DONTWAIT);
    assert_true(n > 0 || (n < 0 && errno == EAGAIN));
    if (n > 0) length += (size_t)n;
    step();
  }
  assert_int_equal(recv(peer, got, sizeof got, MSG_DONTWAIT), -1);
  close(peer);
  harness_stop();

  start("f :: InfiniteSource(DATA 0123456789, LIMIT 5000, BURST 32) -> s :: Socket(UNIX, %s/slow, SNDBUF 4608)",
        directory);
  peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  run_a_while();
  run_a_while();
  assert_true(harness_number("f.count") < 5000);
  for (length = 0; length < 50000;) {
    ssize_t n = recv(peer, got, sizeof got, MSG_DONTWAIT);
    if (n > 0) length += (size_t)n;
    step();
  }
  assert_int_equal(harness_number("f.count"), 5000);
  assert_string_equal(harness_read("drops"), "total 0\n");
  close(peer);
  close(listener);
  harness_stop();
  assert_int_equal(unlink(file_address("slow").sun_path), 0);
}

/* A peer that resets ends the connection: what waits is dropped under names, later packets are "not_connected", nothing spins. */
static void stream_peer_resets(void **state) {
  int listener = plain_socket(AF_INET, SOCK_STREAM);
  unsigned port = ntohs(loopback(listener).sin_port);
  assert_int_equal(listen(listener, 5), 0);
  start("i :: Inject -> s :: Socket(TCP, %s, %u, CLIENT true, SNDBUF 4608, VERBOSE true) -> o :: Capture", our_ip(),
        port);
  int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  static char words[1000 * 6 + 1];
  for (unsigned i = 0; i < 1000; i++)
    format_text(words + i * 6, 7, "w%04u ", i);
  const struct linger reset = {1, 0};
  assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  close(peer);
  run_a_while();
  harness_inject("i", words, 256);
  run_a_while();
  harness_inject("i", "more", 1);
  assert_int_equal(drops("closed ") + drops("not_connected ") + drops("full "), 1001);
  assert_non_null(strstr(text_string(&harness.log), "Connection reset by peer"));
  assert_false(process_watch_poll(NULL, 0, &(struct timespec){0, 0}));
  close(listener);
  harness_stop();
}

/* Of this process, the socket that is bound to `port`. */
static int find_socket(unsigned port) {
  for (int fd = 3; fd < 256; fd++) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) == 0 && ntohs(address.sin_port) == port) return fd;
  }
  fail_msg("no socket at port %u", port);
  return -1;
}

static int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
  return value;
}

/* "NODELAY ... Default is true"; of buffer sizes the host has the double (socket(7)). In a hot swap they change in place. */
static void socket_options(void **state) {
  int listener = plain_socket(AF_INET, SOCK_STREAM);
  unsigned port = ntohs(loopback(listener).sin_port), local = free_port(SOCK_STREAM);
  assert_int_equal(listen(listener, 5), 0);
  char config[256];
  format_text(config, sizeof config, "s :: Socket(TCP, %s, %u, %s, %u) -> Capture", our_ip(), port, our_ip(), local);
  harness_start(config);
  assert_true(option(find_socket(local), IPPROTO_TCP, TCP_NODELAY) != 0);
  format_text(config, sizeof config,
              "s :: Socket(TCP, %s, %u, %s, %u, NODELAY false, SNDBUF 20000, RCVBUF 30000) -> Capture", our_ip(), port,
              our_ip(), local);
  harness_replace(config);
  int fd = find_socket(local);
  assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  assert_int_equal(option(fd, SOL_SOCKET, SO_SNDBUF), 40000);
  assert_int_equal(option(fd, SOL_SOCKET, SO_RCVBUF), 60000);
  close(listener);
  harness_stop();
}

/* TCP: "SNAPLEN: Maximum length of packets that can be received"
 * cuts the stream. */
static void snaplen_and_headroom(void **state) {
  unsigned port = free_port(SOCK_STREAM);
  start("s :: Socket(TCP, %s, %u, SNAPLEN 4, HEADROOM 100) -> c :: Counter -> o :: Capture", our_ip(), port);
  int client = connected_tcp(port);
  assert_int_equal(send(client, "0123456789", 10, 0), 10);
  run_until("c.byte_count", 10);
  struct packet *last = harness_last("o");
  assert_int_equal(last->data - packet_buffer_start(last), 100);
  assert_true(last->timestamp >= 1700000000123456000); /* the harness's clock */
  assert_string_equal(harness_captured("o"), "0123 4567 89 ");
  close(client);
  harness_stop();
  start("s :: Socket(TCP, %s, %u, TIMESTAMP false) -> c :: Counter -> o :: Capture", our_ip(), port);
  client = connected_tcp(port);
  assert_int_equal(send(client, "x", 1, 0), 1);
  run_until("c.count", 1);
  assert_int_equal(harness_last("o")->timestamp, 0);
  close(client);
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stream_server),        cmocka_unit_test(stream_server_file),
      cmocka_unit_test(stream_client_pulls),  cmocka_unit_test(stream_client_full),
      cmocka_unit_test(stream_peer_resets),   cmocka_unit_test(socket_options),
      cmocka_unit_test(snaplen_and_headroom),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
