/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Queues: store packets between push paths and pull paths, which may belong to different workers. All kinds share one ring; they
 * differ in where a packet goes in, which one leaves when there is no room, and which notifiers they offer. A spin lock guards the
 * ring: it is taken once a batch (about 20 ns), held for a copy of pointers, and lets capacity change while packets flow.
 */
#include "elements/queue.h"

#include "lib/memory.h"

enum { QUEUE_CAPACITY_DEFAULT = 1000, QUEUE_CAPACITY_MAX = 1 << 20 };
enum { QUEUE_DROP_FULL, QUEUE_DROP_RESET };

/* Invariant: tail - head (modulo 2^32) packets are stored, at most capacity; number i is in ring[i & mask]. */
struct queue {
  struct element element;
  struct packet **ring;
  uint32_t capacity;
  uint32_t mask;
  bool lock; /* of the ring and what follows */
  uint32_t head, tail;
  uint32_t highwater;
  uint64_t drops; /* packets that found the queue full, as Click counts: those that left by output 1 included */
  struct notifier nonempty, nonfull;
};

static void queue_lock(struct queue *q) {
  while (__atomic_test_and_set(&q->lock, __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(&q->lock, __ATOMIC_RELAXED))
      __builtin_ia32_pause();
  }
}

static void queue_unlock(struct queue *q) { __atomic_clear(&q->lock, __ATOMIC_RELEASE); }

/* For who doesn't hold the lock: what it is just now. */
static uint32_t queue_length(const struct queue *q) {
  uint32_t head = __atomic_load_n(&q->head, __ATOMIC_ACQUIRE);
  return __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE) - head;
}

static void queue_set_head(struct queue *q, uint32_t head) { __atomic_store_n(&q->head, head, __ATOMIC_RELEASE); }
static void queue_set_tail(struct queue *q, uint32_t tail) { __atomic_store_n(&q->tail, tail, __ATOMIC_RELEASE); }

/* --- set-up --- */

static void queue_defaults(struct element *e) { ((struct queue *)e)->capacity = QUEUE_CAPACITY_DEFAULT; }

static int queue_check_capacity(uint64_t capacity, struct report *report) {
  if (capacity <= QUEUE_CAPACITY_MAX) return 0;
  return report_error(report, ERROR_TOO_BIG, "CAPACITY: at most %d, not %llu", QUEUE_CAPACITY_MAX,
                      (unsigned long long)capacity);
}

static uint32_t queue_slots(uint32_t capacity) {
  uint32_t slots = 1;
  while (slots < capacity)
    slots *= 2;
  return slots;
}

static int queue_configure(struct element *e, const struct args *rest, struct report *report) {
  struct queue *q = (struct queue *)e;
  int status = queue_check_capacity(q->capacity, report);
  if (status < 0) return status;
  uint32_t slots = queue_slots(q->capacity);
  q->mask = slots - 1;
  q->nonfull.active = true;
  q->ring = memory_alloc(slots * sizeof(struct packet *));
  if (q->ring == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for a queue of %u packets", q->capacity);
  return 0;
}

static void queue_cleanup(struct element *e) {
  struct queue *q = (struct queue *)e;
  notifier_destroy(&q->nonempty);
  notifier_destroy(&q->nonfull);
  if (q->ring == NULL) return;
  for (; q->head != q->tail; q->head++)
    packet_kill(q->ring[q->head & q->mask]);
  memory_free((void *)q->ring);
  q->ring = NULL;
}

/* --- in and out --- */

/* Packets that found no room. */
static void queue_overflow(struct queue *q, struct batch *rest) {
  if (rest->count == 0) return;
  struct element *e = &q->element;
  if (counter_read(&q->drops) == 0 && q->capacity > 0) {
    char line[CLICK_MAX_NAME + 64];
    size_t length =
        format_text(line, sizeof line, "%s :: %s: overflow at %u packets", e->name, e->class->name, q->capacity);
    e->services->log(LOG_WARNING, line, length < sizeof line ? length : sizeof line - 1);
  }
  counter_add(&q->drops, rest->count);
  if (e->output_count > 1) {
    element_push(e, 1, rest);
  } else {
    element_drop_batch(e, QUEUE_DROP_FULL, rest);
  }
}

/* After packets went in. */
static void queue_filled(struct queue *q, bool some) {
  if (some) notifier_wake(&q->nonempty);
  if (q->nonfull.listener_count == 0 || queue_length(q) < q->capacity) return;
  notifier_sleep(&q->nonfull);
  if (queue_length(q) < q->capacity) notifier_wake(&q->nonfull);
}

/* Lock held: appends what fits. Returns how many. */
static uint32_t queue_append(struct queue *q, struct packet *const *packets, uint32_t count) {
  uint32_t length = q->tail - q->head, room = q->capacity > length ? q->capacity - length : 0;
  if (count > room) count = room;
  for (uint32_t i = 0; i < count; i++)
    q->ring[(q->tail + i) & q->mask] = packets[i];
  queue_set_tail(q, q->tail + count);
  length += count;
  if (length > q->highwater) __atomic_store_n(&q->highwater, length, __ATOMIC_RELAXED);
  return count;
}

/* New packets go when there is no room. */
static void queue_push(struct element *e, unsigned port, struct batch *batch) {
  struct queue *q = (struct queue *)e;
  queue_lock(q);
  uint32_t count = queue_append(q, batch->packet, batch->count);
  queue_unlock(q);
  struct batch rest;
  rest.count = batch->count - count;
  if (__builtin_expect(rest.count > 0, 0))
    memcpy(rest.packet, batch->packet + count, rest.count * sizeof rest.packet[0]);
  queue_filled(q, count > 0);
  queue_overflow(q, &rest);
}

/* The oldest packets go when there is no room. */
static void queue_push_front_drop(struct element *e, unsigned port, struct batch *batch) {
  struct queue *q = (struct queue *)e;
  struct batch rest;
  rest.count = 0;
  queue_lock(q);
  for (uint32_t i = 0; i < batch->count; i++) {
    if (q->tail - q->head >= q->capacity && q->capacity > 0) {
      rest.packet[rest.count++] = q->ring[q->head & q->mask];
      queue_set_head(q, q->head + 1);
    }
    if (queue_append(q, &batch->packet[i], 1) == 0) rest.packet[rest.count++] = batch->packet[i];
  }
  queue_unlock(q);
  queue_filled(q, q->capacity > 0);
  queue_overflow(q, &rest);
}

/* Input 1 of MixedQueue: packets go in at the front; the one at the back leaves when there is no room. */
static void queue_push_mixed(struct element *e, unsigned port, struct batch *batch) {
  struct queue *q = (struct queue *)e;
  if (port == 0) {
    queue_push(e, port, batch);
    return;
  }
  struct batch rest;
  rest.count = 0;
  queue_lock(q);
  for (uint32_t i = 0; i < batch->count; i++) {
    if (q->capacity == 0) {
      rest.packet[rest.count++] = batch->packet[i];
      continue;
    }
    if (q->tail - q->head >= q->capacity) {
      queue_set_tail(q, q->tail - 1);
      rest.packet[rest.count++] = q->ring[q->tail & q->mask];
    }
    q->ring[(q->head - 1) & q->mask] = batch->packet[i];
    queue_set_head(q, q->head - 1);
    uint32_t length = q->tail - q->head;
    if (length > q->highwater) __atomic_store_n(&q->highwater, length, __ATOMIC_RELAXED);
  }
  queue_unlock(q);
  queue_filled(q, q->capacity > 0);
  queue_overflow(q, &rest);
}

/* Takes up to max packets into `to`. Returns how many. */
static uint32_t queue_take(struct queue *q, struct packet **to, uint32_t max) {
  queue_lock(q);
  uint32_t count = q->tail - q->head;
  if (count > max) count = max;
  for (uint32_t i = 0; i < count; i++)
    to[i] = q->ring[(q->head + i) & q->mask];
  queue_set_head(q, q->head + count);
  queue_unlock(q);
  if (count > 0 && q->nonfull.listener_count > 0) notifier_wake(&q->nonfull);
  return count;
}

static void queue_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct queue *q = (struct queue *)e;
  /* An empty queue that is polled costs its user no lock. */
  uint32_t count = queue_length(q) > 0 ? queue_take(q, batch->packet + batch->count, max) : 0;
  batch->count += count;
  if (count > 0 || max == 0) return;
  notifier_sleep(&q->nonempty);
  if (queue_length(q) > 0) notifier_wake(&q->nonempty);
}

static struct notifier *queue_notifier_both(struct element *e, enum notifier_kind kind, unsigned port) {
  struct queue *q = (struct queue *)e;
  if (kind == NOTIFIER_FULL) return &q->nonfull;
  return port == 0 ? &q->nonempty : NULL;
}

static struct notifier *queue_notifier_empty(struct element *e, enum notifier_kind kind, unsigned port) {
  return kind == NOTIFIER_EMPTY ? queue_notifier_both(e, kind, port) : NULL;
}

/* --- change while running --- */

static bool queue_drops_front(const struct queue *q);

/* Puts what is stored into a ring for `capacity` packets, which `ring` becomes the owner of. What does not fit is dropped: the newest
 * packets, or the oldest where the front drops. Returns how many. */
static uint32_t queue_resize(struct queue *q, struct packet ***ring, uint32_t capacity) {
  uint32_t mask = queue_slots(capacity) - 1;
  queue_lock(q);
  struct packet **old = q->ring;
  uint32_t length = q->tail - q->head, kept = length < capacity ? length : capacity;
  uint32_t first = q->head + (queue_drops_front(q) ? length - kept : 0);
  for (uint32_t i = 0; i < kept; i++)
    (*ring)[i] = old[(first + i) & q->mask];
  uint32_t lost = length - kept, lost_from = queue_drops_front(q) ? q->head : q->head + kept;
  for (uint32_t i = 0; i < lost; i++)
    packet_kill(old[(lost_from + i) & q->mask]);
  q->ring = *ring;
  q->mask = mask;
  __atomic_store_n(&q->capacity, capacity, __ATOMIC_RELAXED);
  queue_set_head(q, 0);
  queue_set_tail(q, kept);
  queue_unlock(q);
  *ring = old;
  counter_add(&q->element.drops[QUEUE_DROP_RESET], lost);
  if (kept < capacity) notifier_wake(&q->nonfull);
  return lost;
}

static int queue_write_capacity(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct queue *q = owner;
  uint64_t capacity = 0;
  if (slice_to_u64(slice_trim(value), UINT64_MAX, &capacity) < 0) {
    return report_error(report, ERROR_INVALID, "CAPACITY: parse error");
  }
  int status = queue_check_capacity(capacity, report);
  if (status < 0) return status;
  struct packet **ring = memory_alloc(queue_slots((uint32_t)capacity) * sizeof(struct packet *));
  if (ring == NULL)
    return report_error(report, ERROR_NO_MEMORY, "CAPACITY: no memory for %u packets", (unsigned)capacity);
  (void)queue_resize(q, &ring, (uint32_t)capacity);
  memory_free((void *)ring);
  return 0;
}

/* The ring that `next` has allocated becomes ours; it cleans up our old one, which is empty then. */
static int queue_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct queue *q = (struct queue *)e, *n = (struct queue *)next;
  (void)queue_resize(q, &n->ring, n->capacity);
  return 0;
}

/* Hot swap: the packets, and what was counted of them. What finds no room any more is dropped here, under the name that it would be
 * dropped by on arrival. */
static void queue_take_state(struct element *e, struct element *old, struct report *report) {
  struct queue *q = (struct queue *)e, *from = (struct queue *)old;
  uint32_t length = from->tail - from->head, lost = length > q->capacity ? length - q->capacity : 0;
  for (uint32_t i = 0; queue_drops_front(q) && i < lost; i++)
    element_drop(e, QUEUE_DROP_FULL, from->ring[from->head++ & from->mask]);
  while (from->head != from->tail) {
    struct packet *p = from->ring[from->head++ & from->mask];
    if (queue_append(q, &p, 1) == 0) element_drop(e, QUEUE_DROP_FULL, p);
  }
  uint32_t highwater = from->highwater < q->capacity ? from->highwater : q->capacity;
  if (q->highwater < highwater) q->highwater = highwater;
  q->drops = from->drops + lost;
  if (lost > 0) {
    report_warning(report, "%s :: %s: CAPACITY is %u now: %u packets dropped", e->name, e->class->name, q->capacity,
                   lost);
  }
  queue_filled(q, q->tail != q->head);
}

/* --- handlers --- */

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
     .write = queue_write_capacity,
     .offset = offsetof(struct queue, capacity),
     .argument = "CAPACITY",
     .help = "most packets it stores; what does not fit any more is dropped"},
    {.name = "drops",
     .read = handler_read_u64,
     .offset = offsetof(struct queue, drops),
     .help = "packets that found the queue full"},
    {.name = "reset", .write = queue_reset, .help = "drop all packets stored now (or send them to output 1)"},
    {.name = "reset_counts", .write = queue_reset_counts, .help = "set drops to 0 and highwater_length to length"},
    {0}};

static const char *const queue_drops[] = {"full", "reset", NULL};

/* --- classes --- */

#define QUEUE_MANUAL                                                                                                  \
  "Packets pushed in are stored until they are pulled from output 0. A packet that finds CAPACITY packets stored is " \
  "pushed to output 1 if that is connected, and dropped otherwise: new packets go, old ones stay.\n\n"                \
  "Any number of workers may push and pull."

#define QUEUE_ANY                                                                                               \
  .processing = "h/lh", .size = sizeof(struct queue), .arguments = queue_arguments, .handlers = queue_handlers, \
  .drops = queue_drops, .defaults = queue_defaults, .configure = queue_configure, .cleanup = queue_cleanup,     \
  .reconfigure = queue_reconfigure, .take_state = queue_take_state, .pull = queue_pull
#define QUEUE_ONE_INPUT QUEUE_ANY, .ports = "1/1-2"
#define QUEUE_TELLING_BOTH QUEUE_ONE_INPUT, .push = queue_push, .notifier = queue_notifier_both

static const struct element_class queue_class = {
    QUEUE_TELLING_BOTH,
    .name = "Queue",
    .purpose = "stores packets in a first-in, first-out queue",
    .example = "FromDevice(eth0) -> Queue(512) -> ToDevice(eth1);",
    .manual = QUEUE_MANUAL " It tells those who pull when it is empty, and those who push when it is full.",
};
ELEMENT(Queue, queue_class);

static const struct element_class thread_safe_queue_class = {
    QUEUE_TELLING_BOTH,
    .name = "ThreadSafeQueue",
    .purpose = "stores packets in a first-in, first-out queue",
    .example = "FromDevice(eth0) -> ThreadSafeQueue -> ToDevice(eth1);",
    .manual = QUEUE_MANUAL " The same as Queue.",
};
ELEMENT(ThreadSafeQueue, thread_safe_queue_class);

static const struct element_class full_note_queue_class = {
    QUEUE_TELLING_BOTH,
    .name = "FullNoteQueue",
    .purpose = "stores packets, and tells when it is empty or full",
    .example = "InfiniteSource -> FullNoteQueue -> ToDevice(eth1);",
    .manual = QUEUE_MANUAL " The same as Queue.",
};
ELEMENT(FullNoteQueue, full_note_queue_class);

static const struct element_class notifier_queue_class = {
    QUEUE_ONE_INPUT,
    .name = "NotifierQueue",
    .purpose = "stores packets, and tells when it is empty",
    .example = "FromDevice(eth0) -> NotifierQueue -> ToDevice(eth1);",
    .manual = QUEUE_MANUAL " It tells those who pull when it is empty.",
    .push = queue_push,
    .notifier = queue_notifier_empty,
};
ELEMENT(NotifierQueue, notifier_queue_class);

static const struct element_class simple_queue_class = {
    QUEUE_ONE_INPUT,
    .name = "SimpleQueue",
    .purpose = "stores packets, and tells nobody",
    .example = "FromDevice(eth0) -> SimpleQueue -> ToDevice(eth1);",
    .manual = QUEUE_MANUAL " Who pulls from it must poll.",
    .push = queue_push,
};
ELEMENT(SimpleQueue, simple_queue_class);

static const struct element_class front_drop_queue_class = {
    QUEUE_ONE_INPUT,
    .name = "FrontDropQueue",
    .purpose = "stores packets, and drops the oldest when full",
    .example = "FromDevice(eth0) -> FrontDropQueue(10) -> ToDevice(eth1);",
    .manual =
        "As Queue, but a packet that finds CAPACITY packets stored goes in, and the oldest one leaves, by output 1 if that "
        "is connected. It tells those who pull when it is empty.",
    .push = queue_push_front_drop,
    .notifier = queue_notifier_empty,
};
ELEMENT(FrontDropQueue, front_drop_queue_class);

static bool queue_drops_front(const struct queue *q) { return q->element.class == &front_drop_queue_class; }

static const struct element_class mixed_queue_class = {
    QUEUE_ANY,
    .name = "MixedQueue",
    .purpose = "stores packets; those of input 1 leave first",
    .ports = "2/1-2",
    .example = "normal -> q :: MixedQueue; urgent -> [1] q; q -> ToDevice(eth1);",
    .manual =
        "Packets of input 0 go in at the back, those of input 1 at the front. When CAPACITY packets are stored, a packet of "
        "input 0 is dropped, and one of input 1 goes in while the one at the back leaves, by output 1 if that is "
        "connected. It tells those who pull when it is empty.",
    .push = queue_push_mixed,
    .notifier = queue_notifier_empty,
};
ELEMENT(MixedQueue, mixed_queue_class);

bool queue_room(const struct element *e, uint32_t *room) {
  if (e->class->handlers != queue_handlers) return false;
  const struct queue *q = (const struct queue *)e;
  uint32_t length = queue_length(q);
  *room = length < q->capacity ? q->capacity - length : 0;
  return true;
}
