/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Substitution of variables: one pass, and values are not looked through again.
 */
#include "click/variables.h"

#include "click/args.h"

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

/* A variable at the '$' at *at: its name and, behind '-', its default; *at moves behind it. False: there is none. */
static bool take_variable(struct slice s, size_t *at, struct slice *name, struct slice *otherwise) {
  size_t i = *at + 1;
  *otherwise = (struct slice){NULL, 0};
  if (i < s.length && s.data[i] == '{') {
    size_t start = ++i;
    while (i < s.length && s.data[i] != '}')
      i++;
    if (i == s.length) return false;
    *name = (struct slice){s.data + start, i - start};
    const char *minus = name->length ? memchr(name->data, '-', name->length) : NULL;
    if (minus) {
      *otherwise = (struct slice){minus + 1, name->length - (size_t)(minus - name->data) - 1};
      name->length = (size_t)(minus - name->data);
    }
    *at = i + 1;
    return true;
  }
  size_t start = i;
  while (i < s.length && char_is_word(s.data[i]))
    i++;
  if (i == start && i < s.length && (s.data[i] == '?' || s.data[i] == '#')) i++;
  *name = (struct slice){s.data + start, i - start};
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

void variable_expand(const struct variable_scope *scope, struct slice s, struct text *out) {
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
    if (c != '$' || quote == '\'') continue;
    struct slice name, otherwise;
    size_t behind = dollar;
    if (!take_variable(s, &behind, &name, &otherwise)) continue;
    const char *value = variable_find(scope, name);
    i = behind;
    if (!value && !otherwise.data) {
      if (!defined(scope, name)) continue;
      value = ""; /* a keyword that was left out */
    }
    text_add_bytes(out, s.data + kept, dollar - kept);
    add_value(out, value ? slice_of(value) : otherwise, quote);
    kept = behind;
  }
  text_add_bytes(out, s.data + kept, s.length - kept);
}
