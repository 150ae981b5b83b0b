/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layout of graphs: what every picture must keep, whatever the graph.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/graph_layout.h"

enum { NODES_MAX = 64, EDGES_MAX = 256, BOX_WIDTH = 80, BOX_HEIGHT = 40 };

struct drawn {
  struct graph_layout_node nodes[NODES_MAX];
  struct graph_layout_edge edges[EDGES_MAX];
  struct graph_layout layout;
};

/* "0>1 1>2": an edge from the middle of a box to the middle of another. */
static void draw(struct drawn *d, unsigned nodes, const char *edges) {
  memset(d, 0, sizeof *d);
  d->layout = (struct graph_layout){.nodes = d->nodes, .edges = d->edges, .node_count = nodes};
  for (unsigned i = 0; i < nodes; i++)
    d->nodes[i] = (struct graph_layout_node){.width = BOX_WIDTH, .height = BOX_HEIGHT, .x = -1, .y = -1};
  unsigned from, to;
  int length;
  for (; sscanf(edges, "%u>%u%n", &from, &to, &length) == 2; edges += length) {
    d->edges[d->layout.edge_count++] = (struct graph_layout_edge){from, to, BOX_WIDTH / 2, BOX_WIDTH / 2};
  }
  assert_int_equal(graph_layout_make(&d->layout), 0);
}

/* No two boxes touch, all lie in the picture, and edges lead down unless they are said to lead up; bends stand in order and in no
 * box. */
static void check(const struct drawn *d) {
  const struct graph_layout *l = &d->layout;
  for (unsigned i = 0; i < l->node_count; i++) {
    const struct graph_layout_node *a = &l->nodes[i];
    assert_true(a->x >= 0 && a->y >= 0 && a->x + a->width <= l->width && a->y + a->height <= l->height);
    for (unsigned j = 0; j < i; j++) {
      const struct graph_layout_node *b = &l->nodes[j];
      bool apart =
          a->x + a->width < b->x || b->x + b->width < a->x || a->y + a->height < b->y || b->y + b->height < a->y;
      assert_true(apart);
    }
    for (unsigned k = 0; k < l->bend_count; k++) {
      const struct graph_layout_bend *bend = &l->bends[k];
      assert_false(bend->x > a->x && bend->x < a->x + a->width && bend->top < a->y + a->height && bend->bottom > a->y);
    }
  }
  for (unsigned i = 0; i < l->edge_count; i++) {
    const struct graph_layout_node *upper = &l->nodes[l->edges[i].from], *lower = &l->nodes[l->edges[i].to];
    if (!l->reversed[i]) assert_true(upper->y + upper->height < lower->y);
    if (l->reversed[i]) assert_true(upper->y >= lower->y);
  }
}

/* Whatever the shape: nothing, single boxes, chains, rings, self loops, double edges, long edges, separate parts. */
static void keeps_the_rules(void **state) {
  static const struct {
    unsigned nodes;
    const char *edges;
    unsigned reversed;
  } rows[] = {
      {0, "", 0},
      {1, "", 0},
      {1, "0>0", 1},
      {3, "", 0},
      {2, "0>1", 0},
      {2, "0>1 1>0", 1},
      {2, "0>1 0>1 0>1", 0},
      {3, "0>1 1>2 2>0", 1},
      {4, "0>1 1>2 2>3 0>3", 0},
      {4, "3>2 2>1 1>0", 0},
      {6, "0>1 1>2 2>3 3>4 4>5 0>5 5>0 0>4", 1},
      {6, "0>1 0>2 0>3 0>4 1>5 2>5 3>5 4>5", 0},
      {6, "0>3 1>4 2>5 0>5 1>3 2>4", 0},
      {8, "0>1 2>3 4>5 6>7 5>4 7>7", 2},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct drawn d;
    unsigned reversed = 0;
    draw(&d, rows[i].nodes, rows[i].edges);
    check(&d);
    for (unsigned k = 0; k < d.layout.edge_count; k++)
      reversed += d.layout.reversed[k];
    assert_int_equal(reversed, rows[i].reversed);
    graph_layout_free(&d.layout);
  }
}

/* An edge over several layers is led round each of them: a bend a layer. */
static void long_edges_bend_in_every_layer(void **state) {
  struct drawn d;
  draw(&d, 5, "0>1 1>2 2>3 3>4 0>4");
  assert_int_equal(d.layout.bend_count, 3);
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(d.layout.bends[i].edge, 4);
    assert_int_equal(d.layout.bends[i].top, d.nodes[i + 1].y);
  }
  graph_layout_free(&d.layout);
}

/* Two pairs that would cross in the order they were written don't, in the order they are drawn. */
static void crossings_are_untangled(void **state) {
  struct drawn d;
  draw(&d, 4, "0>3 1>2");
  assert_true((d.nodes[0].x < d.nodes[1].x) == (d.nodes[3].x < d.nodes[2].x));
  graph_layout_free(&d.layout);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_the_rules),
      cmocka_unit_test(long_edges_bend_in_every_layer),
      cmocka_unit_test(crossings_are_untangled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
