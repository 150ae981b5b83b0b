/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all of the parser of IPFilter's patterns uses: its words, its complaints, its memory.
 */
#include "elements/filter_parser.h"

#include "lib/memory.h"

void filter_complain(struct filter_parser *p, const char *format, ...) {
  struct text text = {0};
  va_list arguments;
  va_start(arguments, format);
  text_addf_list(&text, format, arguments);
  va_end(arguments);
  p->status = report_error(p->report, ERROR_INVALID, "pattern %u: %s", p->number, text_string(&text));
  text_free(&text);
}

static void out_of_memory(struct filter_parser *p) {
  if (p->status == 0) p->status = report_error(p->report, ERROR_NO_MEMORY, "pattern %u: no memory", p->number);
}

void *filter_grow(struct filter_parser *p, void *array, uint32_t count, uint32_t *capacity, size_t size) {
  if (count < *capacity) return array;
  uint32_t larger = *capacity ? *capacity * 2 : 64;
  void *moved = memory_resize(array, larger * size);
  if (moved) {
    *capacity = larger;
  } else {
    out_of_memory(p);
  }
  return moved;
}

static bool word_character(char c) {
  return char_is_word(c) || c == '-' || c == '.' || c == '/' || c == '@' || c == ':';
}

static size_t word_length(const char *s, size_t left) {
  if ((*s == '&' || *s == '|') && left > 1 && s[1] == *s) return 2;
  if ((*s == '<' || *s == '>' || *s == '!' || *s == '=') && left > 1 && s[1] == '=') return 2;
  size_t length = 0;
  while (length < left && word_character(s[length]))
    length++;
  return length ? length : 1;
}

void filter_split_words(struct filter_parser *p, const char *text) {
  p->count = p->at = 0;
  size_t left = strlen(text);
  while (left > 0) {
    size_t length = 1;
    if (!char_is_space(*text)) {
      length = word_length(text, left);
      void *moved = filter_grow(p, p->words, p->count, &p->capacity, sizeof *p->words);
      if (!moved) return;
      p->words = moved;
      p->words[p->count++] = (struct slice){text, length};
    }
    text += length;
    left -= length;
  }
}
