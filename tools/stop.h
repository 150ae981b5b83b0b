/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ending a run: by its handler `stop`, or by signals.
 */
#ifndef IMAGO_TOOLS_STOP_H
#define IMAGO_TOOLS_STOP_H

#include "tools/rundir.h"

enum { STOP_TIMEOUT_MS = 5000 };

/* Asks the run to end and waits until its process has. 0; a negative code, reported, when it does not answer or does not end in
 * time: it may run still. */
int stop_clean(const struct rundir *dir, const struct run_status *run, uint32_t timeout_ms,
               struct report *report) MUST_USE;
/* SIGTERM, then SIGKILL after a second. Needs nothing of the guest. */
int stop_force(const struct run_status *run, struct report *report) MUST_USE;

#endif
