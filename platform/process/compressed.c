/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Streams through gzip and bzip2: glibc's custom streams over the file functions of zlib and libbz2. zlib joins streams that follow one
 * another and seeks by itself; for bzip2 both are done here.
 */
#define _GNU_SOURCE /* fopencookie */
#include "platform/process/compressed.h"

#include <bzlib.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static const struct {
  const char *program, *magic;
  const char *ending; /* of names that are written so; NULL: it is not written */
} kinds[] = {
    [COMPRESSION_GZIP] = {"gzip", "\x1f\x8b", ".gz"},
    [COMPRESSION_BZIP2] = {"bzip2", "BZh", ".bz2"},
    [COMPRESSION_XZ] = {"xz", "\xfd\x37\x7a\x58", NULL},
    [COMPRESSION_ZSTD] = {"zstd", "\x28\xb5\x2f\xfd", NULL},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

enum compression compression_of(const uint8_t *bytes, size_t length) {
  for (unsigned i = 1; i < KINDS; i++) {
    size_t magic = strlen(kinds[i].magic);
    if (length >= magic && memcmp(bytes, kinds[i].magic, magic) == 0) return (enum compression)i;
  }
  return COMPRESSION_NONE;
}

enum compression compression_of_name(const char *path) {
  size_t length = strlen(path);
  for (unsigned i = 1; i < KINDS; i++) {
    size_t ending = kinds[i].ending != NULL ? strlen(kinds[i].ending) : 0;
    if (ending > 0 && length > ending && strcmp(path + length - ending, kinds[i].ending) == 0) {
      return (enum compression)i;
    }
  }
  return COMPRESSION_NONE;
}

int compression_refuse(enum compression kind, const char *path, struct report *report) {
  return report_error(report, ERROR_UNSUPPORTED, "%s: is compressed; pipe it in: %s -dc %s | ..., with the file name -",
                      path, kinds[kind].program, path);
}

static int failed(void) {
  if (errno == 0) errno = EIO;
  return -1;
}

/* --- gzip --- */

static ssize_t gzip_read(void *cookie, char *to, size_t size) {
  int status;
  errno = 0;
  int got = gzread(cookie, to, size < INT_MAX ? (unsigned)size : INT_MAX);
  if (got == 0) (void)gzerror(cookie, &status);
  return got < 0 || (got == 0 && status != Z_OK) ? failed() : got; /* Z_BUF_ERROR: cut off */
}

static int gzip_seek(void *cookie, off64_t *offset, int whence) {
  if (whence != SEEK_SET) return -1;
  *offset = gzseek(cookie, *offset, SEEK_SET);
  return *offset < 0 ? -1 : 0;
}

static int gzip_close(void *cookie) {
  errno = 0;
  return gzclose(cookie) == Z_OK ? 0 : failed();
}

static ssize_t gzip_write(void *cookie, const char *from, size_t size) {
  if (size == 0) return 0;
  errno = 0;
  int done = gzwrite(cookie, from, size < INT_MAX ? (unsigned)size : INT_MAX);
  if (done <= 0) (void)failed();
  return done > 0 ? done : 0; /* a custom stream says 0 for an error */
}

/* --- bzip2 --- */

struct bzip2 {
  FILE *file;
  BZFILE *stream; /* NULL: between two streams of the file */
  uint64_t position;
  char unused[BZ_MAX_UNUSED]; /* read, but behind the end of the last stream */
  int unused_length;
};

static void bzip2_end_stream(struct bzip2 *b) {
  int status;
  if (b->stream != NULL) BZ2_bzReadClose(&status, b->stream);
  b->stream = NULL;
}

/* Begins with the next stream. 1: there is one; 0: the end, or something else behind the last one, which bzip2 ignores, too. */
static int bzip2_next_stream(struct bzip2 *b) {
  int status;
  b->unused_length += (int)fread(b->unused + b->unused_length, 1, (size_t)(BZ_MAX_UNUSED - b->unused_length), b->file);
  if (ferror(b->file)) return -1;
  if (compression_of((const uint8_t *)b->unused, (size_t)b->unused_length) != COMPRESSION_BZIP2) return 0;
  b->stream = BZ2_bzReadOpen(&status, b->file, 0, 0, b->unused, b->unused_length);
  return status == BZ_OK ? 1 : failed();
}

static ssize_t bzip2_read(void *cookie, char *to, size_t size) {
  struct bzip2 *b = cookie;
  int status, got;
  errno = 0;
  do {
    int next = b->stream != NULL ? 1 : bzip2_next_stream(b);
    if (next <= 0) return next;
    got = BZ2_bzRead(&status, b->stream, to, size < INT_MAX ? (int)size : INT_MAX);
    if (status != BZ_OK && status != BZ_STREAM_END) return failed();
    if (status == BZ_STREAM_END) {
      void *unused;
      BZ2_bzReadGetUnused(&status, b->stream, &unused, &b->unused_length);
      memcpy(b->unused, unused, (size_t)b->unused_length);
      bzip2_end_stream(b);
    }
  } while (got == 0);
  b->position += (uint64_t)got;
  return got;
}

static int bzip2_seek(void *cookie, off64_t *offset, int whence) {
  struct bzip2 *b = cookie;
  char skipped[4096];
  if (whence != SEEK_SET || *offset < 0) return -1;
  if ((uint64_t)*offset < b->position) {
    bzip2_end_stream(b);
    rewind(b->file);
    b->position = 0;
    b->unused_length = 0;
  }
  while (b->position < (uint64_t)*offset) {
    uint64_t left = (uint64_t)*offset - b->position;
    if (bzip2_read(b, skipped, left < sizeof skipped ? (size_t)left : sizeof skipped) <= 0) return -1;
  }
  return 0;
}

static int bzip2_close(void *cookie) {
  struct bzip2 *b = cookie;
  bzip2_end_stream(b);
  int status = fclose(b->file);
  free(b);
  return status;
}

struct bzip2_writer {
  FILE *file;
  BZFILE *stream;
};

static ssize_t bzip2_write(void *cookie, const char *from, size_t size) {
  struct bzip2_writer *b = cookie;
  int status, length = size < INT_MAX ? (int)size : INT_MAX;
  errno = 0;
  BZ2_bzWrite(&status, b->stream, (void *)from, length);
  if (status != BZ_OK) (void)failed();
  return status == BZ_OK ? length : 0;
}

static int bzip2_finish(void *cookie) {
  struct bzip2_writer *b = cookie;
  int status;
  errno = 0;
  BZ2_bzWriteClose(&status, b->stream, 0, NULL, NULL);
  int closed = fclose(b->file);
  free(b);
  return status == BZ_OK && closed == 0 ? 0 : failed();
}

/* --- streams --- */

static FILE *gzip_open(int fd, const char *mode) {
  static const cookie_io_functions_t functions = {gzip_read, gzip_write, gzip_seek, gzip_close};
  gzFile gz = gzdopen(fd, mode);
  if (gz == NULL) close(fd);
  FILE *stream = gz != NULL ? fopencookie(gz, mode, functions) : NULL;
  if (gz != NULL && stream == NULL) gzclose(gz);
  return stream;
}

static FILE *bzip2_open_reader(int fd) {
  struct bzip2 *b = calloc(1, sizeof *b);
  FILE *file = fdopen(fd, "rb");
  static const cookie_io_functions_t functions = {bzip2_read, NULL, bzip2_seek, bzip2_close};
  FILE *stream = b != NULL && file != NULL ? fopencookie(b, "rb", functions) : NULL;
  if (stream != NULL) {
    b->file = file;
    return stream;
  }
  free(b);
  if (file != NULL) (void)fclose(file);
  if (file == NULL) close(fd);
  return NULL;
}

static FILE *bzip2_open_writer(int fd) {
  int status;
  struct bzip2_writer *b = calloc(1, sizeof *b);
  FILE *file = fdopen(fd, "wb");
  static const cookie_io_functions_t functions = {NULL, bzip2_write, NULL, bzip2_finish};
  if (b != NULL && file != NULL) b->stream = BZ2_bzWriteOpen(&status, file, 9, 0, 0);
  FILE *stream = b != NULL && b->stream != NULL ? fopencookie(b, "wb", functions) : NULL;
  if (stream != NULL) {
    b->file = file;
    return stream;
  }
  if (b != NULL && b->stream != NULL) BZ2_bzWriteClose(&status, b->stream, 1, NULL, NULL);
  free(b);
  if (file != NULL) (void)fclose(file);
  if (file == NULL) close(fd);
  return NULL;
}

FILE *compressed_reader(int fd, enum compression kind) {
  return kind == COMPRESSION_BZIP2 ? bzip2_open_reader(fd) : gzip_open(fd, "rb");
}

FILE *compressed_writer(int fd, enum compression kind) {
  return kind == COMPRESSION_BZIP2 ? bzip2_open_writer(fd) : gzip_open(fd, "wb");
}
