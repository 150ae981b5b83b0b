/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reports: messages as lines of text. A line is kept whole or not at all.
 */
#include "lib/report.h"

static void add_line(struct report *report, const char *kind, const char *format, va_list arguments) {
  struct text *text = &report->text;
  size_t before = text->length;
  if (report->prefix != NULL) text_add(text, report->prefix);
  text_add(text, kind);
  text_addf_list(text, format, arguments);
  text_add(text, "\n");
  if ((text->failed || text->length > REPORT_MAX_TEXT) && text->data != NULL) {
    text->length = before;
    text->data[before] = '\0';
  }
}

int report_error(struct report *report, enum error code, const char *format, ...) {
  if (report != NULL) {
    va_list arguments;
    va_start(arguments, format);
    add_line(report, "", format, arguments);
    va_end(arguments);
    report->errors++;
  }
  return -(int)code;
}

void report_warning(struct report *report, const char *format, ...) {
  if (report == NULL) return;
  va_list arguments;
  va_start(arguments, format);
  add_line(report, "warning: ", format, arguments);
  va_end(arguments);
  report->warnings++;
}

void report_note(struct report *report, const char *format, ...) {
  if (report == NULL) return;
  va_list arguments;
  va_start(arguments, format);
  add_line(report, "", format, arguments);
  va_end(arguments);
}

void report_free(struct report *report) {
  text_free(&report->text);
  *report = (struct report){0};
}

void report_append(struct report *report, const struct report *part) {
  if (report == NULL) return;
  if (report->text.length + part->text.length <= REPORT_MAX_TEXT)
    text_add_bytes(&report->text, part->text.data, part->text.length);
  report->errors += part->errors;
  report->warnings += part->warnings;
}
