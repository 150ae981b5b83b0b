/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Socket over UDP and unix datagrams, against plain sockets of the test. Sentences in quotes are from Click's manual page of Socket
 * (elements/userlevel/socket.hh).
 */
#include "tests/unit/elements/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(datagram_server), cmocka_unit_test(allows_and_denies), cmocka_unit_test(giant_datagrams),
      cmocka_unit_test(datagram_client), cmocka_unit_test(unix_datagrams),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
