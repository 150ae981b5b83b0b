/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The steps by which click/router.c turns elements and connections into a graph. Each reports every error it finds as
 * Click would, with file and line.
 */
#ifndef IMAGO_CLICK_GRAPH_H
#define IMAGO_CLICK_GRAPH_H

#include "click/codes.h"
#include "click/router.h"

/* Counts the ports that connections use, checks them against the classes, allocates element->inputs and outputs. */
int graph_count_ports(struct router *router, struct report *report) MUST_USE;
/* Decides push or pull for every port (ports[i].pull). Agnostic ports that nothing decides are push. */
int graph_resolve(struct router *router, struct report *report) MUST_USE;
/* Fills in the peers, and refuses second uses of push outputs and pull inputs. */
int graph_connect(struct router *router, struct report *report) MUST_USE;

#endif
