/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the host knows of one of its interfaces (netdevice(7)): address, MTU, link state, and whether it is there at all. Kept up to
 * date while it is open: rtnetlink(7) says that something changed, and then every open one is looked at again.
 */
#ifndef IMAGO_PLATFORM_PROCESS_HOST_LINK_H
#define IMAGO_PLATFORM_PROCESS_HOST_LINK_H

#include <net/if.h>

#include "lib/list.h"
#include "lib/report.h"
#include "packet/nic.h"

/* Embedded in the NIC that uses the interface; zeroed: it uses none. */
struct host_link {
  struct list link;
  struct nic *nic; /* whose mtu and link_up follow the host's, and mac too but for a tap */
  char name[IF_NAMESIZE];
  int index; /* 0: not open */
  int tap; /* the descriptor of a tap, which stays an end of the interface when that moves to another namespace; 0: none */
  bool gone;             /* read and written by any worker: the interface was removed, and said so in the log */
  uint64_t sent_dropped; /* of the host's counter, when last asked */
};

/* Whether the host has an Ethernet-like interface of that name. 1: yes; 0: none of that name; or -ERROR_UNSUPPORTED after reporting:
 * its frames are not Ethernet's. */
int host_link_find(const char *name, struct report *report) MUST_USE;
/* Whether it is a tap: the host's end of a /dev/net/tun. */
bool host_link_is_tap(const char *name);
/* How many receive queues the driver spreads its packets over; 1 where it doesn't say. */
unsigned host_link_queues(const char *name);
/* Opens it for `nic` and fills in what the host knows. 0 or a negative code after reporting. Worker 0. */
int host_link_open(struct host_link *link, const char *name, struct nic *nic, struct report *report) MUST_USE;
/* Harmless when it is not open. */
void host_link_close(struct host_link *link);
/* Looks again. False: it is gone; the log has said so, once. Any worker. */
bool host_link_check(struct host_link *link);
/* Frames that the host wanted to send there and dropped, since the last call. */
uint64_t host_link_new_drops(struct host_link *link);

#endif
