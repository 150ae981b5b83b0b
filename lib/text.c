/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Growable text. Capacity doubles, so that a text built of many small additions costs linear time.
 */
#include "lib/text.h"

#include "lib/memory.h"

/* Room for `more` bytes and the NUL. */
static bool reserve(struct text *text, size_t more) {
  if (text->failed) return false;
  if (more < text->capacity - text->length) return true;
  size_t need;
  if (__builtin_add_overflow(text->length, more, &need) || __builtin_add_overflow(need, 1, &need)) {
    text->failed = true;
    return false;
  }
  size_t capacity = text->capacity < 64 ? 64 : text->capacity;
  while (capacity < need && capacity <= SIZE_MAX / 2)
    capacity *= 2;
  if (capacity < need) capacity = need;
  char *data = text->data == NULL ? memory_alloc(capacity) : memory_resize(text->data, capacity);
  if (data == NULL) {
    text->failed = true;
    return false;
  }
  text->data = data;
  text->capacity = capacity;
  return true;
}

void text_add_bytes(struct text *text, const void *data, size_t length) {
  if (length == 0 || !reserve(text, length)) return;
  memcpy(text->data + text->length, data, length);
  text->length += length;
  text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *s) { text_add_bytes(text, s, strlen(s)); }

void text_add_slice(struct text *text, struct slice s) { text_add_bytes(text, s.data, s.length); }

void text_addf_list(struct text *text, const char *format, va_list arguments) {
  if (!reserve(text, 0)) return;
  size_t room = text->capacity - text->length;
  va_list again;
  va_copy(again, arguments);
  size_t length = format_text_list(text->data + text->length, room, format, arguments);
  if (length >= room) {
    if (reserve(text, length)) {
      format_text_list(text->data + text->length, length + 1, format, again);
    } else {
      text->data[text->length] = '\0'; /* takes back what was written of it */
      length = 0;
    }
  }
  va_end(again);
  text->length += length;
}

void text_addf(struct text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  text_addf_list(text, format, arguments);
  va_end(arguments);
}

void text_clear(struct text *text) {
  text->length = 0;
  text->failed = false;
  if (text->data != NULL) text->data[0] = '\0';
}

void text_free(struct text *text) {
  memory_free(text->data);
  *text = (struct text){0};
}

const char *text_string(const struct text *text) { return text->data == NULL ? "" : text->data; }
