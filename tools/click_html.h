/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A configuration as an HTML page by a template: text in which tags stand for what is known of the configuration, as in
 * click-pretty(1). Tags <~title> and <~graph> (a picture) are ours.
 */
#ifndef IMAGO_TOOLS_CLICK_HTML_H
#define IMAGO_TOOLS_CLICK_HTML_H

#include "click/router.h"

enum { HTML_DEPTH = 16 }; /* of templates inside templates; what lies deeper is left out */

/* A tag of the command line: <~name> stands for text. */
struct html_definition {
  const char *name;
  size_t name_length;
  const char *text;
};

struct html_page {
  const char *title;
  const struct click_config *config;
  const struct router *graph; /* its ports (click_graph_make); NULL: not known */
  struct slice source;
  const char *class_docs; /* a URL with "%s" for the class, or NULL */
  const struct html_definition *definitions;
  unsigned definition_count;
  struct slice errors; /* what the parser said, if it refused the source: then `config` is empty */
};

/* A page that needs no other file: picture, source, table of elements. */
extern const char html_default_template[];

/* Appends the page. 0 or -ERROR_NO_MEMORY. */
int click_html(const struct html_page *page, struct slice template, struct text *out) MUST_USE;
/* The text of that tag of the command line; data NULL: there is none. */
struct slice html_definition_find(const struct html_page *page, struct slice name);

#endif
