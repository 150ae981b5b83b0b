/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The plainest elements: Null passes packets on, Idle never sends any, Discard is where packets end, Tee and PullTee send copies.
 */
#include "click/element.h"
#include "click/router.h"
#include "elements/parameter.h"
#include "elements/puller.h"

/* --- Null --- */

static void null_simple(struct element *e, struct batch *batch) {}

static const struct element_class null_class = {
    .name = "Null",
    .purpose = "passes packets on unchanged",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct element),
    .example = "FromDevice(eth0) -> here :: Null -> Discard;",
    .manual = "Useful as a named place in a graph.",
    .simple = null_simple,
};
ELEMENT(Null, null_class);

static const struct element_class push_null_class = {
    .name = "PushNull",
    .purpose = "passes packets on unchanged, by push only",
    .ports = "1/1",
    .processing = "h/h",
    .size = sizeof(struct element),
    .example = "FromDevice(eth0) -> PushNull -> Queue -> ToDevice(eth1);",
    .manual = "Where it stands, a path is a push path.",
    .simple = null_simple,
};
ELEMENT(PushNull, push_null_class);

static const struct element_class pull_null_class = {
    .name = "PullNull",
    .purpose = "passes packets on unchanged, by pull only",
    .ports = "1/1",
    .processing = "l/l",
    .size = sizeof(struct element),
    .example = "FromDevice(eth0) -> Queue -> PullNull -> ToDevice(eth1);",
    .manual = "Where it stands, a path is a pull path.",
    .simple = null_simple,
};
ELEMENT(PullNull, pull_null_class);

/* --- Idle --- */

static const char *const discard_drops[] = {"discarded", NULL};

struct idle {
  struct element element;
  struct notifier never;
};

static void idle_push(struct element *e, unsigned port, struct batch *batch) { element_drop_batch(e, 0, batch); }
static void idle_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {}

/* Never active: whoever pulls from here need not ask again. */
static struct notifier *idle_notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return &((struct idle *)e)->never;
}

static void idle_cleanup(struct element *e) { notifier_destroy(&((struct idle *)e)->never); }

static const struct element_class idle_class = {
    .name = "Idle",
    .purpose = "discards what it gets and never sends a packet",
    .ports = "-/-",
    .processing = "a/a",
    .flow = "x/y",
    .size = sizeof(struct idle),
    .drops = discard_drops,
    .example = "Idle -> [1] merge;",
    .manual = "Connects ports that a graph has no use for: an input that nothing feeds, an output that nobody reads.",
    .cleanup = idle_cleanup,
    .notifier = idle_notifier,
    .push = idle_push,
    .pull = idle_pull,
};
ELEMENT(Idle, idle_class);

/* --- Discard --- */

struct discard {
  struct element element;
  uint32_t burst;
  bool active;
  uint64_t count;
  struct puller puller; /* used when the input is pull */
};

static void discard_defaults(struct element *e) {
  struct discard *d = (struct discard *)e;
  d->burst = 32;
  d->active = true;
}

static int discard_configure(struct element *e, const struct args *rest, struct report *report) {
  const struct discard *d = (const struct discard *)e;
  if (d->active || e->inputs[0].pull) return 0;
  return report_error(report, ERROR_INVALID, "ACTIVE is meaningless in push context; put a Switch in front");
}

static void discard_push(struct element *e, unsigned port, struct batch *batch) {
  counter_add(&((struct discard *)e)->count, batch->count);
  element_drop_batch(e, 0, batch);
}

static bool discard_run(struct task *task) {
  struct discard *d = CONTAINER_OF(task, struct discard, puller.task);
  if (!__atomic_load_n(&d->active, __ATOMIC_SEQ_CST)) {
    task_unschedule(task);
    /* Written in between. */
    if (__atomic_load_n(&d->active, __ATOMIC_SEQ_CST)) task_schedule(task);
    return false;
  }
  struct batch batch;
  batch.count = 0;
  element_pull(&d->element, 0, &batch, d->burst == 0 || d->burst > BATCH_MAX ? BATCH_MAX : d->burst);
  if (batch.count == 0) {
    (void)puller_wait(&d->puller);
    return false;
  }
  discard_push(&d->element, 0, &batch);
  return true;
}

static int discard_initialize(struct element *e, struct report *report) {
  struct discard *d = (struct discard *)e;
  if (!e->inputs[0].pull) return 0;
  return puller_start(&d->puller, e, discard_run);
}

static void discard_cleanup(struct element *e) {
  struct discard *d = (struct discard *)e;
  puller_stop(&d->puller);
}

static void discard_take_state(struct element *e, struct element *old, struct report *report) {
  ((struct discard *)e)->count = ((struct discard *)old)->count;
}

static int discard_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct discard *d = (struct discard *)e;
  args_exchange(e->class->arguments, e, next);
  if (d->active && d->puller.task.run != NULL) task_schedule(&d->puller.task);
  return 0;
}

static int discard_reset_counts(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  counter_reset(&((struct discard *)owner)->count);
  return 0;
}

static int discard_write_active(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct discard *d = owner;
  int status = parameter_write_bool(owner, handler, value, report);
  if (status == 0 && d->active && d->puller.task.run != NULL) task_schedule(&d->puller.task);
  return status;
}

static const struct argument discard_arguments[] = {
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct discard, active), "whether a pull input is emptied (true)"},
    {"BURST", ARGUMENT_U32, 0, offsetof(struct discard, burst),
     "most packets pulled at once, up to 256; 0: as many as come (32)"},
    {0}};

static const struct handler discard_handlers[] = {
    {.name = "count", .read = handler_read_u64, .offset = offsetof(struct discard, count), .help = "packets discarded"},
    {.name = "active",
     .read = handler_read_bool,
     .write = discard_write_active,
     .offset = offsetof(struct discard, active),
     .help = "whether a pull input is emptied"},
    {.name = "reset_counts", .write = discard_reset_counts, .help = "set count to 0"},
    TASK_HANDLERS(struct discard, puller.task),
    {0}};

static const struct element_class discard_class = {
    .name = "Discard",
    .purpose = "drops every packet",
    .ports = "1/0",
    .processing = "a/a",
    .size = sizeof(struct discard),
    .arguments = discard_arguments,
    .handlers = discard_handlers,
    .drops = discard_drops,
    .example = "FromDevice(eth0) -> Discard;",
    .manual = "On a pull input it asks for packets all the time, and drops them.",
    .defaults = discard_defaults,
    .configure = discard_configure,
    .initialize = discard_initialize,
    .cleanup = discard_cleanup,
    .reconfigure = discard_reconfigure,
    .take_state = discard_take_state,
    .push = discard_push,
};
ELEMENT(Discard, discard_class);

/* --- Tee --- */

struct tee {
  struct element element;
  uint32_t outputs;
};

static void tee_defaults(struct element *e) { ((struct tee *)e)->outputs = e->output_count; }

static int tee_configure(struct element *e, const struct args *rest, struct report *report) {
  const struct tee *t = (const struct tee *)e;
  if (t->outputs != e->output_count) {
    return report_error(report, ERROR_INVALID, "N: %u, but %u outputs are connected; connect as many, or leave N out",
                        t->outputs, e->output_count);
  }
  return 0;
}

static void tee_push(struct element *e, unsigned port, struct batch *batch) {
  struct batch copies;
  uint32_t last = e->output_count - 1;
  for (uint32_t output = 0; output < last; output++) {
    copies.count = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
      struct packet *copy = packet_clone(batch->packet[i]);
      if (copy != NULL) copies.packet[copies.count++] = copy;
    }
    if (copies.count < batch->count) counter_add(&e->drops[0], batch->count - copies.count);
    element_push(e, output, &copies);
  }
  element_push(e, last, batch);
}

static const struct argument tee_arguments[] = {{"N", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct tee, outputs),
                                                 "number of outputs; only checked against the connections"},
                                                {0}};

static const char *const tee_drops[] = {"no_buffer", NULL};

static const struct element_class tee_class = {
    .name = "Tee",
    .purpose = "sends a copy of each packet to every output",
    .ports = "1/1-",
    .processing = "h/h",
    .size = sizeof(struct tee),
    .arguments = tee_arguments,
    .drops = tee_drops,
    .example = "FromDevice(eth0) -> t :: Tee; t [0] -> Print(copy) -> Discard; t [1] -> Queue -> ToDevice(eth1);",
    .manual =
        "The last output gets the packet itself, the others get copies. A copy that finds no free buffer is left out "
        "and counted under no_buffer. Each output sees packets in order of arrival; where outputs meet again, the "
        "copies of one batch come before the next output's.",
    .defaults = tee_defaults,
    .configure = tee_configure,
    .push = tee_push,
};
ELEMENT(Tee, tee_class);

/* --- PullTee --- */

static void pull_tee_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  uint32_t first = batch->count;
  element_pull(e, 0, batch, max);
  struct batch copies;
  for (uint32_t output = 1; output < e->output_count; output++) {
    copies.count = 0;
    for (uint32_t i = first; i < batch->count; i++) {
      struct packet *copy = packet_clone(batch->packet[i]);
      if (copy != NULL) copies.packet[copies.count++] = copy;
    }
    counter_add(&e->drops[0], batch->count - first - copies.count);
    element_push(e, output, &copies);
  }
}

static const struct element_class pull_tee_class = {
    .name = "PullTee",
    .purpose = "gives packets to who pulls, and pushes copies to the other outputs",
    .ports = "1/1-",
    .processing = "l/lh",
    .size = sizeof(struct tee),
    .arguments = tee_arguments,
    .drops = tee_drops,
    .example = "Queue -> t :: PullTee -> ToDevice(eth0); t [1] -> Print(sent) -> Discard;",
    .manual = "A copy that finds no free buffer is left out and counted under no_buffer.",
    .defaults = tee_defaults,
    .configure = tee_configure,
    .pull = pull_tee_pull,
};
ELEMENT(PullTee, pull_tee_class);
