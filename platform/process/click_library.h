/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where require(library NAME) finds its file on a host.
 */
#ifndef IMAGO_PLATFORM_PROCESS_CLICK_LIBRARY_H
#define IMAGO_PLATFORM_PROCESS_CLICK_LIBRARY_H

#include "lib/report.h"
#include "lib/text.h"

/* For struct click_language: `context` is the CLICKPATH, directories with ':' between, or NULL for the environment's. A relative name
 * is looked for beside the file that requires it, then in each directory, there under "conf", too. */
int click_library_find(void *context, const char *name, const char *from, struct text *source, char **file,
                       struct report *report);

#endif
