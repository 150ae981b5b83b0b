/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FromDevice and ToDevice: where packets enter the graph and where they leave it. Each is a task that moves one burst
 * between a queue of a NIC (packet/nic.h) and its port.
 */
#include "click/element.h"
#include "click/router.h"
#include "elements/parameter.h"

/* Measured through FromDevice, Counter, Queue and ToDevice on a NIC of memory: a packet costs about 230 ns in bursts
 * of 1, 60 in bursts of 32, and larger bursts gain little more, while they make the first packet wait longer. */
enum { DEVICE_BURST = 32 };

/* Configuration that both elements share; the first member of each, behind struct element. */
struct device {
  struct element element;
  char *name;
  char *method; /* NULL: what the name suggests */
  uint32_t burst;
  struct nic *nic;
};

static int device_configure(struct element *e, const struct args *rest, struct report *report) {
  const struct device *d = (const struct device *)e;
  if (d->burst == 0 || d->burst > BATCH_MAX) {
    return report_error(report, ERROR_INVALID, "BURST: must be between 1 and %d, not %u", BATCH_MAX, d->burst);
  }
  return 0;
}

/* Finds the NIC. A queue belongs to one element in each direction: two readers would take turns in stealing packets,
 * and two writers would clear each other's nic->tx_waiting. */
static int device_take(struct device *d, const char *fix, struct report *report) {
  const struct element *e = &d->element;
  struct nic *nic = NULL;
  if (e->services->nic_open != NULL) {
    int error = e->services->nic_open(d->name, d->method, &nic, report);
    if (error != 0) return error;
  } else if ((nic = e->services->nic_find(d->name)) == NULL) {
    return report_error(report, ERROR_NOT_FOUND,
                        "no network interface '%s'; interfaces are eth0, eth1, ... in the order given", d->name);
  }
  for (uint32_t i = 0; i < e->router->element_count; i++) {
    const struct element *other = e->router->elements[i];
    if (other != e && other->class == e->class && ((const struct device *)other)->nic == nic) {
      return report_error(report, ERROR_EXISTS, "interface '%s' is taken by '%s :: %s' already; %s", d->name,
                          other->name, other->class->name, fix);
    }
  }
  d->nic = nic;
  return 0;
}

static int device_read_stats(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  const struct nic_stats *stats = &((struct device *)owner)->nic->stats;
  const struct {
    const char *name;
    const uint64_t *value;
  } rows[] = {
      {"rx_packets", &stats->rx_packets}, {"rx_bytes", &stats->rx_bytes},         {"tx_packets", &stats->tx_packets},
      {"tx_bytes", &stats->tx_bytes},     {"rx_no_buffer", &stats->rx_no_buffer}, {"rx_too_long", &stats->rx_too_long},
      {"rx_error", &stats->rx_error},     {"tx_error", &stats->tx_error},         {"tx_full", &stats->tx_full},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    text_addf(out, "%s %llu\n", rows[i].name, (unsigned long long)counter_read(rows[i].value));
  }
  return 0;
}

/* --- FromDevice --- */

/* What one worker needs to serve one receive queue. */
struct receive_queue {
  struct task task;
  unsigned queue;
  uint64_t count, byte_count;
};

struct from_device {
  struct device device;
  bool timestamp;
  struct receive_queue receive;
};

static void from_device_defaults(struct element *e) {
  struct from_device *d = (struct from_device *)e;
  d->device.burst = DEVICE_BURST;
  d->timestamp = true;
}

static uint8_t packet_type_of(const struct packet *p, const struct nic *nic) {
  if (p->length < sizeof nic->mac) return PACKET_HOST;
  if (load_le32(p->data) == UINT32_MAX && load_le16(p->data + 4) == UINT16_MAX) return PACKET_BROADCAST;
  if (p->data[0] & 1) return PACKET_MULTICAST;
  return memcmp(p->data, nic->mac, sizeof nic->mac) == 0 ? PACKET_HOST : PACKET_OTHERHOST;
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
    p->timestamp = now;
    bytes += p->length;
  }
  counter_add(&receive->count, count);
  counter_add(&receive->byte_count, bytes);
  element_push(&d->device.element, 0, &batch);
  return true;
}

static int from_device_initialize(struct element *e, struct report *report) {
  struct from_device *d = (struct from_device *)e;
  int status = device_take(&d->device, "connect both paths to it, with a Tee if both are to see each packet", report);
  if (status < 0) return status;
  /* The scheduler that a router has today is worker 0's, and queue 0 is that worker's. */
  task_init(&d->receive.task, e->router->scheduler, e, from_device_run);
  task_schedule(&d->receive.task);
  return 0;
}

static void from_device_cleanup(struct element *e) { task_unschedule(&((struct from_device *)e)->receive.task); }

static void from_device_commit(struct element *e) {
  struct nic *nic = ((struct from_device *)e)->device.nic;
  __atomic_store_n(&nic->worker, router_scheduler(e->router, e)->worker, __ATOMIC_RELAXED);
}

static void from_device_take_state(struct element *e, struct element *old, struct report *report) {
  struct receive_queue *to = &((struct from_device *)e)->receive, *from = &((struct from_device *)old)->receive;
  to->count = from->count;
  to->byte_count = from->byte_count;
}

static int from_device_read_drops(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                  struct report *report) {
  const struct nic_stats *stats = &((struct from_device *)owner)->device.nic->stats;
  uint64_t drops =
      counter_read(&stats->rx_no_buffer) + counter_read(&stats->rx_too_long) + counter_read(&stats->rx_error);
  text_addf(out, "%llu", (unsigned long long)drops);
  return 0;
}

static int from_device_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_device *d = owner;
  counter_reset(&d->receive.count);
  counter_reset(&d->receive.byte_count);
  return 0;
}

static const struct argument from_device_arguments[] = {
    {"DEVNAME", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct from_device, device.name),
     "the interface: eth0, eth1, ..."},
    {"METHOD", ARGUMENT_WORD, 0, offsetof(struct from_device, device.method),
     "the kind of interface: PCAP, UNIX (what the name suggests)"},
    {"BURST", ARGUMENT_U32, 0, offsetof(struct from_device, device.burst), "most packets in one batch, 1 to 256 (32)"},
    {"TIMESTAMP", ARGUMENT_BOOL, 0, offsetof(struct from_device, timestamp),
     "set the timestamp annotation, one clock reading a batch (true)"},
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
    {.name = "stats", .read = device_read_stats, .help = "the counters of the interface by name, since it came up"},
    {.name = "reset_counts", .write = from_device_reset, .help = "set count and byte_count to 0"},
    TASK_HANDLERS_HOME(struct from_device, receive.task, NULL),
    {0}};

static const struct element_class from_device_class = {
    .name = "FromDevice",
    .purpose = "reads packets from a network interface",
    .ports = "0/1",
    .processing = "h/h",
    .size = sizeof(struct from_device),
    .arguments = from_device_arguments,
    .handlers = from_device_handlers,
    .example = "FromDevice(eth0) -> Counter -> Queue -> ToDevice(eth1);",
    .manual =
        "Pushes every frame that the interface receives, whoever it is addressed to. Sets the packet-type annotation "
        "from the destination address, the timestamp, and the place of the link-layer header.\n\n"
        "Frames that find no free buffer, are too long, or were garbled by the device are dropped by the interface; "
        "drops has their sum, stats each kind.\n\n"
        "An interface has one FromDevice.",
    .defaults = from_device_defaults,
    .configure = device_configure,
    .initialize = from_device_initialize,
    .cleanup = from_device_cleanup,
    .take_state = from_device_take_state,
    .commit = from_device_commit,
};
ELEMENT(FromDevice, from_device_class);

/* --- ToDevice --- */

/* Invariant: the packets held.packet[first .. held.count) were pulled and not taken by the NIC yet; they go out before
 * anything else is pulled. */
struct to_device {
  struct device device;
  struct task task;
  struct notifier_signal signal;
  unsigned queue;
  uint64_t count;
  uint64_t last_burst; /* monotonic time of the last burst; 0: none since reset_gap */
  uint64_t max_gap;
  uint32_t first;
  struct batch held;
};

static void to_device_defaults(struct element *e) { ((struct to_device *)e)->device.burst = DEVICE_BURST; }

static void to_device_measure_gap(struct to_device *d) {
  uint64_t now = d->device.element.services->now();
  uint64_t last = __atomic_exchange_n(&d->last_burst, now, __ATOMIC_RELAXED);
  if (last != 0 && now - last > counter_read(&d->max_gap)) {
    __atomic_store_n(&d->max_gap, now - last, __ATOMIC_RELAXED);
  }
}

static void to_device_wait(struct to_device *d, bool waiting) {
  struct nic *nic = d->device.nic;
  __atomic_store_n(&nic->tx_waiting, waiting, __ATOMIC_RELAXED);
  d->task.polls = waiting && nic->worker != d->task.scheduler->worker;
}

static bool to_device_run(struct task *task) {
  struct to_device *d = CONTAINER_OF(task, struct to_device, task);
  struct nic *nic = d->device.nic;
  if (d->held.count == 0) {
    unsigned room = nic->ops->transmit_room(nic, d->queue);
    /* Without room nothing is pulled, but upstream may have packets: ask to be woken as if they were here. */
    to_device_wait(d, room == 0);
    if (room > d->device.burst) room = d->device.burst;
    if (room == 0) return false;
    element_pull(&d->device.element, 0, &d->held, room);
    if (d->held.count == 0) {
      (void)notifier_signal_wait(&d->signal, task);
      return false;
    }
  }
  unsigned sent = nic->ops->transmit(nic, d->queue, d->held.packet + d->first, d->held.count - d->first);
  d->first += sent;
  to_device_wait(d, d->first < d->held.count);
  if (d->first == d->held.count) d->first = d->held.count = 0;
  if (sent == 0) return false;
  counter_add(&d->count, sent);
  to_device_measure_gap(d);
  return true;
}

static int to_device_initialize(struct element *e, struct report *report) {
  struct to_device *d = (struct to_device *)e;
  int status = device_take(&d->device, "join the paths in front of its Queue", report);
  if (status < 0) return status;
  task_init(&d->task, e->router->scheduler, e, to_device_run);
  task_schedule(&d->task);
  return notifier_listen_upstream(e, 0, &d->task, &d->signal);
}

static void to_device_cleanup(struct element *e) {
  struct to_device *d = (struct to_device *)e;
  task_unschedule(&d->task);
  notifier_signal_destroy(&d->signal, &d->task);
  for (; d->first < d->held.count; d->first++)
    packet_kill(d->held.packet[d->first]);
  d->first = d->held.count = 0;
}

/* What the ToDevice of this NIC in the graph that goes had pulled and not sent yet goes out first, whatever the names of both. */
static void to_device_take_held(struct to_device *to) {
  const struct element *e = &to->device.element;
  const struct router *old = e->router->replaces;
  for (uint32_t i = 0; old != NULL && i < old->element_count; i++) {
    struct to_device *from = (struct to_device *)old->elements[i];
    if (old->elements[i]->class != e->class || from->device.nic != to->device.nic) continue;
    to->held.count = from->held.count - from->first;
    memcpy(to->held.packet, from->held.packet + from->first, to->held.count * sizeof to->held.packet[0]);
    from->first = from->held.count = 0;
  }
}

/* The worker that receives has the NIC wake it, also for room. Where that is another, the task must look for room by itself. */
static void to_device_commit(struct element *e) {
  struct nic *nic = ((struct to_device *)e)->device.nic;
  to_device_take_held((struct to_device *)e);
  if (nic->worker != NIC_UNUSED) return;
  __atomic_store_n(&nic->worker, router_scheduler(e->router, e)->worker, __ATOMIC_RELAXED);
}

static void to_device_take_state(struct element *e, struct element *old, struct report *report) {
  struct to_device *to = (struct to_device *)e, *from = (struct to_device *)old;
  to->count = from->count;
  to->max_gap = from->max_gap;
  to->last_burst = from->last_burst;
}

static int to_device_read_drops(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                struct report *report) {
  text_addf(out, "%llu", (unsigned long long)counter_read(&((struct to_device *)owner)->device.nic->stats.tx_error));
  return 0;
}

static int to_device_reset_counts(void *owner, const struct handler *handler, struct slice value,
                                  struct report *report) {
  counter_reset(&((struct to_device *)owner)->count);
  return 0;
}

static int to_device_reset_gap(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct to_device *d = owner;
  counter_reset(&d->last_burst);
  counter_reset(&d->max_gap);
  return 0;
}

static const struct argument to_device_arguments[] = {
    {"DEVNAME", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct to_device, device.name),
     "the interface: eth0, eth1, ..."},
    {"METHOD", ARGUMENT_WORD, 0, offsetof(struct to_device, device.method),
     "the kind of interface: PCAP, UNIX (what the name suggests)"},
    {"BURST", ARGUMENT_U32, 0, offsetof(struct to_device, device.burst), "most packets pulled at once, 1 to 256 (32)"},
    {0}};

static const struct handler to_device_handlers[] = {
    {.name = "count",
     .read = handler_read_u64,
     .offset = offsetof(struct to_device, count),
     .help = "packets handed to the interface"},
    {.name = "drops", .read = to_device_read_drops, .help = "frames that the interface refused, since it came up"},
    {.name = "max_gap",
     .read = handler_read_u64,
     .offset = offsetof(struct to_device, max_gap),
     .help = "longest time in nanoseconds between two bursts sent one after the other, since reset_gap"},
    {.name = "stats", .read = device_read_stats, .help = "the counters of the interface by name, since it came up"},
    {.name = "reset_gap", .write = to_device_reset_gap, .help = "measure max_gap from the next burst on"},
    {.name = "reset_counts", .write = to_device_reset_counts, .help = "set count to 0"},
    TASK_HANDLERS_HOME(struct to_device, task, NULL),
    {0}};

static const struct element_class to_device_class = {
    .name = "ToDevice",
    .purpose = "sends packets to a network interface",
    .ports = "1/0",
    .processing = "l/l",
    .size = sizeof(struct to_device),
    .arguments = to_device_arguments,
    .handlers = to_device_handlers,
    .example = "FromDevice(eth0) -> Queue(1000) -> ToDevice(eth1);",
    .manual =
        "Pulls packets when the interface has room for them, never more than it has room for, so that a full interface "
        "fills the queue upstream and nothing is lost here. Packets are Ethernet frames without checksum.\n\n"
        "An interface has one ToDevice; several paths meet in front of its Queue.",
    .defaults = to_device_defaults,
    .configure = device_configure,
    .initialize = to_device_initialize,
    .cleanup = to_device_cleanup,
    .take_state = to_device_take_state,
    .commit = to_device_commit,
};
ELEMENT(ToDevice, to_device_class);
