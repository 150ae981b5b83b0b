/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading handlers by name and pattern for -h, and one for -x.
 */
#include "platform/process/click_handlers.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/system.h"

enum { EXIT_UNKNOWN = 255 };

/* "element.handler", or the handler alone for a global one. */
static void full_name(const struct element *e, struct slice handler, struct text *name) {
  if (e != NULL) text_addf(name, "%s.", e->name);
  text_add_slice(name, handler);
}

/* The end of a value is the end of a line; under a name, an empty line follows. */
static void print_value(const struct text *name, const struct text *value, bool named, FILE *out) {
  if (named) fprintf(out, "%s:\n", text_string(name));
  fwrite(text_string(value), 1, value->length, out);
  if (value->length > 0 && value->data[value->length - 1] != '\n') fputc('\n', out);
  if (named) fputc('\n', out);
}

static int read_one(const struct element *e, struct slice handler, bool named, FILE *out, struct report *report) {
  struct text name = {0}, value = {0};
  bool known;
  full_name(e, handler, &name);
  struct slice whole = {text_string(&name), name.length};
  int error = system_check(&the_system, whole, false, &known);
  if (error == -ERROR_PERMISSION) {
    error = report_error(report, ERROR_PERMISSION, "'%s' is a write handler", whole.data);
  } else if (error != 0) {
    error = report_error(report, ERROR_NOT_FOUND, "no '%s' handler", whole.data);
  } else {
    error = system_read(&the_system, whole, slice_of(""), &value, report);
    if (error == 0) print_value(&name, &value, named, out);
  }
  text_free(&name);
  text_free(&value);
  return error;
}

static bool readable(const struct element *e, struct slice handler) {
  struct text name = {0};
  bool known;
  full_name(e, handler, &name);
  int error = system_check(&the_system, (struct slice){text_string(&name), name.length}, false, &known);
  text_free(&name);
  return error == 0;
}

/* Every element that the pattern, or else the class, names; those without such a handler are passed over. */
static int read_several(const char *pattern, struct slice handler, FILE *out, struct report *report) {
  const struct router *router = the_system.router;
  bool wild = strpbrk(pattern, "*?[") != NULL, any = false;
  int error = 0;
  for (uint32_t i = 0; i < router->element_count; i++) {
    const struct element *e = router->elements[i];
    bool match = wild ? fnmatch(pattern, e->name, 0) == 0 : strcmp(pattern, e->class->name) == 0;
    any = any || match;
    if (match && readable(e, handler) && read_one(e, handler, true, out, report) != 0) error = -ERROR_INVALID;
  }
  if (any) return error;
  return report_error(report, ERROR_NOT_FOUND, wild ? "no element matching '%s'" : "no element '%s'", pattern);
}

static int read_named(const char *name, bool named, FILE *out, struct report *report) {
  const char *dot = strchr(name, '.');
  if (dot == NULL) return read_one(NULL, slice_of(name), named, out, report);
  struct text element = {0};
  text_add_bytes(&element, name, (size_t)(dot - name));
  const struct element *e = router_find(the_system.router, text_string(&element));
  int error = e != NULL ? read_one(e, slice_of(dot + 1), named, out, report)
                        : read_several(text_string(&element), slice_of(dot + 1), out, report);
  text_free(&element);
  return error;
}

int click_read_handlers(const char *const *names, unsigned count, FILE *out, struct report *report) {
  int error = 0;
  for (unsigned i = 0; i < count; i++) {
    if (read_named(names[i], count > 1, out, report) != 0) error = -ERROR_INVALID;
  }
  return error;
}

static bool is_one_of(const char *word, const char *const *words) {
  for (; *words != NULL; words++) {
    if (strcmp(word, *words) == 0) return true;
  }
  return false;
}

/* A whole number as C writes them, or a truth as Click writes them. */
static bool parse_status(const char *value, int *status) {
  static const char *const truths[] = {"true", "yes", "t", "y", NULL}, *const falsehoods[] = {"false", "no", "f", "n",
                                                                                              NULL};
  char *end;
  errno = 0;
  long number = strtol(value, &end, 0);
  if (end != value && *end == '\0' && errno == 0 && number >= INT_MIN && number <= INT_MAX) {
    *status = (int)number & 0xff;
  } else if (is_one_of(value, truths) || is_one_of(value, falsehoods)) {
    *status = is_one_of(value, truths) ? 0 : 1;
  } else {
    return false;
  }
  return true;
}

int click_exit_status(const char *call, struct report *report) {
  struct slice parameter = slice_of(call);
  struct slice name = slice_next_word(&parameter);
  struct text value = {0}, trimmed = {0};
  int status = EXIT_UNKNOWN;
  if (system_read(&the_system, name, slice_trim(parameter), &value, report) == 0) {
    text_add_slice(&trimmed, slice_trim((struct slice){text_string(&value), value.length}));
    if (!parse_status(text_string(&trimmed), &status)) {
      report_error(report, ERROR_INVALID, "exit handler value should be integer");
    }
  }
  text_free(&value);
  text_free(&trimmed);
  return status;
}
