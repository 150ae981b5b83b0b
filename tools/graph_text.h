/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A configuration as a graph for other programs, in the layouts of Click's click-pretty: Graphviz's dot, GML, GraphML.
 */
#ifndef IMAGO_TOOLS_GRAPH_TEXT_H
#define IMAGO_TOOLS_GRAPH_TEXT_H

#include "click/config.h"
#include "click/router.h"

void graph_dot(const struct click_config *config, struct text *out);
void graph_gml(const struct click_config *config, struct text *out);
/* `graph` (click_graph_make of config) may be NULL: then ports are agnostic. */
void graph_graphml(const struct click_config *config, const struct router *graph, struct text *out);

#endif
