/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Postponed work; see postpone.h.
 */
#include "kernel/postpone.h"

void postpone_init(struct postpone *postpone) {
  list_init(&postpone->works);
  postpone->over = false;
}

bool postpone_add(struct postpone *postpone, struct postponed *work, bool (*function)(struct postponed *work)) {
  if (postpone->over) return false;
  work->function = function;
  list_append(&postpone->works, &work->links);
  return true;
}

bool postpone_step(struct postpone *postpone) {
  postpone->over = true;
  if (list_empty(&postpone->works)) return false;
  struct postponed *work = CONTAINER_OF(postpone->works.next, struct postponed, links);
  /* Last of all for its next step; its object stays until it is recalled, which the function must not do. */
  list_remove(&work->links);
  if (work->function(work)) list_append(&postpone->works, &work->links);
  return true;
}
