/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Substitution of variables: one pass, and values are not looked through again.
 */
#include "click/variables.h"

#include "click/args.h"
#include "click/words.h"

enum { INDEX_DEPTH = 4 }; /* ${a[${b[$c]}]} is two */

const char *variable_find(const struct variable_scope *scope, struct slice name) {
  for (; scope; scope = scope->parent) {
    for (uint32_t i = 0; i < scope->count; i++) {
      const struct slice *known = &scope->names[i];
      if (known->length == name.length && memcmp(known->data, name.data, name.length) == 0) return scope->values[i];
    }
  }
  return NULL;
}

/* Whether the name is defined, with a value or not. */
static bool defined(const struct variable_scope *scope, struct slice name) {
  for (; scope; scope = scope->parent) {
    for (uint32_t i = 0; i < scope->count; i++) {
      const struct slice *known = &scope->names[i];
      if (known->length == name.length && memcmp(known->data, name.data, name.length) == 0) return true;
    }
  }
  return false;
}

/* A variable as it is written. */
struct reference {
  struct slice name;
  struct slice otherwise; /* behind '-': the default; data NULL: there is none */
  struct slice index;     /* in [ ]: which word; data NULL: all */
};

/* What stands between braces: NAME, NAME[INDEX], NAME-DEFAULT. */
static struct reference read_braces(struct slice inside) {
  struct reference r = {.name = inside};
  size_t length = 0;
  while (length < inside.length && char_is_word(inside.data[length]))
    length++;
  struct slice behind = {inside.data + length, inside.length - length};
  if (slice_starts_with(behind, "[") && behind.data[behind.length - 1] == ']') {
    r.name.length = length;
    r.index = (struct slice){behind.data + 1, behind.length - 2};
    return r;
  }
  const char *minus = inside.length ? memchr(inside.data, '-', inside.length) : NULL;
  if (minus) {
    r.name.length = (size_t)(minus - inside.data);
    r.otherwise = (struct slice){minus + 1, inside.length - r.name.length - 1};
  }
  return r;
}

/* The variable at the '$' at *at; *at moves behind it. False: there is none. */
static bool take_variable(struct slice s, size_t *at, struct reference *r) {
  size_t i = *at + 1;
  if (i < s.length && s.data[i] == '{') {
    size_t start = ++i, depth = 1;
    for (; i < s.length && depth > 0; i++) {
      if (s.data[i] == '}') depth--;
      if (s.data[i] == '{') depth++;
    }
    if (depth > 0) return false;
    *r = read_braces((struct slice){s.data + start, i - 1 - start});
    *at = i;
    return true;
  }
  size_t start = i;
  while (i < s.length && char_is_word(s.data[i]))
    i++;
  if (i == start && i < s.length && (s.data[i] == '?' || s.data[i] == '#')) i++;
  *r = (struct reference){.name = {s.data + start, i - start}};
  *at = i;
  return i > start;
}

static void add_value(struct text *out, struct slice value, char quote) {
  if (quote != '"') {
    text_add_slice(out, value);
    return;
  }
  struct text quoted = {0};
  args_quote(value, &quoted);
  struct slice inner = {text_string(&quoted), quoted.length};
  if (inner.length >= 2 && inner.data[0] == '"') inner = (struct slice){inner.data + 1, inner.length - 2};
  text_add_slice(out, inner);
  out->failed = out->failed || quoted.failed;
  text_free(&quoted);
}

/* Index behind the comment at `at`. */
static size_t skip_comment(struct slice s, size_t at) {
  bool line = s.data[at + 1] == '/';
  for (at += 2; at < s.length; at++) {
    if (line && s.data[at] == '\n') return at;
    if (!line && s.data[at] == '*' && at + 1 < s.length && s.data[at + 1] == '/') return at + 2;
  }
  return s.length;
}

static void expand(const struct variable_scope *scope, struct slice s, unsigned depth, struct text *out);

/* The word of that number, from 0; empty when there is none. */
static struct slice pick_word(const struct variable_scope *scope, struct slice value, struct slice index,
                              unsigned depth) {
  struct text number = {0};
  struct slice word = {"", 0};
  uint64_t wanted = 0;
  expand(scope, index, depth + 1, &number);
  struct slice text = {text_string(&number), number.length};
  if (slice_to_u64(slice_trim(text), UINT32_MAX, &wanted) == 0) {
    do {
      word = words_next(&value);
    } while (wanted-- > 0 && word.length > 0);
  }
  text_free(&number);
  return word;
}

/* False: it stays as it is written. */
static bool find_value(const struct variable_scope *scope, const struct reference *r, struct slice *value) {
  const char *found = variable_find(scope, r->name);
  if (!found && !r->otherwise.data && !defined(scope, r->name)) return false;
  /* A keyword that was left out is empty, where there is no default. */
  *value = found ? slice_of(found) : r->otherwise.data ? r->otherwise : slice_of("");
  return true;
}

/* `depth` is that of references inside the index of others; what lies deeper stays. */
static void expand(const struct variable_scope *scope, struct slice s, unsigned depth, struct text *out) {
  size_t kept = 0; /* up to here all is in `out` */
  char quote = '\0';
  size_t i = 0;
  while (i < s.length) {
    char c = s.data[i];
    bool comment = c == '/' && !quote && i + 1 < s.length && (s.data[i + 1] == '/' || s.data[i + 1] == '*');
    if (comment) {
      i = skip_comment(s, i);
      continue;
    }
    if (c == '\\' && quote == '"' && i + 1 < s.length) {
      i += 2;
      continue;
    }
    if ((c == '"' || c == '\'') && (!quote || quote == c)) quote = quote ? '\0' : c;
    size_t dollar = i++;
    if (c != '$' || quote == '\'' || depth > INDEX_DEPTH) continue;
    struct reference r;
    size_t behind = dollar;
    if (!take_variable(s, &behind, &r)) continue;
    i = behind;
    struct slice value;
    if (!find_value(scope, &r, &value)) continue;
    text_add_bytes(out, s.data + kept, dollar - kept);
    add_value(out, r.index.data ? pick_word(scope, value, r.index, depth) : value, quote);
    kept = behind;
  }
  text_add_bytes(out, s.data + kept, s.length - kept);
}

void variable_expand(const struct variable_scope *scope, struct slice config, struct text *out) {
  expand(scope, config, 0, out);
}
