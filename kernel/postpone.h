/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Work that packets do not wait for (services->postpone): done between two rounds, a step at a time. Worker 0 only.
 */
#ifndef IMAGO_KERNEL_POSTPONE_H
#define IMAGO_KERNEL_POSTPONE_H

#include "click/services.h"

struct postpone {
  struct list works; /* of struct postponed, in the order in which they came */
};

void postpone_init(struct postpone *postpone);
/* As services->postpone. */
void postpone_add(struct postpone *postpone, struct postponed *work, bool (*function)(struct postponed *work));
/* Whether there is something to do. */
static inline bool postpone_waits(const struct postpone *postpone) { return !list_empty(&postpone->works); }
/* True: one step was done, and there may be more. */
bool postpone_step(struct postpone *postpone);

#endif
