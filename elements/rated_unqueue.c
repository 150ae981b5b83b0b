/* SPDX-License-Identifier: BSD-3-Clause
 *
 * RatedUnqueue and BandwidthRatedUnqueue: turn a pull path into a push path at a rate, of packets or of bytes. Burster does it in bursts
 * at an interval.
 */
#include "click/reconfigure.h"
#include "elements/rated.h"

#include "click/router.h"
#include "elements/parameter.h"
#include "elements/puller.h"

/* --- RatedUnqueue --- */

struct rated_unqueue {
  struct element element;
  struct rated rated;
  bool active;
  uint64_t count;
  uint64_t runs, empty_runs, failed_pulls; /* calls of the task, in vain, and of those for want of packets */
  struct puller puller;
};

static void rated_unqueue_defaults(struct element *e) {
  struct rated_unqueue *u = (struct rated_unqueue *)e;
  rated_defaults(&u->rated);
  u->active = true;
}

static int rated_unqueue_configure(struct element *e, const struct args *rest, struct report *report) {
  return rated_configure(&((struct rated_unqueue *)e)->rated, rated_counts_bytes(e), report);
}

/* One after the other where bytes count, as each is counted before the next is asked for. */
static void rated_unqueue_pull(struct rated_unqueue *u, struct batch *batch) {
  struct element *e = &u->element;
  if (!rated_counts_bytes(e)) {
    element_pull(e, 0, batch, (unsigned)token_bucket_count(&u->rated.bucket, BATCH_MAX));
    token_bucket_remove(&u->rated.bucket, batch->count);
    return;
  }
  while (batch->count < BATCH_MAX && token_bucket_contains(&u->rated.bucket, BANDWIDTH_THRESHOLD)) {
    uint32_t before = batch->count;
    element_pull(e, 0, batch, 1);
    if (batch->count == before) return;
    token_bucket_remove(&u->rated.bucket, batch->packet[before]->length);
  }
}

static bool rated_unqueue_run(struct task *task) {
  struct rated_unqueue *u = CONTAINER_OF(task, struct rated_unqueue, puller.task);
  struct token_bucket *bucket = &u->rated.bucket;
  counter_add(&u->runs, 1);
  if (!__atomic_load_n(&u->active, __ATOMIC_RELAXED)) {
    task_unschedule(task);
    if (__atomic_load_n(&u->active, __ATOMIC_SEQ_CST)) task_schedule(task);
    return false;
  }
  token_bucket_fill(bucket, u->element.services->now());
  uint64_t wait = token_bucket_wait(bucket, rated_needs(rated_counts_bytes(&u->element)));
  if (wait > 0) {
    counter_add(&u->empty_runs, 1);
    puller_sleep(&u->puller, time_after(bucket->now, wait));
    return false;
  }
  struct batch batch;
  batch.count = 0;
  rated_unqueue_pull(u, &batch);
  if (batch.count == 0) {
    counter_add(&u->failed_pulls, 1);
    counter_add(&u->empty_runs, 1);
    (void)puller_wait(&u->puller);
    return false;
  }
  counter_add(&u->count, batch.count);
  element_push(&u->element, 0, &batch);
  return true;
}

static int rated_unqueue_initialize(struct element *e, struct report *report) {
  struct rated_unqueue *u = (struct rated_unqueue *)e;
  rated_start(&u->rated, e->services->now());
  return puller_start(&u->puller, e, rated_unqueue_run);
}

static void rated_unqueue_cleanup(struct element *e) {
  struct rated_unqueue *u = (struct rated_unqueue *)e;
  puller_stop(&u->puller);
}

/* The tokens that are there stay. */
static int rated_unqueue_reconfigure(struct element *e, struct element *next, struct report *report) {
  args_exchange(e->class->arguments, e, next);
  task_schedule(&((struct rated_unqueue *)e)->puller.task);
  return rated_unqueue_configure(e, NULL, report);
}

static void rated_unqueue_take_state(struct element *e, struct element *old, struct report *report) {
  struct rated_unqueue *u = (struct rated_unqueue *)e;
  const struct rated_unqueue *from = (const struct rated_unqueue *)old;
  token_bucket_take(&u->rated.bucket, &from->rated.bucket);
  u->count = from->count;
  u->runs = from->runs;
  u->empty_runs = from->empty_runs;
  u->failed_pulls = from->failed_pulls;
}

static int rated_unqueue_read_calls(void *owner, const struct handler *handler, struct slice parameter,
                                    struct text *out, struct report *report) {
  const struct rated_unqueue *u = owner;
  const struct {
    const uint64_t *count;
    const char *what;
  } lines[] = {{&u->runs, "calls to run_task()"},
               {&u->empty_runs, "empty runs"},
               {&u->count, "pushes"},
               {&u->failed_pulls, "failed pulls"}};
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
    text_addf(out, "%llu %s\n", (unsigned long long)counter_read(lines[i].count), lines[i].what);
  return 0;
}

static int rated_unqueue_write_rate(void *owner, const struct handler *handler, struct slice value,
                                    struct report *report) {
  struct rated_unqueue *u = owner;
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) status = rated_configure(&u->rated, rated_counts_bytes(owner), report);
  if (status == 0) task_schedule(&u->puller.task);
  return status;
}

static int rated_unqueue_write_active(void *owner, const struct handler *handler, struct slice value,
                                      struct report *report) {
  struct rated_unqueue *u = owner;
  int status = parameter_write(owner, handler, value, report);
  if (status == 0 && u->active) task_schedule(&u->puller.task);
  return status;
}

static const struct argument rated_unqueue_arguments[] = {
    RATED_ARGUMENTS(struct rated_unqueue, rated, ARGUMENT_U64, "BURST_SIZE", "packets"),
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct rated_unqueue, active), "whether packets are pulled (true)"},
    {0}};

static const struct argument bandwidth_rated_unqueue_arguments[] = {
    RATED_ARGUMENTS(struct rated_unqueue, rated, ARGUMENT_BANDWIDTH, "BURST_BYTES", "bytes"),
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct rated_unqueue, active), "whether packets are pulled (true)"},
    {0}};

static const struct handler rated_unqueue_handlers[] = {
    {.name = "rate",
     .read = parameter_read,
     .write = rated_unqueue_write_rate,
     .offset = offsetof(struct rated_unqueue, rated.rate),
     .argument = "RATE",
     .help = "the rate at which packets pass"},
    {.name = "active",
     .read = parameter_read,
     .write = rated_unqueue_write_active,
     .offset = offsetof(struct rated_unqueue, active),
     .help = "whether packets are pulled"},
    {.name = "count",
     .read = handler_read_u64,
     .offset = offsetof(struct rated_unqueue, count),
     .help = "packets that have passed"},
    {.name = "calls", .read = rated_unqueue_read_calls, .help = "how often its task ran, in vain, and why"},
    TASK_HANDLERS(struct rated_unqueue, puller.task),
    {0}};

static const struct element_class rated_unqueue_class = {
    .name = "RatedUnqueue",
    .purpose = "pulls packets at a rate and pushes them on",
    .ports = "1/1",
    .processing = "l/h",
    .size = sizeof(struct rated_unqueue),
    .arguments = rated_unqueue_arguments,
    .handlers = rated_unqueue_handlers,
    .example = "FromDevice(eth0) -> Queue -> RatedUnqueue(1000) -> Queue -> ToDevice(eth1);",
    .manual = RATED_MANUAL,
    .defaults = rated_unqueue_defaults,
    .configure = rated_unqueue_configure,
    .initialize = rated_unqueue_initialize,
    .cleanup = rated_unqueue_cleanup,
    .reconfigure = rated_unqueue_reconfigure,
    .take_state = rated_unqueue_take_state,
};
ELEMENT(RatedUnqueue, rated_unqueue_class);

static const struct element_class bandwidth_rated_unqueue_class = {
    .name = "BandwidthRatedUnqueue",
    .purpose = "pulls packets at a bandwidth and pushes them on",
    .ports = "1/1",
    .processing = "l/h",
    .size = sizeof(struct rated_unqueue),
    .arguments = bandwidth_rated_unqueue_arguments,
    .handlers = rated_unqueue_handlers,
    .example = "FromDevice(eth0) -> Queue -> BandwidthRatedUnqueue(10Mbps) -> Queue -> ToDevice(eth1);",
    .manual = RATED_BYTES_MANUAL,
    .defaults = rated_unqueue_defaults,
    .configure = rated_unqueue_configure,
    .initialize = rated_unqueue_initialize,
    .cleanup = rated_unqueue_cleanup,
    .reconfigure = rated_unqueue_reconfigure,
    .take_state = rated_unqueue_take_state,
};
ELEMENT(BandwidthRatedUnqueue, bandwidth_rated_unqueue_class);

/* --- Burster --- */

struct burster {
  struct element element;
  uint64_t interval;
  uint32_t burst;
  uint64_t due; /* when the timer expired last; 0: it has waited for packets since */
  struct puller puller;
};

static void burster_defaults(struct element *e) { ((struct burster *)e)->burst = 8; }

static int burster_configure(struct element *e, const struct args *rest, struct report *report) {
  const struct burster *b = (const struct burster *)e;
  if (b->interval == 0) return report_error(report, ERROR_INVALID, "INTERVAL: must be above 0");
  if (b->burst == 0) return report_error(report, ERROR_INVALID, "bad BURST");
  return 0;
}

/* Pulls a burst and pushes it on. Returns how many packets there were. */
static uint32_t burster_move(struct burster *b) {
  uint32_t moved = 0;
  while (moved < b->burst) {
    struct batch batch;
    batch.count = 0;
    element_pull(&b->element, 0, &batch, b->burst - moved < BATCH_MAX ? b->burst - moved : BATCH_MAX);
    if (batch.count == 0) break;
    moved += batch.count;
    element_push(&b->element, 0, &batch);
  }
  return moved;
}

static bool burster_run(struct task *task) {
  struct burster *b = CONTAINER_OF(task, struct burster, puller.task);
  if (timer_scheduled(&b->puller.timer)) {
    /* Packets have come, but it is not time yet. */
    task_unschedule(task);
    return false;
  }
  bool worked = burster_move(b) > 0;
  if (!worked && puller_wait(&b->puller)) {
    b->due = 0;
    return false;
  }
  puller_sleep(&b->puller, time_after(b->due > 0 ? b->due : b->element.services->now(), b->interval));
  return worked;
}

static void burster_expire(struct timer *timer) {
  struct burster *b = CONTAINER_OF(timer, struct burster, puller.timer);
  b->due = timer->deadline;
  task_schedule(&b->puller.task);
}

static int burster_initialize(struct element *e, struct report *report) {
  struct burster *b = (struct burster *)e;
  int status = puller_start(&b->puller, e, burster_run);
  timer_init(&b->puller.timer, e->router->scheduler, e, burster_expire);
  return status;
}

static void burster_cleanup(struct element *e) {
  struct burster *b = (struct burster *)e;
  puller_stop(&b->puller);
}

/* The next burst comes when it would have come. */
static void burster_take_state(struct element *e, struct element *old, struct report *report) {
  struct burster *b = (struct burster *)e;
  const struct burster *from = (const struct burster *)old;
  if (b->interval != from->interval || !timer_scheduled(&from->puller.timer)) return;
  timer_schedule(&b->puller.timer, from->puller.timer.deadline);
}

static const struct argument burster_arguments[] = {
    {"INTERVAL", ARGUMENT_TIME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct burster, interval),
     "time between bursts"},
    {"BURST", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct burster, burst), "most packets in a burst (8)"},
    {0}};

static const struct handler burster_handlers[] = {{.name = "interval",
                                                   .read = parameter_read,
                                                   .offset = offsetof(struct burster, interval),
                                                   .help = "time between bursts"},
                                                  {.name = "burst",
                                                   .read = handler_read_u32,
                                                   .offset = offsetof(struct burster, burst),
                                                   .help = "most packets in a burst"},
                                                  TASK_HANDLERS(struct burster, puller.task),
                                                  {0}};

static const struct element_class burster_class = {
    .name = "Burster",
    .purpose = "pulls a burst of packets every interval and pushes it on",
    .ports = "1/1",
    .processing = "l/h",
    .size = sizeof(struct burster),
    .arguments = burster_arguments,
    .handlers = burster_handlers,
    .example = "FromDevice(eth0) -> Queue -> Burster(10ms, 5) -> Queue -> ToDevice(eth1);",
    .manual =
        "The first burst comes at once, the others every INTERVAL. After one that found no packet it waits until upstream tells of "
        "one, and takes that at once.",
    .defaults = burster_defaults,
    .configure = burster_configure,
    .initialize = burster_initialize,
    .cleanup = burster_cleanup,
    .reconfigure = reconfigure_arguments,
    .take_state = burster_take_state,
};
ELEMENT(Burster, burster_class);
