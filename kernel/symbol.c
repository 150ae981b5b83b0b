/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Binary search by byte offset over lines of unequal length: every probe goes back to the start of its line.
 */
#include "kernel/symbol.h"

#include "lib/text.h"

enum { ADDRESS_DIGITS = 16 };

/* Start of the line that holds byte `at`. */
static size_t line_start(struct slice file, size_t at) {
  while (at > 0 && file.data[at - 1] != '\n')
    at--;
  return at;
}

static bool line_address(struct slice file, size_t at, unsigned long *address) {
  if (file.length - at < ADDRESS_DIGITS + 2 || file.data[at + ADDRESS_DIGITS] != ' ') return false;
  *address = 0;
  for (size_t i = 0; i < ADDRESS_DIGITS; i++) {
    int digit = char_hex_value(file.data[at + i]);
    if (digit < 0) return false;
    *address = *address << 4 | (unsigned long)digit;
  }
  return true;
}

bool symbol_find(struct slice file, unsigned long address, char *buffer, size_t size) {
  /* Invariant: lines that start below `low` are at or below address, those that start at or above `high` are above it. */
  size_t low = 0, high = file.length, best = 0;
  unsigned long best_address = 0;
  bool found = false;
  while (low < high) {
    size_t at = line_start(file, low + (high - low) / 2);
    unsigned long here;
    if (!line_address(file, at, &here)) return false;
    if (here > address) {
      high = at;
      continue;
    }
    found = true;
    best = at;
    best_address = here;
    const char *end = memchr(file.data + at, '\n', file.length - at);
    low = end != NULL ? (size_t)(end - file.data) + 1 : file.length;
  }
  if (!found) return false;
  const char *name = file.data + best + ADDRESS_DIGITS + 1;
  size_t room = file.length - best - ADDRESS_DIGITS - 1;
  const char *end = memchr(name, '\n', room);
  size_t length = end != NULL ? (size_t)(end - name) : room;
  format_text(buffer, size, "%.*s+0x%lx", (int)(length < 256 ? length : 256), name, address - best_address);
  return true;
}
