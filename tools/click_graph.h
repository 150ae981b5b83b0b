/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A configuration's ports, counted and resolved to push and pull as a running graph's are, without making or configuring any
 * element: for tools that look at graphs.
 */
#ifndef IMAGO_TOOLS_CLICK_GRAPH_H
#define IMAGO_TOOLS_CLICK_GRAPH_H

#include "click/router.h"

/* Fills a zeroed router: elements of the right class, with name, port counts and port kinds; element i stands for declaration i. The
 * config stays the caller's. 0, or a negative code after reporting what a driver would report. Free it in both cases. */
int click_graph_make(const struct click_config *config, struct router *graph, struct report *report) MUST_USE;
void click_graph_free(struct router *graph);

#endif
