/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The files of dumps, whatever their format: opened for reading, compressed or not; and written so that a hot swap neither loses nor
 * repeats anything, the graph that comes going on with the file of the one that goes.
 */
#ifndef IMAGO_PLATFORM_PROCESS_DUMP_FILE_H
#define IMAGO_PLATFORM_PROCESS_DUMP_FILE_H

#include <stdio.h>

#include "lib/report.h"

struct element;

/* Opens for reading; "-" is standard input, which is taken as it is. A regular file that is compressed with gzip or bzip2 reads as what
 * it holds; other compressions are refused, naming the program that helps. NULL after reporting. */
FILE *dump_file_open(const char *path, struct report *report) MUST_USE;
/* Closes all but standard input; NULL is allowed. */
void dump_file_close(FILE *file);
/* Length of the file, or -1 where nobody knows: a pipe, or a compressed one. */
int64_t dump_file_size(FILE *file);

/* A file that an element writes. Invariant: file is NULL when nothing is written (any more). */
struct dump_output {
  FILE *file;
  int fd;     /* below `file`; -1: standard output */
  bool begun; /* emptied, and its header written */
};

/* Opens for writing; "-" is standard output; names that end in .gz or .bz2 are compressed. What is in the file stays there until
 * dump_output_begin. 0, or a negative code after reporting. */
int dump_output_open(struct dump_output *output, const char *path, struct report *report) MUST_USE;
/* Empties the file, for `commit`: true when it is new, and wants its header. */
bool dump_output_begin(struct dump_output *output);
/* Takes over an open file, for `take_state`. */
void dump_output_take(struct dump_output *output, struct dump_output *from);
/* Writes; false after an error, which is logged, with the file closed. */
bool dump_output_write(struct dump_output *output, const void *bytes, size_t length, const struct element *e,
                       const char *path);
/* Logs errno's error in the name of e and closes the file. */
void dump_output_fail(struct dump_output *output, const struct element *e, const char *path, const char *doing);
/* Closes; what fails then is logged. */
void dump_output_close(struct dump_output *output, const struct element *e, const char *path);

#endif
