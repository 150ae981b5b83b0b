/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Graphs as text. Ports are counted by what is connected; names hold no character that these formats would want quoted.
 */
#include "tools/graph_text.h"

#include <stdio.h>

#include "tools/graph_svg.h"

static uint32_t count_ports(const struct click_config *config, uint32_t element, bool output) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    uint32_t port = output ? c->from_port : c->to_port;
    if ((output ? c->from : c->to) == element && port >= count) count = port + 1;
  }
  return count;
}

/* --- dot --- */

static void dot_ports(struct text *out, char letter, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    text_addf(out, "%s<%c%u>", i > 0 ? "|" : "", letter, i);
}

void graph_dot(const struct click_config *config, struct text *out) {
  text_add(out, "digraph clickrouter {\n  node [shape=record,height=.1]\n"
                "  edge [arrowhead=normal,arrowtail=none,tailclip=false]\n");
  for (uint32_t i = 0; i < config->declaration_count; i++) {
    const struct click_declaration *d = &config->declarations[i];
    uint32_t inputs = count_ports(config, i, false), outputs = count_ports(config, i, true);
    text_addf(out, "  \"%s\" [label=\"%s", d->name, inputs + outputs > 0 ? "{" : "");
    if (inputs > 0) text_add(out, "{");
    dot_ports(out, 'i', inputs);
    text_addf(out, "%s%s%s", inputs > 0 ? "}|" : "", d->class_name, outputs > 0 ? "|{" : "");
    dot_ports(out, 'o', outputs);
    text_addf(out, "%s%s\"];\n", outputs > 0 ? "}" : "", inputs + outputs > 0 ? "}" : "");
  }
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    text_addf(out, "  \"%s\":o%u -> \"%s\":i%u;\n", config->declarations[c->from].name, c->from_port,
              config->declarations[c->to].name, c->to_port);
  }
  text_add(out, "}\n");
}

/* --- GML --- */

/* Ports lie evenly between -1 and 1. */
static double anchor(uint32_t port, uint32_t count) { return (2.0 * port - (count - 1.0)) / count; }

void graph_gml(const struct click_config *config, struct text *out) {
  text_add(out, "Creator \"click-pretty\"\ngraph\n[ hierarchic 1\n  directed 1\n");
  for (uint32_t i = 0; i < config->declaration_count; i++)
    text_addf(out, "  node\n  [ id %u\n    label \"%s\"\n  ]\n", i, config->declarations[i].name);
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    char anchors[2][32];
    snprintf(anchors[0], sizeof anchors[0], "%f", anchor(c->from_port, count_ports(config, c->from, true)));
    snprintf(anchors[1], sizeof anchors[1], "%f", anchor(c->to_port, count_ports(config, c->to, false)));
    text_addf(out,
              "  edge\n  [ source %u\n    target %u\n    edgeAnchor\n    [ xSource %s\n      xTarget %s\n"
              "      ySource 1\n      yTarget -1\n    ]\n  ]\n",
              c->from, c->to, anchors[0], anchors[1]);
  }
  text_add(out, "]\n");
}

/* --- GraphML --- */

static void graphml_ports(const struct router *graph, uint32_t element, bool output, uint32_t count, struct text *out) {
  for (uint32_t i = 0; i < count; i++) {
    const struct element *e = graph != NULL ? graph->elements[element] : NULL;
    char processing = e == NULL ? 'a' : (output ? e->outputs[i].pull : e->inputs[i].pull) ? 'l' : 'h';
    text_addf(out, "    <port name=\"%c%u\"> <data key=\"kp\">%c</data> </port>\n", output ? 'o' : 'i', i, processing);
  }
}

void graph_graphml(const struct click_config *config, const struct router *graph, struct text *out) {
  text_add(
      out,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns "
      "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n"
      "<key id=\"kn\" for=\"node\" attr.name=\"name\" attr.type=\"string\" />\n"
      "<key id=\"kc\" for=\"node\" attr.name=\"class\" attr.type=\"string\" />\n"
      "<key id=\"kp\" for=\"port\" attr.name=\"processing\" attr.type=\"string\">\n  <default>a</default>\n</key>\n"
      "<graph id=\"G\" edgedefault=\"directed\">\n");
  for (uint32_t i = 0; i < config->declaration_count; i++) {
    const struct click_declaration *d = &config->declarations[i];
    uint32_t inputs = count_ports(config, i, false), outputs = count_ports(config, i, true);
    text_addf(out, "  <node id=\"n%u\" parse.indegree=\"%u\" parse.outdegree=\"%u\">\n    <data key=\"kn\">", i, inputs,
              outputs);
    html_escape(slice_of(d->name), out);
    text_add(out, "</data> <data key=\"kc\">");
    html_escape(slice_of(d->class_name), out);
    text_add(out, "</data>\n");
    graphml_ports(graph, i, false, inputs, out);
    graphml_ports(graph, i, true, outputs, out);
    text_add(out, "  </node>\n");
  }
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    text_addf(out, "  <edge id=\"e%u\" source=\"n%u\" target=\"n%u\" sourceport=\"o%u\" targetport=\"i%u\" />\n", i,
              c->from, c->to, c->from_port, c->to_port);
  }
  text_add(out, "</graph>\n</graphml>\n");
}
