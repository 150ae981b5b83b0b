/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The global handlers of a graph: its text, its elements, its drops.
 */
#include "click/handlers.h"
#include "click/unparse.h"

static int read_version(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report) {
  text_add(out, IMAGO_VERSION);
  return 0;
}

static int read_list(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report) {
  const struct router *router = owner;
  text_addf(out, "%u\n", router->element_count);
  for (uint32_t i = 0; i < router->element_count; i++)
    text_addf(out, "%s\n", router->elements[i]->name);
  return 0;
}

static int read_classes(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report) {
  for (unsigned i = 0; i < element_class_count(); i++)
    text_addf(out, "%s\n", element_class_at(i)->name);
  return 0;
}

/* Whether one of the requirements, one a line, is that word. */
static bool requires(const struct router *router, const char *what) {
  struct slice rest = slice_of(router->config.requirements ? router->config.requirements : ""), word;
  while ((word = slice_next_word(&rest)).length > 0)
    if (slice_equals(word, what)) return true;
  return false;
}

/* With require(compact_config) the source is not kept, in Click; what is told is then the flat form. */
static int read_source(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  const struct router *router = owner;
  if (requires(router, "compact_config")) {
    click_unparse(&router->config, out);
  } else {
    text_add_slice(out, router->source_text);
  }
  return 0;
}

static int read_flat(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report) {
  click_unparse(&((const struct router *)owner)->config, out);
  return 0;
}

/* Click's name for a driver that is a process; the graph runs in ring 3 in a VM, too. */
static int read_driver(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  text_add(out, "userlevel");
  return 0;
}

/* The ports where moves begin, which are those that count packets: pull inputs and push outputs. `names`: which they are; otherwise
 * what they have counted. */
static void list_active_ports(const struct router *router, bool names, struct text *out) {
  for (uint32_t i = 0; i < router->element_count; i++) {
    const struct element *e = router->elements[i];
    for (uint32_t p = 0; p < e->input_count + e->output_count; p++) {
      bool output = p >= e->input_count;
      uint32_t number = output ? p - e->input_count : p;
      const struct port *port = output ? &e->outputs[number] : &e->inputs[number];
      if (port->pull == output) continue;
      if (names) {
        text_addf(out, "%s\t%c%u\n", e->name, output ? 'o' : 'i', number);
      } else {
        text_addf(out, "%llu\n", (unsigned long long)counter_read(&port->packets));
      }
    }
  }
}

static int read_active_ports(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  list_active_ports(owner, true, out);
  return 0;
}

static int read_active_port_stats(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                  struct report *report) {
  list_active_ports(owner, false, out);
  return 0;
}

/* Classes are linked in, never loaded: there are no packages. */
static int read_packages(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  return 0;
}

static int read_requirements(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  const struct router *router = owner;
  if (router->config.requirements) text_add(out, router->config.requirements);
  return 0;
}

static int read_global_handlers(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                struct report *report) {
  for (const struct handler *h = router_global_handlers; h->name; h++)
    handler_list(h, out);
  return 0;
}

static int read_drops(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  const struct router *router = owner;
  uint64_t total = 0;
  for (uint32_t i = 0; i < router->element_count; i++) {
    const struct element *e = router->elements[i];
    for (unsigned j = 0; e->class->drops && e->class->drops[j]; j++) {
      uint64_t count = counter_read(&e->drops[j]);
      if (count) text_addf(out, "%s.%s %llu\n", e->name, e->class->drops[j], (unsigned long long)count);
      total += count;
    }
  }
  text_addf(out, "total %llu\n", (unsigned long long)total);
  return 0;
}

const struct handler router_global_handlers[] = {
    {.name = "version", .read = read_version, .help = "version of Imago"},
    {.name = "driver", .read = read_driver, .help = "the kind of driver: userlevel"},
    {.name = "list", .read = read_list, .help = "number of elements, then their names"},
    {.name = "classes", .read = read_classes, .help = "element classes in this program"},
    {.name = "config", .read = read_source, .help = "the configuration as it was given"},
    {.name = "flatconfig", .read = read_flat, .help = "the configuration without compound elements"},
    {.name = "packages", .read = read_packages, .help = "packages loaded: none, classes are linked in"},
    {.name = "requirements", .read = read_requirements, .help = "what the configuration asks for with require()"},
    {.name = "active_ports",
     .read = read_active_ports,
     .help = "the ports that count packets: element, i or o, number"},
    {.name = "active_port_stats", .read = read_active_port_stats, .help = "their counts, in the same order"},
    {.name = "handlers",
     .read = read_global_handlers,
     .help = "names of the global handlers, r: readable, w: writable"},
    {.name = "drops", .read = read_drops, .help = "every drop counter that is not zero, and the total"},
    {.name = NULL},
};
