/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory for machine code: what is written at one address runs at the other, pieces don't overlap, and running out is an answer.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/code_arena.h"

/* Code written through one address runs at the other. */
static void test_runs(void **state) {
  static const uint8_t code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3}; /* mov eax, 42; ret */
  struct code_memory memory;
  assert_true(code_memory_take(sizeof code, &memory));
  memcpy(memory.write, code, sizeof code);
  assert_int_equal(((int (*)(void))(uintptr_t)memory.run)(), 42);
  code_memory_give(&memory);
}

static void write_where_it_runs(const struct code_memory *memory) {
  *(volatile uint8_t *)(uintptr_t)memory->run = 0xc3;
}
static void run_where_it_is_written(const struct code_memory *memory) { ((void (*)(void))(uintptr_t)memory->write)(); }
static void run_after_it_was_given_back(const struct code_memory *memory) {
  code_memory_give(memory);
  ((void (*)(void))(uintptr_t)memory->run)();
}

/* No address is both writable and executable; memory that was given back holds breakpoints. */
static void test_faults(void **state) {
  void (*const deeds[])(const struct code_memory *) = {write_where_it_runs, run_where_it_is_written,
                                                       run_after_it_was_given_back};
  for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      struct code_memory memory;
      if (!code_memory_take(16, &memory)) _exit(1);
      memset(memory.write, 0xc3, 16);
      signal(SIGSEGV, SIG_DFL); /* cmocka and sanitizers catch them */
      signal(SIGTRAP, SIG_DFL);
      deeds[i](&memory);
      _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), deeds[i] == run_after_it_was_given_back ? SIGTRAP : SIGSEGV);
  }
}

/* An arena hands out each unit once, refuses when it is full, and takes units back. */
static void test_arena(void **state) {
  enum { UNITS = 70 };
  static uint8_t bytes[UNITS * CODE_UNIT] __attribute__((aligned(CODE_UNIT)));
  uint64_t used[2] = {0};
  struct code_arena arena;
  struct code_memory first, second, third;
  code_arena_init(&arena, bytes, bytes, sizeof bytes, used);
  assert_false(code_arena_take(&arena, 0, &first));
  assert_false(code_arena_take(&arena, sizeof bytes + 1, &first));
  assert_false(code_arena_take(&arena, SIZE_MAX, &first));
  assert_true(code_arena_take(&arena, 1, &first));
  assert_true(code_arena_take(&arena, 64 * CODE_UNIT + 1, &second));
  assert_ptr_equal(second.write, first.write + CODE_UNIT);
  assert_true(code_arena_take(&arena, 4 * CODE_UNIT, &third));
  assert_ptr_equal(third.write, second.write + 65 * CODE_UNIT);
  assert_false(code_arena_take(&arena, 1, &third));
  assert_int_equal(bytes[0], 0xcc);
  code_arena_give(&arena, &first);
  code_arena_give(&arena, &second);
  assert_true(code_arena_take(&arena, 66 * CODE_UNIT, &first));
  assert_ptr_equal(first.write, bytes);
}

/* What a call reaches is within 2 GiB of every byte. */
static void test_near(void **state) {
  uint64_t used[1] = {0};
  struct code_arena arena;
  const uint64_t base = 0x100000000;
  code_arena_init(&arena, NULL, (const uint8_t *)(uintptr_t)base, 64 * CODE_UNIT, used);
  assert_true(code_arena_near(&arena, base));
  assert_true(code_arena_near(&arena, base + 0x7fffffff));
  assert_false(code_arena_near(&arena, base + 0x80000000));
  assert_true(code_arena_near(&arena, base - 0x80000000 + 64 * CODE_UNIT));
  assert_false(code_arena_near(&arena, base - 0x80000000));
  assert_false(code_arena_near(&arena, 0xffffffff81000000));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runs),
      cmocka_unit_test(test_faults),
      cmocka_unit_test(test_arena),
      cmocka_unit_test(test_near),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
