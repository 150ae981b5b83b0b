/* SPDX-License-Identifier: BSD-3-Clause
 *
 * KernelTun and KernelTap: IP packets, or Ethernet frames, to and from the host's own network stack.
 */
#include "click/router.h"
#include "elements/parameter.h"
#include "packet/headers.h"
#include "platform/process/elements/host_tun.h"

enum { HEADROOM_DEFAULT = 28, MTU_DEFAULT = 1500, BURST_DEFAULT = 32, VLAN_TAG_SIZE = 4 };

static void defaults(struct element *e) {
  struct host_tun *t = (struct host_tun *)e;
  t->kernel = true;
  t->headroom = HEADROOM_DEFAULT;
  t->mtu = MTU_DEFAULT;
  t->burst = BURST_DEFAULT;
}

static void tap_defaults(struct element *e) {
  defaults(e);
  ((struct host_tun *)e)->tap = true;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct host_tun *t = (struct host_tun *)e;
  if (t->gateway != 0 && ((t->gateway ^ t->address.address) & t->address.mask) != 0) {
    return report_error(report, ERROR_INVALID, "bad GATEWAY: it must be in the network of ADDR");
  }
  if (t->burst == 0 || t->burst > BATCH_MAX) {
    return report_error(report, ERROR_INVALID, "BURST must be >= 1 and at most %d", BATCH_MAX);
  }
  if (t->mtu < IP_SIZE) return report_error(report, ERROR_INVALID, "MTU must be greater than %d", IP_SIZE);
  if (t->mtu > HOST_TUN_ROOM) return report_error(report, ERROR_TOO_BIG, "MTU must be at most %d", HOST_TUN_ROOM);
  t->mark_ip = !t->tap;
  t->frame = t->mtu + (t->tap ? ETHER_SIZE + VLAN_TAG_SIZE : 0);
  return host_tun_check_headroom(t, t->headroom_given ? "HEADROOM too big" : "MTU too big", report);
}

static void push(struct element *e, unsigned port, struct batch *batch) {
  host_tun_send((struct host_tun *)e, e, batch);
}

#define AT(member) offsetof(struct host_tun, member)
static const struct argument arguments[] = {
    {"ADDR", ARGUMENT_IP_PREFIX, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(address),
     "the host's address and network; 0/0: none, and the interface stays down"},
    {"GATEWAY", ARGUMENT_IP, ARGUMENT_POSITIONAL, AT(gateway), "default route of the host goes through this address"},
    {"TAP", ARGUMENT_BOOL, 0, AT(tap), "a tap, with Ethernet frames (KernelTun: false, KernelTap: true)"},
    {"HEADROOM", ARGUMENT_U32, 0, AT(headroom), "bytes left free in front of packets (28)", AT(headroom_given)},
    {"BURST", ARGUMENT_U32, 0, AT(burst), "most packets in one batch, 1 to 256 (32)"},
    {"ETHER", ARGUMENT_ETHER, 0, AT(ether), "Ethernet address of the tap (the host's choice)", AT(ether_given)},
    {"IGNORE_QUEUE_OVERFLOWS", ARGUMENT_BOOL, 0, AT(ignore_overflows), "tell of overflows (ENOBUFS) once only (false)"},
    {"MTU", ARGUMENT_U32, 0, AT(mtu), "of the interface, without link-layer header; longer packets are dropped (1500)"},
    {"DEVNAME", ARGUMENT_WORD, 0, AT(wanted), "the interface's name, or a pattern: tap%d (the host's choice)"},
    {"DEV_NAME", ARGUMENT_WORD, ARGUMENT_DEPRECATED, AT(wanted), "old name of DEVNAME"},
    {0}};

static const struct handler handlers[] = {
    {.name = "dev_name", .read = host_tun_read_name, .help = "the interface's name"},
    {.name = "selected_calls", .read = handler_read_u64, .offset = AT(wakes), .help = "times the interface woke us"},
    {.name = "packets", .read = handler_read_u64, .offset = AT(packets), .help = "packets read from the interface"},
    TASK_HANDLERS(struct host_tun, send),
    {0}};

#define LIFE                                                                                                       \
  .ports = "0-1/1-2", .processing = "a/h", .flow = "x/y", .size = sizeof(struct host_tun), .arguments = arguments, \
  .handlers = handlers, .drops = host_tun_drops, .configure = configure, .initialize = host_tun_initialize,        \
  .commit = host_tun_commit, .take_state = host_tun_take_state, .cleanup = host_tun_cleanup, .process_only = true, \
  .push = push

static const struct element_class kernel_tun_class = {
    .name = "KernelTun",
    .purpose = "IP packets to and from the host, over a tun interface",
    .example = "tun :: KernelTun(1.0.0.1/8); tun -> IPPrint -> Discard; Idle -> tun;",
    .manual =
        "Makes a tun interface with the address ADDR. What the host sends to other addresses of its network comes out of "
        "output 0, marked as IP; packets that are not IP leave by output 1, or are dropped. What comes in is received by the "
        "host: packets need their network header marked (CheckIPHeader, MarkIPHeader), and go without what is in front of it.\n\n"
        "The interface is deleted at the end. A hot swap keeps it for an element with the same DEVNAME, or the same name. When "
        "it vanishes, reading ends and writing counts write_failed. Making one needs CAP_NET_ADMIN.\n\n"
        "Headroom and frame together have at most 1,920 bytes. Each reason for a drop is logged once and counted always.",
    .defaults = defaults,
    LIFE,
};
ELEMENT(KernelTun, kernel_tun_class);

static const struct element_class kernel_tap_class = {
    .name = "KernelTap",
    .purpose = "Ethernet frames to and from the host, over a tap interface",
    .example = "tap :: KernelTap(192.0.0.1/8, ETHER 0:1:2:3:4:5); tap -> ARPPrint -> Discard; Idle -> tap;",
    .manual =
        "As KernelTun, with frames in place of packets, which nobody looks into. The host asks for addresses by ARP before it "
        "sends IP packets, and takes frames to ETHER and broadcasts.",
    .defaults = tap_defaults,
    LIFE,
};
ELEMENT(KernelTap, kernel_tap_class);
