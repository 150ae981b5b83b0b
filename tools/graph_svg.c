/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SVG of a Click graph.
 */
#include "tools/graph_svg.h"

#include "lib/memory.h"
#include "tools/graph_layout.h"

enum {
  CHARACTER = 7, /* width of one at 12 pixels of a monospaced font */
  LINE = 16,
  BOX_HEIGHT = 46,
  BOX_MARGIN = 12,
  PORT_GAP = 14,
  LABEL_MAX = 36, /* characters of a line; the whole text is in the box's tooltip */
  MARGIN = 10,
};

struct drawing {
  const struct click_config *config;
  const struct router *graph;
  uint32_t *inputs, *outputs; /* ports of each element */
  struct graph_layout layout;
  struct text *out;
};

void html_escape(struct slice text, struct text *out) {
  static const struct {
    char character;
    const char *entity;
  } special[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
  for (size_t i = 0; i < text.length; i++) {
    const char *entity = NULL;
    for (size_t k = 0; k < sizeof special / sizeof special[0]; k++)
      entity = text.data[i] == special[k].character ? special[k].entity : entity;
    if (entity != NULL) {
      text_add(out, entity);
    } else if ((unsigned char)text.data[i] >= ' ' || text.data[i] == '\n' || text.data[i] == '\t') {
      text_add_bytes(out, &text.data[i], 1);
    } else {
      text_add(out, "\xef\xbf\xbd"); /* no control character may stand in XML */
    }
  }
}

/* Where a comment of the language ends that begins here; the same place when none does. */
static const char *behind_comment(const char *c) {
  const char *end = c;
  if (c[0] == '/' && c[1] == '/') end = strchr(c, '\n');
  if (c[0] == '/' && c[1] == '*') {
    for (end = c + 2; *end != '\0' && !(end[0] == '*' && end[1] == '/');)
      end++;
    if (*end != '\0') end += 2;
  }
  return end != NULL ? end : c + strlen(c);
}

/* "Class(arguments)", on one line and without comments. */
static void class_label(const struct click_declaration *d, struct text *label) {
  text_add(label, d->class_name);
  if (d->arguments[0] == '\0') return;
  text_add(label, "(");
  bool blank = false;
  for (const char *c = behind_comment(d->arguments); *c != '\0'; c = behind_comment(c + 1)) {
    if (!char_is_space(*c) || !blank) text_add_bytes(label, char_is_space(*c) ? " " : c, 1);
    blank = char_is_space(*c);
  }
  text_add(label, ")");
}

/* At most LABEL_MAX characters; what follows is an ellipsis. */
static void add_label(const char *text, size_t length, struct text *out) {
  bool cut = length > LABEL_MAX;
  size_t shown = cut ? LABEL_MAX - 1 : length;
  while (cut && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
    shown--; /* not in the middle of a UTF-8 character */
  html_escape((struct slice){text, shown}, out);
  if (cut) text_add(out, "\xe2\x80\xa6");
}

static int clipped(size_t length) { return (int)(length > LABEL_MAX ? LABEL_MAX : length); }

static int larger(int a, int b) { return a > b ? a : b; }

static int offset_of(const struct graph_layout_node *node, uint32_t port, uint32_t count) {
  return (int)((uint32_t)node->width * (port + 1) / (count + 1));
}

static int measure(struct drawing *d, struct graph_layout_node *nodes) {
  const struct click_config *config = d->config;
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    if (d->outputs[c->from] <= c->from_port) d->outputs[c->from] = c->from_port + 1;
    if (d->inputs[c->to] <= c->to_port) d->inputs[c->to] = c->to_port + 1;
  }
  for (uint32_t i = 0; i < config->declaration_count; i++) {
    struct text label = {0};
    class_label(&config->declarations[i], &label);
    if (label.failed) return -ERROR_NO_MEMORY;
    if (d->graph != NULL) {
      d->inputs[i] = d->graph->elements[i]->input_count;
      d->outputs[i] = d->graph->elements[i]->output_count;
    }
    int characters = larger(clipped(label.length), clipped(strlen(config->declarations[i].name)));
    int ports = (int)larger((int)d->inputs[i], (int)d->outputs[i]) + 1;
    nodes[i].width = larger(characters * CHARACTER + 2 * BOX_MARGIN, ports * PORT_GAP);
    nodes[i].height = BOX_HEIGHT;
    text_free(&label);
  }
  return 0;
}

static void draw_ports(struct drawing *d, uint32_t index, bool input) {
  const struct graph_layout_node *node = &d->layout.nodes[index];
  uint32_t count = input ? d->inputs[index] : d->outputs[index];
  for (uint32_t p = 0; p < count; p++) {
    const struct element *e = d->graph == NULL ? NULL : d->graph->elements[index];
    bool pull = e != NULL && (input ? e->inputs[p].pull : e->outputs[p].pull);
    int x = node->x + offset_of(node, p, count), y = input ? node->y : node->y + node->height;
    const char *kind = pull ? "pull" : "push";
    if (input) {
      text_addf(d->out, "<path class=\"%s\" d=\"M%d %dh10l-5 7z\"/>", kind, x - 5, y);
    } else {
      text_addf(d->out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"8\" height=\"6\"/>", kind, x - 4, y - 6);
    }
  }
}

static void draw_element(struct drawing *d, uint32_t index) {
  const struct click_declaration *declaration = &d->config->declarations[index];
  const struct graph_layout_node *node = &d->layout.nodes[index];
  struct slice name = slice_of(declaration->name);
  struct text label = {0};
  class_label(declaration, &label);
  text_add(d->out, "<a href=\"#e-");
  html_escape(name, d->out);
  text_add(d->out, "\"><g><title>");
  html_escape(name, d->out);
  text_add(d->out, " :: ");
  html_escape((struct slice){text_string(&label), label.length}, d->out);
  text_addf(d->out, "</title><rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", node->x, node->y,
            node->width, node->height);
  int middle = node->x + node->width / 2;
  text_addf(d->out, "<text class=\"name\" x=\"%d\" y=\"%d\">", middle, node->y + LINE + 4);
  add_label(name.data, name.length, d->out);
  text_addf(d->out, "</text><text x=\"%d\" y=\"%d\">", middle, node->y + 2 * LINE + 3);
  add_label(text_string(&label), label.length, d->out);
  text_add(d->out, "</text>");
  draw_ports(d, index, true);
  draw_ports(d, index, false);
  text_add(d->out, "</g></a>\n");
  text_free(&label);
}

/* A curve that leaves and arrives vertically. */
static void curve_to(struct text *out, int from_y, int from_x, int x, int y, bool down) {
  int reach = larger(y > from_y ? (y - from_y) / 2 : (from_y - y) / 2, 12);
  text_addf(out, "C%d %d %d %d %d %d", from_x, down ? from_y + reach : from_y - reach, x, down ? y - reach : y + reach,
            x, y);
}

static void draw_edge(struct drawing *d, uint32_t edge, uint32_t first_bend, uint32_t bend_count) {
  const struct graph_layout_edge *e = &d->layout.edges[edge];
  const struct graph_layout_node *from = &d->layout.nodes[e->from], *to = &d->layout.nodes[e->to];
  int x = from->x + e->from_offset, y = from->y + from->height, end_x = to->x + e->to_offset, end_y = to->y - 2;
  bool reversed = d->layout.reversed[edge];
  text_addf(d->out, "<path class=\"edge\" marker-end=\"url(#arrow)\" d=\"M%d %d", x, y);
  if (reversed && bend_count == 0) {
    /* Back to a box above, or to itself: round the right-hand side. */
    int right = larger(from->x + from->width, to->x + to->width) + BOX_MARGIN;
    text_addf(d->out, "C%d %d %d %d %d %d", x, y + LINE, right, y + LINE, right, y - BOX_HEIGHT / 2);
    text_addf(d->out, "L%d %dC%d %d %d %d %d %d", right, end_y + BOX_HEIGHT / 2, right, end_y - LINE, end_x,
              end_y - LINE, end_x, end_y);
  } else {
    for (uint32_t i = 0; i < bend_count; i++) {
      const struct graph_layout_bend *bend = &d->layout.bends[first_bend + (reversed ? bend_count - 1 - i : i)];
      int enter = reversed ? bend->bottom : bend->top, leave = reversed ? bend->top : bend->bottom;
      /* Upwards, the first piece still leaves the box downwards. */
      curve_to(d->out, y, x, bend->x, enter, !reversed);
      text_addf(d->out, "L%d %d", bend->x, leave);
      x = bend->x;
      y = leave;
    }
    curve_to(d->out, y, x, end_x, end_y, !reversed);
  }
  text_add(d->out, "\"/>\n");
}

static void draw(struct drawing *d) {
  int width = d->layout.width + 2 * MARGIN + BOX_MARGIN, height = d->layout.height + 2 * MARGIN + 2 * LINE;
  text_addf(d->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"%d %d %d %d\">\n"
            "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
            "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
            width, height, -MARGIN, -MARGIN - LINE, width, height);
  uint32_t bend = 0;
  for (uint32_t i = 0; i < d->layout.edge_count; i++) {
    uint32_t first = bend;
    while (bend < d->layout.bend_count && d->layout.bends[bend].edge == i)
      bend++;
    draw_edge(d, i, first, bend - first);
  }
  for (uint32_t i = 0; i < d->layout.node_count; i++)
    draw_element(d, i);
  text_add(d->out, "</svg>\n");
}

int graph_svg(const struct click_config *config, const struct router *graph, struct text *out) {
  struct drawing d = {.config = config, .graph = graph, .out = out};
  struct graph_layout_node *nodes = memory_alloc((config->declaration_count + 1) * sizeof *nodes);
  struct graph_layout_edge *edges = memory_alloc((config->connection_count + 1) * sizeof *edges);
  d.inputs = memory_alloc((config->declaration_count + 1) * sizeof *d.inputs);
  d.outputs = memory_alloc((config->declaration_count + 1) * sizeof *d.outputs);
  int error = nodes == NULL || edges == NULL || d.inputs == NULL || d.outputs == NULL ? -ERROR_NO_MEMORY : 0;
  if (error == 0) error = measure(&d, nodes);
  for (uint32_t i = 0; error == 0 && i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    edges[i] = (struct graph_layout_edge){c->from, c->to, offset_of(&nodes[c->from], c->from_port, d.outputs[c->from]),
                                          offset_of(&nodes[c->to], c->to_port, d.inputs[c->to])};
  }
  d.layout = (struct graph_layout){
      .nodes = nodes, .edges = edges, .node_count = config->declaration_count, .edge_count = config->connection_count};
  if (error == 0) error = graph_layout_make(&d.layout);
  if (error == 0) draw(&d);
  graph_layout_free(&d.layout);
  memory_free(nodes);
  memory_free(edges);
  memory_free(d.inputs);
  memory_free(d.outputs);
  return error;
}
