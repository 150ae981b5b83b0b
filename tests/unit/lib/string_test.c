/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The string functions of the image (lib/string.c), renamed and compared with the C library's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define memcpy image_memcpy
#define memmove image_memmove
#define memset image_memset
#define memcmp image_memcmp
#define memchr image_memchr
#define strlen image_strlen
#define strnlen image_strnlen
#define strcmp image_strcmp
#define strncmp image_strncmp
#define strchr image_strchr
#define strrchr image_strrchr
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr

enum { AREA = 1024, EDGE = 64 };

static void fill(uint8_t *area, unsigned salt) {
  for (unsigned i = 0; i < AREA; i++)
    area[i] = (uint8_t)((i + salt) * 167 >> 2);
}

static int sign(int x) { return (x > 0) - (x < 0); }

/* memmove is right for every overlap, length and alignment, and touches nothing else. */
static void memmove_every_overlap(void **state) {
  static uint8_t ours[AREA], theirs[AREA];
  for (size_t length = 0; length <= 300; length++) {
    for (int distance = -100; distance <= 100; distance++) {
      fill(ours, (unsigned)length);
      fill(theirs, (unsigned)length);
      size_t from = 200 + length % 17;
      assert_ptr_equal(image_memmove(ours + from + distance, ours + from, length), ours + from + distance);
      memmove(theirs + from + distance, theirs + from, length);
      assert_memory_equal(ours, theirs, AREA);
    }
  }
}

/* memcpy and memset write exactly their bytes at any alignment. */
static void memcpy_memset_exact(void **state) {
  static uint8_t source[AREA], ours[AREA], theirs[AREA];
  fill(source, 5);
  for (size_t length = 0; length <= 300; length++) {
    for (size_t offset = 0; offset < 20; offset++) {
      fill(ours, 9);
      fill(theirs, 9);
      assert_ptr_equal(image_memcpy(ours + EDGE + offset, source + EDGE - offset, length), ours + EDGE + offset);
      memcpy(theirs + EDGE + offset, source + EDGE - offset, length);
      assert_memory_equal(ours, theirs, AREA);
      assert_ptr_equal(image_memset(ours + EDGE + offset, 0x1a5, length), ours + EDGE + offset);
      memset(theirs + EDGE + offset, 0x1a5, length);
      assert_memory_equal(ours, theirs, AREA);
    }
  }
}

/* memcmp orders by the first byte that differs, as unsigned, and does not look beyond length. */
static void memcmp_first_difference(void **state) {
  static uint8_t a[AREA], b[AREA];
  for (size_t length = 0; length <= 70; length++) {
    for (size_t at = 0; at <= length; at++) {
      fill(a, 1);
      memcpy(b + 3, a, AREA - 3);
      b[3 + at] ^= 0x80;
      if (at + 1 < length) b[3 + at + 1] ^= 0xff;
      assert_int_equal(sign(image_memcmp(a, b + 3, length)), sign(memcmp(a, b + 3, length)));
      assert_int_equal(sign(image_memcmp(b + 3, a, length)), -sign(image_memcmp(a, b + 3, length)));
    }
  }
}

/* The functions on strings agree with the C library's, also on bytes above 127 and on the NUL itself. */
static void strings_agree(void **state) {
  static const char *const strings[] = {"",       "a",   "b",    "ab",    "abc",
                                        "abcabc", "abd", "\x80", "a\xff", "aaaaaaaaaaaaaaaab"};
  enum { COUNT = sizeof strings / sizeof strings[0] };
  for (unsigned i = 0; i < COUNT; i++) {
    const char *s = strings[i];
    assert_int_equal(image_strlen(s), strlen(s));
    for (size_t n = 0; n < 20; n++)
      assert_int_equal(image_strnlen(s, n), strnlen(s, n));
    static const int characters[] = {'a', 'b', 'c', 'z', 0, 0x80, 0xff, 'a' + 256};
    for (unsigned k = 0; k < sizeof characters / sizeof characters[0]; k++) {
      assert_ptr_equal(image_strchr(s, characters[k]), strchr(s, characters[k]));
      assert_ptr_equal(image_strrchr(s, characters[k]), strrchr(s, characters[k]));
      assert_ptr_equal(image_memchr(s, characters[k], strlen(s)), memchr(s, characters[k], strlen(s)));
    }
    for (unsigned k = 0; k < COUNT; k++) {
      assert_int_equal(sign(image_strcmp(s, strings[k])), sign(strcmp(s, strings[k])));
      for (size_t n = 0; n < 20; n++) {
        assert_int_equal(sign(image_strncmp(s, strings[k], n)), sign(strncmp(s, strings[k], n)));
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memmove_every_overlap),
      cmocka_unit_test(memcpy_memset_exact),
      cmocka_unit_test(memcmp_first_difference),
      cmocka_unit_test(strings_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
