/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Code memory of a Linux process: one memfd mapped twice, the executable half as near to the program as there is room, so that calls into
 * it need 32 bits only.
 */
#define _GNU_SOURCE /* memfd_create */
#include "lib/code_memory.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/code_arena.h"

enum { ARENA_SIZE = 16 << 20, STEP = 16 << 20 };
static const uintptr_t reach = (uintptr_t)1 << 30;

static struct {
  struct code_arena arena;
  bool ready;
  pthread_once_t once;
  uint64_t used[ARENA_SIZE / CODE_UNIT / 64];
} code = {.once = PTHREAD_ONCE_INIT};

/* The kernel takes an address that is free as a hint, and another one if it is not. */
static void *map_near(int fd, uintptr_t text) {
  for (uintptr_t distance = STEP; distance < reach; distance += STEP) {
    const uintptr_t hints[2] = {text + distance, text > distance ? text - distance : 0};
    for (int i = 0; i < 2; i++) {
      if (hints[i] == 0) continue;
      void *wanted = (void *)(hints[i] & ~(uintptr_t)0xfff); /* whole pages */
      void *at = mmap(wanted, ARENA_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
      if (at == wanted) return at;
      if (at != MAP_FAILED) munmap(at, ARENA_SIZE);
    }
  }
  return mmap(NULL, ARENA_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
}

static void make(void) {
  int fd = memfd_create("imago-code", MFD_CLOEXEC);
  if (fd < 0) return;
  if (ftruncate(fd, ARENA_SIZE) == 0) {
    void *write = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    void *run = map_near(fd, (uintptr_t)make);
    if (write != MAP_FAILED && run != MAP_FAILED) {
      code_arena_init(&code.arena, write, run, ARENA_SIZE, code.used);
      code.ready = true;
    }
  }
  close(fd);
}

bool code_memory_prepare(void) {
  (void)pthread_once(&code.once, make);
  return code.ready;
}

bool code_memory_take(size_t size, struct code_memory *memory) {
  return code_memory_prepare() && code_arena_take(&code.arena, size, memory);
}

void code_memory_give(const struct code_memory *memory) { code_arena_give(&code.arena, memory); }

bool code_memory_near(uint64_t address) { return code_memory_prepare() && code_arena_near(&code.arena, address); }
