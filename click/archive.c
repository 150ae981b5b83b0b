/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Archives: after the magic, a header of 60 characters before each member, which ends at an even place (ar(5)).
 */
#include "click/archive.h"

static const char magic[] = "!<arch>\n";
enum { MAGIC_SIZE = 8, HEADER_SIZE = 60, NAME_SIZE = 16, SIZE_AT = 48, SIZE_SIZE = 10, END_AT = 58 };

struct archive {
  const char *file;
  struct slice rest;       /* from the next header on */
  struct slice long_names; /* GNU's member "//": names that headers refer to by "/OFFSET" */
  struct report *report;
};

static int damaged(const struct archive *archive, const char *what) {
  return report_error(archive->report, ERROR_INVALID, "%s: bad archive: %s", archive->file, what);
}

static struct slice skip(struct slice s, size_t length) { return (struct slice){s.data + length, s.length - length}; }

/* Up to a '/', which GNU's ar puts behind names, or a blank. */
static struct slice name_in(struct slice field) {
  size_t length = 0;
  while (length < field.length && field.data[length] != '/' && !char_is_space(field.data[length]))
    length++;
  return (struct slice){field.data, length};
}

/* The member's name by the header's field; BSD's stands in front of the data. */
static int resolve_name(struct archive *archive, struct slice field, struct slice *name, struct slice *data) {
  uint64_t number;
  struct slice trimmed = slice_trim(field);
  if (slice_equals(trimmed, "//")) {
    archive->long_names = *data;
    *name = trimmed;
  } else if (slice_starts_with(field, "#1/")) {
    if (slice_to_u64(skip(trimmed, 3), data->length, &number) != 0) return damaged(archive, "long name");
    *name = slice_trim((struct slice){data->data, (size_t)number});
    while (name->length > 0 && name->data[name->length - 1] == '\0')
      name->length--;
    *data = skip(*data, (size_t)number);
  } else if (field.data[0] == '/' && char_is_digit(field.data[1])) {
    if (archive->long_names.data == NULL || slice_to_u64(skip(trimmed, 1), archive->long_names.length, &number) != 0)
      return damaged(archive, "long name");
    *name = name_in(skip(archive->long_names, (size_t)number));
  } else {
    *name = name_in(field);
  }
  return 0;
}

/* 1 and the next member, 0 behind the last, or a negative code. */
static int next_member(struct archive *archive, struct slice *name, struct slice *data) {
  uint64_t size;
  if (archive->rest.length == 0) return 0;
  if (archive->rest.length < HEADER_SIZE) return damaged(archive, "truncated");
  const char *header = archive->rest.data;
  if (header[END_AT] != '`' || header[END_AT + 1] != '\n') return damaged(archive, "missing header magic number");
  archive->rest = skip(archive->rest, HEADER_SIZE);
  if (slice_to_u64(slice_trim((struct slice){header + SIZE_AT, SIZE_SIZE}), UINT32_MAX, &size) != 0)
    return damaged(archive, "size");
  if (size > archive->rest.length) return damaged(archive, "truncated");
  *data = (struct slice){archive->rest.data, (size_t)size};
  archive->rest = skip(archive->rest, (size_t)size);
  if (size % 2 == 1 && archive->rest.length > 0) archive->rest = skip(archive->rest, 1);
  int error = resolve_name(archive, (struct slice){header, NAME_SIZE}, name, data);
  return error ? error : 1;
}

int click_archive_find(const char *file, struct slice source, const char *wanted, struct slice *data,
                       struct report *report) {
  if (!slice_starts_with(source, magic)) return -ERROR_NOT_FOUND;
  struct archive archive = {.file = file, .rest = skip(source, MAGIC_SIZE), .report = report};
  struct slice name = {NULL, 0}, found = {NULL, 0};
  int result;
  while ((result = next_member(&archive, &name, &found)) > 0) {
    if (!slice_equals(name, wanted)) continue;
    *data = found;
    return 0;
  }
  return result < 0 ? result : -ERROR_NOT_FOUND;
}

int click_archive_config(const char *file, struct slice source, struct slice *config, struct report *report) {
  *config = source;
  if (!slice_starts_with(source, magic)) return 0;
  int result = click_archive_find(file, source, "config", config, report);
  if (result != -ERROR_NOT_FOUND) return result;
  return report_error(report, ERROR_NOT_FOUND, "%s: archive has no 'config' section", file);
}
