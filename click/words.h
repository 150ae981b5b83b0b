/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Space-separated words with Click's quoting, and one layer of quotes put on and taken off: what the arguments of handlers and
 * script instructions are made of.
 */
#ifndef IMAGO_CLICK_WORDS_H
#define IMAGO_CLICK_WORDS_H

#include "lib/text.h"

/* Splits off the first word of *rest with its quotes; blanks inside "...", '...' and \<...> do not end it. Advances *rest past it
 * and the blanks behind. Empty when there is none. */
struct slice words_next(struct slice *rest);
/* Appends s without one layer of quotes (args_unquote). Reading ends at a zero byte. */
void words_unquote(struct slice s, struct text *out);
/* Appends s so that words_unquote gives it back. `marks`: with the quotation marks around it; otherwise as it stands inside. */
void words_quote(struct slice s, bool marks, struct text *out);
/* "true", "false", "yes", "no", "1", "0" and so on, as Click's BoolArg. False when it is none. */
bool words_bool(struct slice s, bool *value);

#endif
