/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The picture of a Click graph as SVG: a box per element with its ports, push ports black, pull ports white, as the Click papers draw
 * them.
 */
#ifndef IMAGO_TOOLS_GRAPH_SVG_H
#define IMAGO_TOOLS_GRAPH_SVG_H

#include "click/config.h"
#include "click/router.h"

/* Appends one <svg> element. `graph` (click_graph_make of config) may be NULL: then every port is drawn as push. */
int graph_svg(const struct click_config *config, const struct router *graph, struct text *out) MUST_USE;
/* Appends text with what HTML and XML treat specially replaced. */
void html_escape(struct slice text, struct text *out);

#endif
