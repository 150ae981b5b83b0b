/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Places the boxes of a directed graph on a plane, in layers from top to bottom (Sugiyama, Tagawa and Toda 1981): cycles are broken,
 * long edges are led between the boxes, crossings are reduced by barycentres.
 */
#ifndef IMAGO_TOOLS_GRAPH_LAYOUT_H
#define IMAGO_TOOLS_GRAPH_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct graph_layout_node {
  int width, height; /* given, in pixels */
  int x, y;          /* result: upper left corner */
};

/* `*_offset`: where the edge leaves or enters, in pixels from the box's left. */
struct graph_layout_edge {
  uint32_t from, to;
  int from_offset, to_offset;
};

/* A bend of an edge, between two boxes of its way. */
struct graph_layout_bend {
  uint32_t edge;
  int x, top, bottom; /* the edge runs straight down at x from top to bottom */
};

struct graph_layout {
  struct graph_layout_node *nodes;       /* the caller's */
  const struct graph_layout_edge *edges; /* the caller's */
  uint32_t node_count, edge_count;
  struct graph_layout_bend *bends; /* result, owned: those of one edge from its beginning to its end */
  uint32_t bend_count;
  bool *reversed; /* result, owned: the edge leads upwards, and its bends stand in reverse */
  int width, height;
};

int graph_layout_make(struct graph_layout *layout) MUST_USE;
void graph_layout_free(struct graph_layout *layout);

#endif
