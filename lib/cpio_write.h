/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writer of boot archives (newc cpio), for host tools and tests; lib/cpio.h is the reader. The same files give the same bytes:
 * owner, times and numbers are zero or counted.
 */
#ifndef IMAGO_LIB_CPIO_WRITE_H
#define IMAGO_LIB_CPIO_WRITE_H

#include "lib/report.h"

/* An archive in the making. Zero-initialised is valid; `bytes` is the archive so far, owned by the writer until
 * cpio_write_end, then by the caller (text_free). */
struct cpio_writer {
  struct text bytes;
  unsigned entries;
};

/* Adds a regular file with mode 0644. 0; -ERROR_INVALID or -ERROR_TOO_BIG for names that cpio_check_name refuses, for 4 GiB of
 * data and for too many entries, with a message in report; -ERROR_NO_MEMORY. */
int cpio_write_file(struct cpio_writer *writer, const char *name, const void *data, size_t length,
                    struct report *report) MUST_USE;

/* Adds the end mark. 0 or -ERROR_NO_MEMORY. */
int cpio_write_end(struct cpio_writer *writer, struct report *report) MUST_USE;

#endif
