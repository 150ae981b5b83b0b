/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Version floors: per program name the highest version that was ever committed. A bundle at or below the floor is refused,
 * so that nobody rolls a system silently back to a program with a known hole. After a reboot the floor is the boot
 * bundle's version.
 */
#ifndef IMAGO_BUNDLE_FLOOR_H
#define IMAGO_BUNDLE_FLOOR_H

#include "bundle/bundle.h"

enum { VERSION_FLOORS_MAX = 256 };

struct version_floors {
  struct {
    char name[BUNDLE_NAME_MAX];
    uint64_t version;
  } entry[VERSION_FLOORS_MAX];
  unsigned count;
};

/* The floor of that name, 0 when it was never seen. */
uint64_t version_floor(const struct version_floors *floors, const char *name);
/* Makes room for the name, so that version_floor_raise cannot fail later. 0 or -ERROR_TOO_BIG. */
int version_floor_reserve(struct version_floors *floors, const char *name) MUST_USE;
/* Raises the floor of a reserved name; never lowers. */
void version_floor_raise(struct version_floors *floors, const char *name, uint64_t version);

#endif
