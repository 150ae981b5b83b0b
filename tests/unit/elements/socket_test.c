/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of Socket against plain sockets of the test. What it must do is in Click's manual page of the same name (elements/
 * userlevel/socket.hh); sentences in quotes are from there.
 */
#define _GNU_SOURCE /* accept4 */
#include "tests/unit/elements/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "platform/process/host.h"

enum { PATIENCE_S = 30 };

static char directory[] = "/tmp/imago-socket-XXXXXX";

/* --- the other side --- */

static int plain_socket(int family, int kind) {
  int fd = socket(family, kind | SOCK_CLOEXEC, 0);
  const struct timeval patience = {PATIENCE_S, 0};
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  return fd;
}

static struct sockaddr_un file_address(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  format_text(address.sun_path, sizeof address.sun_path, "%s/%s", directory, name);
  return address;
}

static int bound_file(const char *name, int kind) {
  int fd = plain_socket(AF_UNIX, kind);
  const struct sockaddr_un address = file_address(name);
  assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
  if (kind == SOCK_STREAM) assert_int_equal(listen(fd, 5), 0);
  return fd;
}

static int connected_file(const char *name, int kind) {
  int fd = plain_socket(AF_UNIX, kind);
  const struct sockaddr_un address = file_address(name);
  assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

/* The loopback address of this process alone, so that a port that was free stays so: 127.A.B.1. */
static unsigned address_byte(unsigned i) {
  return i == 1 ? 1 + (unsigned)getpid() / 250 % 250 : 1 + (unsigned)getpid() % 250;
}

static struct sockaddr_in our_address(unsigned port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(127u << 24 | address_byte(1) << 16 | address_byte(2) << 8 | 1)};
}

static const char *our_ip(void) {
  static char text[16];
  format_text(text, sizeof text, "127.%u.%u.1", address_byte(1), address_byte(2));
  return text;
}

/* Binds to a port that is free. */
static struct sockaddr_in loopback(int fd) {
  struct sockaddr_in address = our_address(0);
  socklen_t length = sizeof address;
  assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
  return address;
}

static unsigned free_port(int kind) {
  int fd = plain_socket(AF_INET, kind);
  unsigned port = ntohs(loopback(fd).sin_port);
  close(fd);
  return port;
}

static int connected_tcp(unsigned port) {
  int fd = plain_socket(AF_INET, SOCK_STREAM);
  const struct sockaddr_in address = our_address(port);
  assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static void expect_received(int fd, const char *expected) {
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

static void start(const char *format, ...) {
  char config[1024];
  va_list list;
  va_start(list, format);
  format_text_list(config, sizeof config, format, list);
  va_end(list);
  harness_start(config);
}

static void step(void) {
  static const struct timespec soon = {0, 1000000};
  (void)process_watch_poll(NULL, 0, &soon);
  harness_run(1);
}

/* Runs the graph until `handler` says `expected`. */
static void run_until(const char *handler, unsigned long long expected) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  time_t end = now.tv_sec + PATIENCE_S;
  while (harness_number(handler) != expected && now.tv_sec < end) {
    step();
    clock_gettime(CLOCK_MONOTONIC, &now);
  }
  assert_int_equal(harness_number(handler), expected);
}

static unsigned long long drops(const char *name) {
  const char *found = strstr(harness_read("s.drops"), name);
  assert_non_null(found);
  return strtoull(found + strlen(name), NULL, 10);
}

static void run_until_dropped(const char *name, unsigned long long expected) {
  for (int i = 0; i < PATIENCE_S * 1000 && drops(name) != expected; i++)
    step();
  assert_int_equal(drops(name), expected);
}

/* A few rounds in which nothing is expected to happen. */
static void run_a_while(void) {
  for (int i = 0; i < 5; i++)
    step();
}

/* --- tests --- */

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

/* "a datagram server may receive packets from multiple remote hosts; input packets are sent to the last" one. */
static void datagram_server(void **state) {
  unsigned port = free_port(SOCK_DGRAM);
  start("i :: Inject -> s :: Socket(UDP, %s, %u) -> c :: Counter -> o :: Capture", our_ip(), port);
  harness_inject("i", "nobody", 1);
  assert_int_equal(drops("not_connected "), 1);
  int a = plain_socket(AF_INET, SOCK_DGRAM), b = plain_socket(AF_INET, SOCK_DGRAM);
  const struct sockaddr_in to = our_address(port);
  const struct sockaddr *address = (const struct sockaddr *)&to;
  assert_int_equal(sendto(a, "from_a", 6, 0, address, sizeof to), 6);
  run_until("c.count", 1);
  harness_inject("i", "to_a", 1);
  expect_received(a, "to_a");
  assert_int_equal(sendto(b, "from_b", 6, 0, address, sizeof to), 6);
  run_until("c.count", 2);
  harness_inject("i", "to_b", 1);
  expect_received(b, "to_b");
  assert_string_equal(harness_captured("o"), "from_a from_b ");
  /* An empty datagram is no packet, and changes nothing. */
  assert_int_equal(sendto(a, "", 0, 0, address, sizeof to), 0);
  run_until_dropped("empty ", 1);
  harness_inject("i", "again", 1);
  expect_received(b, "again");
  close(a);
  close(b);
  harness_stop();
}

/* Click's Socket::allowed: an address in ALLOW may, another one in DENY may not, all others may. RFC 1122, 3.2.1.3: all of 127/8 is this
 * host, so that a client can have any address there. */
static int socket_from(int kind, const char *ip) {
  int fd = plain_socket(AF_INET, kind);
  struct sockaddr_in address = {.sin_family = AF_INET};
  assert_int_equal(inet_pton(AF_INET, ip, &address.sin_addr), 1);
  assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static void allows_and_denies(void **state) {
  static const struct {
    const char *tables, *ip;
    bool allowed;
  } cases[] = {
      {"", "127.0.9.1", true},
      {", ALLOW a", "127.0.9.1", true},
      {", ALLOW a", "127.0.9.2", true}, /* ALLOW alone forbids nobody */
      {", DENY d", "127.0.9.1", false},
      {", DENY d", "127.0.8.8", true},
      {", ALLOW a, DENY d", "127.0.9.1", true},
      {", ALLOW a, DENY d", "127.0.9.2", false},
      {", DENY d, CLIENT false", "127.0.9.2", false},
  };
  static const char tables[] = "Idle -> a :: LinearIPLookup(127.0.9.1/32 0) -> Discard;"
                               "Idle -> d :: RadixIPLookup(127.0.9.0/24 0) -> Discard;";
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    unsigned port = free_port(SOCK_DGRAM);
    start("%s i :: Inject -> s :: Socket(UDP, %s, %u%s) -> c :: Counter -> o :: Capture", tables, our_ip(), port,
          cases[i].tables);
    int fd = socket_from(SOCK_DGRAM, cases[i].ip);
    const struct sockaddr_in to = our_address(port);
    assert_int_equal(sendto(fd, "said", 4, 0, (const struct sockaddr *)&to, sizeof to), 4);
    if (cases[i].allowed) {
      run_until("c.count", 1);
    } else {
      run_until_dropped("denied ", 1);
      harness_inject("i", "unheard", 1); /* it is no peer, either */
      assert_int_equal(drops("not_connected "), 1);
    }
    close(fd);
    harness_stop();

    port = free_port(SOCK_STREAM);
    start("%s s :: Socket(TCP, %s, %u, VERBOSE true%s) -> c :: Counter -> o :: Capture", tables, our_ip(), port,
          cases[i].tables);
    const struct sockaddr_in server = our_address(port);
    fd = socket_from(SOCK_STREAM, cases[i].ip);
    assert_int_equal(connect(fd, (const struct sockaddr *)&server, sizeof server), 0);
    int other = connected_tcp(port); /* from 127.A.B.1, with A above 0 */
    assert_int_equal(send(other, "x", 1, 0), 1);
    if (cases[i].allowed) {
      assert_int_equal(send(fd, "said", 4, 0), 4);
      run_until("c.count", 1);
      assert_string_equal(harness_captured("o"), "said ");
    } else {
      run_until("c.count", 1); /* of the other one: who is denied does not stand in the way */
      assert_string_equal(harness_captured("o"), "x ");
      assert_non_null(strstr(text_string(&harness.log), "s :: Socket: denied connection "));
    }
    close(fd);
    close(other);
    harness_stop();
  }
}

/* A datagram that is longer than SNAPLEN, or than a buffer, is cut; "extra length" (Packet::extra_length_anno, 28) has the rest. */
static void giant_datagrams(void **state) {
  static const struct {
    const char *arguments;
    unsigned sent, kept;
  } rows[] = {
      {"SNAPLEN 10", 60000, 10}, {"SNAPLEN 10", 10, 10}, {"HEADROOM 28", 60000, 1892}, {"HEADROOM 28", 1892, 1892}};
  static char bytes[60000];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    unsigned port = free_port(SOCK_DGRAM);
    start("s :: Socket(UDP, %s, %u, %s) -> c :: Counter -> o :: Capture", our_ip(), port, rows[i].arguments);
    int fd = plain_socket(AF_INET, SOCK_DGRAM);
    const struct sockaddr_in to = our_address(port);
    assert_int_equal(sendto(fd, bytes, rows[i].sent, 0, (const struct sockaddr *)&to, sizeof to), rows[i].sent);
    run_until("c.count", 1);
    assert_int_equal(harness_last("o")->length, rows[i].kept);
    assert_int_equal(annotation_u32(harness_last("o"), 28), rows[i].sent - rows[i].kept);
    close(fd);
    harness_stop();
  }
}

/* "If a client, input packets are sent to the specified address." From the local address, if there is one; to the destination
 * annotation of each packet, if the address is zero. What the host refuses is counted, and the socket goes on. */
static void datagram_client(void **state) {
  int peer = plain_socket(AF_INET, SOCK_DGRAM);
  unsigned port = ntohs(loopback(peer).sin_port), local = free_port(SOCK_DGRAM);
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  char got[16];
  start("i :: Inject -> s :: Socket(UDP, %s, %u, %s, %u) -> c :: Counter -> Capture", our_ip(), port, our_ip(), local);
  harness_inject("i", "hi", 1);
  assert_int_equal(recvfrom(peer, got, sizeof got, 0, (struct sockaddr *)&from, &length), 2);
  assert_int_equal(ntohs(from.sin_port), local);
  assert_int_equal(sendto(peer, "yo", 2, 0, (const struct sockaddr *)&from, length), 2);
  run_until("c.count", 1);
  harness_stop();

  start("i :: Inject -> Paint(127, 0) -> Paint(%u, 1) -> Paint(%u, 2) -> Paint(1, 3) -> s :: Socket(UDP, 0.0.0.0, %u)",
        address_byte(1), address_byte(2), port);
  harness_inject("i", "by annotation", 2);
  expect_received(peer, "by");
  expect_received(peer, "annotation");
  harness_stop();

  start("i :: Inject -> s :: Socket(UDP, 255.255.255.255, %u)", port); /* EACCES without SO_BROADCAST (ip(7)) */
  harness_inject("i", "a b", 2);
  assert_int_equal(drops("send_failed "), 2);
  harness_stop();
  close(peer);
}

/* UNIX_DGRAM both ways; a reader that is slow makes packets wait, one that is gone makes them drops, and the socket goes on. */
static void unix_datagrams(void **state) {
  int peer = bound_file("there", SOCK_DGRAM);
  start(
      "i :: Inject -> q :: Queue(1000) -> s :: Socket(UNIX_DGRAM, %s/there, LOCAL_FILENAME %s/here) -> c :: Counter -> o :: Capture",
      directory, directory);
  static char words[300 * 6 + 1], got[16];
  for (unsigned i = 0; i < 300; i++)
    format_text(words + i * 6, 7, "w%04u ", i);
  harness_inject("i", words, 100);
  run_a_while();
  for (unsigned i = 0; i < 300; i++) {
    while (recv(peer, got, sizeof got, MSG_DONTWAIT) < 0)
      step();
    assert_memory_equal(got, words + i * 6, 5);
  }
  const struct sockaddr_un here = file_address("here");
  assert_int_equal(sendto(peer, "back", 4, 0, (const struct sockaddr *)&here, sizeof here), 4);
  run_until("c.count", 1);
  close(peer);
  harness_inject("i", "gone", 1);
  run_until_dropped("send_failed ", 1);
  assert_int_equal(unlink(file_address("there").sun_path), 0);
  peer = bound_file("there", SOCK_DGRAM);
  harness_inject("i", "anew", 1);
  run_a_while();
  expect_received(peer, "anew");
  harness_stop();
  assert_int_equal(access(here.sun_path, F_OK), -1);
  close(peer);
  assert_int_equal(unlink(file_address("there").sun_path), 0);
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

static int make_directory(void **state) { return mkdtemp(directory) ? 0 : -1; }

static int remove_directory(void **state) {
  process_watch_release();
  return rmdir(directory); /* every file is removed by whoever made it */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arguments),
      cmocka_unit_test(stream_server),
      cmocka_unit_test(stream_server_file),
      cmocka_unit_test(stream_client_pulls),
      cmocka_unit_test(stream_client_full),
      cmocka_unit_test(stream_peer_resets),
      cmocka_unit_test(socket_options),
      cmocka_unit_test(snaplen_and_headroom),
      cmocka_unit_test(datagram_server),
      cmocka_unit_test(allows_and_denies),
      cmocka_unit_test(giant_datagrams),
      cmocka_unit_test(datagram_client),
      cmocka_unit_test(unix_datagrams),
      cmocka_unit_test(server_without_output),
      cmocka_unit_test(echo),
      cmocka_unit_test(hot_swap),
      cmocka_unit_test(hot_swap_server),
      cmocka_unit_test(no_buffers),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
