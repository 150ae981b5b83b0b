/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ports and peers: how many ports each element has, and which port each leads to.
 */
#include "click/graph.h"
#include "lib/memory.h"

/* Ports used per element: one more than the highest number. */
struct usage {
  uint32_t inputs, outputs;
};

static uint32_t clamp(uint32_t value, struct port_range range) {
  if (value < range.low) return range.low;
  return value > range.high ? range.high : value;
}

static int size_element(struct element *e, const struct usage *usage, struct report *report) {
  struct port_counts counts;
  if (!port_counts_parse(e->class->ports, &counts)) {
    return report_error(report, ERROR_INVALID, "element class '%s': port count code '%s' is malformed", e->class->name,
                        e->class->ports);
  }
  if (counts.equal) {
    /* The side that uses more decides, as far as the inputs' range goes. */
    uint32_t wanted = usage->outputs > counts.extra ? usage->outputs - counts.extra : 0;
    e->input_count = clamp(usage->inputs > wanted ? usage->inputs : wanted, counts.inputs);
    e->output_count = e->input_count + counts.extra;
  } else {
    e->input_count = clamp(usage->inputs, counts.inputs);
    e->output_count = clamp(usage->outputs, counts.outputs);
  }
  e->inputs = memory_alloc((e->input_count + 1) * sizeof *e->inputs);
  e->outputs = memory_alloc((e->output_count + 1) * sizeof *e->outputs);
  return e->inputs && e->outputs ? 0 : -ERROR_NO_MEMORY;
}

static int no_such_port(const struct landmark *at, const struct element *e, const char *side, uint32_t port,
                        uint32_t count, struct report *report) {
  if (count == 0) {
    return report_error(report, ERROR_INVALID, "%s:%u: '%s :: %s' has no %s %u; it has no %ss at all", at->file,
                        at->line, e->name, e->class->name, side, port, side);
  }
  return report_error(report, ERROR_INVALID, "%s:%u: '%s :: %s' has no %s %u; the last is %u", at->file, at->line,
                      e->name, e->class->name, side, port, count - 1);
}

/* Marks used ports by an element pointer for the time being; graph_connect sets the real peers. */
static int check_ports(struct router *router, struct report *report) {
  int result = 0;
  for (uint32_t i = 0; i < router->config.connection_count; i++) {
    const struct click_connection *c = &router->config.connections[i];
    struct element *from = router->elements[c->from], *to = router->elements[c->to];
    if (c->from_port < from->output_count) {
      from->outputs[c->from_port].element = to;
    } else {
      result = no_such_port(&c->at, from, "output", c->from_port, from->output_count, report);
    }
    if (c->to_port < to->input_count) {
      to->inputs[c->to_port].element = from;
    } else {
      result = no_such_port(&c->at, to, "input", c->to_port, to->input_count, report);
    }
  }
  return result;
}

static int check_unused(const struct element *e, const struct port *ports, uint32_t count, const char *side,
                        struct report *report) {
  int result = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (ports[i].element) continue;
    result = report_error(report, ERROR_INVALID, "%s:%u: '%s :: %s' %s %u unused; connect it", e->at.file, e->at.line,
                          e->name, e->class->name, side, i);
  }
  return result;
}

int graph_count_ports(struct router *router, struct report *report) {
  struct usage *usage = memory_alloc((router->element_count + 1) * sizeof *usage);
  if (!usage) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < router->config.connection_count; i++) {
    const struct click_connection *c = &router->config.connections[i];
    if (c->from_port >= usage[c->from].outputs) usage[c->from].outputs = c->from_port + 1;
    if (c->to_port >= usage[c->to].inputs) usage[c->to].inputs = c->to_port + 1;
  }
  int result = 0;
  for (uint32_t i = 0; i < router->element_count && result == 0; i++)
    result = size_element(router->elements[i], &usage[i], report);
  memory_free(usage);
  if (result) return result;

  result = check_ports(router, report);
  for (uint32_t i = 0; i < router->element_count; i++) {
    const struct element *e = router->elements[i];
    int inputs = check_unused(e, e->inputs, e->input_count, "input", report);
    int outputs = check_unused(e, e->outputs, e->output_count, "output", report);
    if (inputs || outputs) result = -ERROR_INVALID;
  }
  return result;
}

/* Whether the same two ports were connected before, which Click lets pass. */
static bool same_peer(const struct port *port, const struct element *element, uint32_t number) {
  return port->element == element && port->port == number;
}

int graph_connect(struct router *router, struct report *report) {
  for (uint32_t i = 0; i < router->element_count; i++) {
    struct element *e = router->elements[i];
    for (uint32_t j = 0; j < e->input_count; j++)
      e->inputs[j].element = NULL;
    for (uint32_t j = 0; j < e->output_count; j++)
      e->outputs[j].element = NULL;
  }
  int result = 0;
  for (uint32_t i = 0; i < router->config.connection_count; i++) {
    const struct click_connection *c = &router->config.connections[i];
    struct element *from = router->elements[c->from], *to = router->elements[c->to];
    struct port *output = &from->outputs[c->from_port], *input = &to->inputs[c->to_port];
    if (output->element && !output->pull && !same_peer(output, to, c->to_port)) {
      result =
          report_error(report, ERROR_INVALID, "%s:%u: illegal reuse of '%s :: %s' push output %u; put a Tee behind it",
                       c->at.file, c->at.line, from->name, from->class->name, c->from_port);
    }
    if (input->element && input->pull && !same_peer(input, from, c->from_port)) {
      result = report_error(report, ERROR_INVALID,
                            "%s:%u: illegal reuse of '%s :: %s' pull input %u; put a scheduler before it", c->at.file,
                            c->at.line, to->name, to->class->name, c->to_port);
    }
    if (!output->element) *output = (struct port){to, c->to_port, output->pull};
    if (!input->element) *input = (struct port){from, c->from_port, input->pull};
  }
  return result;
}
