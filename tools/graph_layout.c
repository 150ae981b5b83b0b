/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layered layout. Inside, a long edge is a chain of segments over points without width, one in each layer it crosses.
 */
#include "tools/graph_layout.h"

#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"

enum {
  GAP_X = 28,
  GAP_Y = 46,
  POINT_WIDTH = 8,
  ORDER_SWEEPS = 16,
  PLACE_SWEEPS = 24,
  POINTS_MAX = 200000, /* of all long edges; beyond that they are drawn straight */
};

/* A box, or a point where a long edge crosses a layer. */
struct item {
  uint32_t layer, edge; /* edge: of a point */
  int width, height, x;
  double key;
};

/* Between items of neighbouring layers. */
struct segment {
  uint32_t upper, lower;
  int upper_offset, lower_offset;
};

struct work {
  struct graph_layout *layout;
  struct item *items;
  uint32_t item_count, layer_count;
  struct segment *segments;
  uint32_t segment_count;
  uint32_t *order, *layer_start;       /* items by layer, from left to right */
  uint32_t *by_upper, *by_lower;       /* segments, sorted by their item at that end */
  uint32_t *upper_start, *lower_start; /* item i's segments are by_upper[upper_start[i] .. upper_start[i + 1]) */
};

static uint32_t upper_of(const struct graph_layout *l, uint32_t edge) {
  return l->reversed[edge] ? l->edges[edge].to : l->edges[edge].from;
}
static uint32_t lower_of(const struct graph_layout *l, uint32_t edge) {
  return l->reversed[edge] ? l->edges[edge].from : l->edges[edge].to;
}

/* Counts of `keys` become starts: a counting sort of 0..count-1 by key. */
static int sort_by(const uint32_t *keys, uint32_t count, uint32_t key_count, uint32_t **sorted, uint32_t **start) {
  *sorted = memory_alloc((count + 1) * sizeof **sorted);
  *start = memory_alloc((key_count + 2) * sizeof **start);
  if (*sorted == NULL || *start == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < count; i++)
    (*start)[keys[i] + 2]++;
  for (uint32_t k = 2; k < key_count + 2; k++)
    (*start)[k] += (*start)[k - 1];
  for (uint32_t i = 0; i < count; i++)
    (*sorted)[(*start)[keys[i] + 1]++] = i;
  return 0;
}

/* ---- layers ---- */

/* An edge back to a box whose visit has not ended closes a cycle: it is turned round. */
static int break_cycles(struct graph_layout *l) {
  enum { NEW, OPEN, DONE };
  uint32_t *keys = memory_alloc((l->edge_count + 1) * sizeof *keys), *sorted = NULL, *start = NULL;
  uint32_t *stack = memory_alloc((l->node_count + 1) * sizeof *stack), *next = NULL;
  uint8_t *state = memory_alloc(l->node_count + 1);
  int error = -ERROR_NO_MEMORY;
  if (keys == NULL || stack == NULL || state == NULL) goto done;
  for (uint32_t i = 0; i < l->edge_count; i++)
    keys[i] = l->edges[i].from;
  error = sort_by(keys, l->edge_count, l->node_count, &sorted, &start);
  next = memory_alloc((l->node_count + 2) * sizeof *next);
  if (next == NULL) error = -ERROR_NO_MEMORY;
  if (error != 0) goto done;
  memcpy(next, start, (l->node_count + 1) * sizeof *next);
  for (uint32_t root = 0; root < l->node_count; root++) {
    uint32_t depth = 0;
    if (state[root] != NEW) continue;
    stack[depth++] = root;
    state[root] = OPEN;
    while (depth > 0) {
      uint32_t at = stack[depth - 1];
      if (next[at] == start[at + 1]) {
        state[at] = DONE;
        depth--;
        continue;
      }
      uint32_t edge = sorted[next[at]++], to = l->edges[edge].to;
      if (state[to] == OPEN) l->reversed[edge] = true;
      if (state[to] != NEW) continue;
      state[to] = OPEN;
      stack[depth++] = to;
    }
  }
done:
  memory_free(keys);
  memory_free(sorted);
  memory_free(start);
  memory_free(stack);
  memory_free(next);
  memory_free(state);
  return error;
}

/* Each box one layer below the lowest that leads to it; then those with nothing above move down to what they lead to. */
static void assign_layers(struct work *w) {
  const struct graph_layout *l = w->layout;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = 0; i < l->edge_count; i++) {
      uint32_t upper = upper_of(l, i), lower = lower_of(l, i);
      if (upper == lower || w->items[lower].layer > w->items[upper].layer) continue;
      w->items[lower].layer = w->items[upper].layer + 1;
      changed = true;
    }
  }
  for (uint32_t n = 0; n < l->node_count; n++) {
    uint32_t nearest = UINT32_MAX;
    bool entered = false;
    for (uint32_t i = 0; w->items[n].layer == 0 && i < l->edge_count; i++) {
      uint32_t lower = lower_of(l, i);
      entered = entered || (lower == n && upper_of(l, i) != n);
      if (upper_of(l, i) == n && lower != n && w->items[lower].layer < nearest) nearest = w->items[lower].layer;
    }
    if (!entered && nearest != UINT32_MAX && nearest > 0) w->items[n].layer = nearest - 1;
  }
  for (uint32_t n = 0; n < l->node_count; n++) {
    if (w->items[n].layer >= w->layer_count) w->layer_count = w->items[n].layer + 1;
  }
}

static uint32_t points_of(const struct work *w, uint32_t edge) {
  uint32_t upper = w->items[upper_of(w->layout, edge)].layer, lower = w->items[lower_of(w->layout, edge)].layer;
  return lower > upper + 1 ? lower - upper - 1 : 0;
}

static int make_segments(struct work *w) {
  const struct graph_layout *l = w->layout;
  uint64_t points = 0;
  for (uint32_t i = 0; i < l->edge_count; i++)
    points += points_of(w, i);
  bool straight = points > POINTS_MAX;
  if (straight) points = 0;
  struct item *items = memory_resize(w->items, (l->node_count + points + 1) * sizeof *items);
  w->segments = memory_alloc((l->edge_count + points + 1) * sizeof *w->segments);
  if (items != NULL) w->items = items;
  if (items == NULL || w->segments == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < l->edge_count; i++) {
    uint32_t last = lower_of(l, i), at = upper_of(l, i), count = straight ? 0 : points_of(w, i);
    int from = l->reversed[i] ? l->edges[i].to_offset : l->edges[i].from_offset;
    int to = l->reversed[i] ? l->edges[i].from_offset : l->edges[i].to_offset;
    if (at == last) continue;
    for (uint32_t k = 0; k < count; k++) {
      items[w->item_count] = (struct item){.layer = items[at].layer + 1, .edge = i, .width = POINT_WIDTH};
      w->segments[w->segment_count++] = (struct segment){at, w->item_count, from, POINT_WIDTH / 2};
      at = w->item_count++;
      from = POINT_WIDTH / 2;
    }
    w->segments[w->segment_count++] = (struct segment){at, last, from, to};
  }
  return 0;
}

static int index_segments(struct work *w) {
  uint32_t *keys = memory_alloc((w->segment_count + w->item_count + 1) * sizeof *keys);
  if (keys == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < w->segment_count; i++)
    keys[i] = w->segments[i].upper;
  int error = sort_by(keys, w->segment_count, w->item_count, &w->by_upper, &w->upper_start);
  for (uint32_t i = 0; i < w->segment_count; i++)
    keys[i] = w->segments[i].lower;
  if (error == 0) error = sort_by(keys, w->segment_count, w->item_count, &w->by_lower, &w->lower_start);
  for (uint32_t i = 0; i < w->item_count; i++)
    keys[i] = w->items[i].layer;
  if (error == 0) error = sort_by(keys, w->item_count, w->layer_count, &w->order, &w->layer_start);
  memory_free(keys);
  return error;
}

/* ---- order in a layer, and places ---- */

/* Side by side, without regard to others. */
static void pack(struct work *w, uint32_t layer) {
  int x = 0;
  for (uint32_t i = w->layer_start[layer]; i < w->layer_start[layer + 1]; i++) {
    struct item *item = &w->items[w->order[i]];
    item->x = x;
    x += item->width + GAP_X;
  }
}

/* Where an item's neighbours above (or below) would have it: the mean over its segments of where they would be straight. An item
 * without neighbours there stays. */
static double wanted(const struct work *w, uint32_t item, bool above) {
  const uint32_t *list = above ? w->by_lower : w->by_upper;
  uint32_t from = above ? w->lower_start[item] : w->upper_start[item];
  uint32_t to = above ? w->lower_start[item + 1] : w->upper_start[item + 1];
  double sum = 0;
  for (uint32_t i = from; i < to; i++) {
    const struct segment *s = &w->segments[list[i]];
    sum += above ? w->items[s->upper].x + s->upper_offset - s->lower_offset
                 : w->items[s->lower].x + s->lower_offset - s->upper_offset;
  }
  return from == to ? w->items[item].x : sum / (to - from);
}

static void order_layer(struct work *w, uint32_t layer, bool above) {
  uint32_t *order = w->order + w->layer_start[layer], count = w->layer_start[layer + 1] - w->layer_start[layer];
  for (uint32_t i = 0; i < count; i++)
    w->items[order[i]].key = wanted(w, order[i], above) + w->items[order[i]].width / 2.0;
  /* Stable, and nearly sorted after the first sweeps. */
  for (uint32_t i = 1; i < count; i++) {
    uint32_t item = order[i], at = i;
    for (; at > 0 && w->items[order[at - 1]].key > w->items[item].key; at--)
      order[at] = order[at - 1];
    order[at] = item;
  }
  pack(w, layer);
}

/* Moves a layer's items to where they are wanted, as far as their order and the gaps allow: between the places they get when those on
 * the left, and those on the right, have precedence. */
static void place_layer(struct work *w, uint32_t layer, bool above) {
  const uint32_t *order = w->order + w->layer_start[layer];
  uint32_t count = w->layer_start[layer + 1] - w->layer_start[layer];
  double edge = 0;
  for (uint32_t i = 0; i < count; i++) {
    struct item *item = &w->items[order[i]];
    double x = wanted(w, order[i], above);
    item->key = i > 0 && x < edge ? edge : x;
    edge = item->key + item->width + GAP_X;
  }
  for (uint32_t i = count; i-- > 0;) {
    struct item *item = &w->items[order[i]];
    double x = wanted(w, order[i], above), limit = edge - GAP_X - item->width;
    if (i + 1 < count && x > limit) x = limit;
    edge = x;
    item->key = (item->key + x) / 2;
  }
  for (uint32_t i = 0; i < count; i++) {
    struct item *item = &w->items[order[i]];
    int x = (int)item->key;
    if (i > 0) {
      const struct item *left = &w->items[order[i - 1]];
      if (x < left->x + left->width + GAP_X) x = left->x + left->width + GAP_X;
    }
    item->x = x;
  }
}

static void sweep(struct work *w, unsigned count, void (*layer)(struct work *w, uint32_t layer, bool above)) {
  for (unsigned n = 0; n < count; n++) {
    for (uint32_t i = 1; n % 2 == 0 && i < w->layer_count; i++)
      layer(w, i, true);
    for (uint32_t i = w->layer_count; n % 2 == 1 && i-- > 1;)
      layer(w, i - 1, false);
  }
}

/* ---- result ---- */

static int publish(struct work *w) {
  struct graph_layout *l = w->layout;
  int left = 0, top = 0;
  l->bends = memory_alloc((w->item_count - l->node_count + 1) * sizeof *l->bends);
  if (l->bends == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < w->item_count; i++)
    left = w->items[i].x < left ? w->items[i].x : left;
  int *tops = memory_alloc((w->layer_count + 1) * sizeof *tops);
  if (tops == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t layer = 0; layer < w->layer_count; layer++) {
    int height = 0;
    for (uint32_t i = w->layer_start[layer]; i < w->layer_start[layer + 1]; i++)
      height = w->items[w->order[i]].height > height ? w->items[w->order[i]].height : height;
    tops[layer] = top;
    top += height + GAP_Y;
  }
  tops[w->layer_count] = top;
  l->height = w->layer_count > 0 ? top - GAP_Y : 0;
  for (uint32_t i = 0; i < w->item_count; i++) {
    const struct item *item = &w->items[i];
    int x = item->x - left;
    if (x + item->width > l->width) l->width = x + item->width;
    if (i < l->node_count) {
      l->nodes[i].x = x;
      l->nodes[i].y = tops[item->layer];
    } else {
      l->bends[l->bend_count++] =
          (struct graph_layout_bend){item->edge, x + POINT_WIDTH / 2, tops[item->layer], tops[item->layer + 1] - GAP_Y};
    }
  }
  memory_free(tops);
  return 0;
}

int graph_layout_make(struct graph_layout *l) {
  struct work w = {.layout = l, .item_count = l->node_count};
  w.items = memory_alloc((l->node_count + 1) * sizeof *w.items);
  l->reversed = memory_alloc(l->edge_count + 1);
  int error = w.items == NULL || l->reversed == NULL ? -ERROR_NO_MEMORY : 0;
  for (uint32_t i = 0; error == 0 && i < l->node_count; i++)
    w.items[i] = (struct item){.width = l->nodes[i].width, .height = l->nodes[i].height};
  if (error == 0) error = break_cycles(l);
  if (error == 0) assign_layers(&w);
  if (error == 0) error = make_segments(&w);
  if (error == 0) error = index_segments(&w);
  if (error == 0) {
    for (uint32_t i = 0; i < w.layer_count; i++)
      pack(&w, i);
    sweep(&w, ORDER_SWEEPS, order_layer);
    sweep(&w, PLACE_SWEEPS, place_layer);
    error = publish(&w);
  }
  memory_free(w.items);
  memory_free(w.segments);
  memory_free(w.order);
  memory_free(w.layer_start);
  memory_free(w.by_upper);
  memory_free(w.by_lower);
  memory_free(w.upper_start);
  memory_free(w.lower_start);
  return error;
}

void graph_layout_free(struct graph_layout *l) {
  memory_free(l->bends);
  memory_free(l->reversed);
  l->bends = NULL;
  l->reversed = NULL;
}
