/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files that a Click file requires.
 */
#include "platform/process/click_library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "click/config.h"
#include "lib/memory.h"

/* Reads the file if it is there. 0, -ERROR_NOT_FOUND, or another code after a report. */
static int read_file(const char *path, struct text *source, struct report *report) {
  char buffer[16384];
  size_t n;
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    if (errno == ENOENT || errno == ENOTDIR) return -ERROR_NOT_FOUND;
    return report_error(report, ERROR_IO, "%s: %s", path, strerror(errno));
  }
  while ((n = fread(buffer, 1, sizeof buffer, file)) > 0 && source->length <= CLICK_MAX_SOURCE)
    text_add_bytes(source, buffer, n);
  int why = ferror(file) ? errno : 0;
  (void)fclose(file);
  if (why != 0) return report_error(report, ERROR_IO, "%s: %s", path, strerror(why));
  return source->failed ? -ERROR_NO_MEMORY : 0;
}

/* Tries DIRECTORY/INSIDE/NAME; an empty directory is the current one. */
static int try_path(struct slice directory, const char *inside, const char *name, struct text *source, char **file,
                    struct report *report) {
  struct text path = {0};
  text_add_slice(&path, directory);
  if (directory.length > 0 && directory.data[directory.length - 1] != '/') text_add(&path, "/");
  text_add(&path, inside);
  text_add(&path, name);
  int error = path.failed ? -ERROR_NO_MEMORY : read_file(text_string(&path), source, report);
  if (error == 0) {
    *file = memory_copy_string(text_string(&path), path.length);
    if (*file == NULL) error = -ERROR_NO_MEMORY;
  }
  text_free(&path);
  return error;
}

int click_library_find(void *context, const char *name, const char *from, struct text *source, char **file,
                       struct report *report) {
  const char *slash = strrchr(from, '/'), *path = context != NULL ? context : getenv("CLICKPATH");
  struct slice beside = {from, slash == NULL ? 0 : (size_t)(slash - from) + 1};
  int error = try_path(name[0] == '/' ? slice_of("") : beside, "", name, source, file, report);
  while (error == -ERROR_NOT_FOUND && name[0] != '/' && path != NULL) {
    struct slice directory = {path, strcspn(path, ":")};
    error = try_path(directory, "", name, source, file, report);
    if (error == -ERROR_NOT_FOUND) error = try_path(directory, "conf/", name, source, file, report);
    path += directory.length;
    path = *path == ':' ? path + 1 : NULL;
  }
  return error;
}
