/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Notifiers (Click's Notifier and NotifierSignal): how an element that has packets, or room for them, wakes the tasks that would
 * pull or push, so that nobody polls an empty queue. A class offers notifiers through element_class.notifier; a task's element
 * finds those that matter to it by walking the graph, once, in initialize.
 */
#ifndef IMAGO_CLICK_NOTIFIER_H
#define IMAGO_CLICK_NOTIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct element;
struct task;

enum notifier_kind {
  NOTIFIER_EMPTY, /* of an output: active while it may have packets to pull */
  NOTIFIER_FULL,  /* of an input: active while it may take packets that are pushed */
};

/* Embedded in the element that offers it. Zero-initialised is inactive, without listeners. */
struct notifier {
  bool active;
  struct task **listeners; /* owned: freed by notifier_destroy */
  uint32_t listener_count;
};

/* Becomes active and schedules the listeners' tasks. Cheap when it is active already: call it for each batch. Any worker. */
void notifier_wake(struct notifier *notifier);
/* Becomes inactive; listeners find out when they look (and then unschedule themselves). Between workers, look once more for packets
 * afterwards, and call notifier_wake if there are any: the one who brought them may have found the notifier active. */
void notifier_sleep(struct notifier *notifier);
bool notifier_active(const struct notifier *notifier);
void notifier_destroy(struct notifier *notifier);

/* What one task listens to. `always`: some path has no notifier, so that one must poll. */
struct notifier_signal {
  struct notifier **notifiers; /* owned */
  uint32_t count;
  bool always;
};

/* Finds the EMPTY notifiers upstream of a pull input (the FULL ones downstream of a push output), through elements that have none
 * of their own, and makes `task` (may be NULL: only look) a listener. Call from initialize; signal_destroy in cleanup. */
int notifier_listen_upstream(struct element *e, unsigned input, struct task *task,
                             struct notifier_signal *signal) MUST_USE;
int notifier_listen_downstream(struct element *e, unsigned output, struct task *task,
                               struct notifier_signal *signal) MUST_USE;
/* True if any is active, or `always`. */
bool notifier_signal_active(const struct notifier_signal *signal);
/* For the listening task when it found nothing to do: unschedules it unless a notifier is active, without losing a wake-up. True if it
 * is unscheduled now. */
bool notifier_signal_wait(const struct notifier_signal *signal, struct task *task);
/* Takes the task off every notifier's list and frees; both elements must still exist. Zero-initialised is allowed. */
void notifier_signal_destroy(struct notifier_signal *signal, struct task *task);

#endif
