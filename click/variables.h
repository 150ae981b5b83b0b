/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Variables of a configuration and their substitution in configuration strings: $name, ${name}, ${name-default},
 * ${name[0]} (a word of the value; the index may itself have variables).
 */
#ifndef IMAGO_CLICK_VARIABLES_H
#define IMAGO_CLICK_VARIABLES_H

#include "lib/string.h"
#include "lib/text.h"

/* One compound's variables, seen through those of the compounds around it. Values are C strings owned by whoever made the scope;
 * NULL is a keyword that was left out: "" as $name, and the default as ${name-default}. */
struct variable_scope {
  const struct variable_scope *parent; /* NULL: the outermost */
  uint32_t depth;
  uint32_t count;
  struct slice *names;
  char **values;
};

/* The value, or NULL when it has none. The innermost scope that has the name decides. */
const char *variable_find(const struct variable_scope *scope, struct slice name);
/* Appends `config` with its variables replaced, by Click's rules: not in '...' nor in comments; in "..." the value is quoted so that it
 * stays what it is; what is not defined stays as it stands. */
void variable_expand(const struct variable_scope *scope, struct slice config, struct text *out);

#endif
