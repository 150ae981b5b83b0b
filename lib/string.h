/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The C library's memory and string functions that freestanding code may use, with their standard contracts (C17 7.24).
 * In the image lib/string.c provides them; hosted builds take the C library's. Core code includes this, never <string.h>.
 */
#ifndef IMAGO_LIB_STRING_H
#define IMAGO_LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
void *memchr(const void *s, int byte, size_t length);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t length);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* --- ours (lib/chars.c), the same in every build --- */

/* ASCII classes; no locale. */
bool char_is_space(char c);
bool char_is_digit(char c);
bool char_is_alpha(char c);
bool char_is_word(char c); /* letter, digit or '_' */
/* Value of a hexadecimal digit, or -1. */
int char_hex_value(char c);

/* A run of bytes that someone else owns; not NUL-terminated. */
struct slice {
  const char *data;
  size_t length;
};

struct slice slice_of(const char *s);                /* of a NUL-terminated string */
struct slice slice_trim(struct slice s);             /* without white space at both ends */
bool slice_equals(struct slice s, const char *text); /* exact */
bool slice_starts_with(struct slice s, const char *text);
/* Splits off the first white-space-separated word of *rest, advances *rest past it and the following blanks. Empty when
 * there is none. */
struct slice slice_next_word(struct slice *rest);

/* Parses the whole of s as an unsigned number: decimal, or hexadecimal after 0x. Returns 0, or -ERROR_INVALID (empty,
 * other characters) or -ERROR_TOO_BIG (above max); *value is written only on success. */
int slice_to_u64(struct slice s, uint64_t max, uint64_t *value) __attribute__((warn_unused_result));

/* True if name matches the shell-like pattern with '*' (any run) and '?' (one character). Linear in pattern x name. */
bool glob_match(const char *pattern, const char *name);

#endif
