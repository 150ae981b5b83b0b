/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tasks and timers of one worker. A task is called again and again while it is scheduled and says whether it did work; when
 * no task did any for a while, the worker arms the NICs and sleeps until the next timer or an event.
 */
#ifndef IMAGO_CLICK_SCHEDULER_H
#define IMAGO_CLICK_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

struct element;
struct scheduler;

struct task {
  struct list link; /* in scheduler->tasks while scheduled */
  struct scheduler *scheduler;
  struct element *element;
  bool (*run)(struct task *task); /* true: did work */
  uint64_t runs, work;
  uint32_t tickets; /* see task_set_tickets */
  uint64_t stride, pass;
};

struct timer {
  struct list link; /* in scheduler->timers, sorted by deadline, while scheduled */
  struct scheduler *scheduler;
  struct element *element;
  void (*expire)(struct timer *timer);
  uint64_t deadline; /* monotonic nanoseconds */
};

struct scheduler {
  struct list tasks;
  struct list timers;
  unsigned worker; /* index of the worker that runs this */
};

void scheduler_init(struct scheduler *scheduler, unsigned worker);
/* Runs every scheduled task once and every timer that is due at `now`. True if anything did work. */
bool scheduler_run(struct scheduler *scheduler, uint64_t now);
/* Deadline of the first timer, or UINT64_MAX. */
uint64_t scheduler_next_deadline(const struct scheduler *scheduler);

void task_init(struct task *task, struct scheduler *scheduler, struct element *element, bool (*run)(struct task *));
/* Stride scheduling (Waldspurger 1995, as in Click): a task with twice the tickets runs twice as often. 1 to 32,768; the default is
 * 1,024. */
void task_set_tickets(struct task *task, uint32_t tickets);
void task_schedule(struct task *task);   /* no effect when scheduled; may be called from run */
void task_unschedule(struct task *task); /* no effect when not scheduled or never initialised */
void timer_init(struct timer *timer, struct scheduler *scheduler, struct element *element,
                void (*expire)(struct timer *));
void timer_schedule(struct timer *timer, uint64_t deadline); /* again: moves it */
void timer_unschedule(struct timer *timer);

#endif
