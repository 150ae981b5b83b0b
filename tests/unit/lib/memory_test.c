/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lib/memory.h as hosted builds have it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/memory.h"
#include "lib/string.h"

static bool all_zero(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

/* Sizes that cannot be had give NULL and leave the old block valid. */
static void impossible_sizes_give_null(void **state) {
  static const size_t sizes[] = {0, SIZE_MAX, SIZE_MAX / 2, (size_t)1 << 48};
  char *block = memory_alloc(10);
  block[9] = 'x';
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    assert_null(memory_alloc(sizes[i]));
    assert_null(memory_alloc_aligned(sizes[i], 64));
    assert_null(memory_alloc_low(sizes[i], 64));
    assert_null(memory_resize(block, sizes[i]));
  }
  assert_null(memory_alloc_low((size_t)3 << 30, 4096)); /* there are only 2 GiB */
  assert_null(memory_copy_string("x", SIZE_MAX));
  assert_int_equal(block[9], 'x');
  memory_free(block);
  memory_free(NULL);
  memory_free_low(NULL, 4096);
}

/* Memory is zero, aligned as asked, and also when it was used before. */
static void memory_is_zero_and_aligned(void **state) {
  for (unsigned round = 0; round < 2; round++) {
    for (size_t alignment = 1; alignment <= 2 << 20; alignment *= 2) {
      uint8_t *block = memory_alloc_aligned(777, alignment);
      assert_int_equal((uintptr_t)block % (alignment < 16 ? 16 : alignment), 0);
      assert_true(all_zero(block, 777));
      memset(block, 0xff, 777);
      memory_free(block);
    }
    uint8_t *block = memory_alloc(777);
    assert_int_equal((uintptr_t)block % 16, 0);
    assert_true(all_zero(block, 777));
    memory_free(block);
  }
}

/* Low memory lies below 2 GiB, is aligned, zero and writable to its end. */
static void low_memory_is_low(void **state) {
  for (size_t alignment = 1; alignment <= 2 << 20; alignment *= 2) {
    size_t size = 5000 + alignment % 333;
    uint8_t *block = memory_alloc_low(size, alignment);
    assert_non_null(block);
    assert_true((uintptr_t)block + size <= (uintptr_t)1 << 31);
    assert_int_equal((uintptr_t)block % alignment, 0);
    assert_true(all_zero(block, size));
    memset(block, 0xff, size);
    memory_free_low(block, size);
  }
}

/* Resizing keeps the contents up to the smaller size. */
static void resize_keeps_contents(void **state) {
  uint8_t *block = memory_resize(NULL, 100);
  for (unsigned i = 0; i < 100; i++)
    block[i] = (uint8_t)i;
  block = memory_resize(block, 100000);
  for (unsigned i = 0; i < 100; i++)
    assert_int_equal(block[i], i);
  block = memory_resize(block, 50);
  for (unsigned i = 0; i < 50; i++)
    assert_int_equal(block[i], i);
  memory_free(block);
}

/* Copies have a NUL behind, and may be empty. */
static void strings_are_copied(void **state) {
  char *copy = memory_copy_string("element", 4);
  assert_string_equal(copy, "elem");
  memory_free(copy);
  copy = memory_copy_string(NULL, 0);
  assert_string_equal(copy, "");
  memory_free(copy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(impossible_sizes_give_null), cmocka_unit_test(memory_is_zero_and_aligned),
      cmocka_unit_test(low_memory_is_low),          cmocka_unit_test(resize_keeps_contents),
      cmocka_unit_test(strings_are_copied),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
