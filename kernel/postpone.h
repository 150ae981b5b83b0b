/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Work that the first packet does not wait for (services->postpone): kept until the time for it has come, then done between two rounds,
 * a step at a time. Worker 0 only.
 */
#ifndef IMAGO_KERNEL_POSTPONE_H
#define IMAGO_KERNEL_POSTPONE_H

#include "click/services.h"

struct postpone {
  struct list works; /* of struct postponed, in the order in which they came */
  bool over;         /* nothing is postponed any more */
};

void postpone_init(struct postpone *postpone);
/* As services->postpone. */
bool postpone_add(struct postpone *postpone, struct postponed *work, bool (*function)(struct postponed *work));
/* The time has come. True: one step was done, and there may be more. */
bool postpone_step(struct postpone *postpone);

#endif
