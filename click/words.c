/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Words, quotes, and the literals that handlers take.
 */
#include "click/words.h"

#include "click/args.h"
#include "lib/memory.h"

/* The index behind the quoted part that begins at s.data[i]. */
static size_t skip_quoted(struct slice s, size_t i) {
  char quote = s.data[i++];
  while (i < s.length && s.data[i] != quote)
    i += quote == '"' && s.data[i] == '\\' && i + 1 < s.length ? 2 : 1;
  return i < s.length ? i + 1 : i;
}

struct slice words_next(struct slice *rest) {
  struct slice s = slice_trim(*rest);
  size_t i = 0;
  while (i < s.length && !char_is_space(s.data[i])) {
    if (s.data[i] == '"' || s.data[i] == '\'') {
      i = skip_quoted(s, i);
    } else if (s.data[i] == '\\' && i + 1 < s.length && s.data[i + 1] == '<') {
      while (i < s.length && s.data[i] != '>')
        i++;
    } else {
      i++;
    }
  }
  struct slice word = {s.data, i};
  *rest = slice_trim((struct slice){s.data + i, s.length - i});
  return word;
}

void words_unquote(struct slice s, struct text *out) {
  char *copy = memory_copy_string(s.length ? s.data : "", s.length);
  size_t length = 0;
  char *plain = copy ? args_unquote(copy, &length) : NULL;
  if (plain) {
    text_add_bytes(out, plain, length);
  } else {
    out->failed = true;
  }
  memory_free(plain);
  memory_free(copy);
}

void words_quote(struct slice s, bool marks, struct text *out) {
  if (marks) text_add(out, "\"");
  for (size_t i = 0; i < s.length; i++) {
    char c = s.data[i];
    const char *letter = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
    if (letter) {
      text_add(out, letter);
    } else if (c == '\\' || c == '"' || c == '$') {
      text_addf(out, "\\%c", c);
    } else if ((unsigned char)c < ' ' || c == 0x7f) {
      text_addf(out, "\\<%02X>", (unsigned char)c);
    } else {
      text_add_bytes(out, &c, 1);
    }
  }
  if (marks) text_add(out, "\"");
}

bool words_bool(struct slice s, bool *value) {
  static const char *const names[] = {"false", "true", "no", "yes", "0", "1", "f", "t", "n", "y"};
  s = slice_trim(s);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (!slice_equals(s, names[i])) continue;
    *value = i % 2 == 1;
    return true;
  }
  return false;
}
