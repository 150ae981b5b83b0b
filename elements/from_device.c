/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FromDevice: where packets enter the graph. A task that moves one burst from a queue of a NIC to its port.
 */
#include "elements/device.h"
#include "elements/link_type.h"
#include "elements/parameter.h"
#include "elements/run.h"
#include "packet/headers.h"

/* Click's numbers. */
enum { SNAPSHOT_LEAST = 14, SNAPSHOT_MOST = 65535, SNAPSHOT_DEFAULT = 2046 };

enum { DROP_PROTOCOL, DROP_NOT_IP };
static const char *const from_device_drops[] = {"protocol", "not_ip", NULL};

/* What one worker needs to serve one receive queue. */
struct receive_queue {
  struct task task;
  unsigned queue;
  uint64_t count, byte_count;
};

struct from_device {
  struct device device;
  bool sniffer, promiscuous, force_ip, outbound, timestamp, active;
  bool filters;      /* protocol, force_ip or snapshot_length have something to do */
  uint16_t protocol; /* 0: any */
  uint32_t snapshot_length, headroom;
  char *bpf_filter, *encapsulation;
  struct receive_queue receive;
};

static void from_device_defaults(struct element *e) {
  struct from_device *d = (struct from_device *)e;
  d->device.burst = DEVICE_BURST;
  d->timestamp = d->sniffer = d->active = true;
  d->snapshot_length = SNAPSHOT_DEFAULT;
  d->headroom = PACKET_HEADROOM;
}

/* What other systems do and this one does not is refused where it would be missed. */
static int from_device_configure(struct element *e, const struct args *rest, struct report *report) {
  struct from_device *d = (struct from_device *)e;
  const char *encapsulation = d->encapsulation != NULL ? d->encapsulation : "ETHER";
  unsigned before = report->errors;
  if (!d->sniffer) {
    report_error(
        report, ERROR_UNSUPPORTED,
        "SNIFFER: must be true; METHOD AF_XDP keeps frames from the host, and so do filters of its own (nft, tc)");
  }
  if (d->bpf_filter != NULL && d->bpf_filter[0] != '\0') {
    report_error(report, ERROR_UNSUPPORTED, "BPF_FILTER: not supported; put an IPClassifier or a BPFilter behind it");
  }
  if (strcmp(encapsulation, "ETHER") != 0) {
    report_error(report, ERROR_UNSUPPORTED, "ENCAP: must be ETHER, not '%s': interfaces have Ethernet frames",
                 encapsulation);
  }
  if (d->snapshot_length < SNAPSHOT_LEAST || d->snapshot_length > SNAPSHOT_MOST) {
    report_error(report, ERROR_INVALID, "SNAPLEN: must be between %d and %d, not %u", SNAPSHOT_LEAST, SNAPSHOT_MOST,
                 d->snapshot_length);
  }
  if (d->headroom > PACKET_HEADROOM) {
    report_error(report, ERROR_INVALID, "HEADROOM: at most %d bytes, which every packet has, not %u", PACKET_HEADROOM,
                 d->headroom);
  }
  (void)!device_check_burst(&d->device, report);
  d->filters = d->protocol != 0 || d->force_ip || d->snapshot_length < PACKET_DATA_CAPACITY;
  return report->errors == before ? 0 : -ERROR_INVALID;
}

static uint8_t packet_type_of(const struct packet *p, const struct nic *nic) {
  if (p->type == PACKET_OUTGOING) return PACKET_OUTGOING; /* only the device can know */
  if (p->length < sizeof nic->mac) return PACKET_HOST;
  if (load_le32(p->data) == UINT32_MAX && load_le16(p->data + 4) == UINT16_MAX) return PACKET_BROADCAST;
  if (p->data[0] & 1) return PACKET_MULTICAST;
  return memcmp(p->data, nic->mac, sizeof nic->mac) == 0 ? PACKET_HOST : PACKET_OTHERHOST;
}

/* True: the packet goes to *port, which exists. False: it is dropped. */
static bool passes_filters(struct from_device *d, struct packet *p, unsigned *port) {
  struct element *e = &d->device.element;
  bool other_protocol = d->protocol != 0 && (p->length < ETHER_SIZE || ether_type(p->data) != d->protocol);
  if (other_protocol) {
    element_drop(e, DROP_PROTOCOL, p);
    return false;
  }
  if (p->length > d->snapshot_length) {
    annotation_set_u32(p, ANNOTATION_EXTRA_LENGTH, p->length - d->snapshot_length);
    p->length = d->snapshot_length;
  }
  *port = d->force_ip && !link_type_mark_ip(LINK_TYPE_ETHER, p) ? 1 : 0;
  if (*port < e->output_count) return true;
  element_drop(e, DROP_NOT_IP, p);
  return false;
}

static void push_filtered(struct from_device *d, const struct batch *batch) {
  struct run run;
  run_start(&run, &d->device.element);
  for (uint32_t i = 0; i < batch->count; i++) {
    unsigned port;
    if (passes_filters(d, batch->packet[i], &port)) run_add(&run, port, batch->packet[i]);
  }
  run_flush(&run);
}

static bool from_device_run(struct task *task) {
  struct receive_queue *receive = CONTAINER_OF(task, struct receive_queue, task);
  struct from_device *d = (struct from_device *)task->element;
  struct nic *nic = d->device.nic;
  struct batch batch;
  batch.count = 0;
  unsigned count = nic->ops->receive(nic, receive->queue, &batch, d->device.burst);
  if (count == 0) return false;
  uint64_t now = d->timestamp ? d->device.element.services->wall() : 0;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < batch.count; i++) {
    struct packet *p = batch.packet[i];
    p->nic = nic->index;
    p->type = packet_type_of(p, nic);
    p->mac_header = (uint16_t)(p->data - (uint8_t *)p);
    if (p->timestamp == 0 || !d->timestamp) p->timestamp = now; /* some devices know it better */
    bytes += p->length;
  }
  counter_add(&receive->count, count);
  counter_add(&receive->byte_count, bytes);
  if (d->filters) {
    push_filtered(d, &batch);
  } else {
    element_push(&d->device.element, 0, &batch);
  }
  return true;
}

static int from_device_initialize(struct element *e, struct report *report) {
  struct from_device *d = (struct from_device *)e;
  int status = device_take(&d->device, "connect both paths to it, with a Tee if both are to see each packet", report);
  if (status < 0) return status;
  if (d->outbound && !d->device.nic->has_outbound) {
    return report_error(
        report, ERROR_UNSUPPORTED,
        "OUTBOUND: '%s' does not show what the host sends there; interfaces opened with METHOD AF_PACKET do",
        d->device.name);
  }
  /* The scheduler that a router has today is worker 0's, and queue 0 is that worker's. */
  task_init(&d->receive.task, e->router->scheduler, e, from_device_run);
  if (d->active) task_schedule(&d->receive.task);
  return 0;
}

static void from_device_cleanup(struct element *e) { task_unschedule(&((struct from_device *)e)->receive.task); }

/* Frames of a device that is not listened to wake nobody. */
static void from_device_listen(struct from_device *d) {
  struct nic *nic = d->device.nic;
  nic->promiscuous = d->promiscuous;
  nic->outbound = d->outbound;
  __atomic_store_n(&nic->receives, d->active, __ATOMIC_RELAXED);
  if (d->active && nic->ops->listen != NULL) nic->ops->listen(nic);
}

static void from_device_commit(struct element *e) {
  struct from_device *d = (struct from_device *)e;
  __atomic_store_n(&d->device.nic->worker, router_scheduler(e->router, e)->worker, __ATOMIC_RELAXED);
  from_device_listen(d);
}

static int from_device_set_active(void *owner, const struct handler *handler, struct slice value,
                                  struct report *report) {
  struct from_device *d = owner;
  int error = parameter_write_bool(owner, handler, value, report);
  if (error != 0) return error;
  if (d->active) {
    task_schedule(&d->receive.task);
  } else {
    task_unschedule(&d->receive.task);
  }
  from_device_listen(d);
  return 0;
}

static void from_device_take_state(struct element *e, struct element *old, struct report *report) {
  struct receive_queue *to = &((struct from_device *)e)->receive, *from = &((struct from_device *)old)->receive;
  to->count = from->count;
  to->byte_count = from->byte_count;
}

static int from_device_read_drops(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                  struct report *report) {
  const struct nic_stats *stats = device_stats(owner);
  uint64_t drops = counter_read(&stats->rx_no_buffer) + counter_read(&stats->rx_too_long) +
                   counter_read(&stats->rx_error) + counter_read(&stats->rx_missed);
  text_addf(out, "%llu", (unsigned long long)drops);
  return 0;
}

static int from_device_read_missed(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                   struct report *report) {
  text_addf(out, "%llu", (unsigned long long)counter_read(&device_stats(owner)->rx_missed));
  return 0;
}

static int from_device_read_encap(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                  struct report *report) {
  text_add(out, "ETHER");
  return 0;
}

static int from_device_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_device *d = owner;
  counter_reset(&d->receive.count);
  counter_reset(&d->receive.byte_count);
  return 0;
}

#define AT(member) offsetof(struct from_device, member)

static const struct argument from_device_arguments[] = {
    {"DEVNAME", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(device.name), DEVICE_NAME_HELP},
    {"PROMISC", ARGUMENT_BOOL, ARGUMENT_POSITIONAL, AT(promiscuous),
     "have an interface of the host take frames for other addresses, too (false)"},
    {"SNAPLEN", ARGUMENT_U32, ARGUMENT_POSITIONAL, AT(snapshot_length),
     "cut packets to so many bytes, 14 to 65535 (2046, which cuts nothing)"},
    {"METHOD", ARGUMENT_WORD, 0, AT(device.method), DEVICE_METHOD_HELP},
    {"CAPTURE", ARGUMENT_WORD, 0, AT(device.method), "an older name of METHOD"},
    {"BURST", ARGUMENT_U32, 0, AT(device.burst), "most packets in one batch, 1 to 256 (32)"},
    {"TIMESTAMP", ARGUMENT_BOOL, 0, AT(timestamp),
     "set the timestamp annotation: the time at which the host had the packet, or else of the batch (true)"},
    {"FORCE_IP", ARGUMENT_BOOL, 0, AT(force_ip),
     "only IP packets, with the IP header's place set; others go to output 1 or are dropped (false)"},
    {"PROTOCOL", ARGUMENT_U16, 0, AT(protocol), "only frames of this Ethernet type, for instance 0x800; 0: all (0)"},
    {"OUTBOUND", ARGUMENT_BOOL, 0, AT(outbound), "also what the host sends there; AF_PACKET only (false)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, AT(active), "whether packets are read (true)"},
    {"HEADROOM", ARGUMENT_U32, 0, AT(headroom), "bytes in front of the packet, at most the 256 that there always are"},
    {"SNIFFER", ARGUMENT_BOOL, 0, AT(sniffer), "must be true: the host sees the packets, too"},
    {"BPF_FILTER", ARGUMENT_STRING, 0, AT(bpf_filter), "must be empty: IPClassifier does it"},
    {"ENCAP", ARGUMENT_WORD, 0, AT(encapsulation), "must be ETHER"},
    {0}};

static const struct handler from_device_handlers[] = {
    {.name = "count",
     .read = handler_read_u64,
     .offset = offsetof(struct from_device, receive.count),
     .help = "packets received"},
    {.name = "byte_count",
     .read = handler_read_u64,
     .offset = offsetof(struct from_device, receive.byte_count),
     .help = "bytes received"},
    {.name = "drops",
     .read = from_device_read_drops,
     .help = "frames that the interface could not deliver, since it came up"},
    {.name = "kernel_drops",
     .read = from_device_read_missed,
     .help = "frames that the device or the host dropped because nobody took them in time"},
    {.name = "encap", .read = from_device_read_encap, .help = "ETHER"},
    {.name = "active",
     .read = handler_read_bool,
     .write = from_device_set_active,
     .offset = AT(active),
     .help = "whether packets are read"},
    {.name = "stats", .read = device_read_stats, .help = "the counters of the interface by name, since it came up"},
    {.name = "reset_counts", .write = from_device_reset, .help = "set count and byte_count to 0"},
    TASK_HANDLERS_HOME(struct from_device, receive.task, NULL),
    {0}};

static const struct element_class from_device_class = {
    .name = "FromDevice",
    .purpose = "reads packets from a network interface",
    .ports = "0/1-2",
    .processing = "h/h",
    .size = sizeof(struct from_device),
    .arguments = from_device_arguments,
    .handlers = from_device_handlers,
    .drops = from_device_drops,
    .example = "FromDevice(eth0) -> Counter -> Queue -> ToDevice(eth1);",
    .manual =
        "Pushes every frame that the interface receives, whoever it is addressed to. Sets the packet-type annotation "
        "from the destination address, the timestamp, and the place of the link-layer header.\n\n"
        "DEVNAME is an interface that the system was started with (eth0, eth1 ...), or else, in a process, is opened:\n"
        "  eth0               an interface of the host: the other end of a tap where it is one that we may open,\n"
        "                     otherwise by AF_PACKET, which needs CAP_NET_RAW; the host sees the frames, too\n"
        "  tap:NAME           a tap interface, made if it is not there (CAP_NET_ADMIN)\n"
        "  packet:INTERFACE   AF_PACKET in any case\n"
        "  xdp:INTERFACE      AF_XDP (CAP_NET_ADMIN, CAP_BPF): the host does not see the frames that come; nor does it put\n"
        "                     back checksums that a local sender left to hardware (ethtool -K, at the other end, tx off)\n"
        "  'pcap:IN,OUT'      frames of a capture file, as fast as they are taken, and to another; either may be empty\n"
        "  'replay:IN,OUT'    the same, with the distances in time that the frames were captured at\n"
        "  'unix:HERE,THERE'  unix datagram sockets, one frame a datagram\n"
        "  memory:NAME        what is sent there comes back; two NICs that the system was started with are joined\n"
        "METHOD chooses between them. A VLAN tag or checksum that the host keeps beside the frame is put back. With "
        "offloads (ethtool -K eth0 gro off; for a veth, at its other end, tso off gso off) the host merges frames, which "
        "then are too long for a packet.\n\n"
        "Frames that find no free buffer, are too long, come faster than they are taken, or were garbled by the device are "
        "dropped by the interface; drops has their sum, stats each kind.\n\n"
        "An interface has one FromDevice.",
    .defaults = from_device_defaults,
    .configure = from_device_configure,
    .initialize = from_device_initialize,
    .cleanup = from_device_cleanup,
    .take_state = from_device_take_state,
    .commit = from_device_commit,
};
ELEMENT(FromDevice, from_device_class);
