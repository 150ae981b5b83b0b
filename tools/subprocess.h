/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Running another program to its end, with a deadline.
 */
#ifndef IMAGO_TOOLS_SUBPROCESS_H
#define IMAGO_TOOLS_SUBPROCESS_H

#include <stdint.h>

#include "lib/text.h"

enum { SUBPROCESS_NOT_FOUND = -1, SUBPROCESS_TIMEOUT = -2, SUBPROCESS_FAILED = -3 };

/* Runs values[0] (found on PATH) with `input` on its standard input, and appends what it says on standard output and error to
 * `output`, up to 64 KiB. Returns its exit status (128 + N after signal N), or one of the above; on timeout it is killed. */
int subprocess_run(char *const *values, const char *input, uint32_t timeout_ms, struct text *output);
/* A wait status as a shell's exit status. */
int subprocess_status(int wait_status);

#endif
