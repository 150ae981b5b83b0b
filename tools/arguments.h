/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Argument vectors of other programs, and how they read in a shell.
 */
#ifndef IMAGO_TOOLS_ARGUMENTS_H
#define IMAGO_TOOLS_ARGUMENTS_H

#include "lib/text.h"

/* Arguments of a command; values[count] is NULL. Zero-initialised is empty. */
struct arguments {
  char **values;
  unsigned count, capacity;
  bool failed; /* memory ran out; nothing was lost but what came after */
};

void arguments_add(struct arguments *arguments, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arguments_free(struct arguments *arguments);
/* As a command for a POSIX shell: the program, then one option with its value a line, joined by backslashes; quoted where
 * needed. Ends in a newline. */
void arguments_to_shell(const struct arguments *arguments, struct text *out);
/* Appends word, in single quotes unless it holds only characters that no shell treats specially. */
void shell_quote(const char *word, struct text *out);

#endif
