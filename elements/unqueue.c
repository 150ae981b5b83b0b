/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unqueue: turns a pull path into a push path. A task pulls bursts and pushes them on.
 */
#include "click/element.h"
#include "click/router.h"
#include "elements/parameter.h"

struct unqueue {
  struct element element;
  int32_t burst; /* below 0: as many as come */
  int32_t limit; /* below 0: none */
  bool active;
  uint64_t count;
  struct task task;
  struct notifier_signal signal;
};

static void unqueue_defaults(struct element *e) {
  struct unqueue *u = (struct unqueue *)e;
  u->burst = 32;
  u->limit = -1;
  u->active = true;
}

/* How many packets may be pulled now. */
static unsigned unqueue_allowance(const struct unqueue *u) {
  if (!__atomic_load_n(&u->active, __ATOMIC_RELAXED)) return 0;
  int32_t burst = __atomic_load_n(&u->burst, __ATOMIC_RELAXED);
  int32_t limit = __atomic_load_n(&u->limit, __ATOMIC_RELAXED);
  unsigned allowance = burst < 0 || burst > BATCH_MAX ? BATCH_MAX : (unsigned)burst;
  if (limit < 0) return allowance;
  uint64_t count = counter_read(&u->count);
  uint64_t left = count < (uint64_t)limit ? (uint64_t)limit - count : 0;
  return left < allowance ? (unsigned)left : allowance;
}

static bool unqueue_run(struct task *task) {
  struct unqueue *u = CONTAINER_OF(task, struct unqueue, task);
  unsigned allowance = unqueue_allowance(u);
  if (allowance == 0) return false;
  struct batch batch;
  batch.count = 0;
  element_pull(&u->element, 0, &batch, allowance);
  if (batch.count == 0) {
    (void)notifier_signal_wait(&u->signal, task);
    return false;
  }
  counter_add(&u->count, batch.count);
  element_push(&u->element, 0, &batch);
  return true;
}

static int unqueue_initialize(struct element *e, struct report *report) {
  struct unqueue *u = (struct unqueue *)e;
  if (u->burst == 0) report_warning(report, "BURST: 0 means that no packet is ever pulled");
  task_init(&u->task, e->router->scheduler, e, unqueue_run);
  task_schedule(&u->task);
  return notifier_listen_upstream(e, 0, &u->task, &u->signal);
}

static void unqueue_cleanup(struct element *e) {
  struct unqueue *u = (struct unqueue *)e;
  task_unschedule(&u->task);
  notifier_signal_destroy(&u->signal, &u->task);
}

static void unqueue_take_state(struct element *e, struct element *old, struct report *report) {
  ((struct unqueue *)e)->count = ((struct unqueue *)old)->count;
}

static int unqueue_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  counter_reset(&((struct unqueue *)owner)->count);
  return 0;
}

static const struct argument unqueue_arguments[] = {
    {"BURST", ARGUMENT_I32, ARGUMENT_POSITIONAL, offsetof(struct unqueue, burst),
     "most packets pulled at once, up to 256; below 0: as many as come (32)"},
    {"LIMIT", ARGUMENT_I32, 0, offsetof(struct unqueue, limit), "stop after so many packets; below 0: never (-1)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct unqueue, active), "whether packets are pulled (true)"},
    {0}};

static const struct handler unqueue_handlers[] = {
    {.name = "count",
     .read = handler_read_u64,
     .offset = offsetof(struct unqueue, count),
     .help = "packets that have passed since reset"},
    {.name = "active",
     .read = handler_read_bool,
     .write = parameter_write_bool,
     .offset = offsetof(struct unqueue, active),
     .help = "whether packets are pulled"},
    {.name = "burst",
     .read = parameter_read_i32,
     .write = parameter_write_i32,
     .offset = offsetof(struct unqueue, burst),
     .help = "most packets pulled at once"},
    {.name = "limit",
     .read = parameter_read_i32,
     .write = parameter_write_i32,
     .offset = offsetof(struct unqueue, limit),
     .help = "stop after so many packets; below 0: never"},
    {.name = "reset", .write = unqueue_reset, .help = "set count to 0, so that LIMIT packets more may pass"},
    {.name = "reset_counts", .write = unqueue_reset, .help = "as reset"},
    {0}};

static const struct element_class unqueue_class = {
    .name = "Unqueue",
    .purpose = "pulls packets and pushes them on",
    .ports = "1/1",
    .processing = "l/h",
    .size = sizeof(struct unqueue),
    .arguments = unqueue_arguments,
    .handlers = unqueue_handlers,
    .example = "FromDevice(eth0) -> Queue -> Unqueue -> Counter -> Discard;",
    .manual =
        "Pulls whenever its task is called, up to BURST packets. Click's default burst is 1; here it is 32, because "
        "packets travel in batches.",
    .defaults = unqueue_defaults,
    .initialize = unqueue_initialize,
    .cleanup = unqueue_cleanup,
    .take_state = unqueue_take_state,
};
ELEMENT(Unqueue, unqueue_class);
