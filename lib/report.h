/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a function that reads somebody's input says what is wrong with it: what, where, and what to do. The caller
 * supplies the report and decides where the lines go (standard error, a ControlSocket reply, the log).
 */
#ifndef IMAGO_LIB_REPORT_H
#define IMAGO_LIB_REPORT_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/error.h"
#include "lib/text.h"

enum report_level { REPORT_ERROR, REPORT_WARNING, REPORT_NOTE };

/* Collects messages as lines of text in order, and counts them. Zero-initialised is valid. Messages beyond
 * REPORT_MAX_TEXT bytes are counted but not kept. */
#define REPORT_MAX_TEXT 65536
struct report {
  struct text text; /* whole lines, each ends in '\n' */
  unsigned errors;
  unsigned warnings;
  const char *prefix; /* put before each line when not NULL, for instance "  " under a heading; not owned */
};

/* Adds one message (without '\n' at the end) and returns -code, so that one can `return report_error(r, ERROR_INVALID, ...)`.
 * report may be NULL: then only the code is returned. Warnings get "warning: " in front. */
int report_error(struct report *report, enum error code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void report_warning(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line that is neither error nor warning: context headings. */
void report_note(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds the lines (whole, or not at all) and counts of `part`, which stays as it is. */
void report_append(struct report *report, const struct report *part);
void report_free(struct report *report);

#endif
