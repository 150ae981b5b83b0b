/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a configuration to a running graph, and back.
 */
#include "click/router.h"

#include "click/graph.h"
#include "lib/memory.h"

enum { MAX_CLASS_ERRORS = 50 };

/* --- classes --- */

static int unknown_class(const struct router *router, const struct click_declaration *declaration,
                         struct report *report) {
  const struct click_config *config = &router->config;
  const struct landmark *at = &declaration->at;
  struct nearest nearest;
  nearest_init(&nearest, slice_of(declaration->class_name));
  const struct element_class *class = element_class_nearest(declaration->class_name);
  if (class) nearest_consider(&nearest, class->name);
  for (uint32_t i = 0; declaration->bare && i < config->declaration_count; i++) {
    if (&config->declarations[i] != declaration && !config->declarations[i].bare)
      nearest_consider(&nearest, config->declarations[i].name);
  }
  /* A lone word that begins in lower case was meant to be an element. */
  bool element = declaration->bare && (!class || nearest.best != class->name) &&
                 !(declaration->class_name[0] >= 'A' && declaration->class_name[0] <= 'Z');
  const char *what = element ? "undeclared element" : "unknown element class";
  if (router->replaces && !router->services->host && !element) {
    return report_error(report, ERROR_NOT_FOUND,
                        "%s:%u: element class '%s' is not in this image; rebuild with imago build", at->file, at->line,
                        declaration->class_name);
  }
  if (nearest.best) {
    return report_error(report, ERROR_NOT_FOUND, "%s:%u: %s '%s'; did you mean '%s'?", at->file, at->line, what,
                        declaration->class_name, nearest.best);
  }
  if (element) {
    return report_error(report, ERROR_NOT_FOUND, "%s:%u: %s '%s'; declare it: %s :: CLASS", at->file, at->line, what,
                        declaration->class_name, declaration->class_name);
  }
  if (router->services->host) {
    return report_error(report, ERROR_NOT_FOUND, "%s:%u: %s '%s'; imago elements lists those there are", at->file,
                        at->line, what, declaration->class_name);
  }
  return report_error(report, ERROR_NOT_FOUND, "%s:%u: %s '%s' is not in this image; rebuild it with imago build",
                      at->file, at->line, what, declaration->class_name);
}

/* As in Click an element is not called what a class is called. Anonymous elements have an '@'. */
static int check_name(const struct click_declaration *declaration, struct report *report) {
  const char *slash = strrchr(declaration->name, '/'), *name = slash ? slash + 1 : declaration->name;
  if (!element_class_find(name)) return 0;
  return report_error(report, ERROR_INVALID, "%s:%u: class '%s' used as element name", declaration->at.file,
                      declaration->at.line, name);
}

/* Every class that is not linked, each once. */
static int check_classes(const struct router *router, struct report *report) {
  const struct click_config *config = &router->config;
  struct name_table reported = {0};
  int result = 0;
  for (uint32_t i = 0; i < config->declaration_count && reported.count < MAX_CLASS_ERRORS; i++) {
    const struct click_declaration *declaration = &config->declarations[i];
    int named = check_name(declaration, report);
    if (named) result = named;
    if (element_class_find(declaration->class_name)) continue;
    int added = name_table_add(&reported, slice_of(declaration->class_name), 0);
    if (added == -ERROR_NO_MEMORY) result = added;
    if (added == 0) result = unknown_class(router, declaration, report);
  }
  name_table_free(&reported);
  return result;
}

/* --- elements --- */

static struct element *make_element(struct router *router, uint32_t index) {
  const struct click_declaration *declaration = &router->config.declarations[index];
  const struct element_class *class = element_class_find(declaration->class_name);
  size_t size = class->size > sizeof(struct element) ? class->size : sizeof(struct element);
  struct element *e = memory_alloc(size);
  if (!e) return NULL;
  e->class = class;
  e->router = router;
  e->services = router->services;
  e->name = declaration->name;
  e->config = declaration->arguments;
  e->at = declaration->at;
  e->index = index;
  e->push = class->push ? class->push : class->simple ? element_simple_push : NULL;
  e->pull = class->pull ? class->pull : class->simple ? element_simple_pull : NULL;
  size_t drops = 0;
  while (class->drops && class->drops[drops])
    drops++;
  if (drops) e->drops = memory_alloc(drops * sizeof *e->drops);
  if (drops && !e->drops) {
    memory_free(e);
    return NULL;
  }
  return e;
}

static void free_element(struct element *e) {
  args_release(e->class->arguments, e);
  memory_free(e->inputs);
  memory_free(e->outputs);
  memory_free(e->drops);
  memory_free(e);
}

static int make_elements(struct router *router) {
  uint32_t room = router->config.declaration_count + 1;
  router->elements = memory_alloc(room * sizeof(struct element *));
  router->placement = memory_alloc(room * sizeof *router->placement);
  if (!router->elements || !router->placement) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < router->config.declaration_count; i++) {
    router->elements[i] = make_element(router, i);
    if (!router->elements[i]) return -ERROR_NO_MEMORY;
    router->element_count++;
  }
  return 0;
}

/* A port whose kind the class has no code for is a mistake in the class. */
static int check_code(const struct element *e, struct report *report) {
  bool good = true;
  for (uint32_t i = 0; i < e->input_count; i++)
    good = good && (e->inputs[i].pull || e->push);
  for (uint32_t i = 0; i < e->output_count; i++)
    good = good && (!e->outputs[i].pull || e->pull);
  if (good) return 0;
  return report_error(report, ERROR_INVALID,
                      "%s:%u: '%s :: %s' is used push or pull where its class has no code for it", e->at.file,
                      e->at.line, e->name, e->class->name);
}

static int configure(struct element *e, struct report *report) {
  struct args rest = {0};
  if (e->class->defaults) e->class->defaults(e);
  int result = args_parse_in(e, e->config, e->class->arguments, e, e->class->takes_rest ? &rest : NULL, report);
  if (result == 0 && e->class->configure) result = e->class->configure(e, &rest, report);
  args_free(&rest);
  return result;
}

static int initialize(struct element *e, struct report *report) {
  return e->class->initialize ? e->class->initialize(e, report) : 0;
}

/* Adds the lines and counts of `part` to `report`. */
static void append_report(struct report *report, const struct report *part) {
  if (report->text.length + part->text.length <= REPORT_MAX_TEXT)
    text_add_bytes(&report->text, part->text.data, part->text.length);
  report->errors += part->errors;
  report->warnings += part->warnings;
}

/* One step for every element of a phase, whichever fail. What an element says stands indented below a heading that names it; an
 * element that says nothing gets no heading. */
static int for_each_of(struct router *router, enum configure_phase phase, const char *doing,
                       int (*step)(struct element *, struct report *), struct report *report) {
  int result = 0;
  for (uint32_t i = 0; i < router->element_count; i++) {
    struct element *e = router->elements[i];
    if (e->class->phase != phase) continue;
    struct report own = {.prefix = "  "};
    int error = step(e, &own);
    if (error && own.errors == 0) report_error(&own, (enum error)(-error), "%s", error_text(error));
    if (own.text.length > 0) {
      report_note(report, "%s:%u: While %s '%s :: %s':", e->at.file, e->at.line, doing, e->name, e->class->name);
      append_report(report, &own);
    }
    report_free(&own);
    if (error) result = error;
  }
  return result;
}

static int for_each(struct router *router, const char *doing, int (*step)(struct element *, struct report *),
                    struct report *report) {
  int result = 0;
  for (enum configure_phase phase = CONFIGURE_INFO; phase <= CONFIGURE_LAST; phase++) {
    int error = for_each_of(router, phase, doing, step, report);
    if (error) result = error;
  }
  return result;
}

static int build(struct router *router, const char *file, struct slice source, struct report *report) {
  int result = click_parse_with(file, source, router->services->language, &router->config, report);
  if (result) return result;
  result = check_classes(router, report);
  if (result) return result;
  result = make_elements(router);
  if (result) return result;
  result = graph_count_ports(router, report);
  if (result) return result;
  /* What is wrong with kinds of ports and with arguments is all told in one run. */
  int resolved = graph_resolve(router, report), connected = graph_connect(router, report);
  result = resolved ? resolved : connected;
  for (uint32_t i = 0; i < router->element_count && result == 0; i++)
    result = check_code(router->elements[i], report);
  int configured = for_each(router, "configuring", configure, report);
  if (result == 0) result = configured;
  if (result == 0) result = for_each(router, "initializing", initialize, report);
  if (result) report_note(report, "Router could not be initialized!");
  return result;
}

static void commit(struct router *router) {
  for (uint32_t i = 0; i < router->element_count; i++) {
    struct element *e = router->elements[i];
    if (e->class->commit) e->class->commit(e);
  }
}

int router_create_beside(struct router *running, const char *file, struct slice source, const struct services *services,
                         struct scheduler *scheduler, struct router **router, struct report *report) {
  struct router *made = memory_alloc(sizeof *made);
  if (!made) return report_error(report, ERROR_NO_MEMORY, "%s: no memory for the router", file);
  made->services = services;
  made->scheduler = scheduler;
  made->replaces = running;
  made->source = memory_copy_string(source.data, source.length);
  made->source_text = (struct slice){made->source, source.length};
  struct report unread = {0};
  struct report *used = report ? report : &unread;
  unsigned errors = used->errors;
  int result = made->source ? build(made, file, source, used) : -ERROR_NO_MEMORY;
  if (result && used->errors == errors) report_error(used, (enum error)(-result), "%s: %s", file, error_text(result));
  report_free(&unread);
  if (result) {
    router_destroy(made);
    return result;
  }
  if (!running) commit(made);
  *router = made;
  return 0;
}

int router_create(const char *file, struct slice source, const struct services *services, struct scheduler *scheduler,
                  struct router **router, struct report *report) {
  return router_create_beside(NULL, file, source, services, scheduler, router, report);
}

static struct element *same_element(struct router *router, const struct element *e) {
  struct element *other = router ? router_find(router, e->name) : NULL;
  return other && other->class == e->class ? other : NULL;
}

struct element *router_predecessor(const struct element *e) {
  return same_element(e->router->replaces, e);
}

/* What was dropped under a name stays counted. */
static void take_drops(struct element *e, const struct element *before) {
  for (size_t i = 0; e->class->drops && e->class->drops[i]; i++)
    counter_add(&e->drops[i], counter_read(&before->drops[i]));
}

void router_replace(struct router *old, struct router *next, struct report *report) {
  for (uint32_t i = 0; i < next->element_count; i++) {
    struct element *e = next->elements[i], *before = same_element(old, e);
    if (!before) continue;
    take_drops(e, before);
    if (e->class->take_state) e->class->take_state(e, before, report);
  }
  commit(next);
  next->replaces = NULL;
}

void router_destroy(struct router *router) {
  for (unsigned i = 0; i < router_workers(router); i++)
    scheduler_forget(&router->scheduler[i], router);
  /* Last made, first gone. All exist until all are cleaned up: they may take themselves off each other's lists. */
  for (uint32_t i = router->element_count; i > 0; i--) {
    struct element *e = router->elements[i - 1];
    if (e->class->cleanup) e->class->cleanup(e);
  }
  while (router->element_count > 0)
    free_element(router->elements[--router->element_count]);
  memory_free(router->elements);
  memory_free(router->placement);
  address_book_free(router->addresses);
  click_config_free(&router->config);
  memory_free(router->source);
  memory_free(router);
}

bool router_stop_asked(struct router *router) {
  return router->stop_manager == NULL || router->stop_asked(router->stop_manager);
}

unsigned router_workers(const struct router *router) {
  return router->services->workers > 0 ? router->services->workers : 1;
}

struct scheduler *router_scheduler(struct router *router, const struct element *e) {
  return &router->scheduler[router->placement[e->index].worker];
}

struct element *router_find(struct router *router, const char *name) {
  int index = click_config_find(&router->config, name);
  return index < 0 ? NULL : router->elements[index];
}

struct element *router_find_in(const struct element *context, const char *name) {
  char full[CLICK_MAX_FULL_NAME];
  size_t scope = strlen(context->name), length = strlen(name);
  if (length > sizeof full || scope > sizeof full - length) return NULL;
  memcpy(full, context->name, scope);
  for (;;) {
    while (scope > 0 && full[scope - 1] != '/')
      scope--;
    for (size_t i = 0; i < length; i++)
      full[scope + i] = name[i]; /* a slice of a path, without a NUL */
    int64_t index = name_table_find(&context->router->config.names, (struct slice){full, scope + length});
    if (index >= 0) return context->router->elements[index];
    if (scope == 0) return NULL;
    memcpy(full, context->name, scope); /* the name was written over it */
    scope--;
  }
}
