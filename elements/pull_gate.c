/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The notifier of an element that holds packets back: asleep while its timer runs, and while upstream has nothing.
 */
#include "elements/pull_gate.h"

#include "click/router.h"

static void expire(struct timer *timer) { notifier_wake(&CONTAINER_OF(timer, struct pull_gate, timer)->ready); }

/* Upstream has packets: passes that on, unless they are held back anyway. Where upstream cannot tell, the task stays scheduled, as one
 * that polls, for those downstream, who do not know that they should. */
static bool run(struct task *task) {
  struct pull_gate *gate = CONTAINER_OF(task, struct pull_gate, task);
  if (!gate->upstream.always) task_unschedule(task);
  if (!timer_scheduled(&gate->timer)) notifier_wake(&gate->ready);
  return false;
}

int pull_gate_open(struct pull_gate *gate, struct element *e) {
  gate->ready.active = true;
  timer_init(&gate->timer, e->router->scheduler, e, expire);
  task_init(&gate->task, e->router->scheduler, e, run);
  int status = notifier_listen_upstream(e, 0, &gate->task, &gate->upstream);
  if (status == 0 && gate->upstream.always) task_schedule(&gate->task);
  return status;
}

void pull_gate_close(struct pull_gate *gate) {
  task_unschedule(&gate->task);
  timer_unschedule(&gate->timer);
  notifier_signal_destroy(&gate->upstream, &gate->task);
  notifier_destroy(&gate->ready);
}

void pull_gate_wait_until(struct pull_gate *gate, uint64_t deadline) {
  notifier_sleep(&gate->ready);
  timer_schedule(&gate->timer, deadline);
}

void pull_gate_wait_for_packets(struct pull_gate *gate) {
  if (notifier_signal_active(&gate->upstream)) return;
  notifier_sleep(&gate->ready);
  if (notifier_signal_active(&gate->upstream)) notifier_wake(&gate->ready);
}

void pull_gate_wake(struct pull_gate *gate) {
  timer_unschedule(&gate->timer);
  notifier_wake(&gate->ready);
}
