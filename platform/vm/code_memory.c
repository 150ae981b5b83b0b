/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Code memory of the image: it follows the image and is mapped twice by page tables that lie ready (image.ld.S), so that taking and
 * giving it needs no call of the nucleus.
 */
#include "lib/code_memory.h"

#include "lib/code_arena.h"
#include "platform/vm/nucleus.h"

enum { SIZE_MOST = 2 << 20 }; /* what one page table maps */

extern uint8_t code_arena_start[], code_arena_end[];

static struct code_arena arena;
static uint64_t used[SIZE_MOST / CODE_UNIT / 64];

/* Called on worker 0 only, as all of the image's set-up. */
bool code_memory_prepare(void) {
  if (arena.units != 0) return true;
  size_t size = (size_t)(code_arena_end - code_arena_start);
  code_arena_init(&arena, code_arena_start, (const uint8_t *)(uintptr_t)CODE_VIRTUAL, size, used);
  return true;
}

bool code_memory_take(size_t size, struct code_memory *memory) {
  return code_memory_prepare() && code_arena_take(&arena, size, memory);
}

void code_memory_give(const struct code_memory *memory) { code_arena_give(&arena, memory); }

bool code_memory_near(uint64_t address) { return code_memory_prepare() && code_arena_near(&arena, address); }
