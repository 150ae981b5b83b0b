/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TUN/TAP interfaces and settings of interfaces, by the ioctl calls of netdevice(7), rtentry and ipv6(7): they are few, and each
 * says for itself what it refused.
 */
#include "platform/process/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* After the C library's: the kernel's headers know those, not the other way round. */
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/route.h>

#include "lib/string.h"

_Static_assert(TUN_NAME_SIZE == IFNAMSIZ, "interface names");

static enum error code_of(int why) {
  switch (why) {
    case EPERM:
    case EACCES:
      return ERROR_PERMISSION;
    case ENODEV:
    case ENOENT:
    case ENXIO:
      return ERROR_NOT_FOUND;
    case EBUSY:
      return ERROR_BUSY;
    default:
      return ERROR_IO;
  }
}

/* Reports that the host refused `what` for interface `name`, by errno. */
static int refused(const char *name, const char *what, struct report *report) {
  int why = errno;
  return report_error(report, code_of(why), "interface '%s': %s: %s%s", name, what, strerror(why),
                      code_of(why) == ERROR_PERMISSION ? "; this needs CAP_NET_ADMIN (run as root)" : "");
}

static int copy_name(char *to, const char *name, struct report *report) {
  size_t length = strlen(name);
  if (length >= IFNAMSIZ) {
    return report_error(report, ERROR_TOO_BIG, "interface '%.60s': the name is too long: at most %d characters", name,
                        IFNAMSIZ - 1);
  }
  memcpy(to, name, length + 1);
  return 0;
}

int tun_open(const char *wanted, enum tun_kind kind, char name[TUN_NAME_SIZE], struct report *report) {
  struct ifreq request = {.ifr_flags = (short)((kind == TUN_ETHERNET ? IFF_TAP : IFF_TUN) | IFF_NO_PI)};
  int error = copy_name(request.ifr_name, wanted, report);
  if (error != 0) return error;
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    int why = errno;
    return report_error(report, code_of(why), "/dev/net/tun: %s%s", strerror(why),
                        code_of(why) == ERROR_NOT_FOUND
                            ? "; the host's kernel needs module 'tun' (modprobe tun)"
                            : "; who may open it may use tun and tap interfaces (run as root)");
  }
  bool attached = ioctl(fd, TUNSETIFF, &request) == 0;
  if (!attached && errno == EINVAL) {
    /* One that was made for several queues has to be asked for so. */
    request.ifr_flags = (short)(request.ifr_flags | IFF_MULTI_QUEUE);
    attached = ioctl(fd, TUNSETIFF, &request) == 0;
  }
  if (attached) {
    memcpy(name, request.ifr_name, IFNAMSIZ);
    return fd;
  }
  const char *what = errno == EINVAL  ? "no such kind of interface, or it is of another kind (tun, tap)"
                     : errno == EBUSY ? "another program has it"
                     : errno == EPERM ? "cannot be made, nor taken from its owner (ip tuntap add ... user USER)"
                                      : "cannot be made";
  error = refused(wanted, what, report);
  close(fd);
  return error;
}

/* An ioctl on a socket of `family`. 0 or -errno. */
static int call_socket(int family, unsigned long number, void *argument) {
  int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int status = ioctl(fd, number, argument) == 0 ? 0 : -errno;
  close(fd);
  return status;
}

int interface_ask(const char *name, unsigned long what, struct ifreq *request) {
  size_t length = strlen(name);
  if (length >= IFNAMSIZ) return -ENAMETOOLONG;
  memcpy(request->ifr_name, name, length + 1);
  return call_socket(AF_INET, what, request);
}

/* One call about interface `name` on a socket of `family`. That it is so already (EEXIST) is as good; `what` is for the message. */
static int call(int family, unsigned long number, const char *name, void *argument, const char *what,
                struct report *report) {
  int status = call_socket(family, number, argument);
  if (status == 0 || status == -EEXIST) return 0;
  errno = -status;
  return refused(name, what, report);
}

static int call_named(unsigned long number, const char *name, struct ifreq *request, const char *what,
                      struct report *report) {
  int error = copy_name(request->ifr_name, name, report);
  return error != 0 ? error : call(AF_INET, number, name, request, what, report);
}

int interface_look(const char *name, struct interface_facts *facts, struct report *report) {
  struct ifreq request = {0};
  int error;
  *facts = (struct interface_facts){0};
  if ((error = call_named(SIOCGIFINDEX, name, &request, "no index", report)) != 0) return error;
  facts->index = (unsigned)request.ifr_ifindex;
  if ((error = call_named(SIOCGIFMTU, name, &request, "no MTU", report)) != 0) return error;
  facts->mtu = (unsigned)request.ifr_mtu;
  if ((error = call_named(SIOCGIFFLAGS, name, &request, "no flags", report)) != 0) return error;
  facts->flags = request.ifr_flags;
  if ((error = call_named(SIOCGIFHWADDR, name, &request, "no address", report)) != 0) return error;
  if (request.ifr_hwaddr.sa_family == ARPHRD_ETHER) memcpy(facts->ether, request.ifr_hwaddr.sa_data, 6);
  return 0;
}

int interface_set_ether(const char *name, const uint8_t ether[6], struct report *report) {
  struct ifreq request = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
  memcpy(request.ifr_hwaddr.sa_data, ether, 6);
  return call_named(SIOCSIFHWADDR, name, &request, "cannot have this Ethernet address", report);
}

int interface_set_mtu(const char *name, unsigned mtu, struct report *report) {
  struct ifreq request = {.ifr_mtu = (int)mtu};
  return call_named(SIOCSIFMTU, name, &request, "cannot have this MTU", report);
}

static void put_address(struct sockaddr *to, uint32_t address) {
  const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = address};
  memcpy(to, &in, sizeof in);
}

/* The mask belongs to an address, so it comes second. */
int interface_set_address(const char *name, uint32_t address, uint32_t mask, struct report *report) {
  struct ifreq request = {0};
  put_address(&request.ifr_addr, address);
  int error = call_named(SIOCSIFADDR, name, &request, "cannot have this IP address", report);
  if (error != 0) return error;
  put_address(&request.ifr_netmask, mask);
  return call_named(SIOCSIFNETMASK, name, &request, "cannot have this netmask", report);
}

int interface_add_address6(const char *name, const uint8_t address[16], unsigned length, struct report *report) {
  struct interface_facts facts;
  int error = interface_look(name, &facts, report);
  if (error != 0) return error;
  struct in6_ifreq request = {.ifr6_prefixlen = length, .ifr6_ifindex = (int)facts.index};
  memcpy(&request.ifr6_addr, address, 16);
  return call(AF_INET6, SIOCSIFADDR, name, &request, "cannot have this IPv6 address", report);
}

int interface_set_flags(const char *name, short set, short clear, struct report *report) {
  struct ifreq request = {0};
  int error = call_named(SIOCGIFFLAGS, name, &request, "no flags", report);
  if (error != 0) return error;
  request.ifr_flags = (short)((request.ifr_flags & ~clear) | set);
  return call_named(SIOCSIFFLAGS, name, &request, "cannot be brought up or down", report);
}

int interface_add_default_route(uint32_t gateway, struct report *report) {
  struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
  put_address(&route.rt_dst, 0);
  put_address(&route.rt_genmask, 0);
  put_address(&route.rt_gateway, gateway);
  return call(AF_INET, SIOCADDRT, "default", &route, "no route through this gateway", report);
}
