/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Version floors: a small table searched linearly; it is looked at once per change, never per packet.
 */
#include "bundle/floor.h"

/* Index of the name, or count when it isn't there. */
static unsigned find(const struct version_floors *floors, const char *name) {
  unsigned i = 0;
  while (i < floors->count && strcmp(floors->entry[i].name, name) != 0)
    i++;
  return i;
}

uint64_t version_floor(const struct version_floors *floors, const char *name) {
  unsigned i = find(floors, name);
  return i < floors->count ? floors->entry[i].version : 0;
}

int version_floor_reserve(struct version_floors *floors, const char *name) {
  size_t length = strlen(name);
  unsigned i = find(floors, name);
  if (i < floors->count) return 0;
  if (i == VERSION_FLOORS_MAX || length >= BUNDLE_NAME_MAX) return -ERROR_TOO_BIG;
  memcpy(floors->entry[i].name, name, length + 1);
  floors->entry[i].version = 0;
  floors->count++;
  return 0;
}

void version_floor_raise(struct version_floors *floors, const char *name, uint64_t version) {
  unsigned i = find(floors, name);
  if (i < floors->count && version > floors->entry[i].version) floors->entry[i].version = version;
}
