/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: the reader of boot archives. Reads every entry and touches every byte that it hands out; what it accepts
 * must keep the promises of lib/cpio.h.
 */
#include "lib/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice archive = {(const char *)data, size};
  struct report report = {0};
  struct cpio_reader reader;
  struct cpio_entry entry;
  unsigned sum = 0;
  int more;
  cpio_reader_init(&reader, archive);
  while ((more = cpio_next(&reader, &entry, &report)) > 0) {
    for (size_t i = 0; i < entry.data.length; i++)
      sum += (unsigned char)entry.data.data[i];
    if (cpio_check_name(entry.name) != 0 || entry.name.data[entry.name.length] != '\0') __builtin_trap();
    if (entry.data.length > 0 && (entry.data.data - archive.data) % 4 != 0) __builtin_trap();
    /* An entry can be found, unless the archive turns out to be broken further on. */
    struct slice found;
    int error = reader.entries <= 8 ? cpio_find(archive, entry.name.data, &found, NULL) : 0;
    if (error == -ERROR_NOT_FOUND && !entry.directory) __builtin_trap();
  }
  if (report.errors != (more < 0)) __builtin_trap();
  report_free(&report);
  __asm__ volatile("" : : "r"(sum));
  return 0;
}
