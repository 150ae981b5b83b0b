/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Configurations in ar(1) archives (Click's click(5), "Archives"): the member `config` is the Click text. Names may be those of GNU's
 * ar or BSD's. Other members are libraries that it requires; Click's packages of element code are not for us: classes are linked in.
 */
#ifndef IMAGO_CLICK_ARCHIVE_H
#define IMAGO_CLICK_ARCHIVE_H

#include "lib/report.h"
#include "lib/string.h"

/* The Click text of `source`: a part of it where that is an archive, which begins "!<arch>\n", and all of it otherwise. 0, or
 * -ERROR_INVALID or -ERROR_NOT_FOUND after reporting what is wrong with the archive, with `file` in front. */
int click_archive_config(const char *file, struct slice source, struct slice *config, struct report *report) MUST_USE;
/* The first member of that name. 0; -ERROR_NOT_FOUND without a report, also where `source` is no archive; or -ERROR_INVALID after one. */
int click_archive_find(const char *file, struct slice source, const char *wanted, struct slice *data,
                       struct report *report) MUST_USE;

#endif
