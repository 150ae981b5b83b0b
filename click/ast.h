/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the parser hands to flattening: compound elements, the whole source being the outermost, each with its elements, connections
 * and variables. Text is not copied: it points into the sources. Everything lies in one arena and goes at once.
 */
#ifndef IMAGO_CLICK_AST_H
#define IMAGO_CLICK_AST_H

#include "click/args.h"
#include "click/config.h"

/* A class as a name means it at one place of a source: a compound, or one that is not defined in the source. */
struct ast_class {
  struct slice name;
  struct ast_compound *compound; /* NULL: the class of elements called `target` */
  struct slice target;
  struct ast_class *overload; /* the next to try ("||"), or NULL */
  struct ast_class *outer;    /* defined before, in this scope or around it */
};

/* A tunnel is where connections pass into or out of a group or a compound: what enters it leaves at the tunnel `pair`. */
struct ast_element {
  struct slice name;
  struct slice class_name;
  const struct ast_class *class; /* NULL: class_name is no class of this source */
  struct slice arguments;
  struct landmark at;
  uint32_t inputs, outputs; /* ports in use: one more than the highest */
  uint32_t pair;            /* of a group's tunnels */
  bool tunnel, anonymous, bare;
};

struct ast_connection {
  uint32_t from, from_port; /* index of an element */
  uint32_t to, to_port;
  struct landmark at;
};

/* The first formal_count are formals: `value` is their keyword, "" when positional, "__REST__" for the rest. */
struct ast_variable {
  struct slice name, value;
};

struct ast_compound {
  struct slice name; /* "" when it has none */
  struct landmark at;
  uint32_t depth; /* 0: the source */
  struct ast_variable *variables;
  uint32_t variable_count, variable_capacity, formal_count;
  struct ast_element *elements; /* in compounds 0 is `input`, 1 is `output` */
  uint32_t element_count, element_capacity;
  struct ast_connection *connections;
  uint32_t connection_count, connection_capacity;
  struct name_table names;
  uint32_t inputs, outputs;
  struct ast_compound *next; /* of all compounds */
};

enum {
  AST_INPUT = 0,
  AST_OUTPUT = 1,
  AST_MAX_ELEMENTS = 65536,
  AST_MAX_CONNECTIONS = 65536, /* in all compounds together */
  AST_MAX_CLASSES = 4096,
  AST_MAX_VARIABLES = 256, /* of one compound */
  AST_MAX_DEPTH = 50,      /* compounds and groups in each other, as in Click */
  CLICK_MAX_ERRORS = 50,   /* after that many, reading on helps nobody */
};

struct ast_block {
  struct ast_block *next;
};

struct click_ast {
  struct ast_compound *top;
  struct ast_compound *compounds;
  struct ast_block *blocks;
  uint32_t element_count, connection_count, class_count;
  struct text requirements;
};

void click_ast_free(struct click_ast *ast);
/* Zeroed memory that lives as long as the ast; NULL when memory is out. */
void *ast_alloc(struct click_ast *ast, size_t size) MUST_USE;
/* A copy of formatted text that lives as long as the ast; data NULL when memory is out. */
struct slice ast_text(struct click_ast *ast, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct ast_compound *ast_add_compound(struct click_ast *ast, struct slice name, struct landmark at,
                                      uint32_t depth) MUST_USE;
/* 0, -ERROR_NO_MEMORY, or -ERROR_TOO_BIG over a limit. The index goes to *index. */
int ast_add_element(struct click_ast *ast, struct ast_compound *compound, const struct ast_element *element,
                    uint32_t *index) MUST_USE;
/* Counts the ports, too. */
int ast_connect(struct click_ast *ast, struct ast_compound *compound, const struct ast_connection *connection) MUST_USE;
/* -ERROR_EXISTS when the compound has one of that name. */
int ast_define(struct ast_compound *compound, struct slice name, struct slice value) MUST_USE;

/* Which of the classes chained by `overload` takes these arguments and as many ports as `element` uses: *class. Where there is only
 * one, the ports may differ. */
int ast_resolve(const struct ast_class *first, const struct args *args, const struct ast_element *element,
                const struct ast_class **class, struct report *report) MUST_USE;
/* The arguments by the formals of `compound`: values[i] for formal i, owned by the caller; NULL for a keyword that was left out.
 * -ERROR_INVALID when they do not fit. `values` may be NULL: then it is only tried. */
int ast_assign(const struct ast_compound *compound, const struct args *args, char **values) MUST_USE;

/* Expands compounds, removes tunnels, substitutes variables, and fills config's declarations, connections and names in Click's order.
 * On error config is to be freed by the caller. */
int click_flatten(struct click_ast *ast, const struct click_language *language, struct click_config *config,
                  struct report *report) MUST_USE;

#endif
