/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Formatting and growable text. format_* is a small printf: %s %.*s %c %d %i %u %x %X %p %% with flags '-', '0', '+', width,
 * precision, and lengths hh h l ll z. No floating point: callers print micro- and nanoseconds as integers.
 */
#ifndef IMAGO_LIB_TEXT_H
#define IMAGO_LIB_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/string.h"

/* Formats into buffer (size bytes, always NUL-terminated when size > 0). Returns the length the whole text has, as
 * snprintf does. */
size_t format_text(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t format_text_list(char *buffer, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Growable text. Zero-initialised is empty and valid. `data` is NUL-terminated whenever it is not NULL. When memory
 * runs out `failed` is set, further additions are ignored, and what was there stays. */
struct text {
  char *data;
  size_t length;
  size_t capacity;
  bool failed;
};

void text_add(struct text *text, const char *s);
void text_add_bytes(struct text *text, const void *data, size_t length);
void text_add_slice(struct text *text, struct slice s);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addf_list(struct text *text, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
/* Empties; keeps the memory. */
void text_clear(struct text *text);
/* Frees the memory; empty and valid again. */
void text_free(struct text *text);
/* The text as a C string: "" when empty. Owned by text. */
const char *text_string(const struct text *text);

#endif
