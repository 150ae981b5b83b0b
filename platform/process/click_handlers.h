/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The handlers that the driver reads when it has stopped: -h and -x.
 */
#ifndef IMAGO_PLATFORM_PROCESS_CLICK_HANDLERS_H
#define IMAGO_PLATFORM_PROCESS_CLICK_HANDLERS_H

#include <stdio.h>

#include "lib/report.h"

/* Prints the value of each: "handler", "element.handler", or several by pattern ("*.count") or class ("Counter.count"). When more than
 * one may come, each stands under its name. 0, or a negative code when one could not be read; the others are printed. */
int click_read_handlers(const char *const *names, unsigned count, FILE *out, struct report *report);
/* "element.handler [parameter]": its value, a number or a truth (true: 0, false: 1), as exit status. 255 when there is none. */
int click_exit_status(const char *call, struct report *report);

#endif
