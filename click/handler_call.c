/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading and writing handlers by name: "element.handler", "3.handler", "handler".
 */
#include "click/handlers.h"
#include "click/reconfigure.h"

static const struct handler *find_in(const struct handler *table, struct slice name) {
  for (; table && table->name; table++) {
    if (slice_equals(name, table->name)) return table;
  }
  return NULL;
}

const struct handler *element_handler_find(struct element *e, struct slice name) {
  const struct handler *found = find_in(e->class->handlers, name);
  if (found) return found;
  for (const struct handler *h = element_standard_handlers; h->name; h++) {
    if (slice_equals(name, h->name) && element_has_standard(e, h)) return h;
  }
  return e->class->handler_find ? e->class->handler_find(e, name) : NULL;
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
    target.handler = find_in(router->services->handlers, name);
    target.owner = target.handler ? router->services->handlers_owner : router;
    if (!target.handler) target.handler = router_handler_find(name);
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
    if (element_has_standard(e, h)) text_addf(&names, "%s%s", names.length ? ", " : "", h->name);
  }
  const struct handler *own;
  for (uint32_t i = 0; e->class->handler_at && (own = e->class->handler_at(target->element, i)); i++)
    text_addf(&names, "%s%s", names.length ? ", " : "", own->name);
  int result =
      report_error(report, ERROR_NOT_FOUND, "no handler named '%.*s'; '%s' has: %s", shown_length(target->handler_name),
                   target->handler_name.data, e->name, text_string(&names));
  text_free(&names);
  return result;
}

static int not_permitted(struct slice name, const char *what, struct report *report) {
  return report_error(report, ERROR_PERMISSION, "handler '%.*s' is not %s", shown_length(name), name.data, what);
}

/* Handlers that call handlers use the stack for each: what goes round in a circle must end. */
static int enter(struct router *router, struct slice name, struct report *report) {
  if (__atomic_fetch_add(&router->handler_depth, 1, __ATOMIC_RELAXED) < ROUTER_HANDLER_DEPTH) return 0;
  return report_error(report, ERROR_TOO_BIG, "handler '%.*s': handlers call one another over %d deep",
                      shown_length(name), name.data, ROUTER_HANDLER_DEPTH);
}

/* Handlers of elements run alone; those of the system know what they touch. */
static void exclude(const struct router *router, const struct target *target, bool begin) {
  if (target->element && router->services->exclusive) router->services->exclusive(begin);
}

static void leave(struct router *router) { __atomic_fetch_sub(&router->handler_depth, 1, __ATOMIC_RELAXED); }

int router_read(struct router *router, struct slice name, struct slice parameter, struct text *out,
                struct report *report) {
  struct target target = resolve(router, name);
  if (!target.handler) return not_found(&target, report);
  if (!target.handler->read) return not_permitted(name, "readable", report);
  int result = enter(router, name, report);
  exclude(router, &target, true);
  if (result == 0) result = target.handler->read(target.owner, target.handler, parameter, out, report);
  exclude(router, &target, false);
  leave(router);
  if (result == 0 && out->failed) return report_error(report, ERROR_NO_MEMORY, "no memory for the handler's value");
  return result;
}

int router_write(struct router *router, struct slice name, struct slice value, struct report *report) {
  struct target target = resolve(router, name);
  if (!target.handler) return not_found(&target, report);
  if (!target.handler->write) return not_permitted(name, "writable", report);
  int result = enter(router, name, report);
  exclude(router, &target, true);
  if (result == 0) result = target.handler->write(target.owner, target.handler, value, report);
  const char *argument = target.handler->argument;
  if (result == 0 && argument) result = reconfigure_note(target.element, argument, value, report);
  exclude(router, &target, false);
  leave(router);
  return result;
}

bool handler_exists(struct router *router, struct slice name, bool write) {
  struct target target = resolve(router, name);
  return target.handler && (write ? target.handler->write != NULL : target.handler->read != NULL);
}

int router_check(struct router *router, struct slice name, bool write, bool *element_known) {
  struct target target = resolve(router, name);
  *element_known = target.element || (target.global && target.handler);
  if (!target.handler) return -ERROR_NOT_FOUND;
  bool allowed = write ? target.handler->write != NULL : target.handler->read != NULL && !target.handler->local;
  return allowed ? 0 : -ERROR_PERMISSION;
}

/* "outer/inner/" of "outer/inner/name" first, "" last. */
static void resolve_element(struct element *context, struct slice name, size_t dot, struct text *full) {
  const struct name_table *names = &context->router->config.names;
  size_t scope = strlen(context->name);
  while (scope > 0) {
    while (scope > 0 && context->name[scope - 1] != '/')
      scope--;
    text_clear(full);
    text_add_bytes(full, context->name, scope);
    text_add_bytes(full, name.data, dot);
    if (name_table_find(names, (struct slice){text_string(full), full->length}) >= 0) break;
    if (scope > 0) scope--; /* the '/' */
  }
  text_add_bytes(full, name.data + dot, name.length - dot);
}

void handler_name_resolve(struct element *context, struct slice name, struct text *full) {
  const char *dot = name.length ? memchr(name.data, '.', name.length) : NULL;
  if (dot == name.data && dot) {
    text_add_bytes(full, name.data + 1, name.length - 1);
  } else if (dot) {
    resolve_element(context, name, (size_t)(dot - name.data), full);
  } else {
    if (element_handler_find(context, name)) text_addf(full, "%s.", context->name);
    text_add_slice(full, name);
  }
}
