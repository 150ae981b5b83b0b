/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Substitution in the text of script instructions: $name, ${name}, ${name-default}, $?, $#, $$, $0 ..., and $(HANDLER ARGS).
 */
#ifndef IMAGO_CLICK_EXPAND_H
#define IMAGO_CLICK_EXPAND_H

#include "lib/report.h"
#include "lib/text.h"

enum {
  EXPAND_DEPTH = 12,  /* $( ) inside $( ), so deep at most */
  EXPAND_MAX = 65536, /* bytes of a result */
};

struct expander {
  /* Appends the value of a variable; false when there is none of that name: then the reference stays as it is written. */
  bool (*variable)(void *context, struct slice name, struct text *value);
  /* Appends what the read handler gives. After an error, which it has reported, the reference stays. */
  int (*call)(void *context, struct slice call, struct text *value, struct report *report);
  void *context;
};

/* Appends `s` with its substitutions made; nothing is substituted inside '...'. What goes inside "..." is quoted as it must be there.
 * `marks`: what stands outside quotes gets quotes, so that unquoting the result takes away the quotes of `s` alone. 0, or
 * -ERROR_TOO_BIG or -ERROR_NO_MEMORY after reporting. */
int expand(const struct expander *expander, struct slice s, bool marks, struct text *out,
           struct report *report) MUST_USE;

#endif
