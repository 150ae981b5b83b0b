/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The standard handlers, and reading and writing by name. Texts have Click's form, so that its tools can read them.
 */
#include "click/handlers.h"

#include "click/graph.h"

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

/* One port: kind ('~' marks agnostic ones), packet count (not kept: "-"), and what it is connected to. */
static void list_port(const struct element *e, bool output, uint32_t port, struct text *out) {
  const struct click_config *config = &e->router->config;
  bool agnostic = processing_of(e->class->processing, output, port) == PORT_AGNOSTIC;
  const struct port *ports = output ? e->outputs : e->inputs;
  text_addf(out, "%s%s\t-\t", ports[port].pull ? "pull" : "push", agnostic ? "~" : "");
  const char *separator = "";
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    if (output && c->from == e->index && c->from_port == port) {
      text_addf(out, "%s[%u] %s", separator, c->to_port, e->router->elements[c->to]->name);
      separator = ", ";
    } else if (!output && c->to == e->index && c->to_port == port) {
      text_addf(out, "%s%s [%u]", separator, e->router->elements[c->from]->name, c->from_port);
      separator = ", ";
    }
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

static int read_element_drops(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                              struct report *report) {
  const struct element *e = owner;
  for (unsigned i = 0; e->class->drops[i]; i++)
    text_addf(out, "%s %llu\n", e->class->drops[i], (unsigned long long)counter_read(&e->drops[i]));
  return 0;
}

static void list_handler(const struct handler *handler, struct text *out) {
  text_addf(out, "%s\t%s%s\n", handler->name, handler->read ? "r" : "", handler->write ? "w" : "");
}

static bool in_table(const struct handler *table, const char *name) {
  for (; table && table->name; table++) {
    if (strcmp(table->name, name) == 0) return true;
  }
  return false;
}

/* Whether e has this standard handler: its class may have its own of that name, and drops need a class that drops. */
static bool has_standard(const struct element *e, const struct handler *standard) {
  if (standard->read == read_element_drops && !e->class->drops) return false;
  return !in_table(e->class->handlers, standard->name);
}

static int read_element_handlers(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                 struct report *report) {
  const struct element *e = owner;
  for (const struct handler *h = e->class->handlers; h && h->name; h++)
    list_handler(h, out);
  for (const struct handler *h = element_standard_handlers; h->name; h++) {
    if (has_standard(e, h)) list_handler(h, out);
  }
  return 0;
}

const struct handler element_standard_handlers[] = {
    {.name = "class", .read = read_class, .help = "name of the element's class"},
    {.name = "name", .read = read_name, .help = "name of the element"},
    {.name = "config", .read = read_config, .help = "configuration string as written"},
    {.name = "ports", .read = read_ports, .help = "every port: push or pull, and its peers"},
    {.name = "handlers", .read = read_element_handlers, .help = "names of the handlers, r: readable, w: writable"},
    {.name = "drops", .read = read_element_drops, .help = "packets dropped, by reason"},
    {.name = NULL},
};

/* --- of the router --- */

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

static int read_source(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  const struct router *router = owner;
  text_add_slice(out, router->source_text);
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
    list_handler(h, out);
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
    {.name = "list", .read = read_list, .help = "number of elements, then their names"},
    {.name = "classes", .read = read_classes, .help = "element classes in this program"},
    {.name = "config", .read = read_source, .help = "the configuration as it was given"},
    {.name = "requirements", .read = read_requirements, .help = "what the configuration asks for with require()"},
    {.name = "handlers",
     .read = read_global_handlers,
     .help = "names of the global handlers, r: readable, w: writable"},
    {.name = "drops", .read = read_drops, .help = "every drop counter that is not zero, and the total"},
    {.name = NULL},
};

/* --- by name --- */

static const struct handler *find_in(const struct handler *table, struct slice name) {
  for (; table && table->name; table++) {
    if (slice_equals(name, table->name)) return table;
  }
  return NULL;
}

const struct handler *element_handler_find(const struct element *e, struct slice name) {
  const struct handler *found = find_in(e->class->handlers, name);
  if (found) return found;
  found = find_in(element_standard_handlers, name);
  return found && has_standard(e, found) ? found : NULL;
}

const struct handler *router_handler_find(struct slice name) { return find_in(router_global_handlers, name); }

/* A handler's name taken apart. */
struct target {
  struct element *element; /* NULL: a global handler, or no such element */
  bool global;
  struct slice element_name, handler_name;
  const struct handler *handler; /* NULL: no such handler */
  void *owner;
};

/* "element.handler"; an element may also be given by its number in `list`, from 1, as in Click. */
static struct target resolve(struct router *router, struct slice name) {
  struct target target = {.handler_name = name};
  const char *dot = name.length ? memchr(name.data, '.', name.length) : NULL;
  if (!dot) {
    target.global = true;
    target.handler = router_handler_find(name);
    target.owner = router;
    return target;
  }
  size_t before = (size_t)(dot - name.data);
  target.element_name = (struct slice){name.data, before};
  target.handler_name = (struct slice){dot + 1, name.length - before - 1};
  int64_t index = name_table_find(&router->config.names, target.element_name);
  uint64_t number;
  if (index < 0 && slice_to_u64(target.element_name, router->element_count, &number) == 0) index = (int64_t)number - 1;
  if (index < 0) return target;
  target.element = router->elements[index];
  target.handler = element_handler_find(target.element, target.handler_name);
  target.owner = target.element;
  return target;
}

static int shown_length(struct slice s) { return s.length < 100 ? (int)s.length : 100; }

/* Names are the client's bytes: what does not print is not repeated. */
static bool printable(struct slice s) {
  for (size_t i = 0; i < s.length; i++) {
    if (s.data[i] < ' ' || s.data[i] > '~') return false;
  }
  return true;
}

static int not_found(const struct target *target, struct report *report) {
  if (!printable(target->element_name) || !printable(target->handler_name)) {
    return report_error(report, ERROR_NOT_FOUND, "no handler has a name with such characters");
  }
  if (target->global) {
    return report_error(report, ERROR_NOT_FOUND, "no handler named '%.*s'; read 'handlers' for those there are",
                        shown_length(target->handler_name), target->handler_name.data);
  }
  if (!target->element) {
    return report_error(report, ERROR_NOT_FOUND, "no element named '%.*s'; read 'list' for those there are",
                        shown_length(target->element_name), target->element_name.data);
  }
  struct text names = {0};
  const struct element *e = target->element;
  for (const struct handler *h = e->class->handlers; h && h->name; h++)
    text_addf(&names, "%s%s", names.length ? ", " : "", h->name);
  for (const struct handler *h = element_standard_handlers; h->name; h++) {
    if (has_standard(e, h)) text_addf(&names, "%s%s", names.length ? ", " : "", h->name);
  }
  int result =
      report_error(report, ERROR_NOT_FOUND, "no handler named '%.*s'; '%s' has: %s", shown_length(target->handler_name),
                   target->handler_name.data, e->name, text_string(&names));
  text_free(&names);
  return result;
}

static int not_permitted(struct slice name, const char *what, struct report *report) {
  return report_error(report, ERROR_PERMISSION, "handler '%.*s' is not %s", shown_length(name), name.data, what);
}

int router_read(struct router *router, struct slice name, struct slice parameter, struct text *out,
                struct report *report) {
  struct target target = resolve(router, name);
  if (!target.handler) return not_found(&target, report);
  if (!target.handler->read) return not_permitted(name, "readable", report);
  int result = target.handler->read(target.owner, target.handler, parameter, out, report);
  if (result == 0 && out->failed) return report_error(report, ERROR_NO_MEMORY, "no memory for the handler's value");
  return result;
}

int router_write(struct router *router, struct slice name, struct slice value, struct report *report) {
  struct target target = resolve(router, name);
  if (!target.handler) return not_found(&target, report);
  if (!target.handler->write) return not_permitted(name, "writable", report);
  return target.handler->write(target.owner, target.handler, value, report);
}

int router_check(struct router *router, struct slice name, bool write, bool *element_known) {
  struct target target = resolve(router, name);
  *element_known = target.element || (target.global && target.handler);
  if (!target.handler) return -ERROR_NOT_FOUND;
  bool allowed = write ? target.handler->write != NULL : target.handler->read != NULL;
  return allowed ? 0 : -ERROR_PERMISSION;
}
