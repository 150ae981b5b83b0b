/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing `config`: a scratch element takes the whole way of a new one, arguments and configure, before the running one changes.
 */
#include "click/reconfigure.h"

#include "click/router.h"
#include "lib/memory.h"

/* Configures the scratch element from the new text, and lets the class take over what it can. */
static int configure_and_take(struct element *e, struct element *next, struct report *report) {
  struct args rest = {0};
  if (e->class->defaults) e->class->defaults(next);
  int result =
      args_parse_in(next, next->config, e->class->arguments, next, e->class->takes_rest ? &rest : NULL, report);
  if (result == 0 && e->class->configure) result = e->class->configure(next, &rest, report);
  if (result == 0) result = e->class->reconfigure(e, next, report);
  args_free(&rest);
  return result;
}

/* Takes `config`. */
static void set_config(struct element *e, char *config) {
  char *old = e->config;
  e->config = config;
  e->router->config.declarations[e->index].arguments = config;
  memory_free(old);
}

int reconfigure_note(struct element *e, const char *argument, struct slice value, struct report *report) {
  struct text text = {0};
  int result = args_replace(e->config, e->class->arguments, argument, slice_trim(value), &text);
  char *config = result == 0 ? memory_copy_string(text_string(&text), text.length) : NULL;
  text_free(&text);
  if (!config) return report_error(report, ERROR_NO_MEMORY, "config: no memory for the new text");
  set_config(e, config);
  return 0;
}

int reconfigure_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct element *e = owner;
  if (value.length > 0 && memchr(value.data, '\0', value.length)) {
    return report_error(report, ERROR_INVALID, "a configuration cannot hold a zero byte");
  }
  size_t size = e->class->size > sizeof *e ? e->class->size : sizeof *e;
  char *config = memory_copy_string(value.data, value.length);
  struct element *next = memory_alloc(size);
  int result = -ERROR_NO_MEMORY;
  if (config && next) {
    *next = *e; /* name, place, ports: what configure may look at */
    next->config = config;
    result = configure_and_take(e, next, report);
    if (e->class->cleanup) e->class->cleanup(next);
    args_release(e->class->arguments, next);
  }
  if (result == 0) {
    set_config(e, config);
  } else {
    memory_free(config);
  }
  memory_free(next);
  return result;
}

int reconfigure_arguments(struct element *e, struct element *next, struct report *report) {
  args_exchange(e->class->arguments, e, next);
  return 0;
}
