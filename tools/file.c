/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whole files in and out, and paths.
 */
#include "tools/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, size_t limit, struct text *out, struct report *report) {
  bool standard = strcmp(path, "-") == 0;
  int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return report_error(report, ERROR_NOT_FOUND, "%s: %s", path, strerror(errno));
  int error = 0;
  size_t before = out->length;
  for (;;) {
    char bytes[65536];
    ssize_t got = read(fd, bytes, sizeof(bytes));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error = report_error(report, ERROR_IO, "%s: %s", path, strerror(errno));
      break;
    }
    if (out->length - before + (size_t)got > limit) {
      error = report_error(report, ERROR_TOO_BIG, "%s: larger than %zu bytes", path, limit);
      break;
    }
    text_add_bytes(out, bytes, (size_t)got);
  }
  if (!standard) close(fd);
  if (error == 0 && out->failed) error = report_error(report, ERROR_NO_MEMORY, "%s: no memory for it", path);
  return error;
}

int file_write(const char *path, const void *bytes, size_t length, struct report *report) {
  struct text temporary = {0};
  text_addf(&temporary, "%s.new", path);
  if (temporary.failed) return report_error(report, ERROR_NO_MEMORY, "%s: no memory", path);
  int error = 0;
  int fd = open(temporary.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) {
    error = report_error(report, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    goto done;
  }
  bool good = true;
  for (size_t at = 0; good && at < length;) {
    ssize_t put = write(fd, (const char *)bytes + at, length - at);
    if (put > 0) at += (size_t)put;
    good = put > 0 || (put < 0 && errno == EINTR);
  }
  good = close(fd) == 0 && good;
  if (!good || rename(temporary.data, path) != 0) {
    error = report_error(report, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    unlink(temporary.data);
  }
done:
  text_free(&temporary);
  return error;
}

size_t file_size(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 ? (size_t)status.st_size : 0;
}

const char *path_base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

bool path_has_suffix(const char *path, const char *suffix) {
  size_t length = strlen(path), tail = strlen(suffix);
  return length > tail && strcmp(path + length - tail, suffix) == 0 && path[length - tail - 1] != '/';
}
