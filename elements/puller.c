/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tasks that pull: begin, wait, end.
 */
#include "elements/puller.h"

#include "click/router.h"

static void expire(struct timer *timer) { task_schedule(&CONTAINER_OF(timer, struct puller, timer)->task); }

int puller_start(struct puller *puller, struct element *e, bool (*run)(struct task *task)) {
  timer_init(&puller->timer, e->router->scheduler, e, expire);
  task_init(&puller->task, e->router->scheduler, e, run);
  task_schedule(&puller->task);
  return notifier_listen_upstream(e, 0, &puller->task, &puller->signal);
}

void puller_stop(struct puller *puller) {
  task_unschedule(&puller->task);
  timer_unschedule(&puller->timer);
  notifier_signal_destroy(&puller->signal, &puller->task);
}

bool puller_wait(struct puller *puller) { return notifier_signal_wait(&puller->signal, &puller->task); }

void puller_sleep(struct puller *puller, uint64_t deadline) {
  task_unschedule(&puller->task);
  timer_schedule(&puller->timer, deadline);
}
