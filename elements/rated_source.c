/* SPDX-License-Identifier: BSD-3-Clause
 *
 * RatedSource and TimedSource: packets at a rate, and packets at an interval.
 */
#include "elements/parameter.h"
#include "elements/source.h"

static bool rated_done(struct source *s) {
  if (source_left(s, 1) > 0) return false;
  source_finish(s);
  return true;
}

static bool rated_run(struct task *task) {
  struct source *s = CONTAINER_OF(task, struct source, task);
  if (!__atomic_load_n(&s->active, __ATOMIC_RELAXED)) {
    task_unschedule(task);
    if (__atomic_load_n(&s->active, __ATOMIC_SEQ_CST)) task_schedule(task);
    return false;
  }
  if (source_left(s, 1) == 0) {
    task_unschedule(task);
    source_finish(s);
    return false;
  }
  token_bucket_fill(&s->bucket, s->element.services->now());
  uint64_t left = source_left(s, token_bucket_count(&s->bucket, BATCH_MAX));
  if (left == 0) {
    task_unschedule(task);
    timer_schedule(&s->timer, time_after(s->bucket.now, token_bucket_wait(&s->bucket, 1)));
    return false;
  }
  struct batch batch;
  batch.count = 0;
  token_bucket_remove(&s->bucket, source_make(s, &batch, (unsigned)left));
  bool worked = batch.count > 0;
  element_push(&s->element, 0, &batch);
  return worked;
}

static void rated_expire(struct timer *timer) { task_schedule(&CONTAINER_OF(timer, struct source, timer)->task); }

static void rated_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct source *s = (struct source *)e;
  if (!__atomic_load_n(&s->active, __ATOMIC_RELAXED) || max == 0 || rated_done(s)) return;
  token_bucket_fill(&s->bucket, e->services->now());
  uint64_t left = source_left(s, token_bucket_count(&s->bucket, max));
  token_bucket_remove(&s->bucket, source_make(s, batch, (unsigned)left));
}

/* `least`: tokens that the bucket holds at least. */
static void rated_assign(struct source *s, uint64_t least) {
  uint64_t burst = s->rate < 200 ? 2 : s->rate / 100;
  token_bucket_assign(&s->bucket, s->rate, burst < least ? least : burst);
}

/* With BANDWIDTH and LENGTH Click's bucket holds two tokens for each byte of LENGTH, until `rate` is written. */
static void rated_assign_configured(struct source *s) {
  rated_assign(s, s->bandwidth > 0 && s->length > 0 ? 2 * (uint64_t)s->length : 0);
}

static int rated_configure(struct element *e, const struct args *rest, struct report *report) {
  struct source *s = (struct source *)e;
  int status = source_configure(e, rest, report);
  if (status < 0) return status;
  size_t length = s->data->length;
  if (s->bandwidth > 0) s->rate = s->bandwidth / (length > 0 ? length : 1);
  rated_assign_configured(s);
  return 0;
}

static int rated_initialize(struct element *e, struct report *report) {
  struct source *s = (struct source *)e;
  token_bucket_set(&s->bucket, 1, e->services->now());
  timer_init(&s->timer, e->router->scheduler, e, rated_expire);
  return source_initialize_task(s, rated_run, report);
}

static int rated_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct source *s = (struct source *)e;
  int status = source_reconfigure(e, next, report);
  rated_assign_configured(s);
  return status;
}

static int rated_write_rate(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  int status = parameter_write(owner, handler, value, report);
  if (status < 0) return status;
  rated_assign(s, 0);
  source_wake(s);
  return 0;
}

static int rated_write_active(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  bool before = s->active;
  int status = parameter_write(owner, handler, value, report);
  if (status < 0 || before || !s->active) return status;
  token_bucket_set(&s->bucket, 1, s->element.services->now());
  source_wake(s);
  return 0;
}

static const struct argument rated_arguments[] = {
    {"DATA", ARGUMENT_DATA, ARGUMENT_POSITIONAL, offsetof(struct source, text),
     "what is in the packets (69 bytes of text)"},
    {"RATE", ARGUMENT_U64, ARGUMENT_POSITIONAL, offsetof(struct source, rate),
     "packets a second; 0: none but the first (10)"},
    {"LIMIT", ARGUMENT_I64, ARGUMENT_POSITIONAL, offsetof(struct source, limit),
     "how many packets are made; below 0: no end (-1)"},
    {"ACTIVE", ARGUMENT_BOOL, ARGUMENT_POSITIONAL, offsetof(struct source, active), "whether packets are made (true)"},
    {"LENGTH", ARGUMENT_I32, 0, offsetof(struct source, length),
     "length of the packets: DATA is cut off or repeated (that of DATA)"},
    {"DATASIZE", ARGUMENT_I32, ARGUMENT_DEPRECATED, offsetof(struct source, length), "old name of LENGTH"},
    SOURCE_END_ARGUMENTS,
    {"BANDWIDTH", ARGUMENT_BANDWIDTH, 0, offsetof(struct source, bandwidth), "rate in bytes instead of packets"},
    {0}};

static const struct handler rated_handlers[] = {
    {.name = "data", .read = source_read_data, .write = source_write_data, .help = "what is in the packets"},
    {.name = "rate",
     .read = parameter_read,
     .write = rated_write_rate,
     .offset = offsetof(struct source, rate),
     .help = "packets a second"},
    {.name = "active",
     .read = parameter_read,
     .write = rated_write_active,
     .offset = offsetof(struct source, active),
     .help = "whether packets are made"},
    SOURCE_HANDLERS,
    {0}};

static const struct element_class rated_class = {
    .name = "RatedSource",
    .purpose = "makes packets at a rate",
    .ports = "0/1",
    .processing = "a/a",
    .size = sizeof(struct source),
    .arguments = rated_arguments,
    .handlers = rated_handlers,
    .example = "RatedSource(\\<08 00>, RATE 1000, LIMIT 5000) -> Queue -> ...",
    .manual =
        "A bucket gets RATE tokens a second and keeps a hundredth of a second's, but at least 2, and with BANDWIDTH and LENGTH at "
        "least twice LENGTH; each packet takes one. It begins with one, so the first packet comes at once.",
    .defaults = source_defaults,
    .configure = rated_configure,
    .initialize = rated_initialize,
    .cleanup = source_cleanup,
    .reconfigure = rated_reconfigure,
    .take_state = source_take_state,
    .pull = rated_pull,
};
ELEMENT(RatedSource, rated_class);

/* --- TimedSource --- */

static void timed_expire(struct timer *timer) {
  struct source *s = CONTAINER_OF(timer, struct source, timer);
  if (!__atomic_load_n(&s->active, __ATOMIC_RELAXED) || rated_done(s)) return;
  /* Counted from when it was due, so that a late timer doesn't shift those that follow. */
  timer_schedule(timer, time_after(timer->deadline, s->interval));
  struct batch batch;
  batch.count = 0;
  (void)source_make(s, &batch, 1);
  element_push(&s->element, 0, &batch);
}

static int timed_check(const struct source *s, struct report *report) {
  return s->interval > 0 ? 0 : report_error(report, ERROR_INVALID, "INTERVAL: must be above 0");
}

static int timed_configure(struct element *e, const struct args *rest, struct report *report) {
  int status = timed_check((struct source *)e, report);
  return status < 0 ? status : source_configure(e, rest, report);
}

static int timed_initialize(struct element *e, struct report *report) {
  struct source *s = (struct source *)e;
  timer_init(&s->timer, e->router->scheduler, e, timed_expire);
  if (s->active) timer_schedule(&s->timer, time_after(e->services->now(), s->interval));
  return 0;
}

/* A timer that stands still makes the next packet at once, as in Click. */
static void timed_wake(struct source *s) {
  if (!s->active || source_left(s, 1) == 0 || timer_scheduled(&s->timer)) return;
  timer_schedule(&s->timer, s->element.services->now());
}

static int timed_reconfigure(struct element *e, struct element *next, struct report *report) {
  int status = source_reconfigure(e, next, report);
  timed_wake((struct source *)e);
  return status;
}

static int timed_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  uint64_t before = s->interval;
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) status = timed_check(s, report);
  if (status < 0) {
    s->interval = before;
    return status;
  }
  timed_wake(s);
  return 0;
}

/* The rhythm goes on, unless the interval is another one. */
static void timed_take_state(struct element *e, struct element *old, struct report *report) {
  struct source *s = (struct source *)e;
  const struct source *from = (const struct source *)old;
  source_take_state(e, old, report);
  if (!s->active || s->finished || s->interval != from->interval || !timer_scheduled(&from->timer)) return;
  timer_schedule(&s->timer, from->timer.deadline);
}

static int timed_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  counter_reset(&s->count);
  timed_wake(s);
  return 0;
}

static const struct argument timed_arguments[] = {
    {"INTERVAL", ARGUMENT_TIME, ARGUMENT_POSITIONAL, offsetof(struct source, interval), "time between packets (500ms)"},
    {"DATA", ARGUMENT_DATA, ARGUMENT_POSITIONAL, offsetof(struct source, text),
     "what is in the packets (69 bytes of text)"},
    {"LIMIT", ARGUMENT_I64, 0, offsetof(struct source, limit), "how many packets are made; below 0: no end (-1)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct source, active), "whether packets are made (true)"},
    {"STOP", ARGUMENT_BOOL, 0, offsetof(struct source, stop), "stop the driver when LIMIT packets were made (false)"},
    {"HEADROOM", ARGUMENT_U32, 0, offsetof(struct source, headroom), "bytes free in front of the data (256)"},
    {0}};

static const struct handler timed_handlers[] = {
    {.name = "data", .read = source_read_data, .write = source_write_data, .help = "what is in the packets"},
    {.name = "interval",
     .read = parameter_read,
     .write = timed_write,
     .offset = offsetof(struct source, interval),
     .help = "time between packets; counts from the next one on"},
    {.name = "limit",
     .read = parameter_read,
     .write = timed_write,
     .offset = offsetof(struct source, limit),
     .help = "how many packets are made; below 0: no end"},
    {.name = "active",
     .read = parameter_read,
     .write = timed_write,
     .offset = offsetof(struct source, active),
     .help = "whether packets are made"},
    {.name = "headroom",
     .read = parameter_read,
     .write = source_write_headroom,
     .offset = offsetof(struct source, headroom),
     .help = "bytes free in front of the data"},
    {.name = "count", .read = handler_read_u64, .offset = offsetof(struct source, count), .help = "packets made"},
    {.name = "reset", .write = timed_reset, .help = "set count to 0, so that LIMIT packets more are made"},
    {0}};

static const struct element_class timed_class = {
    .name = "TimedSource",
    .purpose = "makes a packet every interval",
    .ports = "0/1",
    .processing = "h/h",
    .size = sizeof(struct source),
    .arguments = timed_arguments,
    .handlers = timed_handlers,
    .example = "TimedSource(0.333) -> ...",
    .manual = "The first packet comes one INTERVAL after the start.",
    .defaults = source_defaults,
    .configure = timed_configure,
    .initialize = timed_initialize,
    .cleanup = source_cleanup,
    .reconfigure = timed_reconfigure,
    .take_state = timed_take_state,
};
ELEMENT(TimedSource, timed_class);
