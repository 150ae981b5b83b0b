/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Click text as HTML: spans of the classes c-cmt, c-kw, c-cfg, c-cd, c-ed and c-err (click-pretty(1), the config tag), anchors at
 * declarations ("e-NAME", "decl-CLASS"), titles at uses, links at classes.
 */
#ifndef IMAGO_TOOLS_HTML_SOURCE_H
#define IMAGO_TOOLS_HTML_SOURCE_H

#include "click/config.h"

/* Appends a <pre>. `config` is what the source gives; class_docs a URL in which %s stands for a class, or NULL. Of `errors` (messages of
 * the parser, one a line) those that begin "FILE:LINE: " mark that line, with the rest of the message as title. */
void html_source(const struct click_config *config, struct slice source, const char *class_docs, const char *file,
                 struct slice errors, struct text *out);
/* Appends `class`, as a link where there is a URL. */
void html_class(const char *class_docs, struct slice class, struct text *out);

#endif
