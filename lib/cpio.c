/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The newc format (cpio(5); Documentation/driver-api/early-userspace/buffer-format.rst in Linux). Each entry is a header of
 * 110 characters, the name with its NUL, zeros up to a multiple of 4, the data, zeros up to a multiple of 4.
 */
#include "lib/cpio.h"

#include "lib/bytes.h"

/* The header: 6 characters of magic, then 13 fields of 8 hexadecimal digits. */
enum { MAGIC_SIZE = 6, FIELD_SIZE = 8, FIELD_COUNT = 13, HEADER_SIZE = MAGIC_SIZE + FIELD_SIZE * FIELD_COUNT };
enum { FIELD_MODE = 1, FIELD_LINKS = 4, FIELD_SIZE_OF_DATA = 6, FIELD_SIZE_OF_NAME = 11 };

/* POSIX file types. */
enum { MODE_TYPE = 0170000, MODE_DIRECTORY = 0040000, MODE_REGULAR = 0100000 };

static const char trailer[] = "TRAILER!!!";

void cpio_reader_init(struct cpio_reader *reader, struct slice archive) {
  *reader = (struct cpio_reader){.archive = archive};
}

static bool is_component_refused(struct slice component) {
  return component.length == 0 || slice_equals(component, ".") || slice_equals(component, "..");
}

int cpio_check_name(struct slice name) {
  if (name.length >= CPIO_NAME_MAX) return -ERROR_TOO_BIG;
  if (slice_equals(name, trailer)) return -ERROR_INVALID;
  size_t start = 0;
  for (size_t i = 0; i <= name.length; i++) {
    if (i == name.length || name.data[i] == '/') {
      if (is_component_refused((struct slice){name.data + start, i - start})) return -ERROR_INVALID;
      start = i + 1;
    } else if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f) {
      return -ERROR_INVALID;
    }
  }
  return 0;
}

static bool parse_fields(const char *header, uint32_t fields[FIELD_COUNT]) {
  const char *digit = header + MAGIC_SIZE;
  for (unsigned i = 0; i < FIELD_COUNT; i++) {
    fields[i] = 0;
    for (unsigned k = 0; k < FIELD_SIZE; k++) {
      int value = char_hex_value(*digit++);
      if (value < 0) return false;
      fields[i] = fields[i] << 4 | (uint32_t)value;
    }
  }
  return true;
}

/* Moves to the next header; false at the end. Only whole groups of 4 zeros count, because headers are aligned to 4. */
static bool skip_zeros(struct cpio_reader *reader) {
  const struct slice archive = reader->archive;
  size_t at = reader->position;
  while (archive.length - at >= 8 && load_le64(archive.data + at) == 0)
    at += 8;
  while (archive.length - at >= 4 && load_le32(archive.data + at) == 0)
    at += 4;
  reader->position = at;
  while (at < archive.length && archive.data[at] == '\0')
    at++;
  return at < archive.length;
}

/* Takes `length` bytes and the padding behind them. Sizes are 32 bits wide and positions 64, so nothing overflows. */
static bool take(struct cpio_reader *reader, size_t length, struct slice *bytes) {
  if (reader->archive.length - reader->position < length) return false;
  *bytes = (struct slice){reader->archive.data + reader->position, length};
  size_t next = align_up(reader->position + length, 4);
  /* The padding behind the very last byte may be missing. */
  reader->position = next < reader->archive.length ? next : reader->archive.length;
  return true;
}

static int read_name(struct cpio_reader *reader, size_t start, uint32_t size, struct slice *name,
                     struct report *report) {
  if (size == 0) return report_error(report, ERROR_INVALID, "archive entry at byte %zu has no name", start);
  if (size > CPIO_NAME_MAX + 2) { /* 2: for "./" */
    return report_error(report, ERROR_TOO_BIG, "archive entry at byte %zu has a name of %u bytes, the limit is %d",
                        start, size - 1, CPIO_NAME_MAX - 1);
  }
  if (!take(reader, size, name)) {
    return report_error(report, ERROR_TRUNCATED, "archive ends within the name of the entry at byte %zu", start);
  }
  name->length--;
  if (name->data[name->length] != '\0') {
    return report_error(report, ERROR_INVALID, "name of the archive entry at byte %zu does not end in NUL", start);
  }
  if (slice_starts_with(*name, "./")) { /* find . | cpio */
    name->data += 2;
    name->length -= 2;
  }
  return 0;
}

/* Header, name and data of one entry, which may be the trailer or the archive's own directory ".". */
static int read_entry(struct cpio_reader *reader, struct cpio_entry *entry, struct report *report) {
  const size_t start = reader->position;
  const char *header = reader->archive.data + start;
  const size_t left = reader->archive.length - start;
  if (left >= MAGIC_SIZE && memcmp(header, "070701", MAGIC_SIZE) != 0) {
    return report_error(report, ERROR_INVALID,
                        "archive has no newc header at byte %zu; make it, uncompressed, with cpio -o -H newc", start);
  }
  if (left < HEADER_SIZE) {
    return report_error(report, ERROR_TRUNCATED, "archive ends within the header at byte %zu", start);
  }
  uint32_t fields[FIELD_COUNT];
  if (!parse_fields(header, fields)) {
    return report_error(report, ERROR_INVALID, "archive header at byte %zu has a field that is not hexadecimal", start);
  }
  /* The name follows at once; header and name together are padded. */
  reader->position = start + HEADER_SIZE;
  int error = read_name(reader, start, fields[FIELD_SIZE_OF_NAME], &entry->name, report);
  if (error != 0) return error;
  if (!take(reader, fields[FIELD_SIZE_OF_DATA], &entry->data)) {
    return report_error(report, ERROR_TRUNCATED, "archive ends within the data of the entry at byte %zu", start);
  }
  entry->mode = fields[FIELD_MODE];
  entry->directory = (entry->mode & MODE_TYPE) == MODE_DIRECTORY;
  if (slice_equals(entry->name, trailer)) return 0;
  if (slice_equals(entry->name, ".") && entry->directory) return 0;

  error = cpio_check_name(entry->name);
  if (error != 0) {
    return report_error(report, (enum error) - error,
                        "archive entry at byte %zu: names are relative, without \"..\", empty parts or control "
                        "characters, up to %d bytes",
                        start, CPIO_NAME_MAX - 1);
  }
  if (!entry->directory && (entry->mode & MODE_TYPE) != MODE_REGULAR) {
    return report_error(report, ERROR_UNSUPPORTED,
                        "archive entry %s is neither file nor directory; put a copy of the file there",
                        entry->name.data);
  }
  if (!entry->directory && entry->data.length == 0 && fields[FIELD_LINKS] > 1) {
    return report_error(report, ERROR_UNSUPPORTED,
                        "archive entry %s is a hard link, whose data cpio leaves out; put a copy of the file there",
                        entry->name.data);
  }
  if (entry->directory && entry->data.length > 0) {
    return report_error(report, ERROR_INVALID, "archive entry %s is a directory with data", entry->name.data);
  }
  return 0;
}

int cpio_next(struct cpio_reader *reader, struct cpio_entry *entry, struct report *report) {
  *entry = (struct cpio_entry){0};
  while (skip_zeros(reader)) {
    if (reader->entries >= CPIO_MAX_ENTRIES) {
      return report_error(report, ERROR_TOO_BIG, "archive has more than %d entries", CPIO_MAX_ENTRIES);
    }
    int error = read_entry(reader, entry, report);
    if (error != 0) return error;
    reader->entries++;
    reader->inside = !slice_equals(entry->name, trailer);
    if (reader->inside && !slice_equals(entry->name, ".")) return 1;
  }
  if (reader->inside) {
    return report_error(report, ERROR_TRUNCATED, "archive ends without its %s entry", trailer);
  }
  return 0;
}

int cpio_find(struct slice archive, const char *name, struct slice *data, struct report *report) {
  struct cpio_reader reader;
  struct cpio_entry entry;
  int found = -ERROR_NOT_FOUND, more;
  cpio_reader_init(&reader, archive);
  while ((more = cpio_next(&reader, &entry, report)) > 0) {
    if (!entry.directory && slice_equals(entry.name, name)) {
      *data = entry.data;
      found = 0;
    }
  }
  return more < 0 ? more : found;
}
