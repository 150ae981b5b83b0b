/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whole files in and out, and paths.
 */
#ifndef IMAGO_TOOLS_FILE_H
#define IMAGO_TOOLS_FILE_H

#include "lib/report.h"

/* Appends the file's bytes ("-": standard input); more than `limit` is an error. The bytes are aligned to 16 if out was empty. */
int file_read(const char *path, size_t limit, struct text *out, struct report *report) MUST_USE;
/* Writes the file whole, by way of a temporary beside it: readers see the old one or the new one. */
int file_write(const char *path, const void *bytes, size_t length, struct report *report) MUST_USE;
/* Size in bytes, 0 when it is not there. */
size_t file_size(const char *path);

/* The part behind the last '/'. */
const char *path_base(const char *path);
/* True if path ends in suffix ("fw.click", ".click") and has something before it. */
bool path_has_suffix(const char *path, const char *suffix);

#endif
