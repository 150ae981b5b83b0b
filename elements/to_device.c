/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ToDevice: where packets leave the graph. A task that moves one burst from its port to a queue of a NIC.
 */
#include "elements/device.h"
#include "elements/parameter.h"
#include "elements/run.h"

/* Invariant: the packets held.packet[first .. held.count) were pulled and not taken by the NIC yet; they go out before
 * anything else is pulled. */
struct to_device {
  struct device device;
  struct task task;
  struct notifier_signal signal;
  bool quiet, debug;
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

/* With outputs: the NIC gets copies, and the packets themselves go on, to output 0 when they were sent and to 1 when they were refused.
 * An output that is not there drops its packets. Returns how many of those held went. */
static unsigned to_device_send_on(struct to_device *d) {
  struct element *e = &d->device.element;
  struct nic *nic = d->device.nic;
  struct packet **held = d->held.packet + d->first;
  struct batch copies, refused;
  struct run run;
  unsigned next_refused = 0;
  copies.count = refused.count = 0;
  for (uint32_t i = 0; i < d->held.count - d->first; i++) {
    if ((copies.packet[i] = packet_clone(held[i])) == NULL) break;
    copies.count++;
  }
  nic->refused = &refused;
  unsigned sent = nic->ops->transmit(nic, d->queue, copies.packet, copies.count);
  nic->refused = NULL;
  for (unsigned i = sent; i < copies.count; i++)
    packet_kill(copies.packet[i]);
  run_start(&run, e);
  for (unsigned i = 0; i < sent; i++) {
    bool failed = next_refused < refused.count && refused.packet[next_refused] == copies.packet[i];
    next_refused += failed;
    if (failed && e->output_count == 1) {
      packet_kill(held[i]); /* counted by the NIC */
    } else {
      run_add(&run, failed ? 1 : 0, held[i]);
    }
  }
  run_flush(&run);
  batch_kill(&refused);
  return sent;
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
  unsigned sent = d->device.element.output_count > 0
                      ? to_device_send_on(d)
                      : nic->ops->transmit(nic, d->queue, d->held.packet + d->first, d->held.count - d->first);
  d->first += sent;
  to_device_wait(d, d->first < d->held.count);
  if (d->first == d->held.count) d->first = d->held.count = 0;
  if (sent == 0) return false;
  counter_add(&d->count, sent);
  to_device_measure_gap(d);
  return true;
}

static int to_device_configure(struct element *e, const struct args *rest, struct report *report) {
  const struct to_device *d = (const struct to_device *)e;
  if (d->debug) {
    return report_error(report, ERROR_UNSUPPORTED,
                        "DEBUG: not supported; read the handlers count, drops and stats, or put a Print in front");
  }
  return device_check_burst(&d->device, report);
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
  text_addf(out, "%llu", (unsigned long long)counter_read(&device_stats(owner)->tx_error));
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
     DEVICE_NAME_HELP},
    {"METHOD", ARGUMENT_WORD, 0, offsetof(struct to_device, device.method), DEVICE_METHOD_HELP},
    {"BURST", ARGUMENT_U32, 0, offsetof(struct to_device, device.burst), "most packets pulled at once, 1 to 256 (32)"},
    {"QUIET", ARGUMENT_BOOL, 0, offsetof(struct to_device, quiet),
     "no effect: failures are never printed, but counted in drops"},
    {"DEBUG", ARGUMENT_BOOL, 0, offsetof(struct to_device, debug), "must be false: see count, drops and stats instead"},
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
    .ports = "1/0-2",
    .processing = "l/h",
    .size = sizeof(struct to_device),
    .arguments = to_device_arguments,
    .handlers = to_device_handlers,
    .example = "FromDevice(eth0) -> Queue(1000) -> ToDevice(eth1);",
    .manual =
        "Pulls packets when the interface has room for them, never more than it has room for, so that a full interface "
        "fills the queue upstream and nothing is lost here. Packets are Ethernet frames without checksum.\n\n"
        "Packets that were handed to the interface go to output 0, and those that it refused to output 1, where there is "
        "one. An image's interfaces refuse none.\n\n"
        "An interface has one ToDevice; several paths meet in front of its Queue.",
    .defaults = to_device_defaults,
    .configure = to_device_configure,
    .initialize = to_device_initialize,
    .cleanup = to_device_cleanup,
    .take_state = to_device_take_state,
    .commit = to_device_commit,
};
ELEMENT(ToDevice, to_device_class);
