/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Handlers that every element has, and those of the router as a whole, as tables.
 */
#ifndef IMAGO_CLICK_HANDLERS_H
#define IMAGO_CLICK_HANDLERS_H

#include "click/router.h"

extern const struct handler element_standard_handlers[]; /* owner: struct element */
extern const struct handler router_global_handlers[];    /* owner: struct router */

/* Whether e has this one of the standard handlers: its class may have its own of that name, drops need a class that drops, and
 * `config` is writable only where the class can be reconfigured. */
bool element_has_standard(const struct element *e, const struct handler *standard);
/* Packets that went through this port. */
uint64_t element_port_packets(const struct element *e, bool output, uint32_t port);
/* One line of a `handlers` handler. */
void handler_list(const struct handler *handler, struct text *out);

/* The handler of that name, those of the class first; NULL when there is none. */
const struct handler *element_handler_find(struct element *e, struct slice name);
const struct handler *router_handler_find(struct slice name);

/* Whether a handler of that full name is there to be called from within the graph. */
bool handler_exists(struct router *router, struct slice name, bool write);
/* Appends what `name` means for an element that names a handler: "e.handler" with e looked up in the compound elements around
 * `context` first; "handler" is one of context if it has it, and global otherwise; ".handler" is global. */
void handler_name_resolve(struct element *context, struct slice name, struct text *full);

#endif
