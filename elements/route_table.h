/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What route lookup elements share, as Click's IPRouteTable: routes as arguments, handlers that change them, and packets that go where the
 * destination annotation leads. A class differs by its `defaults`, which choose the kind of table.
 */
#ifndef IMAGO_ELEMENTS_ROUTE_TABLE_H
#define IMAGO_ELEMENTS_ROUTE_TABLE_H

#include "click/element.h"
#include "elements/routes.h"

struct route_table {
  struct element element;
  struct routes routes; /* ports are below element.output_count */
  bool changed;         /* by handlers, since it was configured */
  uint32_t complaints;  /* packets without route that the log knows of */
};

int route_table_configure(struct element *e, const struct args *rest, struct report *report);
void route_table_cleanup(struct element *e);
int route_table_reconfigure(struct element *e, struct element *next, struct report *report);
void route_table_take_state(struct element *e, struct element *old, struct report *report);
int64_t route_table_fib_lookup(const struct element *e, const struct bpf_environment *environment,
                               struct bpf_fib_lookup *parameters, uint32_t flags);
void route_table_push(struct element *e, unsigned port, struct batch *batch);
extern const struct handler route_table_handlers[];
extern const char *const route_table_drops[];

/* The table of the route lookup element that `context` means by `name` (router_find_in), or NULL. It stays where it is as long as that
 * element's router; it changes only while all workers but the writer stand still. */
const struct routes *route_table_find(const struct element *context, const char *name);

#endif
