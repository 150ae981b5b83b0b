/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What timers and tasks of a scheduler need of each other. Elements include click/scheduler.h.
 */
#ifndef IMAGO_CLICK_TIMER_H
#define IMAGO_CLICK_TIMER_H

#include "click/scheduler.h"

/* Calls every timer that is due at `now`, in order of deadlines. One that schedules itself again, for whenever, waits for the next
 * call. True if there was any. Owner only. */
bool timers_run(struct scheduler *scheduler, uint64_t now);
void timers_forget(struct scheduler *scheduler, const struct router *router);
/* Where a task or timer of the element belongs: with the first scheduler of its router given, the one of its worker. */
struct scheduler *scheduler_for(struct scheduler *scheduler, const struct element *element);
/* Ends the owner's sleep, if it sleeps. */
void scheduler_rouse(struct scheduler *scheduler);

#endif
