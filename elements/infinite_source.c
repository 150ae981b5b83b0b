/* SPDX-License-Identifier: BSD-3-Clause
 *
 * InfiniteSource and RandomSource: packets as fast as they are wanted, of given or of random bytes.
 */
#include "elements/parameter.h"
#include "elements/source.h"

/* What a longer BURST has left comes in the next round: others on this worker want to live. */
enum { RUN_MAX = 65536 };

static bool infinite_run(struct task *task) {
  struct source *s = CONTAINER_OF(task, struct source, task);
  if (!__atomic_load_n(&s->active, __ATOMIC_RELAXED)) {
    task_unschedule(task);
    /* Written meanwhile, before the task was unscheduled. */
    if (__atomic_load_n(&s->active, __ATOMIC_SEQ_CST)) task_schedule(task);
    return false;
  }
  if (!notifier_signal_active(&s->room)) {
    (void)notifier_signal_wait(&s->room, task);
    return false;
  }
  uint64_t left = source_left(s, s->burst < RUN_MAX ? (uint64_t)s->burst : RUN_MAX);
  if (left == 0) {
    task_unschedule(task);
    source_finish(s);
    return false;
  }
  bool worked = false;
  while (left > 0) {
    struct batch batch;
    batch.count = 0;
    unsigned made = source_make(s, &batch, left < BATCH_MAX ? (unsigned)left : BATCH_MAX);
    if (made == 0) break;
    left -= made;
    worked = true;
    element_push(&s->element, 0, &batch);
  }
  return worked;
}

static int infinite_initialize(struct element *e, struct report *report) {
  return source_initialize_task((struct source *)e, infinite_run, report);
}

static void infinite_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct source *s = (struct source *)e;
  bool active = __atomic_load_n(&s->active, __ATOMIC_RELAXED);
  unsigned left = active ? (unsigned)source_left(s, max) : 0;
  if (left > 0) {
    (void)source_make(s, batch, left);
    return;
  }
  if (max == 0) return;
  notifier_sleep(&s->ready);
  if (active) source_finish(s);
}

static const struct argument infinite_arguments[] = {
    {"DATA", ARGUMENT_DATA, ARGUMENT_POSITIONAL, offsetof(struct source, text),
     "what is in the packets (69 bytes of text)"},
    {"LIMIT", ARGUMENT_I64, ARGUMENT_POSITIONAL, offsetof(struct source, limit),
     "how many packets are made; below 0: no end (-1)"},
    {"BURST", ARGUMENT_I32, ARGUMENT_POSITIONAL, offsetof(struct source, burst), "packets pushed at once (1)"},
    {"ACTIVE", ARGUMENT_BOOL, ARGUMENT_POSITIONAL, offsetof(struct source, active), "whether packets are made (true)"},
    {"TIMESTAMP", ARGUMENT_BOOL, 0, offsetof(struct source, timestamp), "set the timestamp annotation (true)"},
    {"LENGTH", ARGUMENT_I32, 0, offsetof(struct source, length),
     "length of the packets: DATA is cut off or repeated (that of DATA)"},
    {"DATASIZE", ARGUMENT_I32, ARGUMENT_DEPRECATED, offsetof(struct source, length), "old name of LENGTH"},
    SOURCE_END_ARGUMENTS,
    {0}};

static const struct handler infinite_handlers[] = {
    {.name = "data", .read = source_read_data, .write = source_write_data, .help = "what is in the packets"},
    {.name = "burst",
     .read = parameter_read,
     .write = source_write_burst,
     .offset = offsetof(struct source, burst),
     .help = "packets pushed at once"},
    {.name = "burstsize",
     .read = parameter_read,
     .write = source_write_burst,
     .offset = offsetof(struct source, burst),
     .help = "old name of burst"},
    {.name = "active",
     .read = parameter_read,
     .write = source_write,
     .offset = offsetof(struct source, active),
     .help = "whether packets are made"},
    {.name = "reset_counts", .write = source_reset, .help = "as reset"},
    SOURCE_HANDLERS,
    {0}};

static const struct element_class infinite_class = {
    .name = "InfiniteSource",
    .purpose = "makes packets whenever it is scheduled",
    .ports = "0/1",
    .processing = "a/a",
    .size = sizeof(struct source),
    .arguments = infinite_arguments,
    .handlers = infinite_handlers,
    .example = "InfiniteSource(\\<08 00>, 1000, STOP true) -> Queue -> ...",
    .manual =
        "On a push output it pushes BURST packets whenever its task runs, and sleeps while queues downstream that tell "
        "so (Queue, FullNoteQueue) are full. On a pull output it gives as many as are asked for. When there is no free "
        "buffer it waits for one.",
    .defaults = source_defaults,
    .configure = source_configure,
    .initialize = infinite_initialize,
    .cleanup = source_cleanup,
    .take_state = source_take_state,
    .notifier = source_notifier,
    .reconfigure = source_reconfigure,
    .pull = infinite_pull,
};
ELEMENT(InfiniteSource, infinite_class);

/* --- RandomSource --- */

static const struct argument random_arguments[] = {
    {"LENGTH", ARGUMENT_I32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct source, length),
     "length of the packets in bytes"},
    {"LIMIT", ARGUMENT_I64, ARGUMENT_POSITIONAL, offsetof(struct source, limit),
     "how many packets are made; below 0: no end (-1)"},
    {"BURST", ARGUMENT_I32, ARGUMENT_POSITIONAL, offsetof(struct source, burst), "packets pushed at once (1)"},
    {"ACTIVE", ARGUMENT_BOOL, ARGUMENT_POSITIONAL, offsetof(struct source, active), "whether packets are made (true)"},
    {"TIMESTAMP", ARGUMENT_BOOL, 0, offsetof(struct source, timestamp), "set the timestamp annotation (true)"},
    SOURCE_END_ARGUMENTS,
    {0}};

static const struct element_class random_class = {
    .name = "RandomSource",
    .purpose = "makes packets of random bytes whenever it is scheduled",
    .ports = "0/1",
    .processing = "a/a",
    .size = sizeof(struct source),
    .arguments = random_arguments,
    .handlers = infinite_handlers + 1, /* all but data */
    .example = "RandomSource(64, LIMIT 100) -> Queue -> ...",
    .manual = "As InfiniteSource, but each packet is of LENGTH bytes drawn at random.",
    .defaults = source_defaults,
    .configure = source_configure_random,
    .initialize = infinite_initialize,
    .cleanup = source_cleanup,
    .take_state = source_take_state,
    .notifier = source_notifier,
    .reconfigure = source_reconfigure,
    .pull = infinite_pull,
};
ELEMENT(RandomSource, random_class);
