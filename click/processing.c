/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Push or pull: the kind of a port spreads along connections, and inside an element between agnostic ports that its flow
 * code links. Every port is settled at most once, so the work is linear in connections and links.
 */
#include "click/graph.h"
#include "lib/memory.h"

/* Ports of all elements in one row: first every input, then every output. */
struct spread {
  struct router *router;
  uint32_t *input_base, *output_base; /* index of an element's first port */
  uint32_t *element_of;               /* element that a port belongs to */
  uint8_t *kind;                      /* enum port_kind */
  uint32_t port_count, input_total;
  /* Connections by port: those of port p are peers[first[p]] up to peers[first[p + 1]]. */
  uint32_t *first, *peers;
  uint32_t *queue, queue_head, queue_tail; /* ports that were settled and not yet spread */
};

static void spread_free(struct spread *s) {
  memory_free(s->input_base);
  memory_free(s->output_base);
  memory_free(s->element_of);
  memory_free(s->kind);
  memory_free(s->first);
  memory_free(s->peers);
  memory_free(s->queue);
}

static uint32_t from_port(const struct spread *s, const struct click_connection *c) {
  return s->output_base[c->from] + c->from_port;
}

static uint32_t to_port(const struct spread *s, const struct click_connection *c) {
  return s->input_base[c->to] + c->to_port;
}

/* By counting: how many per port, where each begins, then the peers in place. */
static void index_connections(struct spread *s) {
  const struct click_config *config = &s->router->config;
  for (uint32_t i = 0; i < config->connection_count; i++) {
    s->first[from_port(s, &config->connections[i]) + 1]++;
    s->first[to_port(s, &config->connections[i]) + 1]++;
  }
  for (uint32_t p = 0; p < s->port_count; p++)
    s->first[p + 1] += s->first[p];
  uint32_t *used = s->queue; /* not needed as queue yet */
  for (uint32_t i = 0; i < config->connection_count; i++) {
    uint32_t from = from_port(s, &config->connections[i]), to = to_port(s, &config->connections[i]);
    s->peers[s->first[from] + used[from]++] = to;
    s->peers[s->first[to] + used[to]++] = from;
  }
}

static int spread_init(struct spread *s, struct router *router) {
  *s = (struct spread){.router = router};
  uint32_t elements = router->element_count;
  s->input_base = memory_alloc((elements + 1) * sizeof *s->input_base);
  s->output_base = memory_alloc((elements + 1) * sizeof *s->output_base);
  if (!s->input_base || !s->output_base) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < elements; i++) {
    s->input_base[i] = s->port_count;
    s->port_count += router->elements[i]->input_count;
  }
  s->input_total = s->port_count;
  for (uint32_t i = 0; i < elements; i++) {
    s->output_base[i] = s->port_count;
    s->port_count += router->elements[i]->output_count;
  }
  size_t ports = (size_t)s->port_count + 2;
  s->element_of = memory_alloc(ports * sizeof *s->element_of);
  s->kind = memory_alloc(ports * sizeof *s->kind);
  s->first = memory_alloc(ports * sizeof *s->first);
  s->queue = memory_alloc(ports * sizeof *s->queue);
  s->peers = memory_alloc(((size_t)router->config.connection_count * 2 + 1) * sizeof *s->peers);
  if (!s->element_of || !s->kind || !s->first || !s->queue || !s->peers) return -ERROR_NO_MEMORY;
  index_connections(s);
  return 0;
}

static void settle(struct spread *s, uint32_t port, enum port_kind kind) {
  if (kind == PORT_AGNOSTIC || s->kind[port] != PORT_AGNOSTIC) return;
  s->kind[port] = (uint8_t)kind;
  s->queue[s->queue_tail++] = port;
}

/* What the class itself says. */
static enum port_kind class_kind(const struct element *e, bool output, uint32_t port) {
  return processing_of(e->class->processing, output, port);
}

static void settle_fixed(struct spread *s) {
  for (uint32_t i = 0; i < s->router->element_count; i++) {
    const struct element *e = s->router->elements[i];
    for (uint32_t j = 0; j < e->input_count; j++) {
      s->element_of[s->input_base[i] + j] = i;
      settle(s, s->input_base[i] + j, class_kind(e, false, j));
    }
    for (uint32_t j = 0; j < e->output_count; j++) {
      s->element_of[s->output_base[i] + j] = i;
      settle(s, s->output_base[i] + j, class_kind(e, true, j));
    }
  }
}

static bool linked(const struct element *e, uint32_t input, uint32_t output) {
  return class_kind(e, false, input) == PORT_AGNOSTIC && class_kind(e, true, output) == PORT_AGNOSTIC &&
         flow_links(e->class->flow, input, output);
}

static void spread_all(struct spread *s) {
  while (s->queue_head < s->queue_tail) {
    uint32_t port = s->queue[s->queue_head++];
    enum port_kind kind = s->kind[port];
    for (uint32_t i = s->first[port]; i < s->first[port + 1]; i++)
      settle(s, s->peers[i], kind);
    uint32_t index = s->element_of[port];
    const struct element *e = s->router->elements[index];
    if (port < s->input_total) {
      for (uint32_t j = 0; j < e->output_count; j++) {
        if (linked(e, port - s->input_base[index], j)) settle(s, s->output_base[index] + j, kind);
      }
    } else {
      for (uint32_t j = 0; j < e->input_count; j++) {
        if (linked(e, j, port - s->output_base[index])) settle(s, s->input_base[index] + j, kind);
      }
    }
  }
}

static const char *kind_name(unsigned kind) { return kind == PORT_PULL ? "pull" : "push"; }

static int check_connections(const struct spread *s, struct report *report) {
  int result = 0;
  for (uint32_t i = 0; i < s->router->config.connection_count; i++) {
    const struct click_connection *c = &s->router->config.connections[i];
    uint8_t from = s->kind[from_port(s, c)], to = s->kind[to_port(s, c)];
    if (from == to) continue;
    const struct element *upper = s->router->elements[c->from], *lower = s->router->elements[c->to];
    result = report_error(
        report, ERROR_INVALID, "%s:%u: '%s :: %s' %s output %u connected to '%s :: %s' %s input %u; put %s between",
        c->at.file, c->at.line, upper->name, upper->class->name, kind_name(from), c->from_port, lower->name,
        lower->class->name, kind_name(to), c->to_port, from == PORT_PUSH ? "a Queue" : "an Unqueue");
  }
  return result;
}

/* The first pair of linked ports that disagree; one message an element is enough. */
static int check_element(const struct spread *s, uint32_t index, struct report *report) {
  const struct element *e = s->router->elements[index];
  for (uint32_t i = 0; i < e->input_count; i++) {
    for (uint32_t j = 0; j < e->output_count; j++) {
      uint8_t in = s->kind[s->input_base[index] + i], out = s->kind[s->output_base[index] + j];
      if (in == out || !linked(e, i, j)) continue;
      return report_error(report, ERROR_INVALID,
                          "%s:%u: agnostic '%s :: %s' in mixed context: %s input %u, %s output %u", e->at.file,
                          e->at.line, e->name, e->class->name, kind_name(in), i, kind_name(out), j);
    }
  }
  return 0;
}

int graph_resolve(struct router *router, struct report *report) {
  struct spread s;
  int result = spread_init(&s, router);
  if (result) goto done;
  settle_fixed(&s);
  spread_all(&s);
  result = check_connections(&s, report);
  for (uint32_t i = 0; i < router->element_count; i++) {
    struct element *e = router->elements[i];
    int mixed = check_element(&s, i, report);
    if (mixed) result = mixed;
    for (uint32_t j = 0; j < e->input_count; j++)
      e->inputs[j].pull = s.kind[s.input_base[i] + j] == PORT_PULL;
    for (uint32_t j = 0; j < e->output_count; j++)
      e->outputs[j].pull = s.kind[s.output_base[i] + j] == PORT_PULL;
  }
done:
  spread_free(&s);
  return result;
}
