/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writes newc cpio archives that lib/cpio.c, Linux and cpio(1) read.
 */
#include "lib/cpio_write.h"

#include "lib/cpio.h"

static void pad(struct text *bytes) { text_add_bytes(bytes, "\0\0\0", -bytes->length % 4); }

static int add_entry(struct cpio_writer *writer, const char *name, unsigned mode, const void *data, size_t length,
                     struct report *report) {
  struct text *bytes = &writer->bytes;
  writer->entries++; /* also the inode number: distinct ones, so that nothing looks like a hard link */
  text_addf(bytes, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", writer->entries, mode, 0, 0, 1, 0,
            length, 0, 0, 0, 0, strlen(name) + 1, 0);
  text_add_bytes(bytes, name, strlen(name) + 1);
  pad(bytes);
  text_add_bytes(bytes, data, length);
  pad(bytes);
  if (bytes->failed) return report_error(report, ERROR_NO_MEMORY, "no memory for the archive entry %s", name);
  return 0;
}

int cpio_write_file(struct cpio_writer *writer, const char *name, const void *data, size_t length,
                    struct report *report) {
  int error = cpio_check_name(slice_of(name));
  if (error != 0) {
    return report_error(report, (enum error) - error,
                        "archive entry %.*s: names are relative, without \"..\", empty parts or control characters, up "
                        "to %d bytes",
                        CPIO_NAME_MAX, name, CPIO_NAME_MAX - 1);
  }
  if (length > UINT32_MAX) {
    return report_error(report, ERROR_TOO_BIG, "archive entry %s: files are limited to 4 GiB less one byte", name);
  }
  if (writer->entries >= CPIO_MAX_ENTRIES - 1) { /* 1: the end mark */
    return report_error(report, ERROR_TOO_BIG, "archive entry %s: the limit is %d entries", name, CPIO_MAX_ENTRIES - 1);
  }
  return add_entry(writer, name, 0100644, data, length, report);
}

int cpio_write_end(struct cpio_writer *writer, struct report *report) {
  return add_entry(writer, "TRAILER!!!", 0, NULL, 0, report);
}
