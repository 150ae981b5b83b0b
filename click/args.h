/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Element arguments: splitting a configuration string at commas (Click's quoting rules), and a table-driven parser for
 * positional and keyword arguments. The same tables print an element's manual page.
 */
#ifndef IMAGO_CLICK_ARGS_H
#define IMAGO_CLICK_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/report.h"
#include "lib/string.h"

enum argument_type {
  ARGUMENT_U32,
  ARGUMENT_U64,
  ARGUMENT_I32,
  ARGUMENT_BOOL,   /* true false yes no 1 0 */
  ARGUMENT_STRING, /* target char *: unquoted copy, owned by the element, freed by the router */
  ARGUMENT_WORD,   /* as STRING, but one word */
};

enum argument_flags {
  ARGUMENT_MANDATORY = 1,
  ARGUMENT_POSITIONAL = 2, /* may stand by position, in the order of the table, and also as keyword */
};

/* offset: of the target inside the element's struct. The struct is zeroed before; defaults are set in class->defaults. */
struct argument {
  const char *name; /* keyword, upper case */
  enum argument_type type;
  unsigned flags;
  size_t offset;
  const char *help; /* one line, for the manual page */
};

/* The arguments that the table did not take, in order: Classifier's patterns, say. Unquoted copies. */
struct args {
  char **values;
  uint32_t count;
};

/* Splits at top-level commas, trims, drops a single empty argument. Values keep their quotes. 0 or -ERROR_NO_MEMORY. */
int args_split(const char *config, struct args *args) MUST_USE;
void args_free(struct args *args);
/* Click's unquoting: "..." with backslash escapes, '...' verbatim, \<68 65 78>. Caller frees; NULL when memory is out.
 * *length (may be NULL) gets the length, as data may contain NULs. */
char *args_unquote(const char *value, size_t *length) MUST_USE;

/* Parses `config` by `table` (ended by name NULL) into the struct at `target`. Leftovers go to *rest when rest is not NULL,
 * otherwise they are errors ("too many arguments"). Every error is reported: unknown keyword with the nearest known one,
 * missing mandatory argument, value of the wrong type. */
int args_parse(const char *config, const struct argument *table, void *target, struct args *rest,
               struct report *report) MUST_USE;
/* Frees what ARGUMENT_STRING and ARGUMENT_WORD targets own. */
void args_release(const struct argument *table, void *target);

#endif
