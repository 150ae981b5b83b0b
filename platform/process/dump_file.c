/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The files of dumps: opening by what they are, and an output's way from opened to emptied to closed.
 */
#include "platform/process/dump_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "click/element.h"
#include "platform/process/compressed.h"

static bool is_regular(int fd, struct stat *status) { return fstat(fd, status) == 0 && S_ISREG(status->st_mode); }

/* What a regular file begins with; only there can it be read once more. */
static enum compression compression_at(int fd) {
  struct stat status;
  uint8_t magic[COMPRESSION_MAGIC];
  ssize_t got = is_regular(fd, &status) ? pread(fd, magic, sizeof magic, 0) : 0;
  return compression_of(magic, got > 0 ? (size_t)got : 0);
}

FILE *dump_file_open(const char *path, struct report *report) {
  if (strcmp(path, "-") == 0) return stdin;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  enum compression kind = fd >= 0 ? compression_at(fd) : COMPRESSION_NONE;
  FILE *file = NULL;
  if (fd >= 0 && kind == COMPRESSION_NONE) file = fdopen(fd, "rb");
  if (kind == COMPRESSION_GZIP || kind == COMPRESSION_BZIP2) {
    file = compressed_reader(fd, kind);
  } else if (kind != COMPRESSION_NONE) {
    (void)compression_refuse(kind, path, report);
    close(fd);
    return NULL;
  }
  if (file == NULL) report_error(report, ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
  return file;
}

void dump_file_close(FILE *file) {
  if (file != NULL && file != stdin) (void)fclose(file);
}

int64_t dump_file_size(FILE *file) {
  struct stat status;
  return file != NULL && is_regular(fileno(file), &status) ? status.st_size : -1;
}

/* --- writing --- */

int dump_output_open(struct dump_output *output, const char *path, struct report *report) {
  *output = (struct dump_output){.file = stdout, .fd = -1};
  if (strcmp(path, "-") == 0) return 0;
  enum compression kind = compression_of_name(path);
  output->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (output->fd < 0) {
    output->file = NULL;
  } else {
    output->file = kind != COMPRESSION_NONE ? compressed_writer(output->fd, kind) : fdopen(output->fd, "wb");
  }
  return output->file != NULL ? 0 : report_error(report, ERROR_IO, "%s: %s", path, strerror(errno));
}

bool dump_output_begin(struct dump_output *output) {
  if (output->begun || output->file == NULL) return false;
  output->begun = true;
  if (output->fd >= 0) (void)!ftruncate(output->fd, 0); /* a pipe cannot be emptied, and need not */
  return true;
}

void dump_output_take(struct dump_output *output, struct dump_output *from) {
  if (output->file != NULL && output->file != stdout) (void)fclose(output->file);
  *output = *from;
  from->file = NULL;
}

void dump_output_fail(struct dump_output *output, const struct element *e, const char *path, const char *doing) {
  char line[256];
  size_t length = format_text(line, sizeof line, "%s: %.120s: %s: %s", e->name, path, doing, strerror(errno));
  e->services->log(LOG_ERROR, line, length < sizeof line ? length : sizeof line - 1);
  if (output->file != NULL && output->file != stdout) (void)fclose(output->file);
  output->file = NULL;
}

bool dump_output_write(struct dump_output *output, const void *bytes, size_t length, const struct element *e,
                       const char *path) {
  if (output->file == NULL) return false;
  if (length == 0 || fwrite(bytes, length, 1, output->file) == 1) return true;
  dump_output_fail(output, e, path, "cannot be written");
  return false;
}

void dump_output_close(struct dump_output *output, const struct element *e, const char *path) {
  FILE *file = output->file;
  output->file = NULL;
  errno = 0;
  if (file == NULL || (file == stdout ? fflush(stdout) : fclose(file)) == 0) return;
  dump_output_fail(output, e, path, "cannot be written to its end");
}
