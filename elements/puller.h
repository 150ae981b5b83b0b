/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For elements that pull from input 0 by a task of their own and push on, or keep, what they get (Unqueue, Discard, RatedUnqueue): the
 * task, what tells it of packets upstream, and a timer for those that have to wait for a time.
 */
#ifndef IMAGO_ELEMENTS_PULLER_H
#define IMAGO_ELEMENTS_PULLER_H

#include "click/element.h"
#include "click/scheduler.h"

/* A member of the element's struct. Zeroed: it was never started. */
struct puller {
  struct task task;
  struct timer timer; /* schedules the task; an element may initialise it anew, to do more */
  struct notifier_signal signal;
};

/* From the element's initialize and cleanup; the task is scheduled then. Stopping what was not started does nothing. */
int puller_start(struct puller *puller, struct element *e, bool (*run)(struct task *task)) MUST_USE;
void puller_stop(struct puller *puller);

/* From the task, when a pull gave nothing: it sleeps until there are packets. True if it does, false if there are some now. */
bool puller_wait(struct puller *puller);
/* From the task: it sleeps until then. */
void puller_sleep(struct puller *puller, uint64_t deadline);

#endif
