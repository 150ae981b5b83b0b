/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The allocator behind lib/code_memory.h: first fit in a map of units, over an arena that a platform supplies under two addresses. The
 * map lies apart from the code, so that code pages hold code only.
 */
#ifndef IMAGO_LIB_CODE_ARENA_H
#define IMAGO_LIB_CODE_ARENA_H

#include "lib/code_memory.h"

enum { CODE_UNIT = 256 };

struct code_arena {
  uint8_t *write;
  const uint8_t *run;
  size_t units;
  uint64_t *used; /* a bit a unit */
  bool locked;
};

/* `used`: (size / CODE_UNIT + 63) / 64 zeroed words. Both addresses are aligned to CODE_UNIT. */
void code_arena_init(struct code_arena *arena, uint8_t *write, const uint8_t *run, size_t size, uint64_t *used);
bool code_arena_take(struct code_arena *arena, size_t size, struct code_memory *memory);
void code_arena_give(struct code_arena *arena, const struct code_memory *memory);
bool code_arena_near(const struct code_arena *arena, uint64_t address);

#endif
