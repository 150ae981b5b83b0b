/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tasks and timers of one worker. A task or timer may schedule and unschedule any other, and itself, while it runs: before
 * a round all of them move to a list of the round, and each leaves that list before it is called. Scheduling a timer
 * walks the list from its end: constant for equal periods, linear in the number of timers at worst.
 */
#include "click/scheduler.h"

#include "click/element.h"

void scheduler_init(struct scheduler *scheduler, unsigned worker) {
  list_init(&scheduler->tasks);
  list_init(&scheduler->timers);
  scheduler->worker = worker;
}

/* All nodes of `from` to the empty list `to`. */
static void move_all(struct list *from, struct list *to) {
  list_init(to);
  if (list_empty(from)) return;
  list_insert_before(from->next, to); /* `to` becomes the head of the ring ... */
  list_remove(from);                  /* ... in place of `from` */
}

static bool run_tasks(struct scheduler *scheduler) {
  bool worked = false;
  struct list round;
  move_all(&scheduler->tasks, &round);
  while (!list_empty(&round)) {
    struct task *task = CONTAINER_OF(round.next, struct task, link);
    list_remove(&task->link);
    list_append(&scheduler->tasks, &task->link);
    task->runs++;
    element_running = task->element;
    element_pulled_in_vain = false;
    bool work = task->run(task) || element_pulled_in_vain;
    task->work += work;
    worked = worked || work;
  }
  return worked;
}

static bool run_timers(struct scheduler *scheduler, uint64_t now) {
  bool worked = false;
  struct list due;
  list_init(&due);
  while (scheduler_next_deadline(scheduler) <= now && !list_empty(&scheduler->timers)) {
    struct list *first = scheduler->timers.next;
    list_remove(first);
    list_append(&due, first);
  }
  while (!list_empty(&due)) {
    struct timer *timer = CONTAINER_OF(due.next, struct timer, link);
    list_remove(&timer->link);
    element_running = timer->element;
    timer->expire(timer);
    worked = true;
  }
  return worked;
}

bool scheduler_run(struct scheduler *scheduler, uint64_t now) {
  bool timers = run_timers(scheduler, now);
  bool tasks = run_tasks(scheduler);
  element_running = NULL;
  return timers || tasks;
}

uint64_t scheduler_next_deadline(const struct scheduler *scheduler) {
  if (list_empty(&scheduler->timers)) return UINT64_MAX;
  return CONTAINER_OF(scheduler->timers.next, struct timer, link)->deadline;
}

/* Zeroed links are those of tasks and timers that were never initialised. */
static bool linked(const struct list *link) { return link->next && !list_empty(link); }

void task_init(struct task *task, struct scheduler *scheduler, struct element *element, bool (*run)(struct task *)) {
  *task = (struct task){.scheduler = scheduler, .element = element, .run = run};
  list_init(&task->link);
}

void task_schedule(struct task *task) {
  if (!linked(&task->link)) list_append(&task->scheduler->tasks, &task->link);
}

void task_unschedule(struct task *task) {
  if (linked(&task->link)) list_remove(&task->link);
}

void timer_init(struct timer *timer, struct scheduler *scheduler, struct element *element,
                void (*expire)(struct timer *)) {
  *timer = (struct timer){.scheduler = scheduler, .element = element, .expire = expire};
  list_init(&timer->link);
}

void timer_schedule(struct timer *timer, uint64_t deadline) {
  timer_unschedule(timer);
  timer->deadline = deadline;
  struct list *at = &timer->scheduler->timers;
  while (at->previous != &timer->scheduler->timers &&
         CONTAINER_OF(at->previous, struct timer, link)->deadline > deadline)
    at = at->previous;
  list_insert_before(at, &timer->link);
}

void timer_unschedule(struct timer *timer) {
  if (linked(&timer->link)) list_remove(&timer->link);
}
