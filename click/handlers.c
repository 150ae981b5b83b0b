/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The handlers that every element has. Texts have Click's form, so that its tools can read them.
 */
#include "click/handlers.h"

#include "click/graph.h"
#include "click/reconfigure.h"

/* --- ready-made readers --- */

int handler_read_u64(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report) {
  const uint64_t *value = (const void *)((const char *)owner + handler->offset);
  text_addf(out, "%llu", (unsigned long long)counter_read(value));
  return 0;
}

int handler_read_u32(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report) {
  const uint32_t *value = (const void *)((const char *)owner + handler->offset);
  text_addf(out, "%u", __atomic_load_n(value, __ATOMIC_RELAXED));
  return 0;
}

int handler_read_bool(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  const bool *value = (const void *)((const char *)owner + handler->offset);
  text_add(out, __atomic_load_n(value, __ATOMIC_RELAXED) ? "true" : "false");
  return 0;
}

/* --- of every element --- */

static int read_class(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  const struct element *e = owner;
  text_add(out, e->class->name);
  return 0;
}

static int read_name(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report) {
  const struct element *e = owner;
  text_add(out, e->name);
  return 0;
}

static int read_config(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  const struct element *e = owner;
  text_add(out, e->config);
  return 0;
}

/* True if the connection ends at that port. */
static bool connects(const struct click_connection *c, const struct element *e, bool output, uint32_t port) {
  return output ? c->from == e->index && c->from_port == port : c->to == e->index && c->to_port == port;
}

/* They are counted where a move begins, at push outputs and pull inputs; elsewhere they are the sum over the peers. */
uint64_t element_port_packets(const struct element *e, bool output, uint32_t port) {
  const struct port *own = output ? &e->outputs[port] : &e->inputs[port];
  if (own->pull != output) return counter_read(&own->packets);
  const struct click_config *config = &e->router->config;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    if (!connects(c, e, output, port)) continue;
    const struct element *peer = e->router->elements[output ? c->to : c->from];
    sum += counter_read(output ? &peer->inputs[c->to_port].packets : &peer->outputs[c->from_port].packets);
  }
  return sum;
}

/* One port: kind ('~' marks agnostic ones), packet count, and what it is connected to. */
static void list_port(const struct element *e, bool output, uint32_t port, struct text *out) {
  const struct click_config *config = &e->router->config;
  bool agnostic = processing_of(e->class->processing, output, port) == PORT_AGNOSTIC;
  const struct port *ports = output ? e->outputs : e->inputs;
  text_addf(out, "%s%s\t%llu\t", ports[port].pull ? "pull" : "push", agnostic ? "~" : "",
            (unsigned long long)element_port_packets(e, output, port));
  const char *separator = "";
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    if (!connects(c, e, output, port)) continue;
    if (output) {
      text_addf(out, "%s[%u] %s", separator, c->to_port, e->router->elements[c->to]->name);
    } else {
      text_addf(out, "%s%s [%u]", separator, e->router->elements[c->from]->name, c->from_port);
    }
    separator = ", ";
  }
  text_add(out, "\n");
}

static int read_ports(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  const struct element *e = owner;
  text_addf(out, "%u input%s\n", e->input_count, e->input_count == 1 ? "" : "s");
  for (uint32_t i = 0; i < e->input_count; i++)
    list_port(e, false, i, out);
  text_addf(out, "%u output%s\n", e->output_count, e->output_count == 1 ? "" : "s");
  for (uint32_t i = 0; i < e->output_count; i++)
    list_port(e, true, i, out);
  return 0;
}

static int read_input_counts(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  const struct element *e = owner;
  for (uint32_t i = 0; i < e->input_count; i++)
    text_addf(out, "%llu\n", (unsigned long long)element_port_packets(e, false, i));
  return 0;
}

static int read_output_counts(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                              struct report *report) {
  const struct element *e = owner;
  for (uint32_t i = 0; i < e->output_count; i++)
    text_addf(out, "%llu\n", (unsigned long long)element_port_packets(e, true, i));
  return 0;
}

static int read_element_drops(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                              struct report *report) {
  const struct element *e = owner;
  for (unsigned i = 0; e->class->drops[i]; i++)
    text_addf(out, "%s %llu\n", e->class->drops[i], (unsigned long long)counter_read(&e->drops[i]));
  return 0;
}

/* --- all together --- */

void handler_list(const struct handler *handler, struct text *out) {
  text_addf(out, "%s\t%s%s\n", handler->name, handler->read ? "r" : "", handler->write ? "w" : "");
}

static bool in_table(const struct handler *table, const char *name) {
  for (; table && table->name; table++) {
    if (strcmp(table->name, name) == 0) return true;
  }
  return false;
}

bool element_has_standard(const struct element *e, const struct handler *standard) {
  if (standard->read == read_element_drops && !e->class->drops) return false;
  if (standard->read == read_config && !standard->write != !e->class->reconfigure) return false;
  return !in_table(e->class->handlers, standard->name);
}

static int read_element_handlers(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                 struct report *report) {
  const struct element *e = owner;
  for (const struct handler *h = e->class->handlers; h && h->name; h++)
    handler_list(h, out);
  const struct handler *own;
  for (uint32_t i = 0; e->class->handler_at && (own = e->class->handler_at(owner, i)); i++)
    handler_list(own, out);
  for (const struct handler *h = element_standard_handlers; h->name; h++) {
    if (element_has_standard(e, h)) handler_list(h, out);
  }
  return 0;
}

const struct handler element_standard_handlers[] = {
    {.name = "class", .read = read_class, .help = "name of the element's class"},
    {.name = "name", .read = read_name, .help = "name of the element"},
    {.name = "config", .read = read_config, .help = "configuration string as written"},
    {.name = "config",
     .read = read_config,
     .write = reconfigure_write,
     .help = "configuration string; writing reconfigures"},
    {.name = "ports", .read = read_ports, .help = "every port: push or pull, and its peers"},
    {.name = "icounts", .read = read_input_counts, .help = "packets that came in, one line an input"},
    {.name = "ocounts", .read = read_output_counts, .help = "packets that went out, one line an output"},
    {.name = "handlers", .read = read_element_handlers, .help = "names of the handlers, r: readable, w: writable"},
    {.name = "drops", .read = read_element_drops, .help = "packets dropped, by reason"},
    {.name = NULL},
};
