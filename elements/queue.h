/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What other elements may ask a queue.
 */
#ifndef IMAGO_ELEMENTS_QUEUE_H
#define IMAGO_ELEMENTS_QUEUE_H

#include "click/element.h"

/* True if e is a queue of any kind; *room then is how many packets it would store just now. */
bool queue_room(const struct element *e, uint32_t *room);

#endif
