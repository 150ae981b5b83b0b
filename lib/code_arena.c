/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Units in use are bits. The lowest that are free are taken, so that pages that were touched once are used again; what is given back is
 * filled with breakpoints, which a stray call meets.
 */
#include "lib/code_arena.h"

#include "lib/bytes.h"

enum { WORD_BITS = 64, BREAKPOINT = 0xcc };

void code_arena_init(struct code_arena *arena, uint8_t *write, const uint8_t *run, size_t size, uint64_t *used) {
  *arena = (struct code_arena){.write = write, .run = run, .units = size / CODE_UNIT, .used = used};
}

static void lock(struct code_arena *arena) {
  while (__atomic_exchange_n(&arena->locked, true, __ATOMIC_ACQUIRE))
    __builtin_ia32_pause();
}

static void unlock(struct code_arena *arena) { __atomic_store_n(&arena->locked, false, __ATOMIC_RELEASE); }

static bool is_used(const struct code_arena *arena, size_t unit) {
  return (arena->used[unit / WORD_BITS] >> unit % WORD_BITS & 1) != 0;
}

static void mark(struct code_arena *arena, size_t first, size_t count, bool used) {
  for (size_t unit = first; unit < first + count; unit++) {
    uint64_t bit = (uint64_t)1 << unit % WORD_BITS;
    if (used) {
      arena->used[unit / WORD_BITS] |= bit;
    } else {
      arena->used[unit / WORD_BITS] &= ~bit;
    }
  }
}

/* First of `count` free units, or arena->units. */
static size_t find(const struct code_arena *arena, size_t count) {
  size_t free = 0;
  for (size_t unit = 0; unit < arena->units; unit++) {
    if (free == 0 && unit % WORD_BITS == 0) {
      while (unit < arena->units && arena->used[unit / WORD_BITS] == UINT64_MAX)
        unit += WORD_BITS; /* most of what is used lies in front */
      if (unit >= arena->units) break;
    }
    free = is_used(arena, unit) ? 0 : free + 1;
    if (free == count) return unit + 1 - count;
  }
  return arena->units;
}

bool code_arena_take(struct code_arena *arena, size_t size, struct code_memory *memory) {
  size_t count = align_up(size, CODE_UNIT) / CODE_UNIT;
  if (size == 0 || size > arena->units * CODE_UNIT) return false;
  lock(arena);
  size_t first = find(arena, count);
  bool found = first != arena->units;
  if (found) mark(arena, first, count, true);
  unlock(arena);
  if (!found) return false;
  *memory = (struct code_memory){arena->write + first * CODE_UNIT, arena->run + first * CODE_UNIT, size};
  memset(memory->write, BREAKPOINT, count * CODE_UNIT);
  return true;
}

void code_arena_give(struct code_arena *arena, const struct code_memory *memory) {
  size_t first = (size_t)(memory->write - arena->write) / CODE_UNIT;
  size_t count = align_up(memory->size, CODE_UNIT) / CODE_UNIT;
  memset(memory->write, BREAKPOINT, count * CODE_UNIT);
  lock(arena);
  mark(arena, first, count, false);
  unlock(arena);
}

bool code_arena_near(const struct code_arena *arena, uint64_t address) {
  int64_t begin = (int64_t)(address - (uint64_t)(uintptr_t)arena->run);
  int64_t end = begin - (int64_t)(arena->units * CODE_UNIT);
  return begin == (int32_t)begin && end == (int32_t)end;
}
