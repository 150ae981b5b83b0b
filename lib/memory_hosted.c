/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lib/memory.h on top of the C library's malloc, so that sanitizers see every object. Low memory is mapped with
 * MAP_32BIT, which Linux defines as the first 2 GiB.
 */
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/memory.h"
#include "lib/string.h"

enum { JUNK = 0xdb };

/* No honest caller wants more, and sanitizers end the program instead of returning NULL for absurd sizes. */
static const size_t max_size = (size_t)1 << 38;

void *memory_alloc(size_t size) { return size == 0 || size > max_size ? NULL : calloc(1, size); }

void *memory_alloc_aligned(size_t size, size_t alignment) {
  if (size == 0 || size > max_size) return NULL;
  void *block;
  if (posix_memalign(&block, alignment < 16 ? 16 : alignment, size) != 0) return NULL;
  memset(block, 0, size);
  return block;
}

void *memory_resize(void *block, size_t size) { return size == 0 || size > max_size ? NULL : realloc(block, size); }

void memory_free(void *block) {
  if (block == NULL) return;
  memset(block, JUNK, malloc_usable_size(block));
  __asm__ volatile("" : : "r"(block) : "memory"); /* else the compiler drops the fill, since nobody may read it */
  free(block);
}

static size_t whole_pages(size_t size) { return align_up(size, (size_t)sysconf(_SC_PAGESIZE)); }

void *memory_alloc_low(size_t size, size_t alignment) {
  if (size == 0 || size > max_size || alignment > max_size) return NULL;
  size_t length = whole_pages(size), slack = whole_pages(alignment);
  char *mapped = mmap(NULL, length + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (mapped == MAP_FAILED) return NULL;
  char *block = mapped + (align_up((uintptr_t)mapped, alignment) - (uintptr_t)mapped);
  size_t front = (size_t)(block - mapped);
  if (front > 0) munmap(mapped, front);
  munmap(block + length, slack - front); /* slack is at least a page more than front */
  return block;
}

void memory_free_low(void *block, size_t size) {
  if (block != NULL) munmap(block, whole_pages(size));
}
