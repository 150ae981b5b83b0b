/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elements that hold packets back: DelayUnqueue and DelayShaper each for a fixed time, LinkUnqueue as a link of some latency and bandwidth
 * would. Times are those of the wall clock, as packets' timestamps are; timers run by the monotonic one.
 */
#include "click/reconfigure.h"
#include "click/router.h"
#include "elements/parameter.h"
#include "elements/pull_gate.h"
#include "elements/puller.h"
#include "lib/memory.h"

/* --- DelayUnqueue, DelayShaper --- */

struct delay {
  struct element element;
  uint64_t delay;
  struct packet *held;   /* its timestamp says when it is due */
  struct puller puller;  /* DelayUnqueue */
  struct pull_gate gate; /* DelayShaper */
};

static void delay_drop_held(struct delay *d) {
  if (d->held != NULL) packet_kill(d->held);
  d->held = NULL;
}

static void delay_take_held(struct delay *d, struct delay *from) {
  d->held = from->held;
  from->held = NULL;
}

/* When the packet held is due, from now on; UINT64_MAX: there is none. */
static uint64_t delay_wait(struct delay *d, uint64_t now) {
  if (d->held == NULL) {
    struct batch one;
    one.count = 0;
    element_pull(&d->element, 0, &one, 1);
    if (one.count == 0) return UINT64_MAX;
    d->held = one.packet[0];
    if (d->held->timestamp < 1000000000) d->held->timestamp = now;
    d->held->timestamp = time_after(d->held->timestamp, d->delay);
  }
  return d->held->timestamp > now ? d->held->timestamp - now : 0;
}

static bool delay_unqueue_run(struct task *task) {
  struct delay *d = CONTAINER_OF(task, struct delay, puller.task);
  const struct services *services = d->element.services;
  struct batch batch;
  batch.count = 0;
  uint64_t now = services->wall(), wait = 0;
  while (batch.count < BATCH_MAX) {
    wait = delay_wait(d, now);
    if (wait > 0) break;
    batch.packet[batch.count++] = d->held;
    d->held = NULL;
  }
  bool worked = batch.count > 0;
  element_push(&d->element, 0, &batch);
  if (wait == UINT64_MAX) {
    (void)puller_wait(&d->puller);
  } else if (wait > 0) {
    puller_sleep(&d->puller, time_after(services->now(), wait));
  }
  return worked;
}

static int delay_unqueue_initialize(struct element *e, struct report *report) {
  struct delay *d = (struct delay *)e;
  return puller_start(&d->puller, e, delay_unqueue_run);
}

static void delay_unqueue_cleanup(struct element *e) {
  struct delay *d = (struct delay *)e;
  puller_stop(&d->puller);
  delay_drop_held(d);
}

/* The task is scheduled, as always at the start. */
static void delay_unqueue_take_state(struct element *e, struct element *old, struct report *report) {
  delay_take_held((struct delay *)e, (struct delay *)old);
}

static const struct argument delay_arguments[] = {{"DELAY", ARGUMENT_TIME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL,
                                                   offsetof(struct delay, delay), "how long packets are held"},
                                                  {0}};

static const struct handler delay_unqueue_handlers[] = {{.name = "delay",
                                                         .read = parameter_read,
                                                         .write = parameter_write,
                                                         .offset = offsetof(struct delay, delay),
                                                         .help = "how long packets are held"},
                                                        TASK_HANDLERS(struct delay, puller.task),
                                                        {0}};

static const struct element_class delay_unqueue_class = {
    .name = "DelayUnqueue",
    .purpose = "pulls packets and pushes them on after a delay",
    .ports = "1/1",
    .processing = "l/h",
    .size = sizeof(struct delay),
    .arguments = delay_arguments,
    .handlers = delay_unqueue_handlers,
    .example = "FromDevice(eth0) -> SetTimestamp -> Queue -> DelayUnqueue(50ms) -> ...",
    .manual =
        "A packet is pushed on DELAY after its timestamp, or after it was pulled if it has none. Its timestamp becomes that time. "
        "One packet is held; those behind it wait upstream.",
    .initialize = delay_unqueue_initialize,
    .cleanup = delay_unqueue_cleanup,
    .take_state = delay_unqueue_take_state,
    .reconfigure = reconfigure_arguments,
};
ELEMENT(DelayUnqueue, delay_unqueue_class);

static void delay_shaper_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct delay *d = (struct delay *)e;
  if (max == 0) return;
  uint64_t now = e->services->wall(), wait = 0;
  unsigned got = 0;
  for (; got < max; got++) {
    wait = delay_wait(d, now);
    if (wait > 0) break;
    d->held->timestamp = now;
    batch->packet[batch->count++] = d->held;
    d->held = NULL;
  }
  if (got > 0) return;
  if (wait != UINT64_MAX) {
    pull_gate_wait_until(&d->gate, time_after(e->services->now(), wait));
  } else {
    pull_gate_wait_for_packets(&d->gate);
  }
}

static int delay_shaper_initialize(struct element *e, struct report *report) {
  return pull_gate_open(&((struct delay *)e)->gate, e);
}

static void delay_shaper_cleanup(struct element *e) {
  struct delay *d = (struct delay *)e;
  pull_gate_close(&d->gate);
  delay_drop_held(d);
}

static void delay_shaper_take_state(struct element *e, struct element *old, struct report *report) {
  delay_take_held((struct delay *)e, (struct delay *)old);
  pull_gate_wake(&((struct delay *)e)->gate);
}

static struct notifier *delay_shaper_notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return kind == NOTIFIER_EMPTY ? &((struct delay *)e)->gate.ready : NULL;
}

static const struct handler delay_shaper_handlers[] = {{.name = "delay",
                                                        .read = parameter_read,
                                                        .write = parameter_write,
                                                        .offset = offsetof(struct delay, delay),
                                                        .help = "how long packets are held"},
                                                       {0}};

static const struct element_class delay_shaper_class = {
    .name = "DelayShaper",
    .purpose = "gives packets to who pulls after a delay",
    .ports = "1/1",
    .processing = "l/l",
    .size = sizeof(struct delay),
    .arguments = delay_arguments,
    .handlers = delay_shaper_handlers,
    .example = "FromDevice(eth0) -> SetTimestamp -> Queue -> DelayShaper(50ms) -> ToDevice(eth1);",
    .manual =
        "A packet can be pulled DELAY after its timestamp, or after it was first asked for if it has none. Its timestamp becomes "
        "the time when it goes. One packet is held; those behind it wait upstream.",
    .initialize = delay_shaper_initialize,
    .cleanup = delay_shaper_cleanup,
    .take_state = delay_shaper_take_state,
    .notifier = delay_shaper_notifier,
    .reconfigure = reconfigure_arguments,
    .pull = delay_shaper_pull,
};
ELEMENT(DelayShaper, delay_shaper_class);

/* --- LinkUnqueue --- */

enum { LINK_PACKETS = 4096, LINK_BANDWIDTH_MIN = 100 };

struct link {
  struct element element;
  bool waiting; /* packets wait upstream because the link is busy */
  uint64_t latency;
  uint64_t bandwidth;      /* bytes a second */
  struct packet **packets; /* on the link: a ring of LINK_PACKETS; timestamps say when they arrive */
  uint32_t head, tail;     /* numbers, modulo 2^32 */
  struct puller puller;
};

static uint32_t link_size(const struct link *l) { return l->tail - l->head; }
static struct packet *link_at(const struct link *l, uint32_t number) { return l->packets[number % LINK_PACKETS]; }

static int link_check(uint64_t bandwidth, struct report *report) {
  if (bandwidth >= LINK_BANDWIDTH_MIN) return 0;
  return report_error(report, ERROR_INVALID, "bandwidth too small, minimum %dBps", LINK_BANDWIDTH_MIN);
}

static int link_configure(struct element *e, const struct args *rest, struct report *report) {
  struct link *l = (struct link *)e;
  int status = link_check(l->bandwidth, report);
  if (status < 0) return status;
  l->packets = memory_alloc(LINK_PACKETS * sizeof(struct packet *));
  return l->packets != NULL ? 0 : -ERROR_NO_MEMORY;
}

/* How long the packet's bytes take to be sent. */
static uint64_t link_sending(const struct link *l, const struct packet *p) {
  uint64_t length = (uint64_t)p->length + annotation_u32(p, ANNOTATION_EXTRA_LENGTH);
  return length * 1000000000 / l->bandwidth;
}

/* The link takes a packet when it has sent the one before. That arrives `latency` after its last byte was sent. Returns false when
 * there is none, or the link is busy; *wait then is until when. */
static bool link_take(struct link *l, uint64_t now, uint64_t *wait) {
  uint64_t begin = time_after(now, l->latency);
  if (link_size(l) > 0) {
    uint64_t last = link_at(l, l->tail - 1)->timestamp;
    if (last > begin) {
      l->waiting = notifier_signal_active(&l->puller.signal);
      *wait = last - begin;
      return false;
    }
    /* What has waited for the link follows without a gap, however late the timer was. */
    if (l->waiting) begin = last;
  }
  l->waiting = false;
  struct batch one;
  one.count = 0;
  if (link_size(l) < LINK_PACKETS) element_pull(&l->element, 0, &one, 1);
  if (one.count == 0) return false;
  struct packet *p = one.packet[0];
  p->timestamp = time_after(begin, link_sending(l, p));
  l->packets[l->tail++ % LINK_PACKETS] = p;
  return true;
}

static bool link_run(struct task *task) {
  struct link *l = CONTAINER_OF(task, struct link, puller.task);
  const struct services *services = l->element.services;
  uint64_t now = services->wall(), wait = UINT64_MAX;
  bool worked = false;
  while (link_take(l, now, &wait))
    worked = true;
  bool more = wait == UINT64_MAX && link_size(l) < LINK_PACKETS && notifier_signal_active(&l->puller.signal);
  struct batch batch;
  batch.count = 0;
  for (; link_size(l) > 0 && batch.count < BATCH_MAX && link_at(l, l->head)->timestamp <= now; l->head++)
    batch.packet[batch.count++] = link_at(l, l->head);
  bool full = batch.count == BATCH_MAX;
  worked = worked || batch.count > 0;
  element_push(&l->element, 0, &batch);
  if (full || more) return worked;
  if (link_size(l) > 0) {
    uint64_t arrival = link_at(l, l->head)->timestamp;
    uint64_t arrives = arrival > now ? arrival - now : 0;
    if (arrives < wait) wait = arrives;
  }
  if (wait == UINT64_MAX) {
    (void)puller_wait(&l->puller);
    return worked;
  }
  puller_sleep(&l->puller, time_after(services->now(), wait));
  return worked;
}

static int link_initialize(struct element *e, struct report *report) {
  struct link *l = (struct link *)e;
  return puller_start(&l->puller, e, link_run);
}

static void link_empty(struct link *l) {
  for (; link_size(l) > 0; l->head++)
    packet_kill(link_at(l, l->head));
}

static void link_cleanup(struct element *e) {
  struct link *l = (struct link *)e;
  puller_stop(&l->puller);
  if (l->packets != NULL) link_empty(l);
  memory_free((void *)l->packets);
  l->packets = NULL;
}

static void link_take_state(struct element *e, struct element *old, struct report *report) {
  struct link *l = (struct link *)e, *from = (struct link *)old;
  for (; link_size(from) > 0; from->head++)
    l->packets[l->tail++ % LINK_PACKETS] = link_at(from, from->head);
  task_schedule(&l->puller.task);
}

static int link_read_size(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                          struct report *report) {
  text_addf(out, "%u", link_size(owner));
  return 0;
}

static int link_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct link *l = owner;
  counter_add(&l->element.drops[0], link_size(l));
  link_empty(l);
  timer_unschedule(&l->puller.timer);
  task_schedule(&l->puller.task);
  return 0;
}

/* What is on the link came under other terms: it is dropped, as in Click. */
static int link_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct link wanted = {.element = {.class = ((const struct element *)owner)->class}, .bandwidth = LINK_BANDWIDTH_MIN};
  int status = parameter_write(&wanted, handler, value, report);
  if (status == 0) status = link_check(wanted.bandwidth, report);
  if (status < 0) return status;
  status = parameter_write(owner, handler, value, report);
  return status < 0 ? status : link_reset(owner, handler, value, report);
}

static const struct argument link_arguments[] = {
    {"LATENCY", ARGUMENT_TIME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct link, latency),
     "time from one end of the link to the other"},
    {"BANDWIDTH", ARGUMENT_BANDWIDTH, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct link, bandwidth),
     "how fast packets are sent"},
    {0}};

static const struct handler link_handlers[] = {
    {.name = "latency",
     .read = parameter_read,
     .write = link_write,
     .offset = offsetof(struct link, latency),
     .help = "time from end to end"},
    {.name = "bandwidth",
     .read = handler_read_u64,
     .write = link_write,
     .offset = offsetof(struct link, bandwidth),
     .help = "how fast packets are sent, in bytes a second; writing this or latency drops what is on the link"},
    {.name = "size", .read = link_read_size, .help = "packets on the link"},
    {.name = "reset", .write = link_reset, .help = "drop the packets on the link"},
    TASK_HANDLERS(struct link, puller.task),
    {0}};

static const char *const link_drops[] = {"reset", NULL};

static const struct element_class link_class = {
    .name = "LinkUnqueue",
    .purpose = "delays packets as a link would",
    .ports = "1/1",
    .processing = "l/h",
    .size = sizeof(struct link),
    .arguments = link_arguments,
    .handlers = link_handlers,
    .drops = link_drops,
    .example = "... -> Queue -> LinkUnqueue(20ms, 1Mbps) -> ...",
    .manual =
        "A packet's length, and its EXTRA_LENGTH annotation, says how long it takes to be sent; it comes out LATENCY after that. The "
        "next is pulled when the one before was sent. At most 4096 packets are on the link at once.",
    .configure = link_configure,
    .initialize = link_initialize,
    .cleanup = link_cleanup,
    .take_state = link_take_state,
};
ELEMENT(LinkUnqueue, link_class);
