/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading tags of templates. Whatever is unfinished ends with the template.
 */
#include "tools/html_tag.h"

static struct slice skip(struct slice s, size_t length) { return (struct slice){s.data + length, s.length - length}; }

static struct slice without_blanks(struct slice s) {
  while (s.length > 0 && char_is_space(s.data[0]))
    s = skip(s, 1);
  return s;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool same_name(struct slice s, const char *name) {
  for (; s.length > 0 && *name != '\0' && lower(s.data[0]) == *name; name++)
    s = skip(s, 1);
  return s.length == 0 && *name == '\0';
}

/* What stands before a blank, '>', or `end` ('\0': nothing else). */
static struct slice take_word(struct slice *s, char end) {
  size_t length = 0;
  while (length < s->length && !char_is_space(s->data[length]) && s->data[length] != '>' &&
         (end == '\0' || s->data[length] != end))
    length++;
  struct slice word = {s->data, length};
  *s = skip(*s, length);
  return word;
}

static struct slice take_value(struct slice *s) {
  if (s->length == 0 || (s->data[0] != '\'' && s->data[0] != '"')) return take_word(s, '\0');
  const char *end = memchr(s->data + 1, s->data[0], s->length - 1);
  struct slice value = {s->data + 1, end != NULL ? (size_t)(end - s->data) - 1 : s->length - 1};
  *s = skip(*s, end != NULL ? value.length + 2 : s->length);
  return value;
}

/* From behind the tag's name to behind its end. */
static struct slice take_attributes(struct slice s, struct html_tag *tag) {
  for (;;) {
    s = without_blanks(s);
    if (s.length == 0) return s;
    if (s.data[0] == '>') return skip(s, 1);
    if (slice_starts_with(s, "-->")) return skip(s, 3);
    if (s.data[0] == '/') {
      s = skip(s, 1);
      continue;
    }
    struct html_attribute attribute = {.name = take_word(&s, '=')};
    struct slice behind = without_blanks(s);
    attribute.value = attribute.name;
    if (slice_starts_with(behind, "=")) {
      s = without_blanks(skip(behind, 1));
      attribute.value = take_value(&s);
    }
    if (tag->count < HTML_ATTRIBUTES) tag->attributes[tag->count++] = attribute;
  }
}

bool html_tag_next(struct slice *rest, struct slice *before, struct html_tag *tag) {
  size_t at = 0;
  while (at + 1 < rest->length && (rest->data[at] != '<' || rest->data[at + 1] != '~'))
    at++;
  *tag = (struct html_tag){.count = 0};
  if (at + 1 >= rest->length) {
    *before = *rest;
    *rest = skip(*rest, rest->length);
    return false;
  }
  *before = (struct slice){rest->data, at};
  struct slice s = without_blanks(skip(*rest, at + 2));
  tag->name = take_word(&s, '/');
  *rest = take_attributes(s, tag);
  return true;
}

bool html_tag_is(const struct html_tag *tag, const char *name) { return same_name(tag->name, name); }

struct slice html_tag_find(const struct html_tag *tag, const char *name) {
  for (unsigned i = tag->count; i-- > 0;) {
    if (same_name(tag->attributes[i].name, name)) return tag->attributes[i].value;
  }
  return (struct slice){NULL, 0};
}

/* The entity at the '&' of s: its length, and its character. 0: there is none. */
static size_t read_entity(struct slice s, char *c) {
  static const struct {
    const char *text;
    char c;
  } names[] = {{"&amp", '&'}, {"&quot", '"'}, {"&lt", '<'}, {"&gt", '>'}};
  size_t length = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && length == 0; i++) {
    if (!slice_starts_with(s, names[i].text)) continue;
    length = strlen(names[i].text);
    *c = names[i].c;
  }
  if (length == 0 && slice_starts_with(s, "&#")) {
    unsigned value = 0;
    for (length = 2; length < s.length && length < 8 && char_is_digit(s.data[length]); length++)
      value = value * 10 + (unsigned)(s.data[length] - '0');
    if (length == 2) return 0;
    *c = (char)value;
  }
  return length > 0 && length < s.length && s.data[length] == ';' ? length + 1 : length;
}

void html_unquote(struct slice value, struct text *out) {
  while (value.length > 0) {
    char c = value.data[0];
    size_t length = c == '&' ? read_entity(value, &c) : 0;
    text_add_bytes(out, &c, 1);
    value = skip(value, length > 0 ? length : 1);
  }
}
