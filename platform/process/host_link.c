/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Interfaces of the host, by ioctl (netdevice(7)). Messages of the rtnetlink socket only say when to look again, so that none needs
 * to be understood, and none is missed when the kernel had to drop some.
 */
#define _GNU_SOURCE /* struct ifreq */
#include "platform/process/host_link.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "platform/process/tun.h"
#include "platform/process/watch.h"

/* The list belongs to worker 0. Invariant: fd is open, and watched, while the list is not empty. */
static struct {
  struct list links;
  struct process_watch watch;
} monitor = {.links = {&monitor.links, &monitor.links}};

/* ---- questions to the host ---- */

static int ask_ethtool(const char *name, void *command) {
  struct ifreq request = {.ifr_data = command};
  return interface_ask(name, SIOCETHTOOL, &request);
}

int host_link_find(const char *name, struct report *report) {
  struct ifreq request = {0};
  if (name[0] == '\0' || strlen(name) >= IF_NAMESIZE || interface_ask(name, SIOCGIFHWADDR, &request) != 0) return 0;
  if (request.ifr_hwaddr.sa_family == ARPHRD_ETHER || request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK) return 1;
  return report_error(report, ERROR_UNSUPPORTED, "interface '%s' carries no Ethernet frames (hardware type %u)", name,
                      request.ifr_hwaddr.sa_family);
}

bool host_link_is_tap(const char *name) {
  struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
  return ask_ethtool(name, &driver) == 0 && strcmp(driver.driver, "tun") == 0 && strcmp(driver.bus_info, "tap") == 0;
}

unsigned host_link_queues(const char *name) {
  struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
  if (ask_ethtool(name, &channels) != 0) return 1;
  unsigned count = channels.rx_count + channels.combined_count;
  return count > 0 ? count : 1;
}

uint64_t host_link_new_drops(struct host_link *link) {
  struct ifaddrs *all;
  uint32_t dropped = (uint32_t)link->sent_dropped;
  if (getifaddrs(&all) != 0) return 0;
  for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
    if (at->ifa_addr == NULL || at->ifa_addr->sa_family != AF_PACKET || at->ifa_data == NULL) continue;
    if (strcmp(at->ifa_name, link->name) == 0) dropped = ((const struct rtnl_link_stats *)at->ifa_data)->tx_dropped;
  }
  freeifaddrs(all);
  uint64_t more = (uint32_t)(dropped - (uint32_t)link->sent_dropped); /* a counter of 32 bits, which goes round */
  link->sent_dropped = dropped;
  return more;
}

/* Takes over what may have changed. 0 or -errno: -ENODEV where it is gone. */
static int look(struct host_link *link) {
  /* The index stays with the interface, the name may not. */
  struct ifreq request = {.ifr_ifindex = link->index};
  char name[IF_NAMESIZE];
  int error = interface_ask("", SIOCGIFNAME, &request);
  if (error != 0) return error;
  memcpy(name, request.ifr_name, sizeof name);
  struct nic *nic = link->nic;
  if ((error = interface_ask(name, SIOCGIFFLAGS, &request)) != 0) return error;
  bool up = (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
  __atomic_store_n(&nic->link_up, up, __ATOMIC_RELAXED);
  if ((error = interface_ask(name, SIOCGIFMTU, &request)) != 0) return error;
  uint16_t mtu = request.ifr_mtu < UINT16_MAX ? (uint16_t)request.ifr_mtu : UINT16_MAX;
  __atomic_store_n(&nic->mtu, mtu, __ATOMIC_RELAXED);
  if (link->tap != 0) return 0;
  if ((error = interface_ask(name, SIOCGIFHWADDR, &request)) != 0) return error;
  memcpy(nic->mac, request.ifr_hwaddr.sa_data, sizeof nic->mac);
  return 0;
}

/* ---- watching ---- */

static bool is_attached(const struct host_link *link) {
  struct ifreq request = {0};
  return link->tap != 0 && ioctl(link->tap, TUNGETIFF, &request) == 0;
}

bool host_link_check(struct host_link *link) {
  if (link->index == 0) return true;
  if (__atomic_load_n(&link->gone, __ATOMIC_RELAXED)) return false;
  if (look(link) != -ENODEV || is_attached(link)) return true;
  if (!__atomic_exchange_n(&link->gone, true, __ATOMIC_RELAXED)) {
    char line[160];
    __atomic_store_n(&link->nic->link_up, false, __ATOMIC_RELAXED);
    format_text(line, sizeof line,
                "interface '%s' was removed from the host: nothing comes from it any more, and what is sent there is "
                "dropped; restart when it is back",
                link->name);
    kernel_log_error(line);
  }
  return false;
}

static void on_change(struct process_watch *watch, short revents) {
  char bytes[4096];
  /* ENOBUFS says that messages were lost, which is a message too. */
  while (recv(watch->fd, bytes, sizeof bytes, MSG_DONTWAIT) >= 0 || errno == ENOBUFS) {
  }
  for (struct list *at = monitor.links.next; at != &monitor.links; at = at->next) {
    (void)host_link_check(CONTAINER_OF(at, struct host_link, link));
  }
}

static int start_watching(struct report *report) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
    int why = errno;
    if (fd >= 0) close(fd);
    return report_error(report, ERROR_IO, "changes of interfaces cannot be watched: %s", strerror(why));
  }
  monitor.watch = (struct process_watch){.fd = fd, .events = POLLIN, .ready = on_change};
  process_watch_add(&monitor.watch);
  return 0;
}

int host_link_open(struct host_link *link, const char *name, struct nic *nic, struct report *report) {
  int index = (int)if_nametoindex(name);
  if (index == 0) return report_error(report, ERROR_NOT_FOUND, "no interface '%s': %s", name, strerror(errno));
  int error = list_empty(&monitor.links) ? start_watching(report) : 0;
  if (error != 0) return error;
  link->nic = nic;
  link->index = index;
  format_text(link->name, sizeof link->name, "%s", name);
  list_append(&monitor.links, &link->link);
  error = look(link);
  (void)host_link_new_drops(link);
  return error == 0 ? 0 : report_error(report, ERROR_IO, "interface '%s': %s", name, strerror(-error));
}

void host_link_close(struct host_link *link) {
  if (link->index == 0) return;
  list_remove(&link->link);
  link->index = 0;
  if (!list_empty(&monitor.links)) return;
  process_watch_remove(&monitor.watch);
  close(monitor.watch.fd);
}
