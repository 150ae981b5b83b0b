/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linux's universal TUN/TAP driver (Documentation/networking/tuntap.rst), and the settings of the host's network interfaces that
 * go with it (netdevice(7)). For elements (KernelTun, KernelTap, FromHost) and NICs. All of it changes the host: it wants
 * CAP_NET_ADMIN. Names are those of interfaces, at most TUN_NAME_SIZE - 1 characters; longer ones are refused.
 *
 * Functions return 0 or a negative code after a report that names the interface and says what the host answered.
 */
#ifndef IMAGO_PLATFORM_PROCESS_TUN_H
#define IMAGO_PLATFORM_PROCESS_TUN_H

#include <stdint.h>

#include "lib/report.h"

enum { TUN_NAME_SIZE = 16 }; /* IFNAMSIZ */

/* What one read or write of the descriptor holds: an IP packet, or a frame with its Ethernet header. Nothing before it. */
enum tun_kind { TUN_IP, TUN_ETHERNET };

/* Makes an interface, or takes one that waits for a program (`ip tuntap add`). `wanted`: its name, a pattern with %d in place of the
 * first number that is free, or "" for the host's choice; `name` gets what it is called. Returns the descriptor, which does not block;
 * the caller closes it, and with it goes an interface that was made. -ERROR_BUSY: another program has it. */
int tun_open(const char *wanted, enum tun_kind kind, char name[TUN_NAME_SIZE], struct report *report) MUST_USE;

/* --- any interface of the host --- */

/* One ioctl about interface `name`, answered in *request (struct ifreq, netdevice(7)). 0 or -errno; -ENAMETOOLONG: there is none of that
 * name. */
struct ifreq;
int interface_ask(const char *name, unsigned long what, struct ifreq *request) MUST_USE;

struct interface_facts {
  unsigned index;   /* as in struct sockaddr_ll */
  unsigned mtu;     /* bytes, without the link-layer header */
  uint8_t ether[6]; /* zero where the link has no Ethernet addresses */
  short flags;      /* IFF_UP, IFF_RUNNING ... */
};
int interface_look(const char *name, struct interface_facts *facts, struct report *report) MUST_USE;

int interface_set_ether(const char *name, const uint8_t ether[6], struct report *report) MUST_USE;
int interface_set_mtu(const char *name, unsigned mtu, struct report *report) MUST_USE;
/* The first IPv4 address and its netmask, in network order, in place of those that were there. */
int interface_set_address(const char *name, uint32_t address, uint32_t mask, struct report *report) MUST_USE;
/* One more IPv6 address; `length` is 0 to 128. It is no error when it was there before. */
int interface_add_address6(const char *name, const uint8_t address[16], unsigned length,
                           struct report *report) MUST_USE;
/* IFF_* bits to set and to clear. */
int interface_set_flags(const char *name, short set, short clear, struct report *report) MUST_USE;
/* Default route for IPv4 through `gateway` (network order), which an interface that is up must reach. It is no error when it was
 * there before. */
int interface_add_default_route(uint32_t gateway, struct report *report) MUST_USE;

#endif
