/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ASCII classes, slices, numbers and shell-like patterns: the part of lib/string.h that no C library has.
 */
#include "lib/error.h"
#include "lib/string.h"

bool char_is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool char_is_digit(char c) { return c >= '0' && c <= '9'; }
bool char_is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool char_is_word(char c) { return char_is_alpha(c) || char_is_digit(c) || c == '_'; }

int char_hex_value(char c) {
  if (char_is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct slice slice_of(const char *s) {
  return (struct slice){s, strlen(s)};
}

static struct slice skip_space(struct slice s) {
  while (s.length > 0 && char_is_space(s.data[0])) {
    s.data++;
    s.length--;
  }
  return s;
}

struct slice slice_trim(struct slice s) {
  s = skip_space(s);
  while (s.length > 0 && char_is_space(s.data[s.length - 1]))
    s.length--;
  return s;
}

bool slice_equals(struct slice s, const char *text) {
  size_t length = strlen(text);
  return s.length == length && (length == 0 || memcmp(s.data, text, length) == 0);
}

bool slice_starts_with(struct slice s, const char *text) {
  size_t length = strlen(text);
  return s.length >= length && (length == 0 || memcmp(s.data, text, length) == 0);
}

struct slice slice_next_word(struct slice *rest) {
  struct slice s = skip_space(*rest);
  struct slice word = {s.data, 0};
  while (word.length < s.length && !char_is_space(s.data[word.length]))
    word.length++;
  if (word.length > 0) {
    s.data += word.length;
    s.length -= word.length;
  }
  *rest = skip_space(s);
  return word;
}

int slice_to_u64(struct slice s, uint64_t max, uint64_t *value) {
  unsigned base = 10;
  size_t i = 0;
  if (s.length > 2 && s.data[0] == '0' && (s.data[1] == 'x' || s.data[1] == 'X')) {
    base = 16;
    i = 2;
  }
  if (s.length == 0) return -ERROR_INVALID;
  uint64_t number = 0;
  bool too_big = false; /* reported only once every character is known to be a digit */
  for (; i < s.length; i++) {
    int digit = char_hex_value(s.data[i]);
    if (digit < 0 || (unsigned)digit >= base) return -ERROR_INVALID;
    if (__builtin_mul_overflow(number, base, &number) || __builtin_add_overflow(number, (unsigned)digit, &number)) {
      too_big = true;
    }
  }
  if (too_big || number > max) return -ERROR_TOO_BIG;
  *value = number;
  return 0;
}

bool glob_match(const char *pattern, const char *name) {
  /* On a mismatch only the last '*' needs to take one character more: what an earlier one could gain by growing, the
   * later one can gain too. Hence at most pattern x name steps. */
  const char *star = NULL, *star_name = NULL;
  while (*name != '\0') {
    if (*pattern == '*') {
      star = ++pattern;
      star_name = name;
    } else if (*pattern == '?' || *pattern == *name) {
      pattern++;
      name++;
    } else if (star != NULL) {
      pattern = star;
      name = ++star_name;
    } else {
      return false;
    }
  }
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}
