/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Streams through gzip (RFC 1952) and bzip2, by zlib and libbz2: files that are read and written as if they were not compressed.
 */
#ifndef IMAGO_PLATFORM_PROCESS_COMPRESSED_H
#define IMAGO_PLATFORM_PROCESS_COMPRESSED_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/report.h"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_BZIP2, COMPRESSION_XZ, COMPRESSION_ZSTD };
enum { COMPRESSION_MAGIC = 6 }; /* bytes that tell one from the other */

/* What the first bytes of a file say. */
enum compression compression_of(const uint8_t *bytes, size_t length);
/* What the ending of a name says: .gz, .bz2. */
enum compression compression_of_name(const char *path);
/* Refuses a file that cannot be read so: names the program to pipe it through. Returns -ERROR_UNSUPPORTED. */
int compression_refuse(enum compression kind, const char *path, struct report *report);

/* A stream that reads what the file holds, of gzip or bzip2; several compressed streams one behind the other are one. It can be
 * positioned from the start on (SEEK_SET), at the cost of reading what lies before. A file that is damaged or cut off ends with an
 * error (ferror). NULL when there is no memory; fd is the stream's, and closed with it or at once. */
FILE *compressed_reader(int fd, enum compression kind) MUST_USE;
/* A stream that compresses what is written. fclose tells whether all of it got into the file. */
FILE *compressed_writer(int fd, enum compression kind) MUST_USE;

#endif
