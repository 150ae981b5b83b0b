/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What commands share: their way of speaking to the user.
 */
#include "tools/command.h"

#include <stdio.h>
#include <string.h>

int command_fail(const char *command, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: ", command);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return 1;
}

int command_usage(const char *command, const char *format, ...) {
  if (format != NULL) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
  }
  fprintf(stderr, "%s: try '%s --help'\n", command, command);
  return 1;
}

int command_report(const char *command, struct report *report) {
  int status = report->errors > 0;
  for (const char *line = text_string(&report->text); *line != '\0';) {
    size_t length = strcspn(line, "\n");
    if (*line != ' ') fprintf(stderr, "%s: ", command);
    fprintf(stderr, "%.*s\n", (int)length, line);
    line += length + (line[length] == '\n');
  }
  report_free(report);
  return status;
}

int command_help(const char *text) {
  fputs(text, stdout);
  return 0;
}
