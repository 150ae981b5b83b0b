/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tasks and timers of one worker. A task is called again and again while it is scheduled and says whether it did work; when
 * no task did any for a while, the worker arms the NICs and sleeps until the next timer or an event.
 *
 * Each router has a scheduler of its own for each worker, so that two graphs can exist side by side: only the one whose
 * schedulers the workers run is alive. Tasks and timers may be scheduled and unscheduled from any worker.
 */
#ifndef IMAGO_CLICK_SCHEDULER_H
#define IMAGO_CLICK_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

struct element;
struct router;
struct scheduler;

enum { TICKETS_DEFAULT = 1024, TICKETS_MAX = 32768 };

/* `wanted` is what was asked for last; the worker that owns the task brings `link` in line with it at its next opportunity. */
struct task {
  struct list link; /* in scheduler->tasks; owner only */
  struct task *next_pending;
  bool wanted;  /* scheduled; any worker */
  bool polls;   /* it waits for what has no notifier: it must look again soon even when nothing happens */
  bool pending; /* in scheduler->pending, for the owner to look at */
  struct scheduler *scheduler;
  struct element *element;
  bool (*run)(struct task *task); /* true: did work */
  uint64_t runs, work;
  uint32_t tickets; /* see task_set_tickets */
  uint64_t stride, pass;
};

enum timer_place { TIMER_IDLE, TIMER_WAITING, TIMER_DUE };

struct timer {
  struct list link;                      /* in scheduler->due while due */
  struct timer *child, *next, *previous; /* in the pairing heap while waiting */
  struct scheduler *scheduler;
  struct element *element;
  void (*expire)(struct timer *timer);
  uint64_t deadline; /* monotonic nanoseconds */
  uint64_t sequence; /* of scheduling: equal deadlines expire in this order */
  enum timer_place place;
};

struct scheduler {
  struct list tasks;    /* by pass; owner only */
  uint64_t pass;        /* of the task that ran last: the virtual time */
  struct task *pending; /* stack, pushed by any worker; or a mark that the owner sleeps */
  bool lock;            /* of what follows */
  struct timer *timers; /* root of a pairing heap */
  struct list due;
  uint64_t sequence;
  uint64_t first;                /* deadline of the first timer, or UINT64_MAX; read without the lock */
  unsigned worker;               /* index of the worker that runs this */
  void (*wake)(unsigned worker); /* ends its sleep; NULL: it never sleeps */
};

/* The `now` of the round that this thread is in; 0 outside of a round. For elements that need the time to a millisecond or so, as a
 * reading of the clock takes about 30 ns: see element_round_time (click/element.h). */
extern _Thread_local uint64_t scheduler_round_time;

void scheduler_init(struct scheduler *scheduler, unsigned worker);
/* Runs every timer that is due at `now`, and one round of tasks: each scheduled task so often as its tickets are to the default,
 * at most once for the default and below. True if anything did work. */
bool scheduler_run(struct scheduler *scheduler, uint64_t now);
/* Deadline of the first timer, or UINT64_MAX. */
uint64_t scheduler_next_deadline(const struct scheduler *scheduler);
/* The owner wants to sleep: from now on whoever schedules something calls wake. False: a task was scheduled meanwhile, do not
 * sleep. Ask scheduler_next_deadline afterwards. */
bool scheduler_sleep(struct scheduler *scheduler);
void scheduler_awake(struct scheduler *scheduler);
/* True if a task is scheduled. Owner only. */
bool scheduler_has_tasks(const struct scheduler *scheduler);
/* True if a scheduled task polls. Owner only. */
bool scheduler_polls(const struct scheduler *scheduler);
/* Takes out all tasks and timers of the router's elements. The scheduler must not be running. */
void scheduler_forget(struct scheduler *scheduler, const struct router *router);

void task_init(struct task *task, struct scheduler *scheduler, struct element *element, bool (*run)(struct task *));
/* Stride scheduling (Waldspurger 1995, as in Click): a task with twice the tickets runs twice as often. 1 to 32,768; the default is
 * 1,024. Others are brought into that range. Owner only, or before the task is scheduled. */
void task_set_tickets(struct task *task, uint32_t tickets);
void task_schedule(struct task *task); /* no effect when scheduled; may be called from run */
/* No effect when not scheduled or never initialised. A run that another worker has begun goes on to its end. */
void task_unschedule(struct task *task);
bool task_scheduled(const struct task *task);
/* From now on the worker of `to`, another scheduler of the same router, runs it. Only while all other workers stand still, as they do
 * for handlers of elements (services.exclusive). */
void task_move(struct task *task, struct scheduler *to);
void timer_init(struct timer *timer, struct scheduler *scheduler, struct element *element,
                void (*expire)(struct timer *));
/* Again: moves it. At UINT64_MAX it waits for ever. */
void timer_schedule(struct timer *timer, uint64_t deadline);
/* No effect when not scheduled or never initialised. */
void timer_unschedule(struct timer *timer);
bool timer_scheduled(const struct timer *timer);

/* `wait` after `time`: UINT64_MAX, which no clock reaches, where that is beyond 64 bits. */
static inline uint64_t time_after(uint64_t time, uint64_t wait) {
  return wait > UINT64_MAX - time ? UINT64_MAX : time + wait;
}

#endif
