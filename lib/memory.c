/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What every implementation of lib/memory.h has in common.
 */
#include "lib/memory.h"

#include "lib/string.h"

char *memory_copy_string(const char *s, size_t length) {
  if (length == SIZE_MAX) return NULL;
  char *copy = memory_alloc(length + 1); /* zeroed: the NUL is there */
  if (copy != NULL && length > 0) memcpy(copy, s, length);
  return copy;
}
