/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers in a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): no memory of its own, constant insertion, logarithmic
 * removal, amortised. A spin lock guards it, because a pull path may belong to another worker than the timer; it is held
 * for the few steps of one operation, never while a timer expires.
 */
#include "click/timer.h"

#include "click/element.h"

static void lock(struct scheduler *scheduler) {
  while (__atomic_test_and_set(&scheduler->lock, __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(&scheduler->lock, __ATOMIC_RELAXED))
      __builtin_ia32_pause();
  }
}

static void unlock(struct scheduler *scheduler) { __atomic_clear(&scheduler->lock, __ATOMIC_RELEASE); }

/* --- the heap: next links siblings, previous leads to the sibling before, or to the parent of a first child --- */

static bool before(const struct timer *a, const struct timer *b) {
  return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
}

/* Makes the later of two roots the first child of the other. Either may be NULL. */
static struct timer *meld(struct timer *a, struct timer *b) {
  if (a == NULL) return b;
  if (b == NULL) return a;
  if (before(b, a)) {
    struct timer *t = a;
    a = b;
    b = t;
  }
  b->previous = a;
  b->next = a->child;
  if (b->next != NULL) b->next->previous = b;
  a->child = b;
  return a;
}

/* The two passes: pairs from the left, then all of them from the right. */
static struct timer *meld_siblings(struct timer *first) {
  struct timer *pairs = NULL;
  while (first != NULL) {
    struct timer *a = first, *b = a->next;
    first = b != NULL ? b->next : NULL;
    a->next = a->previous = NULL;
    if (b != NULL) b->next = b->previous = NULL;
    a = meld(a, b);
    a->next = pairs; /* a stack: `next` of a root is free */
    pairs = a;
  }
  struct timer *root = NULL;
  while (pairs != NULL) {
    struct timer *a = pairs;
    pairs = a->next;
    a->next = NULL;
    root = meld(root, a);
  }
  return root;
}

static void take_out(struct scheduler *scheduler, struct timer *timer) {
  struct timer *rest = meld_siblings(timer->child);
  if (timer == scheduler->timers) {
    scheduler->timers = rest;
  } else {
    if (timer->previous->child == timer) {
      timer->previous->child = timer->next;
    } else {
      timer->previous->next = timer->next;
    }
    if (timer->next != NULL) timer->next->previous = timer->previous;
    scheduler->timers = meld(scheduler->timers, rest);
  }
  timer->child = timer->next = timer->previous = NULL;
  timer->place = TIMER_IDLE;
}

static void note_first(struct scheduler *scheduler) {
  uint64_t first = scheduler->timers != NULL ? scheduler->timers->deadline : UINT64_MAX;
  __atomic_store_n(&scheduler->first, first, __ATOMIC_SEQ_CST);
}

static void cancel(struct scheduler *scheduler, struct timer *timer) {
  if (timer->place == TIMER_WAITING) take_out(scheduler, timer);
  if (timer->place == TIMER_DUE) list_remove(&timer->link);
  timer->place = TIMER_IDLE;
}

/* --- scheduling --- */

void timer_init(struct timer *timer, struct scheduler *scheduler, struct element *element,
                void (*expire)(struct timer *)) {
  *timer = (struct timer){.scheduler = scheduler_for(scheduler, element), .element = element, .expire = expire};
  list_init(&timer->link);
}

void timer_schedule(struct timer *timer, uint64_t deadline) {
  struct scheduler *scheduler = timer->scheduler;
  lock(scheduler);
  cancel(scheduler, timer);
  timer->deadline = deadline;
  timer->sequence = scheduler->sequence++;
  timer->place = TIMER_WAITING;
  scheduler->timers = meld(scheduler->timers, timer);
  bool sooner = scheduler->timers == timer;
  note_first(scheduler);
  unlock(scheduler);
  if (sooner) scheduler_rouse(scheduler);
}

void timer_unschedule(struct timer *timer) {
  struct scheduler *scheduler = timer->scheduler;
  if (scheduler == NULL) return;
  lock(scheduler);
  cancel(scheduler, timer);
  note_first(scheduler);
  unlock(scheduler);
}

bool timer_scheduled(const struct timer *timer) {
  struct scheduler *scheduler = timer->scheduler;
  if (scheduler == NULL) return false;
  lock(scheduler);
  bool scheduled = timer->place != TIMER_IDLE;
  unlock(scheduler);
  return scheduled;
}

uint64_t scheduler_next_deadline(const struct scheduler *scheduler) {
  return __atomic_load_n(&scheduler->first, __ATOMIC_SEQ_CST);
}

/* --- expiry --- */

/* The next timer of those that collect_due found, or NULL. */
static struct timer *take_due(struct scheduler *scheduler) {
  struct timer *timer = NULL;
  lock(scheduler);
  if (!list_empty(&scheduler->due)) {
    timer = CONTAINER_OF(scheduler->due.next, struct timer, link);
    cancel(scheduler, timer);
  }
  unlock(scheduler);
  return timer;
}

static void collect_due(struct scheduler *scheduler, uint64_t now) {
  lock(scheduler);
  while (scheduler->timers != NULL && scheduler->timers->deadline <= now) {
    struct timer *timer = scheduler->timers;
    take_out(scheduler, timer);
    timer->place = TIMER_DUE;
    list_append(&scheduler->due, &timer->link);
  }
  note_first(scheduler);
  unlock(scheduler);
}

bool timers_run(struct scheduler *scheduler, uint64_t now) {
  if (scheduler_next_deadline(scheduler) > now || now == UINT64_MAX) return false;
  bool any = false;
  struct timer *timer;
  collect_due(scheduler, now);
  while ((timer = take_due(scheduler)) != NULL) {
    element_running = timer->element;
    timer->expire(timer);
    any = true;
  }
  return any;
}

void timers_forget(struct scheduler *scheduler, const struct router *router) {
  struct timer *kept = NULL, *timer;
  while ((timer = scheduler->timers) != NULL) {
    take_out(scheduler, timer);
    if (timer->element != NULL && timer->element->router == router) continue;
    timer->child = kept; /* a stack of those that stay */
    kept = timer;
  }
  while ((timer = kept) != NULL) {
    kept = timer->child;
    timer->child = NULL;
    timer->place = TIMER_WAITING;
    scheduler->timers = meld(scheduler->timers, timer);
  }
  note_first(scheduler);
}
