/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Substitution. References inside a $( ) are substituted first, by recursion up to EXPAND_DEPTH.
 */
#include "click/expand.h"

#include "click/words.h"

/* A reference in the text: everything from the '$' on. */
struct reference {
  char kind;         /* 'a': $name, '{': ${name}, '(': $(call) */
  struct slice name; /* what stands inside */
  size_t length;     /* 0: this '$' begins no reference */
  bool nested;       /* a $( ) that holds references */
};

/* Finds the ')' that belongs to the "$(" at s.data[0]. */
static struct reference read_call(struct slice s) {
  struct reference r = {.kind = '('};
  unsigned level = 1;
  char quote = '\0';
  for (size_t i = 2; i < s.length; i++) {
    char c = s.data[i];
    if (c == '\\' && quote != '\'' && i + 1 < s.length) {
      i++;
    } else if (c == '"' || c == '\'') {
      quote = !quote ? c : quote == c ? '\0' : quote;
    } else if (c == '$' && quote != '\'') {
      r.nested = true;
    } else if (!quote && c == '(') {
      level++;
    } else if (!quote && c == ')' && --level == 0) {
      r.name = (struct slice){s.data + 2, i - 2};
      r.length = i + 1;
      return r;
    }
  }
  return r;
}

static struct reference read_reference(struct slice s) {
  struct reference r = {.kind = 'a'};
  if (s.length < 2) return r;
  if (s.data[1] == '(') return read_call(s);
  size_t i = 1;
  if (s.data[1] == '{') {
    r.kind = '{';
    const char *end = memchr(s.data, '}', s.length);
    if (!end) return r;
    r.length = (size_t)(end - s.data) + 1;
    r.name = (struct slice){s.data + 2, r.length - 3};
    return r;
  }
  if (strchr("?#$", s.data[1])) {
    i = 2;
  } else {
    while (i < s.length && char_is_word(s.data[i]))
      i++;
  }
  r.name = (struct slice){s.data + 1, i - 1};
  r.length = i > 1 ? i : 0;
  return r;
}

static int expand_at(const struct expander *x, struct slice s, bool marks, unsigned depth, struct text *out,
                     struct report *report);

/* Appends the value of a reference. False: it stays as it is written. */
static int evaluate(const struct expander *x, const struct reference *r, unsigned depth, struct text *value,
                    bool *found, struct report *report) {
  *found = true;
  if (r->kind == '(') {
    struct text call = {0};
    int error = 0;
    if (r->nested) {
      error = expand_at(x, r->name, false, depth + 1, &call, report);
    } else {
      text_add_slice(&call, r->name);
    }
    if (error == 0) {
      *found = x->call(x->context, (struct slice){text_string(&call), call.length}, value, report) == 0;
    }
    text_free(&call);
    return error;
  }
  if (x->variable(x->context, r->name, value)) return 0;
  const char *minus = r->kind == '{' && r->name.length ? memchr(r->name.data, '-', r->name.length) : NULL;
  if (!minus) {
    *found = false;
    return 0;
  }
  size_t before = (size_t)(minus - r->name.data);
  struct slice name = {r->name.data, before};
  if (x->variable(x->context, name, value)) return 0;
  text_add_bytes(value, minus + 1, r->name.length - before - 1);
  return 0;
}

/* Appends the value of the reference at s.data[0] as it must stand between these quotes. */
static int substitute(const struct expander *x, struct slice s, const struct reference *r, char quote, bool marks,
                      unsigned depth, struct text *out, struct report *report) {
  struct text value = {0};
  bool found;
  int error = evaluate(x, r, depth, &value, &found, report);
  struct slice result = {text_string(&value), value.length};
  if (error == 0 && value.failed) out->failed = true;
  if (error == 0 && !found) {
    text_add_bytes(out, s.data, r->length);
  } else if (error == 0 && (quote == '"' || marks)) {
    words_quote(result, !quote, out);
  } else if (error == 0) {
    text_add_slice(out, result);
  }
  text_free(&value);
  return error;
}

static int expand_at(const struct expander *x, struct slice s, bool marks, unsigned depth, struct text *out,
                     struct report *report) {
  if (depth > EXPAND_DEPTH) {
    return report_error(report, ERROR_TOO_BIG, "$( ) inside $( ) over %d deep", EXPAND_DEPTH);
  }
  char quote = '\0';
  for (size_t i = 0; i < s.length;) {
    struct slice here = {s.data + i, s.length - i};
    char c = s.data[i];
    size_t take = 1;
    if (c == '\\' && quote == '"' && i + 1 < s.length) {
      take = 2;
    } else if (c == '"' || c == '\'') {
      quote = !quote ? c : quote == c ? '\0' : quote;
    } else if (c == '$' && quote != '\'') {
      struct reference r = read_reference(here);
      if (r.length > 0) {
        int error = substitute(x, here, &r, quote, marks, depth, out, report);
        if (error) return error;
        i += r.length;
        take = 0;
      }
    }
    text_add_bytes(out, here.data, take);
    i += take;
    if (out->failed) return report_error(report, ERROR_NO_MEMORY, "no memory for the text");
    if (out->length > EXPAND_MAX) {
      return report_error(report, ERROR_TOO_BIG, "text over %d bytes", EXPAND_MAX);
    }
  }
  return 0;
}

int expand(const struct expander *expander, struct slice s, bool marks, struct text *out, struct report *report) {
  return expand_at(expander, s, marks, 0, out, report);
}
