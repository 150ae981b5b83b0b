/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For elements on a pull path that hold packets back until some time (Shaper, DelayShaper): what tells those downstream when it is worth
 * asking again, so that nobody polls while there is nothing to be had, and nobody sleeps on a packet that is due.
 */
#ifndef IMAGO_ELEMENTS_PULL_GATE_H
#define IMAGO_ELEMENTS_PULL_GATE_H

#include "click/element.h"
#include "click/scheduler.h"

/* A member of the element's struct. Zeroed is closed. */
struct pull_gate {
  struct notifier ready; /* what the class's `notifier` gives for NOTIFIER_EMPTY */
  struct notifier_signal upstream;
  struct task task;   /* runs when there are packets upstream */
  struct timer timer; /* while it waits for a time */
};

/* From the element's initialize and cleanup. Input 0 is what is pulled. */
int pull_gate_open(struct pull_gate *gate, struct element *e) MUST_USE;
void pull_gate_close(struct pull_gate *gate);

/* From its pull, when that gives nothing: nothing will be due before `deadline` (UINT64_MAX: before pull_gate_wake) ... */
void pull_gate_wait_until(struct pull_gate *gate, uint64_t deadline);
/* ... or there was nothing upstream. */
void pull_gate_wait_for_packets(struct pull_gate *gate);
/* What was waited for may have changed: they are to ask again. */
void pull_gate_wake(struct pull_gate *gate);

#endif
