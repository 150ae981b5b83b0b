/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The C library's memory and string functions for the image, which has no C library. Compilers recognise such loops and
 * replace them by calls of the very function they stand in; opaque() in a loop prevents that whatever the options
 * (a test checks that this file calls nothing). Moves are 16 bytes wide with SSE2, which every x86-64 has; no rep movs,
 * because TCG runs it byte by byte.
 */
#include "lib/string.h"

typedef uint8_t vector __attribute__((vector_size(16)));
typedef vector loose_vector __attribute__((aligned(1), may_alias));
typedef uint64_t loose_u64 __attribute__((aligned(1), may_alias));
typedef uint32_t loose_u32 __attribute__((aligned(1), may_alias));
typedef uint16_t loose_u16 __attribute__((aligned(1), may_alias));

/* The same value, but the compiler no longer knows how it came about. */
#define opaque(value) __asm__("" : "+r"(value))

static vector load(const uint8_t *p) { return *(const loose_vector *)p; }
static void store(uint8_t *p, vector v) { *(loose_vector *)p = v; }

/* Up to 16 bytes, which may overlap: two pieces, from the front and from the back, both loaded before either is stored. */
static void move_small(uint8_t *to, const uint8_t *from, size_t length) {
  if (length >= 8) {
    uint64_t first = *(const loose_u64 *)from, last = *(const loose_u64 *)(from + length - 8);
    *(loose_u64 *)to = first;
    *(loose_u64 *)(to + length - 8) = last;
  } else if (length >= 4) {
    uint32_t first = *(const loose_u32 *)from, last = *(const loose_u32 *)(from + length - 4);
    *(loose_u32 *)to = first;
    *(loose_u32 *)(to + length - 4) = last;
  } else if (length >= 2) {
    uint16_t first = *(const loose_u16 *)from, last = *(const loose_u16 *)(from + length - 2);
    *(loose_u16 *)to = first;
    *(loose_u16 *)(to + length - 2) = last;
  } else if (length == 1) {
    *to = *from;
  }
}

/* More than 16 bytes, going up: right when `to` is below `from`, or far enough above. The last 16 bytes are loaded first, since
 * the loop may overwrite them, and stored last, so that no byte-wise tail is needed. */
static void move_up(uint8_t *to, const uint8_t *from, size_t length) {
  vector last = load(from + length - 16);
  uint8_t *last_to = to + length - 16;
  for (; length > 64; length -= 64, from += 64, to += 64) {
    vector a = load(from), b = load(from + 16), c = load(from + 32), d = load(from + 48);
    store(to, a);
    store(to + 16, b);
    store(to + 32, c);
    store(to + 48, d);
    opaque(from);
  }
  for (; length > 16; length -= 16, from += 16, to += 16) {
    store(to, load(from));
    opaque(from);
  }
  store(last_to, last);
}

/* The mirror image, for `to` above `from`. */
static void move_down(uint8_t *to, const uint8_t *from, size_t length) {
  vector first = load(from);
  for (; length > 64; length -= 64) {
    const uint8_t *source = from + length;
    uint8_t *target = to + length;
    vector a = load(source - 16), b = load(source - 32), c = load(source - 48), d = load(source - 64);
    store(target - 16, a);
    store(target - 32, b);
    store(target - 48, c);
    store(target - 64, d);
    opaque(length);
  }
  for (; length > 16; length -= 16) {
    store(to + length - 16, load(from + length - 16));
    opaque(length);
  }
  store(to, first);
}

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  if (length <= 16) {
    move_small(to, from, length);
  } else {
    move_up(to, from, length);
  }
  return to;
}

void *memmove(void *to, const void *from, size_t length) {
  if (length <= 16) {
    move_small(to, from, length);
  } else if ((uintptr_t)to - (uintptr_t)from >= length) { /* below, or behind the end */
    move_up(to, from, length);
  } else {
    move_down(to, from, length);
  }
  return to;
}

void *memset(void *to, int byte, size_t length) {
  uint8_t *p = to;
  uint64_t eight = (uint8_t)byte * 0x0101010101010101u;
  if (length < 16) {
    if (length >= 8) {
      *(loose_u64 *)p = *(loose_u64 *)(p + length - 8) = eight;
    } else if (length >= 4) {
      *(loose_u32 *)p = *(loose_u32 *)(p + length - 4) = (uint32_t)eight;
    } else if (length >= 2) {
      *(loose_u16 *)p = *(loose_u16 *)(p + length - 2) = (uint16_t)eight;
    } else if (length == 1) {
      *p = (uint8_t)eight;
    }
    return to;
  }
  typedef uint64_t pair __attribute__((vector_size(16)));
  vector v = (vector)(pair){eight, eight};
  store(p + length - 16, v);
  for (; length >= 64; length -= 64, p += 64) {
    store(p, v);
    store(p + 16, v);
    store(p + 32, v);
    store(p + 48, v);
    opaque(p);
  }
  for (; length >= 16; length -= 16, p += 16) {
    store(p, v);
    opaque(p);
  }
  return to;
}

int memcmp(const void *a, const void *b, size_t length) {
  const uint8_t *x = a, *y = b;
  while (length >= 8 && *(const loose_u64 *)x == *(const loose_u64 *)y) {
    x += 8;
    y += 8;
    length -= 8;
    opaque(x);
  }
  /* The difference, if there is one, lies in the next 8 bytes. */
  for (; length > 0; length--, x++, y++) {
    if (*x != *y) return *x - *y;
  }
  return 0;
}

void *memchr(const void *s, int byte, size_t length) {
  for (const uint8_t *p = s; length > 0; length--, p++) {
    if (*p == (uint8_t)byte) return (void *)(uintptr_t)p;
  }
  return NULL;
}

size_t strlen(const char *s) {
  const char *p = s;
  while (*p != '\0') {
    p++;
    opaque(p);
  }
  return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t limit) {
  size_t length = 0;
  while (length < limit && s[length] != '\0')
    length++;
  return length;
}

int strcmp(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t length) {
  for (; length > 0; length--, a++, b++) {
    if (*a != *b || *a == '\0') return (unsigned char)*a - (unsigned char)*b;
  }
  return 0;
}

char *strchr(const char *s, int c) {
  for (;; s++) {
    if (*s == (char)c) return (char *)(uintptr_t)s;
    if (*s == '\0') return NULL;
    opaque(s);
  }
}

char *strrchr(const char *s, int c) {
  const char *found = NULL;
  for (;; s++) {
    if (*s == (char)c) found = s;
    if (*s == '\0') return (char *)(uintptr_t)found;
  }
}
