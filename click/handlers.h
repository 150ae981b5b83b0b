/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Handlers that every element has, and those of the router as a whole, as tables.
 */
#ifndef IMAGO_CLICK_HANDLERS_H
#define IMAGO_CLICK_HANDLERS_H

#include "click/router.h"

extern const struct handler element_standard_handlers[]; /* owner: struct element */
extern const struct handler router_global_handlers[];    /* owner: struct router */

/* The handler of that name, those of the class first; NULL when there is none. */
const struct handler *element_handler_find(const struct element *e, struct slice name);
const struct handler *router_handler_find(struct slice name);

#endif
