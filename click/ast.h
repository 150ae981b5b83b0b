/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the parser hands to flattening: every element reference of a source in order, and the connections between
 * references. Text is not copied: it points into the source.
 */
#ifndef IMAGO_CLICK_AST_H
#define IMAGO_CLICK_AST_H

#include "click/config.h"

enum click_reference_kind {
  CLICK_DECLARED,  /* name :: Class(arguments) */
  CLICK_ANONYMOUS, /* Class(arguments) */
  CLICK_BARE,      /* a word: a declared element (here or further down), or else an anonymous element of that class */
};

struct click_reference {
  enum click_reference_kind kind;
  struct slice name; /* of CLICK_DECLARED and CLICK_BARE */
  struct slice class_name;
  struct slice arguments;
  struct landmark at;
};

struct click_edge {
  uint32_t from, from_port; /* index of a reference */
  uint32_t to, to_port;
  struct landmark at;
};

enum {
  CLICK_MAX_REFERENCES = CLICK_MAX_ELEMENTS + 2 * CLICK_MAX_CONNECTIONS,
  CLICK_MAX_ERRORS = 50, /* after that many, reading on helps nobody */
};

struct click_ast {
  struct click_reference *references;
  uint32_t reference_count, reference_capacity;
  struct click_edge *edges;
  uint32_t edge_count, edge_capacity;
  struct text requirements;
};

void click_ast_free(struct click_ast *ast);
/* Resolves names, numbers anonymous elements as Click does (Class@N, N counting elements from 1), and fills config's
 * declarations, connections and names. Reports every redeclaration. On error config is to be freed by the caller. */
int click_flatten(const struct click_ast *ast, struct click_config *config, struct report *report) MUST_USE;

#endif
