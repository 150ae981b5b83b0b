/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A configuration as an HTML page that needs nothing else: picture, source with highlighting (the classes c-cmt, c-kw, c-cfg, c-cd,
 * c-ed of click-pretty(1)), and a table of elements.
 */
#ifndef IMAGO_TOOLS_CLICK_HTML_H
#define IMAGO_TOOLS_CLICK_HTML_H

#include "tools/click_tool.h"

/* Appends the page. 0 or -ERROR_NO_MEMORY. */
int click_html(const struct click_tool *tool, struct text *out) MUST_USE;

#endif
