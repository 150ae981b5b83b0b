/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Queue: stores packets between a push path and a pull path, which may belong to different workers. A ring of packet
 * pointers between two counters that only grow; the producer owns tail, consumers move head by compare-and-swap, so
 * that `reset` may run beside the pull path.
 */
#include "click/element.h"
#include "lib/memory.h"

enum { QUEUE_CAPACITY_DEFAULT = 1000, QUEUE_CAPACITY_MAX = 1 << 20 };
enum { QUEUE_DROP_FULL, QUEUE_DROP_RESET };

enum { CACHE_LINE = 64 };

/* Invariant: tail - head (modulo 2^32) packets are stored, at most capacity; number i is in ring[i & mask]. What the
 * producer writes and what consumers write lie a cache line apart, because different workers write them. */
struct queue {
  struct element element;
  struct packet **ring;
  uint32_t capacity;
  uint32_t mask;
  uint8_t apart_from_configuration[CACHE_LINE];
  uint64_t drops; /* packets that found the queue full, as Click counts: those that left by output 1 included */
  uint32_t tail;
  uint32_t highwater;
  uint8_t apart_from_producer[CACHE_LINE];
  uint32_t head;
  struct notifier nonempty;
};

static void queue_defaults(struct element *e) { ((struct queue *)e)->capacity = QUEUE_CAPACITY_DEFAULT; }

static int queue_configure(struct element *e, const struct args *rest, struct report *report) {
  struct queue *q = (struct queue *)e;
  if (q->capacity > QUEUE_CAPACITY_MAX) {
    return report_error(report, ERROR_TOO_BIG, "CAPACITY: at most %d, not %u", QUEUE_CAPACITY_MAX, q->capacity);
  }
  uint32_t slots = 1;
  while (slots < q->capacity)
    slots *= 2;
  q->mask = slots - 1;
  q->ring = memory_alloc(slots * sizeof *q->ring);
  if (q->ring == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for a queue of %u packets", q->capacity);
  return 0;
}

/* Takes up to max packets into `to`. Returns how many. */
static uint32_t queue_take(struct queue *q, struct packet **to, uint32_t max) {
  uint32_t head = __atomic_load_n(&q->head, __ATOMIC_RELAXED);
  for (;;) {
    uint32_t count = __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE) - head;
    if (count > max) count = max;
    if (count == 0) return 0;
    /* What is read here is ours only if head has not moved meanwhile: the producer reuses a slot no sooner. */
    for (uint32_t i = 0; i < count; i++)
      to[i] = __atomic_load_n(&q->ring[(head + i) & q->mask], __ATOMIC_RELAXED);
    if (__atomic_compare_exchange_n(&q->head, &head, head + count, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
      return count;
    }
  }
}

static uint32_t queue_length(const struct queue *q) {
  uint32_t head = __atomic_load_n(&q->head, __ATOMIC_ACQUIRE);
  return __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE) - head;
}

/* Packets from `first` on found no room. */
static void queue_overflow(struct queue *q, struct batch *batch, uint32_t first) {
  struct element *e = &q->element;
  struct batch rest;
  rest.count = batch->count - first;
  memcpy(rest.packet, batch->packet + first, rest.count * sizeof rest.packet[0]);
  if (counter_read(&q->drops) == 0 && q->capacity > 0) {
    char line[CLICK_MAX_NAME + 64];
    size_t length = format_text(line, sizeof line, "%s :: Queue: overflow at %u packets", e->name, q->capacity);
    e->services->log(LOG_WARNING, line, length < sizeof line ? length : sizeof line - 1);
  }
  counter_add(&q->drops, rest.count);
  if (e->output_count > 1) {
    element_push(e, 1, &rest);
  } else {
    element_drop_batch(e, QUEUE_DROP_FULL, &rest);
  }
}

static void queue_push(struct element *e, unsigned port, struct batch *batch) {
  struct queue *q = (struct queue *)e;
  uint32_t tail = q->tail;
  uint32_t length = tail - __atomic_load_n(&q->head, __ATOMIC_ACQUIRE);
  uint32_t count = q->capacity - length;
  if (count > batch->count) count = batch->count;
  for (uint32_t i = 0; i < count; i++) {
    __atomic_store_n(&q->ring[(tail + i) & q->mask], batch->packet[i], __ATOMIC_RELAXED);
  }
  __atomic_store_n(&q->tail, tail + count, __ATOMIC_RELEASE);
  if (length + count > q->highwater) __atomic_store_n(&q->highwater, length + count, __ATOMIC_RELAXED);
  if (count > 0) notifier_wake(&q->nonempty);
  if (count < batch->count) queue_overflow(q, batch, count);
}

static void queue_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct queue *q = (struct queue *)e;
  uint32_t count = queue_take(q, batch->packet + batch->count, max);
  batch->count += count;
  if (count > 0 || max == 0) return;
  notifier_sleep(&q->nonempty);
  if (queue_length(q) > 0) notifier_wake(&q->nonempty);
}

static struct notifier *queue_notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return kind == NOTIFIER_EMPTY && port == 0 ? &((struct queue *)e)->nonempty : NULL;
}

static void queue_cleanup(struct element *e) {
  struct queue *q = (struct queue *)e;
  notifier_destroy(&q->nonempty);
  if (q->ring == NULL) return;
  for (; q->head != q->tail; q->head++)
    packet_kill(q->ring[q->head & q->mask]);
  memory_free(q->ring);
  q->ring = NULL;
}

/* Packets that find no room any more are dropped here, under the name that they would be dropped by on arrival. */
static void queue_take_state(struct element *e, struct element *old, struct report *report) {
  struct queue *q = (struct queue *)e, *from = (struct queue *)old;
  uint32_t length = queue_length(from), kept = length < q->capacity ? length : q->capacity;
  q->tail = queue_take(from, q->ring, kept);
  q->highwater = from->highwater < q->capacity ? from->highwater : q->capacity;
  if (q->highwater < q->tail) q->highwater = q->tail;
  q->drops = from->drops + (length - kept);
  for (unsigned i = 0; i <= QUEUE_DROP_RESET; i++)
    e->drops[i] = old->drops[i];
  e->drops[QUEUE_DROP_FULL] += length - kept;
  if (length > kept) {
    report_warning(report, "%s :: Queue: CAPACITY is %u now: %u packets dropped", e->name, q->capacity, length - kept);
  }
  if (q->tail > 0) notifier_wake(&q->nonempty);
}

static int queue_read_length(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  text_addf(out, "%u", queue_length(owner));
  return 0;
}

static int queue_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct queue *q = owner;
  struct batch batch;
  /* Only what is here now: a producer that never pauses must not keep the handler busy for ever. */
  uint32_t left = queue_length(q);
  while (left > 0) {
    batch.count = queue_take(q, batch.packet, left < BATCH_MAX ? left : BATCH_MAX);
    if (batch.count == 0) break;
    left -= batch.count;
    if (q->element.output_count > 1) {
      element_push(&q->element, 1, &batch);
    } else {
      element_drop_batch(&q->element, QUEUE_DROP_RESET, &batch);
    }
  }
  return 0;
}

static int queue_reset_counts(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct queue *q = owner;
  counter_reset(&q->drops);
  __atomic_store_n(&q->highwater, queue_length(q), __ATOMIC_RELAXED);
  return 0;
}

static const struct argument queue_arguments[] = {
    {"CAPACITY", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct queue, capacity),
     "most packets it stores, up to 1048576 (1000)"},
    {0}};

static const struct handler queue_handlers[] = {
    {.name = "length", .read = queue_read_length, .help = "packets stored now"},
    {.name = "highwater_length",
     .read = handler_read_u32,
     .offset = offsetof(struct queue, highwater),
     .help = "most packets ever stored at once"},
    {.name = "capacity",
     .read = handler_read_u32,
     .offset = offsetof(struct queue, capacity),
     .help = "most packets it stores"},
    {.name = "drops",
     .read = handler_read_u64,
     .offset = offsetof(struct queue, drops),
     .help = "packets that found the queue full"},
    {.name = "reset", .write = queue_reset, .help = "drop all packets stored now (or send them to output 1)"},
    {.name = "reset_counts", .write = queue_reset_counts, .help = "set drops to 0 and highwater_length to length"},
    {0}};

static const char *const queue_drops[] = {"full", "reset", NULL};

static const struct element_class queue_class = {
    .name = "Queue",
    .purpose = "stores packets in a first-in, first-out queue",
    .ports = "1/1-2",
    .processing = "h/lh",
    .size = sizeof(struct queue),
    .arguments = queue_arguments,
    .handlers = queue_handlers,
    .drops = queue_drops,
    .example = "FromDevice(eth0) -> Queue(512) -> ToDevice(eth1);",
    .manual =
        "Packets pushed in are stored until they are pulled from output 0. A packet that finds CAPACITY packets stored "
        "is pushed to output 1 if that is connected, and dropped otherwise: new packets go, old ones stay.\n\n"
        "One worker may push while others pull.",
    .defaults = queue_defaults,
    .configure = queue_configure,
    .cleanup = queue_cleanup,
    .push = queue_push,
    .pull = queue_pull,
    .take_state = queue_take_state,
    .notifier = queue_notifier,
};
ELEMENT(Queue, queue_class);
