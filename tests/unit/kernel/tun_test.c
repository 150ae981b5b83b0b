/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tun.h in a network namespace of our own. What was set is read back by ways that tun.c does not go: getifaddrs(3), sysfs' sister
 * /proc/self/net, and packets. Skipped where the host allows neither namespaces nor /dev/net/tun.
 */
#define _GNU_SOURCE /* unshare */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/process/tun.h"

enum { PATIENCE_MS = 30000 };

static bool possible;

static int enter_namespace(void **state) {
  possible = (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) &&
             access("/dev/net/tun", R_OK | W_OK) == 0;
  return 0;
}

static int open_interface(const char *wanted, enum tun_kind kind, char name[TUN_NAME_SIZE]) {
  struct report report = {0};
  int fd = tun_open(wanted, kind, name, &report);
  if (fd < 0) fail_msg("%s", text_string(&report.text));
  report_free(&report);
  return fd;
}

/* The address of `family` that the host has for the interface; its netmask and flags. */
static bool find_address(const char *name, int family, void *address, size_t size, void *mask, unsigned *flags) {
  struct ifaddrs *all;
  bool found = false;
  assert_int_equal(getifaddrs(&all), 0);
  for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
    if (!at->ifa_addr || strcmp(at->ifa_name, name) != 0 || at->ifa_addr->sa_family != family) continue;
    memcpy(address, at->ifa_addr, size);
    if (mask) memcpy(mask, at->ifa_netmask, size);
    *flags = at->ifa_flags;
    found = true;
    break;
  }
  freeifaddrs(all);
  return found;
}

/* True if a line of the file has all three words. */
static bool file_says(const char *path, const char *a, const char *b, const char *c) {
  char line[256];
  bool found = false;
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  while (!found && fgets(line, sizeof line, file))
    found = strstr(line, a) && strstr(line, b) && strstr(line, c);
  fclose(file);
  return found;
}

/* "its name, a pattern with %d in place of the first number that is free, or "" for the host's choice". */
static void names(void **state) {
  if (!possible) skip();
  static const struct {
    const char *wanted, *expected;
    enum tun_kind kind;
  } rows[] = {
      {"im-a", "im-a", TUN_IP},   {"im%d", "im0", TUN_ETHERNET},
      {"im%d", "im1", TUN_IP},    {"", "tun0", TUN_IP}, /* tuntap.rst: the driver's own names */
      {"", "tap0", TUN_ETHERNET}, {"abcdefghijklmno", "abcdefghijklmno", TUN_IP}, /* 15 characters */
  };
  int fds[sizeof rows / sizeof *rows];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char name[TUN_NAME_SIZE];
    fds[i] = open_interface(rows[i].wanted, rows[i].kind, name);
    assert_string_equal(name, rows[i].expected);
    assert_true(if_nametoindex(name) != 0);
    assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
  }
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    close(fds[i]);
    assert_int_equal(if_nametoindex(rows[i].expected), 0);
  }
}

/* What the host refuses is refused with the interface's name, the host's words and the code. */
static void refusals(void **state) {
  if (!possible) skip();
  char name[TUN_NAME_SIZE];
  struct interface_facts facts;
  int fd = open_interface("im0", TUN_IP, name);
  const uint8_t ether[6] = {2, 0, 0, 0, 0, 1};
  struct report r = {0};
  assert_int_equal(tun_open("abcdefghijklmnop", TUN_IP, name, &r), -ERROR_TOO_BIG);
  assert_int_equal(tun_open("im0", TUN_IP, name, &r), -ERROR_BUSY);
  assert_int_equal(tun_open("im0", TUN_ETHERNET, name, &r), -ERROR_IO); /* of the other kind */
  assert_int_equal(tun_open("a/b", TUN_IP, name, &r), -ERROR_IO);
  assert_int_equal(interface_look("nobody", &facts, &r), -ERROR_NOT_FOUND);
  assert_int_equal(interface_set_mtu("nobody", 1400, &r), -ERROR_NOT_FOUND);
  assert_int_equal(interface_set_mtu("im0", 65536, &r), -ERROR_IO);
  assert_int_equal(interface_set_ether("im0", ether, &r), -ERROR_IO); /* a tun has none */
  assert_int_equal(interface_set_address("abcdefghijklmnop", 0, 0, &r), -ERROR_TOO_BIG);
  assert_int_equal(interface_add_address6("im0", (const uint8_t[16]){0x20, 1}, 129, &r), -ERROR_IO);
  assert_int_equal(interface_add_default_route(htonl(0x0a630001), &r), -ERROR_IO); /* nobody reaches it */
  assert_int_equal(r.errors, 11);
  assert_non_null(strstr(text_string(&r.text), "interface 'im0': another program has it: Device or resource busy"));
  assert_non_null(strstr(text_string(&r.text), "interface 'nobody': cannot have this MTU: No such device"));
  report_free(&r);
  close(fd);
}

/* Every setting, as the host tells it afterwards. */
static void settings(void **state) {
  if (!possible) skip();
  char name[TUN_NAME_SIZE];
  int fd = open_interface("im0", TUN_ETHERNET, name);
  const uint8_t ether[6] = {2, 0, 0, 0, 0, 1}, none[6] = {0};
  const uint8_t six[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
  assert_int_equal(interface_set_ether("im0", ether, NULL), 0);
  assert_int_equal(interface_set_mtu("im0", 1400, NULL), 0);
  assert_int_equal(interface_set_address("im0", inet_addr("10.9.0.1"), inet_addr("255.255.0.0"), NULL), 0);
  assert_int_equal(interface_set_flags("im0", IFF_UP | IFF_PROMISC, IFF_MULTICAST, NULL), 0);
  assert_int_equal(interface_add_default_route(inet_addr("10.9.0.2"), NULL), 0);
  assert_int_equal(interface_add_default_route(inet_addr("10.9.0.2"), NULL), 0);
  assert_int_equal(interface_add_address6("im0", six, 64, NULL), 0);
  assert_int_equal(interface_add_address6("im0", six, 64, NULL), 0);

  struct sockaddr_in address = {0}, mask = {0};
  struct sockaddr_ll link = {0};
  unsigned flags = 0;
  assert_true(find_address("im0", AF_INET, &address, sizeof address, &mask, &flags));
  assert_string_equal(inet_ntoa(address.sin_addr), "10.9.0.1");
  assert_string_equal(inet_ntoa(mask.sin_addr), "255.255.0.0");
  assert_int_equal(flags & (IFF_UP | IFF_PROMISC | IFF_MULTICAST), IFF_UP | IFF_PROMISC);
  assert_true(find_address("im0", AF_PACKET, &link, sizeof link, NULL, &flags));
  assert_memory_equal(link.sll_addr, ether, 6);
  /* /proc/net/route: Destination Gateway ... MTU, addresses as the bytes lie on this machine: 10.9.0.2 is 0200090A. */
  assert_true(file_says("/proc/self/net/route", "im0\t00000000", "0200090A", "\t00000000\t"));
  assert_true(file_says("/proc/self/net/if_inet6", "20010db8000000000000000000000001", " 40 ", "im0"));

  struct interface_facts facts;
  assert_int_equal(interface_look("im0", &facts, NULL), 0);
  assert_int_equal(facts.index, if_nametoindex("im0"));
  assert_int_equal(facts.mtu, 1400);
  assert_memory_equal(facts.ether, ether, 6);
  assert_true(facts.flags & IFF_UP);
  close(fd);
  assert_int_equal(interface_look("lo", &facts, NULL), 0);
  assert_int_equal(facts.mtu, 65536);
  assert_memory_equal(facts.ether, none, 6);
}

/* The descriptor holds one bare IP packet at a time: what the host sends to an address behind the tun is read from it. */
static void packets(void **state) {
  if (!possible) skip();
  char name[TUN_NAME_SIZE];
  uint8_t bytes[2048];
  int fd = open_interface("im0", TUN_IP, name);
  assert_int_equal(interface_set_address("im0", inet_addr("10.9.0.1"), inet_addr("255.255.255.0"), NULL), 0);
  assert_int_equal(interface_set_flags("im0", IFF_UP, 0, NULL), 0);
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = inet_addr("10.9.0.2")};
  assert_int_equal(sendto(s, "hello", 5, 0, (const struct sockaddr *)&to, sizeof to), 5);
  ssize_t length = 0;
  do { /* the host's own IPv6 packets come, too */
    struct pollfd readable = {fd, POLLIN, 0};
    assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
    length = read(fd, bytes, sizeof bytes);
  } while (length > 0 && bytes[0] >> 4 != 4);
  assert_int_equal(length, 20 + 8 + 5);
  assert_memory_equal(bytes + 16, &to.sin_addr, 4);
  assert_memory_equal(bytes + 28, "hello", 5);
  close(s);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names),
      cmocka_unit_test(refusals),
      cmocka_unit_test(settings),
      cmocka_unit_test(packets),
  };
  return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
