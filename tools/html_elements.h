/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What <~elements> of a template expands to: an alphabetical list of elements and classes, each by a template of its own
 * (click-pretty(1), the elements tag). Elements are those of the flat configuration.
 */
#ifndef IMAGO_TOOLS_HTML_ELEMENTS_H
#define IMAGO_TOOLS_HTML_ELEMENTS_H

#include "tools/click_html.h"
#include "tools/html_tag.h"

/* Appends the expansion of that tag. 0 or -ERROR_NO_MEMORY. */
int html_elements(const struct html_page *page, const struct html_tag *tag, struct text *out) MUST_USE;

#endif
