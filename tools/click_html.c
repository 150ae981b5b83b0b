/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Templates at their outermost: text, and the tags that don't belong to one element.
 */
#include "tools/click_html.h"

#include "tools/graph_svg.h"
#include "tools/html_elements.h"
#include "tools/html_source.h"

const char html_default_template[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title><~title></title>\n<style>\n"
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
    ".c-err { background: #fdd; text-decoration: red wavy underline }\n"
    ".c-cd { font-weight: bold } .c-ed { color: #0645ad; font-weight: bold }\n"
    "table { border-collapse: collapse } td, th { text-align: left; padding: .2em 1.2em .2em 0; border-bottom: 1px solid #eee; "
    "vertical-align: top }\n"
    "td.c-cfg { font: 13px ui-monospace, monospace } :target { background: #fff3bf }\n"
    "</style>\n</head>\n<body>\n<h1><~title></h1>\n"
    "<div class=\"graph\">\n<~graph></div>\n<h2>Configuration</h2>\n<~config>\n"
    "<h2>Elements</h2>\n<table>\n<tr><th>Name</th><th>Class</th><th>Inputs</th><th>Outputs</th><th>Configuration</th><th>Line</th></tr>\n"
    "<~elements\n"
    "  entry='<tr id=\"et-<~name>\"><td><~name link></td><td><~type link></td><td><~inputs></td><td><~outputs></td>"
    "<td class=\"c-cfg\"><~config></td><td><~line></td></tr>\n'\n"
    "  inputentry='<~port> <~processing> &larr; <~inputconnections sep=\", \"><br>'\n"
    "  outputentry='<~port> <~processing> &rarr; <~outputconnections sep=\", \"><br>'\n"
    "  inputconnection='<a href=\"#et-<~name>\"><~name></a>&nbsp;[<~port>]'\n"
    "  outputconnection='[<~port>]&nbsp;<a href=\"#et-<~name>\"><~name></a>'\n"
    "  noinputconnection='not connected' nooutputconnection='not connected' />\n"
    "</table>\n</body>\n</html>\n";

struct slice html_definition_find(const struct html_page *page, struct slice name) {
  for (unsigned i = page->definition_count; i-- > 0;) {
    const struct html_definition *d = &page->definitions[i];
    if (d->name_length == name.length && memcmp(d->name, name.data, name.length) == 0) return slice_of(d->text);
  }
  return (struct slice){NULL, 0};
}

static int expand(const struct html_page *page, struct slice template, unsigned depth, struct text *out) {
  struct slice before;
  struct html_tag tag;
  int error = 0;
  for (bool found = true; found && error == 0;) {
    found = html_tag_next(&template, &before, &tag);
    text_add_slice(out, before);
    if (!found) break;
    struct slice defined = html_definition_find(page, tag.name);
    if (html_tag_is(&tag, "config")) {
      html_source(page->config, page->source, page->class_docs, page->title, page->errors, out);
    } else if (html_tag_is(&tag, "elements")) {
      error = html_elements(page, &tag, out);
    } else if (defined.data != NULL && depth < HTML_DEPTH) {
      error = expand(page, defined, depth + 1, out);
    } else if (html_tag_is(&tag, "title")) {
      html_escape(slice_of(page->title), out);
    } else if (html_tag_is(&tag, "graph")) {
      error = graph_svg(page->config, page->graph, out);
    }
  }
  return out->failed ? -ERROR_NO_MEMORY : error;
}

int click_html(const struct html_page *page, struct slice template, struct text *out) {
  return expand(page, template, 0, out);
}
