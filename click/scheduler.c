/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tasks: stride scheduling over a list that is sorted by pass. Tasks of equal tickets are appended, so the usual insertion costs
 * nothing; others walk the few tasks they overtake. What other workers schedule goes through a stack without lock, which the
 * owner empties at its next round. Timers are in timer.c.
 */
#include "click/scheduler.h"

#include "click/element.h"
#include "click/router.h"
#include "click/timer.h"

/* Divided by the tickets this is a task's stride. A multiple of TICKETS_MAX far above it, so that rounding is below a tenth of a
 * per cent. Passes may wrap: they are compared by their distance. */
#define STRIDE_ONE (1u << 25)

/* In scheduler->pending while the owner sleeps. */
static struct task asleep;

static bool passes_before(uint64_t a, uint64_t b) { return (int64_t)(a - b) < 0; }

static struct task *task_at(struct list *link) { return CONTAINER_OF(link, struct task, link); }

void scheduler_init(struct scheduler *scheduler, unsigned worker) {
  *scheduler = (struct scheduler){.first = UINT64_MAX, .worker = worker};
  list_init(&scheduler->tasks);
  list_init(&scheduler->due);
}

/* --- tasks --- */

/* Behind those of the same pass. */
static void insert(struct scheduler *scheduler, struct task *task) {
  struct list *at = &scheduler->tasks;
  while (at->previous != &scheduler->tasks && passes_before(task->pass, task_at(at->previous)->pass))
    at = at->previous;
  list_insert_before(at, &task->link);
}

/* Takes in what was scheduled since the last round, in that order. */
static void take_pending(struct scheduler *scheduler) {
  if (__atomic_load_n(&scheduler->pending, __ATOMIC_RELAXED) == NULL) return;
  struct task *stack = __atomic_exchange_n(&scheduler->pending, NULL, __ATOMIC_SEQ_CST);
  struct task *oldest = NULL;
  while (stack != NULL && stack != &asleep) {
    struct task *next = stack->next_pending;
    stack->next_pending = oldest;
    oldest = stack;
    stack = next;
  }
  while (oldest != NULL) {
    struct task *task = oldest;
    oldest = task->next_pending;
    /* From here on it may be pushed again; `wanted` is read behind that, so no request is overlooked. */
    (void)__atomic_exchange_n(&task->pending, false, __ATOMIC_SEQ_CST);
    if (!task_scheduled(task) || !list_empty(&task->link)) continue;
    /* Whoever paused gets no credit for it, but keeps what it has had already. */
    uint64_t now = list_empty(&scheduler->tasks) ? scheduler->pass : task_at(scheduler->tasks.next)->pass;
    if (passes_before(task->pass, now)) task->pass = now;
    insert(scheduler, task);
  }
}

static bool run_task(struct scheduler *scheduler, struct task *task) {
  list_remove(&task->link);
  scheduler->pass = task->pass;
  task->pass += task->stride;
  task->runs++;
  element_running = task->element;
  element_pulled_in_vain = false;
  bool work = task->run(task) || element_pulled_in_vain;
  task->work += work;
  bool stays = task->scheduler == scheduler; /* unless it moved itself */
  if (stays && task_scheduled(task) && list_empty(&task->link)) insert(scheduler, task);
  return work;
}

/* One round is one default stride of virtual time; the first task runs even if its stride is longer. */
static bool run_tasks(struct scheduler *scheduler) {
  bool worked = false, first = true;
  uint64_t end = 0;
  while (!list_empty(&scheduler->tasks)) {
    struct task *task = task_at(scheduler->tasks.next);
    if (!task_scheduled(task)) {
      list_remove(&task->link);
      continue;
    }
    if (first) end = task->pass + STRIDE_ONE / TICKETS_DEFAULT;
    if (!first && !passes_before(task->pass, end)) break;
    first = false;
    if (run_task(scheduler, task)) worked = true;
  }
  return worked;
}

_Thread_local uint64_t scheduler_round_time;

bool scheduler_run(struct scheduler *scheduler, uint64_t now) {
  scheduler_round_time = now;
  bool timers = timers_run(scheduler, now);
  take_pending(scheduler);
  bool tasks = run_tasks(scheduler);
  scheduler_round_time = 0;
  element_running = NULL;
  return timers || tasks;
}

bool scheduler_has_tasks(const struct scheduler *scheduler) {
  return !list_empty(&scheduler->tasks) || __atomic_load_n(&scheduler->pending, __ATOMIC_RELAXED) != NULL;
}

struct scheduler *scheduler_for(struct scheduler *scheduler, const struct element *element) {
  if (element == NULL || element->router == NULL || element->router->placement == NULL ||
      element->router->scheduler != scheduler)
    return scheduler;
  return router_scheduler(element->router, element);
}

static uint32_t tickets_of(const struct element *element) {
  const struct router *router = element != NULL ? element->router : NULL;
  uint32_t tickets = router != NULL && router->placement != NULL ? router->placement[element->index].tickets : 0;
  return tickets != 0 ? tickets : TICKETS_DEFAULT;
}

bool scheduler_polls(const struct scheduler *scheduler) {
  for (const struct list *at = scheduler->tasks.next; at != &scheduler->tasks; at = at->next) {
    if (((const struct task *)(const void *)((const char *)at - offsetof(struct task, link)))->polls) return true;
  }
  return false;
}

void task_init(struct task *task, struct scheduler *scheduler, struct element *element, bool (*run)(struct task *)) {
  *task = (struct task){.scheduler = scheduler_for(scheduler, element), .element = element, .run = run};
  list_init(&task->link);
  task_set_tickets(task, tickets_of(element));
}

void task_set_tickets(struct task *task, uint32_t tickets) {
  if (tickets == 0) tickets = 1;
  if (tickets > TICKETS_MAX) tickets = TICKETS_MAX;
  task->tickets = tickets;
  task->stride = STRIDE_ONE / tickets;
}

bool task_scheduled(const struct task *task) { return __atomic_load_n(&task->wanted, __ATOMIC_SEQ_CST); }

void task_schedule(struct task *task) {
  /* Both are exchanged rather than stored: of two workers that schedule and unschedule at once, the second sees all that the
   * first did before. */
  if (__atomic_exchange_n(&task->wanted, true, __ATOMIC_SEQ_CST)) return;
  if (__atomic_exchange_n(&task->pending, true, __ATOMIC_SEQ_CST)) return;
  struct scheduler *scheduler = task->scheduler;
  struct task *top = __atomic_load_n(&scheduler->pending, __ATOMIC_RELAXED);
  do {
    task->next_pending = top == &asleep ? NULL : top;
  } while (!__atomic_compare_exchange_n(&scheduler->pending, &top, task, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
  if (top == &asleep && scheduler->wake != NULL) scheduler->wake(scheduler->worker);
}

void task_unschedule(struct task *task) { (void)__atomic_exchange_n(&task->wanted, false, __ATOMIC_SEQ_CST); }

/* Whoever sleeps and loses the mark of it here is woken when standing still ends. */
void task_move(struct task *task, struct scheduler *to) {
  if (task->scheduler == to) return;
  take_pending(task->scheduler);
  list_remove(&task->link);
  task->scheduler = to;
  task->pass = to->pass;
  if (!task_scheduled(task)) return;
  task_unschedule(task);
  task_schedule(task);
}

/* --- sleep --- */

bool scheduler_sleep(struct scheduler *scheduler) {
  struct task *none = NULL;
  return __atomic_compare_exchange_n(&scheduler->pending, &none, &asleep, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void scheduler_awake(struct scheduler *scheduler) {
  struct task *mark = &asleep;
  (void)__atomic_compare_exchange_n(&scheduler->pending, &mark, NULL, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void scheduler_rouse(struct scheduler *scheduler) {
  struct task *mark = &asleep;
  if (__atomic_compare_exchange_n(&scheduler->pending, &mark, NULL, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
      scheduler->wake != NULL) {
    scheduler->wake(scheduler->worker);
  }
}

/* --- the end of a router --- */

static bool belongs(const struct element *e, const struct router *router) { return e != NULL && e->router == router; }

void scheduler_forget(struct scheduler *scheduler, const struct router *router) {
  take_pending(scheduler);
  for (struct list *link = scheduler->tasks.next; link != &scheduler->tasks;) {
    struct task *task = task_at(link);
    link = link->next;
    if (!belongs(task->element, router)) continue;
    task->wanted = false;
    list_remove(&task->link);
  }
  timers_forget(scheduler, router);
}
