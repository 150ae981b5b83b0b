/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unqueue: turns a pull path into a push path. A task pulls bursts and pushes them on. Unqueue2 pulls no more than the queues
 * downstream have room for.
 */
#include "click/router.h"
#include "elements/parameter.h"
#include "elements/puller.h"
#include "elements/queue.h"
#include "lib/memory.h"

struct unqueue {
  struct element element;
  int32_t burst; /* below 0: as many as come */
  int32_t limit; /* below 0: none */
  bool active;
  uint64_t count;
  struct puller puller;
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
  struct unqueue *u = CONTAINER_OF(task, struct unqueue, puller.task);
  unsigned allowance = unqueue_allowance(u);
  if (allowance == 0) {
    task_unschedule(task);
    /* Written in between. */
    if (unqueue_allowance(u) > 0) task_schedule(task);
    return false;
  }
  struct batch batch;
  batch.count = 0;
  element_pull(&u->element, 0, &batch, allowance);
  if (batch.count == 0) {
    (void)puller_wait(&u->puller);
    return false;
  }
  counter_add(&u->count, batch.count);
  element_push(&u->element, 0, &batch);
  return true;
}

static int unqueue_initialize(struct element *e, struct report *report) {
  struct unqueue *u = (struct unqueue *)e;
  if (u->burst == 0) report_warning(report, "BURST: 0 means that no packet is ever pulled");
  return puller_start(&u->puller, e, unqueue_run);
}

static void unqueue_cleanup(struct element *e) {
  struct unqueue *u = (struct unqueue *)e;
  puller_stop(&u->puller);
}

static void unqueue_take_state(struct element *e, struct element *old, struct report *report) {
  ((struct unqueue *)e)->count = ((struct unqueue *)old)->count;
}

static int unqueue_reconfigure(struct element *e, struct element *next, struct report *report) {
  args_exchange(e->class->arguments, e, next);
  task_schedule(&((struct unqueue *)e)->puller.task);
  return 0;
}

static int unqueue_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct unqueue *u = owner;
  counter_reset(&u->count);
  task_schedule(&u->puller.task);
  return 0;
}

/* What is written may let it go on. */
static int unqueue_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) task_schedule(&((struct unqueue *)owner)->puller.task);
  return status;
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
     .write = unqueue_write,
     .offset = offsetof(struct unqueue, active),
     .help = "whether packets are pulled"},
    {.name = "burst",
     .read = parameter_read_i32,
     .write = unqueue_write,
     .offset = offsetof(struct unqueue, burst),
     .help = "most packets pulled at once"},
    {.name = "limit",
     .read = parameter_read_i32,
     .write = unqueue_write,
     .offset = offsetof(struct unqueue, limit),
     .help = "stop after so many packets; below 0: never"},
    {.name = "reset", .write = unqueue_reset, .help = "set count to 0, so that LIMIT packets more may pass"},
    {.name = "reset_counts", .write = unqueue_reset, .help = "as reset"},
    TASK_HANDLERS(struct unqueue, puller.task),
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
    .reconfigure = unqueue_reconfigure,
};
ELEMENT(Unqueue, unqueue_class);

/* --- Unqueue2 --- */

struct unqueue2 {
  struct element element;
  uint32_t burst; /* 0: as many as come */
  bool quiet;
  char *queue_names;
  struct element **queues;
  uint32_t queue_count;
  uint64_t count;
  struct task task;
  struct notifier_signal empty, full;
};

static void unqueue2_defaults(struct element *e) { ((struct unqueue2 *)e)->burst = 1; }

/* QUEUES: names, each of a queue. */
static int unqueue2_named_queues(struct unqueue2 *u, struct report *report) {
  static const struct argument name = {.name = "QUEUES", .type = ARGUMENT_ELEMENT};
  struct slice rest = slice_of(u->queue_names);
  for (;;) {
    struct slice word = slice_next_word(&rest);
    if (word.length == 0) return 0;
    char *text = memory_copy_string(word.data, word.length);
    if (text == NULL) return -ERROR_NO_MEMORY;
    struct element *found = NULL;
    int status = args_parse_value(&u->element, &name, text, &found, report);
    memory_free(text);
    uint32_t room;
    if (status < 0) return status;
    if (!queue_room(found, &room)) return report_error(report, ERROR_INVALID, "bad QUEUES");
    if (u->queue_count == u->element.router->element_count) return report_error(report, ERROR_INVALID, "bad QUEUES");
    u->queues[u->queue_count++] = found;
  }
}

/* The queues that packets pushed from here reach first. `stack` has room for every element, each gets there once. */
static void unqueue2_walk(struct unqueue2 *u, struct element **stack, bool *seen) {
  uint32_t depth = 0;
  stack[depth++] = &u->element;
  while (depth > 0) {
    const struct element *e = stack[--depth];
    for (uint32_t i = 0; i < e->output_count; i++) {
      struct element *next = e->outputs[i].element;
      uint32_t room;
      if (e->outputs[i].pull || seen[next->index]) continue;
      seen[next->index] = true;
      if (queue_room(next, &room)) {
        u->queues[u->queue_count++] = next;
      } else {
        stack[depth++] = next;
      }
    }
  }
}

static int unqueue2_configure(struct element *e, const struct args *rest, struct report *report) {
  struct unqueue2 *u = (struct unqueue2 *)e;
  uint32_t count = e->router->element_count;
  if (!u->quiet) report_warning(report, "Unqueue2 is deprecated, you should probably use Unqueue");
  u->queues = memory_alloc(count * sizeof(struct element *));
  if (u->queues == NULL) return -ERROR_NO_MEMORY;
  if (u->queue_names != NULL) return unqueue2_named_queues(u, report);
  struct element **stack = memory_alloc((count + 1) * sizeof(struct element *));
  bool *seen = memory_alloc(count * sizeof *seen);
  int status = stack != NULL && seen != NULL ? 0 : -ERROR_NO_MEMORY;
  if (status == 0) unqueue2_walk(u, stack, seen);
  memory_free((void *)stack);
  memory_free(seen);
  return status;
}

static unsigned unqueue2_allowance(const struct unqueue2 *u) {
  unsigned allowance = u->burst == 0 || u->burst > BATCH_MAX ? BATCH_MAX : u->burst;
  for (uint32_t i = 0; i < u->queue_count; i++) {
    uint32_t room = 0;
    (void)queue_room(u->queues[i], &room);
    if (room < allowance) allowance = room;
  }
  return allowance;
}

static bool unqueue2_run(struct task *task) {
  struct unqueue2 *u = CONTAINER_OF(task, struct unqueue2, task);
  unsigned allowance = unqueue2_allowance(u);
  struct batch batch;
  batch.count = 0;
  if (allowance == 0) {
    /* A queue that tells when it is full will wake us; others are polled. */
    (void)notifier_signal_wait(&u->full, task);
    return false;
  }
  element_pull(&u->element, 0, &batch, allowance);
  if (batch.count == 0) {
    (void)notifier_signal_wait(&u->empty, task);
    return false;
  }
  counter_add(&u->count, batch.count);
  element_push(&u->element, 0, &batch);
  return true;
}

static int unqueue2_initialize(struct element *e, struct report *report) {
  struct unqueue2 *u = (struct unqueue2 *)e;
  task_init(&u->task, e->router->scheduler, e, unqueue2_run);
  task_schedule(&u->task);
  int status = notifier_listen_upstream(e, 0, &u->task, &u->empty);
  return status < 0 ? status : notifier_listen_downstream(e, 0, &u->task, &u->full);
}

static void unqueue2_cleanup(struct element *e) {
  struct unqueue2 *u = (struct unqueue2 *)e;
  task_unschedule(&u->task);
  notifier_signal_destroy(&u->empty, &u->task);
  notifier_signal_destroy(&u->full, &u->task);
  memory_free((void *)u->queues);
  u->queues = NULL;
}

static void unqueue2_take_state(struct element *e, struct element *old, struct report *report) {
  ((struct unqueue2 *)e)->count = ((const struct unqueue2 *)old)->count;
}

static int unqueue2_read_packets(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                 struct report *report) {
  text_addf(out, "%llu packets\n", (unsigned long long)counter_read(&((const struct unqueue2 *)owner)->count));
  return 0;
}

static const struct argument unqueue2_arguments[] = {
    {"BURST", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct unqueue2, burst),
     "most packets pulled at once; 0: as many as come (1)"},
    {"QUEUES", ARGUMENT_STRING, 0, offsetof(struct unqueue2, queue_names),
     "names of the queues that count, instead of those downstream"},
    {"QUIET", ARGUMENT_BOOL, 0, offsetof(struct unqueue2, quiet), "do not warn that Unqueue2 is deprecated (false)"},
    {0}};

static const struct handler unqueue2_handlers[] = {
    {.name = "packets", .read = unqueue2_read_packets, .help = "packets that have passed"},
    TASK_HANDLERS(struct unqueue2, task),
    {0}};

static const struct element_class unqueue2_class = {
    .name = "Unqueue2",
    .purpose = "pulls packets while queues downstream have room",
    .ports = "1/1",
    .processing = "l/h",
    .size = sizeof(struct unqueue2),
    .arguments = unqueue2_arguments,
    .handlers = unqueue2_handlers,
    .example = "a :: Queue -> Unqueue2 -> Null -> b :: Queue -> ...",
    .manual =
        "Pulls no more packets at once than fit into the fullest of the queues that packets pushed from here reach first.",
    .defaults = unqueue2_defaults,
    .configure = unqueue2_configure,
    .initialize = unqueue2_initialize,
    .cleanup = unqueue2_cleanup,
    .take_state = unqueue2_take_state,
};
ELEMENT(Unqueue2, unqueue2_class);
