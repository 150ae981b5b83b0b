/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a run prints: its files `console` and `log`, line by line as they grow, with names behind code addresses and control
 * characters made visible (the text may quote packets, and it goes to a terminal).
 */
#ifndef IMAGO_TOOLS_OUTPUT_H
#define IMAGO_TOOLS_OUTPUT_H

#include <stdio.h>

#include "tools/rundir.h"
#include "tools/symbols.h"

enum { OUTPUT_FILES = 2 };

struct output {
  const struct rundir *dir; /* not owned */
  const struct symbols *symbols;
  int fds[OUTPUT_FILES];             /* console, log; -1 until the file is there */
  struct text partial[OUTPUT_FILES]; /* a line that has not ended yet */
};

void output_open(struct output *output, const struct rundir *dir, const struct symbols *symbols);
/* Prints the lines that have come since; true if there were any. */
bool output_poll(struct output *output, FILE *to);
/* Polls, then prints what remains without a line end, and closes. */
void output_close(struct output *output, FILE *to);

#endif
