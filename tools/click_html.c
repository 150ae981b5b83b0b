/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The page of click-pretty.
 */
#include "tools/click_html.h"

#include "tools/click_graph.h"
#include "tools/graph_svg.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>%TITLE%</title>\n<style>\n"
    "body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 90em; padding: 0 1em; color: #222 }\n"
    "h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin-top: 2em }\n"
    ".graph { overflow-x: auto; border: 1px solid #ddd; border-radius: 6px; background: #fcfcfa }\n"
    "svg { display: block; margin: auto; font: 12px ui-monospace, monospace } svg a { text-decoration: none }\n"
    "svg text { text-anchor: middle; fill: #444 } svg text.name { font-weight: bold; fill: #111 }\n"
    ".box { fill: #fff; stroke: #555; rx: 4px } a:hover .box { fill: #eef4ff; stroke: #0645ad }\n"
    ".edge { fill: none; stroke: #678 } marker path { fill: #678 }\n"
    ".push { fill: #222; stroke: #222 } .pull { fill: #fff; stroke: #222 }\n"
    "pre { font: 13px/1.5 ui-monospace, monospace; background: #f7f7f5; border: 1px solid #ddd; border-radius: 6px; padding: 1em; "
    "overflow-x: auto }\n"
    ".c-cmt { color: #777; font-style: italic } .c-kw { color: #a0306a; font-weight: bold } .c-cfg { color: #1a6b2d }\n"
    ".c-cd { font-weight: bold } .c-ed { color: #0645ad; font-weight: bold }\n"
    "table { border-collapse: collapse } td, th { text-align: left; padding: .2em 1.2em .2em 0; border-bottom: 1px solid #eee; "
    "vertical-align: top }\n"
    "td.c-cfg { font: 13px ui-monospace, monospace } :target { background: #fff3bf }\n"
    "</style>\n</head>\n<body>\n<h1>%TITLE%</h1>\n";

/* ---- the source ---- */

struct painter {
  const struct click_tool *tool;
  struct text *out;
  struct slice rest;
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

/* An element's declaration is an anchor, its other uses tell what it is. */
static void paint_name(struct painter *p, struct slice name, bool declared) {
  const struct click_config *config = &p->tool->config;
  char text[CLICK_MAX_NAME + 1];
  format_text(text, sizeof text, "%.*s", (int)name.length, name.data);
  int index = click_config_find(config, text);
  if (is_keyword(name)) {
    span(p, "c-kw", name);
  } else if (index < 0) {
    html_escape(name, p->out);
  } else if (declared) {
    text_add(p->out, "<a class=\"c-ed\" href=\"#e-");
    html_escape(name, p->out);
    text_add(p->out, "\">");
    html_escape(name, p->out);
    text_add(p->out, "</a>");
  } else {
    const struct click_declaration *d = &config->declarations[index];
    text_add(p->out, "<span title=\"");
    html_escape(name, p->out);
    text_add(p->out, " :: ");
    html_escape(slice_of(d->class_name), p->out);
    text_add(p->out, "\">");
    html_escape(name, p->out);
    text_add(p->out, "</span>");
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

static void paint(struct painter *p) {
  bool class_follows = false, after_name = false;
  while (p->rest.length > 0) {
    size_t length = comment_length(p->rest);
    if (length > 0) {
      span(p, "c-cmt", take(p, length));
    } else if ((length = name_length(p->rest)) > 0) {
      struct slice name = take(p, length);
      if (class_follows) {
        span(p, "c-cd", name);
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
  }
}

/* ---- the table ---- */

static void add_class(const struct click_tool *tool, const char *class, struct text *out) {
  const char *where = tool->class_docs == NULL ? NULL : tool->class_docs, *slot = where ? strchr(where, '%') : NULL;
  if (where != NULL) {
    text_add(out, "<a href=\"");
    html_escape((struct slice){where, slot != NULL ? (size_t)(slot - where) : strlen(where)}, out);
    if (slot != NULL) html_escape(slice_of(class), out);
    if (slot != NULL && slot[1] == 's') html_escape(slice_of(slot + 2), out);
    text_add(out, "\">");
  }
  html_escape(slice_of(class), out);
  if (where != NULL) text_add(out, "</a>");
}

static void add_table(const struct click_tool *tool, const struct router *graph, struct text *out) {
  text_add(out, "<h2>Elements</h2>\n<table>\n<tr><th>Name</th><th>Class</th><th>Inputs</th><th>Outputs</th>"
                "<th>Configuration</th><th>Line</th></tr>\n");
  for (uint32_t i = 0; i < tool->config.declaration_count; i++) {
    const struct click_declaration *d = &tool->config.declarations[i];
    text_add(out, "<tr id=\"e-");
    html_escape(slice_of(d->name), out);
    text_add(out, "\"><td>");
    html_escape(slice_of(d->name), out);
    text_add(out, "</td><td>");
    add_class(tool, d->class_name, out);
    if (graph != NULL) {
      text_addf(out, "</td><td>%u</td><td>%u", graph->elements[i]->input_count, graph->elements[i]->output_count);
    } else {
      text_add(out, "</td><td></td><td>");
    }
    text_add(out, "</td><td class=\"c-cfg\">");
    html_escape(slice_of(d->arguments), out);
    text_addf(out, "</td><td>%u</td></tr>\n", d->at.line);
  }
  text_add(out, "</table>\n");
}

static void add_head(const char *title, struct text *out) {
  static const char slot[] = "%TITLE%";
  for (const char *at = head; *at != '\0';) {
    if (slice_starts_with(slice_of(at), slot)) {
      html_escape(slice_of(title), out);
      at += sizeof slot - 1;
    } else {
      text_add_bytes(out, at++, 1);
    }
  }
}

int click_html(const struct click_tool *tool, struct text *out) {
  struct router graph = {0};
  /* What a driver would refuse can still be drawn; without push and pull then. */
  bool resolved = click_graph_make(&tool->config, &graph, NULL) == 0;
  struct painter painter = {tool, out, tool->text};
  add_head(tool->landmark, out);
  text_add(out, "<div class=\"graph\">\n");
  int error = graph_svg(&tool->config, resolved ? &graph : NULL, out);
  text_add(out, "</div>\n<h2>Configuration</h2>\n<pre>");
  paint(&painter);
  text_add(out, "</pre>\n");
  add_table(tool, resolved ? &graph : NULL, out);
  text_add(out, "</body>\n</html>\n");
  click_graph_free(&graph);
  return out->failed ? -ERROR_NO_MEMORY : error;
}
