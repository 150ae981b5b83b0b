/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tags of click-pretty's templates: <~name attribute=value ...>, which ends at '>', "/>" or "-->". Names are told apart without case;
 * values stand bare, in '...' or in "...", and may hold tags themselves.
 */
#ifndef IMAGO_TOOLS_HTML_TAG_H
#define IMAGO_TOOLS_HTML_TAG_H

#include "lib/string.h"
#include "lib/text.h"

enum { HTML_ATTRIBUTES = 24 }; /* of one tag; those behind are ignored */

/* Views into the template. An attribute without '=' has its own name as value. */
struct html_tag {
  struct slice name;
  struct html_attribute {
    struct slice name, value;
  } attributes[HTML_ATTRIBUTES];
  unsigned count;
};

/* Takes text up to the first tag, and that tag, off *rest. False: there was none; *before is all of it. */
bool html_tag_next(struct slice *rest, struct slice *before, struct html_tag *tag);
bool html_tag_is(const struct html_tag *tag, const char *name);
/* The last attribute of that name; data NULL when there is none. */
struct slice html_tag_find(const struct html_tag *tag, const char *name);
/* Appends the value with &amp; &quot; &lt; &gt; and &#NUMBER; as what they mean. */
void html_unquote(struct slice value, struct text *out);

#endif
