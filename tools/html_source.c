/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Highlighting of Click text, by its tokens alone: what does not parse can be painted as well.
 */
#include "tools/html_source.h"

#include "tools/graph_svg.h"

void html_class(const char *class_docs, struct slice class, struct text *out) {
  const char *slot = class_docs != NULL ? strchr(class_docs, '%') : NULL;
  if (class_docs != NULL) {
    text_add(out, "<a href=\"");
    html_escape((struct slice){class_docs, slot != NULL ? (size_t)(slot - class_docs) : strlen(class_docs)}, out);
    if (slot != NULL) html_escape(class, out);
    if (slot != NULL && slot[1] == 's') html_escape(slice_of(slot + 2), out);
    text_add(out, "\">");
  }
  html_escape(class, out);
  if (class_docs != NULL) text_add(out, "</a>");
}

enum { CLASSES_MAX = 256 };

struct painter {
  const struct click_config *config;
  const char *class_docs;
  struct text *out;
  struct slice rest;
  struct slice classes[CLASSES_MAX]; /* that elementclass has defined so far */
  unsigned class_count;
  const char *file;
  struct slice errors;
  uint64_t line; /* where rest begins, from 1 */
  bool marked;   /* within the span of an error */
};

static size_t run_of(struct slice s, bool (*member)(char c)) {
  size_t n = 0;
  while (n < s.length && member(s.data[n]))
    n++;
  return n;
}

static bool is_name(char c) { return char_is_word(c) || c == '@' || c == '/'; }

/* A name ends where a comment begins. */
static size_t name_length(struct slice s) {
  size_t n = 0;
  while (n < s.length && is_name(s.data[n]) &&
         !(s.data[n] == '/' && n + 1 < s.length && (s.data[n + 1] == '/' || s.data[n + 1] == '*'))) {
    n++;
  }
  return n;
}

static size_t comment_length(struct slice s) {
  if (slice_starts_with(s, "//")) {
    const char *end = memchr(s.data, '\n', s.length);
    return end == NULL ? s.length : (size_t)(end - s.data);
  }
  if (!slice_starts_with(s, "/*")) return 0;
  for (size_t n = 2; n + 1 < s.length; n++) {
    if (s.data[n] == '*' && s.data[n + 1] == '/') return n + 2;
  }
  return s.length;
}

/* What stands between an element's parentheses, up to the one that closes; quoted text and comments may hold others. */
static size_t arguments_length(struct slice s) {
  size_t n = 0;
  for (int depth = 0; n < s.length; n++) {
    char c = s.data[n];
    if (c == '"' || c == '\'') {
      size_t end = n + 1;
      while (end < s.length && s.data[end] != c)
        end += c == '"' && s.data[end] == '\\' ? 2 : 1;
      n = end < s.length ? end : s.length - 1;
    } else if (c == '(') {
      depth++;
    } else if (c == ')' && depth-- == 0) {
      break;
    }
  }
  return n;
}

static struct slice take(struct painter *p, size_t length) {
  struct slice taken = {p->rest.data, length};
  for (size_t i = 0; i < length; i++)
    p->line += taken.data[i] == '\n';
  p->rest.data += length;
  p->rest.length -= length;
  return taken;
}

static void span(struct painter *p, const char *class, struct slice text) {
  text_addf(p->out, "<span class=\"%s\">", class);
  html_escape(text, p->out);
  text_add(p->out, "</span>");
}

static bool is_keyword(struct slice word) {
  static const char *const keywords[] = {"elementclass", "require", "provide", "define", "input", "output"};
  for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
    if (slice_equals(word, keywords[i])) return true;
  }
  return false;
}

static bool is_same(struct slice a, struct slice b) {
  return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static void span_titled(struct painter *p, const struct click_declaration *d, const char *class) {
  text_addf(p->out, "<span%s title=\"", class);
  html_escape(slice_of(d->name), p->out);
  text_add(p->out, " :: ");
  html_escape(slice_of(d->class_name), p->out);
  text_add(p->out, "\">");
  html_escape(slice_of(d->name), p->out);
  text_add(p->out, "</span>");
}

/* A class of this file is a link to where it is defined; another one to its documentation. */
static bool paint_class(struct painter *p, struct slice name) {
  for (unsigned i = 0; i < p->class_count; i++) {
    if (!is_same(p->classes[i], name)) continue;
    text_add(p->out, "<a href=\"#decl-");
    html_escape(name, p->out);
    text_add(p->out, "\">");
    html_escape(name, p->out);
    text_add(p->out, "</a>");
    return true;
  }
  for (uint32_t i = 0; i < p->config->declaration_count; i++) {
    if (!is_same(slice_of(p->config->declarations[i].class_name), name)) continue;
    html_class(p->class_docs, name, p->out);
    return true;
  }
  return false;
}

static void paint_class_declaration(struct painter *p, struct slice name) {
  text_add(p->out, "<a name=\"decl-");
  html_escape(name, p->out);
  text_add(p->out, "\">");
  span(p, "c-cd", name);
  text_add(p->out, "</a>");
  if (p->class_count < CLASSES_MAX) p->classes[p->class_count++] = name;
}

/* An element's declaration is an anchor, its other uses tell what it is. */
static void paint_name(struct painter *p, struct slice name, bool declared) {
  char text[CLICK_MAX_NAME + 1];
  format_text(text, sizeof text, "%.*s", (int)name.length, name.data);
  int index = name.length < sizeof text ? click_config_find(p->config, text) : -1;
  if (is_keyword(name)) {
    span(p, "c-kw", name);
  } else if (index < 0) {
    if (!paint_class(p, name)) html_escape(name, p->out);
  } else if (declared) {
    text_add(p->out, "<a name=\"e-");
    html_escape(name, p->out);
    text_add(p->out, "\">");
    span_titled(p, &p->config->declarations[index], " class=\"c-ed\"");
    text_add(p->out, "</a>");
  } else {
    span_titled(p, &p->config->declarations[index], "");
  }
}

static struct slice skip(struct slice s, size_t length) { return (struct slice){s.data + length, s.length - length}; }

/* Names of a list ("a, b :: Queue") are declared when "::" follows it. */
static bool declares(struct slice behind) {
  for (;;) {
    behind = skip(behind, run_of(behind, char_is_space));
    if (slice_starts_with(behind, "::")) return true;
    if (behind.length == 0 || behind.data[0] != ',') return false;
    behind = skip(behind, 1);
    behind = skip(behind, run_of(behind, char_is_space));
    size_t length = name_length(behind);
    if (length == 0) return false;
    behind = skip(behind, length);
  }
}

/* --- errors --- */

/* The message for this line in the next error, or an empty slice; goes on to the one behind it. */
static struct slice next_message(const struct painter *p, struct slice *errors) {
  uint64_t number;
  const char *end = memchr(errors->data, '\n', errors->length);
  struct slice line = {errors->data, end == NULL ? errors->length : (size_t)(end - errors->data)};
  *errors = skip(*errors, end == NULL ? line.length : line.length + 1);
  if (!slice_starts_with(line, p->file)) return slice_of("");
  line = skip(line, strlen(p->file));
  if (line.length == 0 || line.data[0] != ':') return slice_of("");
  line = skip(line, 1);
  size_t digits = run_of(line, char_is_digit);
  bool here = slice_to_u64((struct slice){line.data, digits}, UINT32_MAX, &number) == 0 && number == p->line;
  line = skip(line, digits);
  return here && slice_starts_with(line, ": ") ? skip(line, 2) : slice_of("");
}

/* In front of a token: the span of an error begins with the first one of its line, and ends with the line. */
static void mark(struct painter *p) {
  struct slice errors = p->errors;
  bool space = char_is_space(p->rest.data[0]);
  if (p->marked && p->rest.data[0] == '\n') {
    text_add(p->out, "</span>");
    p->marked = false;
  }
  while (!p->marked && !space && errors.length > 0) {
    struct slice message = next_message(p, &errors);
    if (message.length == 0) continue;
    text_add(p->out, "<span class=\"c-err\" title=\"");
    html_escape(message, p->out);
    text_add(p->out, "\">");
    p->marked = true;
  }
}

static void paint(struct painter *p) {
  bool class_follows = false, after_name = false;
  while (p->rest.length > 0) {
    uint64_t line = p->line;
    mark(p);
    size_t length = comment_length(p->rest);
    if (length > 0) {
      span(p, "c-cmt", take(p, length));
    } else if ((length = name_length(p->rest)) > 0) {
      struct slice name = take(p, length);
      if (class_follows) {
        paint_class_declaration(p, name);
      } else {
        paint_name(p, name, declares(p->rest));
      }
      class_follows = slice_equals(name, "elementclass");
      after_name = true;
    } else if (p->rest.data[0] == '(' && after_name) {
      html_escape(take(p, 1), p->out);
      span(p, "c-cfg", take(p, arguments_length(p->rest)));
      after_name = false;
    } else {
      after_name = after_name && char_is_space(p->rest.data[0]);
      html_escape(take(p, 1), p->out);
    }
    if (p->marked && (p->line != line || p->rest.length == 0)) {
      text_add(p->out, "</span>");
      p->marked = false;
    }
  }
}

void html_source(const struct click_config *config, struct slice source, const char *class_docs, const char *file,
                 struct slice errors, struct text *out) {
  struct painter painter = {.config = config,
                            .class_docs = class_docs,
                            .out = out,
                            .rest = source,
                            .file = file,
                            .errors = errors,
                            .line = 1};
  text_add(out, "<pre>");
  paint(&painter);
  text_add(out, "</pre>\n");
}
