/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Configuration strings as text: splitting, unquoting and quoting by Click's rules.
 */
#include "click/args.h"
#include "lib/memory.h"
#include "lib/text.h"

/* --- splitting --- */

/* Index behind the quoted string that begins at `at`. */
static size_t skip_quoted(const char *s, size_t at) {
  char quote = s[at++];
  for (; s[at] && s[at] != quote; at++) {
    if (quote == '"' && s[at] == '\\' && s[at + 1]) at++;
  }
  return s[at] ? at + 1 : at;
}

/* A line marker: the lexer has looked at it. */
static bool marker_at(const char *s, size_t at) { return s[at] == '#' && at > 0 && s[at - 1] == '\n'; }

/* Index behind the comment that begins at `at`. */
static size_t skip_comment(const char *s, size_t at) {
  bool line = s[at] == '#' || s[at + 1] == '/';
  for (at += s[at] == '#' ? 1 : 2; s[at]; at++) {
    if (line && s[at] == '\n') return at;
    if (!line && s[at] == '*' && s[at + 1] == '/') return at + 2;
  }
  return at;
}

static bool comment_at(const char *s, size_t at) {
  return (s[at] == '/' && (s[at + 1] == '/' || s[at + 1] == '*')) || marker_at(s, at);
}

/* One argument, trimmed, every comment replaced by a blank; *at moves to its separator or to the end. */
static char *take_argument(const char *config, size_t *at, bool words) {
  struct text text = {0};
  size_t i = *at;
  while (config[i] && !(words ? char_is_space(config[i]) : config[i] == ',')) {
    size_t start = i;
    if (comment_at(config, i)) {
      if (words && i > *at) break;
      i = skip_comment(config, i);
      text_add(&text, " ");
      continue;
    }
    if (config[i] == '"' || config[i] == '\'') {
      i = skip_quoted(config, i);
    } else if (config[i] == '\\' && config[i + 1] == '<') {
      while (config[i] && config[i] != '>')
        i++;
    } else {
      /* A run of plain bytes at once, so that splitting is linear in calls as well. */
      do {
        i++;
      } while (config[i] && !strchr(words ? "\"'\\/ \t\n\v\f\r" : ",\"'\\/#", config[i]));
    }
    text_add_bytes(&text, config + start, i - start);
  }
  *at = i;
  struct slice trimmed = slice_trim((struct slice){text_string(&text), text.length});
  char *copy = text.failed ? NULL : memory_copy_string(trimmed.data, trimmed.length);
  text_free(&text);
  return copy;
}

/* Upper bound on the arguments: separators inside quotes only make it larger. */
static size_t count_separators(const char *text, bool words) {
  size_t count = 1;
  for (; *text; text++)
    count += words ? char_is_space(*text) : *text == ',';
  return count;
}

static int split(const char *config, bool words, struct args *args) {
  *args = (struct args){.values = memory_alloc((count_separators(config, words) + 1) * sizeof *args->values)};
  if (!args->values) return -ERROR_NO_MEMORY;
  for (size_t at = 0;; at++) {
    char *value = take_argument(config, &at, words);
    if (!value) {
      args_free(args);
      return -ERROR_NO_MEMORY;
    }
    if (words && !*value) {
      memory_free(value);
    } else {
      args->values[args->count++] = value;
    }
    if (!config[at]) break;
  }
  return 0;
}

int args_split(const char *config, struct args *args) {
  int result = split(config, false, args);
  /* Nothing behind the last comma is no argument. */
  if (result == 0 && args->values[args->count - 1][0] == '\0') memory_free(args->values[--args->count]);
  return result;
}

int args_split_words(const char *text, struct args *words) { return split(text, true, words); }

void args_free(struct args *args) {
  for (uint32_t i = 0; i < args->count; i++)
    memory_free(args->values[i]);
  memory_free(args->values);
  *args = (struct args){0};
}

/* --- unquoting --- */

/* \<68 65 78>: *at is at the '<' and moves to the '>' or to the last byte. Blanks and other bytes between digits are
 * ignored, as in Click. Returns how many bytes went to `out`. */
static size_t unquote_hex(const char *s, size_t *at, char *out) {
  size_t length = 0;
  int high = -1;
  for (; s[*at] && s[*at] != '>'; ++*at) {
    int digit = char_hex_value(s[*at]);
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      out[length++] = (char)(high * 16 + digit);
      high = -1;
    }
  }
  if (!s[*at]) --*at;
  return length;
}

/* A backslash and what follows: *at is at the backslash and moves to the last byte of the escape. */
static size_t unquote_escape(const char *s, size_t *at, char *out) {
  static const char letters[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
  char c = s[++*at];
  if (c == '\0') {
    --*at;
    out[0] = '\\';
    return 1;
  }
  if (c == '<') return unquote_hex(s, at, out);
  if (c == '\n') return 0;
  const char *letter = strchr(letters, c);
  unsigned value = (unsigned char)c;
  if (letter) {
    value = (unsigned char)values[letter - letters];
  } else if (c >= '0' && c <= '7') {
    value = (unsigned)(c - '0');
    for (int digits = 1; digits < 3 && s[*at + 1] >= '0' && s[*at + 1] <= '7'; digits++)
      value = value * 8 + (unsigned)(s[++*at] - '0');
  } else if (c == 'x' && char_hex_value(s[*at + 1]) >= 0) {
    value = 0;
    while (char_hex_value(s[*at + 1]) >= 0)
      value = (value & 0xf) * 16 + (unsigned)char_hex_value(s[++*at]);
  }
  out[0] = (char)value;
  return 1;
}

char *args_unquote(const char *value, size_t *length) {
  char *out = memory_alloc(strlen(value) + 1); /* no escape is shorter than what it stands for */
  if (!out) return NULL;
  size_t used = 0;
  char quote = '\0';
  for (size_t i = 0; value[i]; i++) {
    char c = value[i];
    bool escapes = quote == '"' || (!quote && value[i + 1] == '<');
    if (quote ? c == quote : (c == '"' || c == '\'')) {
      quote = quote ? '\0' : c;
    } else if (c == '\\' && escapes) {
      used += unquote_escape(value, &i, out + used);
    } else {
      out[used++] = c;
    }
  }
  out[used] = '\0';
  if (length) *length = used;
  return out;
}

/* --- quoting --- */

/* Whether the text stands for itself as one argument and one word. */
static bool plain(struct slice value) {
  for (size_t i = 0; i < value.length; i++) {
    char c = value.data[i];
    if (c <= ' ' || c > '~' || strchr("\"'\\,$()#{}", c)) return false;
    if (c == '/' && i + 1 < value.length && (value.data[i + 1] == '/' || value.data[i + 1] == '*')) return false;
  }
  return value.length > 0;
}

void args_quote(struct slice value, struct text *out) {
  if (plain(value)) {
    text_add_slice(out, value);
    return;
  }
  text_add(out, "\"");
  for (size_t i = 0; i < value.length; i++) {
    char c = value.data[i];
    if (c == '\n' || c == '\t' || c == '\r') {
      text_add(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    } else if (c == '"' || c == '\\' || c == '$') {
      text_addf(out, "\\%c", c);
    } else if (c < ' ' || c > '~') {
      text_addf(out, "\\<%02X>", (unsigned char)c);
    } else {
      text_add_bytes(out, &c, 1);
    }
  }
  text_add(out, "\"");
}
