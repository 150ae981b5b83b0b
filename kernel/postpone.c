/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Postponed work; see postpone.h.
 */
#include "kernel/postpone.h"

void postpone_init(struct postpone *postpone) { list_init(&postpone->works); }

void postpone_add(struct postpone *postpone, struct postponed *work, bool (*function)(struct postponed *work)) {
  work->function = function;
  list_append(&postpone->works, &work->links);
}

bool postpone_step(struct postpone *postpone) {
  if (!postpone_waits(postpone)) return false;
  struct postponed *work = CONTAINER_OF(postpone->works.next, struct postponed, links);
  /* Behind all others for its next step. */
  list_remove(&work->links);
  if (work->function(work)) list_append(&postpone->works, &work->links);
  return true;
}
