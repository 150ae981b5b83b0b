/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FromHost and ToHost: Ethernet frames from and to the host over a tap interface that both use.
 */
#include <string.h>

#include "click/router.h"
#include "packet/headers.h"
#include "platform/process/elements/host_tun.h"

/* The IP header behind an Ethernet header is aligned so. */
enum { HEADROOM_DEFAULT = 30, MTU_DEFAULT = 2048, BURST = 32 };

static void defaults(struct element *e) {
  struct host_tun *t = (struct host_tun *)e;
  t->tap = t->mark_ip = true;
  t->headroom = HEADROOM_DEFAULT;
  t->mtu = MTU_DEFAULT;
  t->burst = BURST;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct host_tun *t = (struct host_tun *)e;
  bool near = t->address.address != 0;
  if (near && t->gateway != 0 && ((t->gateway ^ t->address.address) & t->address.mask) != 0) {
    return report_error(report, ERROR_INVALID, "bad GATEWAY: it must be in the network of DST");
  }
  if (t->headroom > HOST_TUN_ROOM - ETHER_SIZE) {
    return report_error(report, ERROR_TOO_BIG, "HEADROOM too large: at most %d", HOST_TUN_ROOM - ETHER_SIZE);
  }
  uint32_t most = HOST_TUN_ROOM - t->headroom;
  t->frame = t->mtu < most - ETHER_SIZE ? t->mtu + ETHER_SIZE : most;
  return 0;
}

static int read_signal(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  text_add(out, notifier_signal_active(&((struct host_tun *)owner)->room) ? "true" : "false");
  return 0;
}

#define AT(member) offsetof(struct host_tun, member)
static const struct argument arguments[] = {
    {"DEVNAME", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(wanted),
     "the interface's name, or a pattern: tap%d"},
    {"DST", ARGUMENT_IP_PREFIX, ARGUMENT_POSITIONAL, AT(address),
     "the host's address and network (the interface stays as it is)"},
    {"GATEWAY", ARGUMENT_IP, 0, AT(gateway), "default route of the host goes through this address"},
    {"DST6", ARGUMENT_IP6_PREFIX, 0, AT(address6), "IPv6 address and network", AT(address6_given)},
    {"ETHER", ARGUMENT_ETHER, 0, AT(ether), "Ethernet address of the interface (the host's choice)", AT(ether_given)},
    {"HEADROOM", ARGUMENT_U32, 0, AT(headroom), "bytes left free in front of frames (30)"},
    {"MTU", ARGUMENT_U32, 0, AT(mtu), "longer packets are dropped; the interface's MTU stays (2048)"},
    {0}};

static const struct handler handlers[] = {
    {.name = "dev_name", .read = host_tun_read_name, .help = "the interface's name"},
    {.name = "signal", .read = read_signal, .help = "whether there is room downstream"},
    {0}};

static const struct element_class from_host_class = {
    .name = "FromHost",
    .purpose = "reads frames that the host sends to a tap interface",
    .ports = "0/1",
    .processing = "h/h",
    .size = sizeof(struct host_tun),
    .arguments = arguments,
    .handlers = handlers,
    .drops = host_tun_drops,
    .example = "FromHost(fake, 192.0.0.1/8) -> Discard; Idle -> ToHost(fake);",
    .manual =
        "Makes the tap interface DEVNAME, or takes one that `ip tuntap add` has made, and brings it up when it gets an "
        "address. The link-layer header is marked, and the IP header where there is one. While the queues downstream are full "
        "nothing is read, and the host keeps, or drops, what it sends.\n\n"
        "KernelTap does the same with one element. The interface goes at the end, unless `ip tuntap add` made it; a hot swap "
        "keeps it for a FromHost or KernelTap with the same DEVNAME. Headroom and frame together have at most 1,920 bytes.",
    .defaults = defaults,
    .configure = configure,
    .initialize = host_tun_initialize,
    .commit = host_tun_commit,
    .take_state = host_tun_take_state,
    .cleanup = host_tun_cleanup,
    .process_only = true,
};
ELEMENT(FromHost, from_host_class);

/* --- ToHost --- */

struct to_host {
  struct element element;
  char *device;
  struct host_tun *from; /* whose interface it is */
};

/* After every FromHost, by the phase. */
static int to_host_initialize(struct element *e, struct report *report) {
  struct to_host *t = (struct to_host *)e;
  for (uint32_t i = 0; i < e->router->element_count; i++) {
    struct element *other = e->router->elements[i];
    if (other->class != &from_host_class) continue;
    struct host_tun *from = (struct host_tun *)other;
    if (strcmp(from->name, t->device) != 0 && strcmp(from->wanted, t->device) != 0) continue;
    t->from = from;
    return 0;
  }
  return report_error(report, ERROR_NOT_FOUND, "ToHost(%s) requires an initialized FromHost with the same dev_name",
                      t->device);
}

static void to_host_push(struct element *e, unsigned port, struct batch *batch) {
  host_tun_send(((struct to_host *)e)->from, e, batch);
}

static int read_device(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  text_add(out, ((struct to_host *)owner)->from->name);
  return 0;
}

static int read_drops(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  const struct element *e = owner;
  uint64_t sum = 0;
  for (unsigned i = 0; host_tun_drops[i] != NULL; i++)
    sum += counter_read(&e->drops[i]);
  text_addf(out, "%llu", (unsigned long long)sum);
  return 0;
}

static const struct argument to_host_arguments[] = {{"DEVNAME", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL,
                                                     offsetof(struct to_host, device), "the interface of a FromHost"},
                                                    {0}};

static const struct handler to_host_handlers[] = {
    {.name = "dev_name", .read = read_device, .help = "the interface's name"},
    {.name = "drops", .read = read_drops, .help = "frames that were too short or that the host refused"},
    {0}};

static const struct element_class to_host_class = {
    .name = "ToHost",
    .purpose = "sends frames to the host, as received on a tap interface",
    .ports = "1/0",
    .processing = "h/h",
    .size = sizeof(struct to_host),
    .arguments = to_host_arguments,
    .handlers = to_host_handlers,
    .drops = host_tun_drops,
    .example = "FromHost(fake, 192.0.0.1/8) -> Discard; Idle -> ToHost(fake);",
    .manual =
        "The host takes frames to its Ethernet address and broadcasts. There must be a FromHost for the same interface.",
    .initialize = to_host_initialize,
    .phase = CONFIGURE_LAST,
    .process_only = true,
    .push = to_host_push,
};
ELEMENT(ToHost, to_host_class);
