/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reader of boot archives: cpio in the "newc" format (magic 070701), as Linux reads it for an initramfs: several archives
 * may follow one another, with zero bytes between and behind them. Nothing is copied: names and data are views into the
 * archive, which must outlive them. The archive is not trusted.
 */
#ifndef IMAGO_LIB_CPIO_H
#define IMAGO_LIB_CPIO_H

#include <stdbool.h>

#include "lib/report.h"

enum {
  CPIO_MAX_ENTRIES = 4096, /* in all archives that follow one another, directories included */
  CPIO_NAME_MAX = 256,     /* bytes of a name, with the NUL */
};

struct cpio_entry {
  struct slice name; /* relative, without "./" in front; a NUL follows it, so name.data is a C string too */
  struct slice data; /* aligned to 4 bytes in the archive unless empty; empty for a directory */
  uint32_t mode;     /* POSIX file type and permission bits */
  bool directory;    /* otherwise a regular file: there are no other kinds */
};

struct cpio_reader {
  struct slice archive;
  size_t position;
  unsigned entries;
  bool inside; /* between a header and the TRAILER!!! that must follow */
};

/* archive.data may be NULL when its length is 0: an archive without entries. */
void cpio_reader_init(struct cpio_reader *reader, struct slice archive);

/* Reads the next entry: 1 when there is one, 0 at the end. Errors, named in report (which may be NULL); the reader
 * then must not be used again:
 * -ERROR_INVALID: no newc header, a field that is not hexadecimal, a name that cpio_check_name refuses
 * -ERROR_TRUNCATED: header, name, data or TRAILER!!! reach beyond the end
 * -ERROR_TOO_BIG: over CPIO_MAX_ENTRIES or CPIO_NAME_MAX
 * -ERROR_UNSUPPORTED: links, devices, sockets, pipes; hard links without data */
int cpio_next(struct cpio_reader *reader, struct cpio_entry *entry, struct report *report) MUST_USE;

/* Finds the regular file of that name; of several the last, which is the one that would stay when the archive is
 * unpacked. Reads the whole archive. 0, -ERROR_NOT_FOUND (says nothing in report), or an error of cpio_next. */
int cpio_find(struct slice archive, const char *name, struct slice *data, struct report *report) MUST_USE;

/* 0 if the name (without the NUL) may stand in a boot archive: 1 to CPIO_NAME_MAX - 1 bytes, not absolute, no empty, "." or
 * ".." component, no control characters, not "TRAILER!!!". Otherwise -ERROR_TOO_BIG or -ERROR_INVALID. */
int cpio_check_name(struct slice name) MUST_USE;

#endif
