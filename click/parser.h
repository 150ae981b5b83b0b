/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The parser's state, shared by the parts of the grammar: click/parser.c (statements), click/chain.c (connections), click/compound.c
 * (compound elements, classes), click/require.c (requirements, variables). Not for others.
 */
#ifndef IMAGO_CLICK_PARSER_H
#define IMAGO_CLICK_PARSER_H

#include "click/args.h"
#include "click/ast.h"

/* Ports in brackets: numbers are ports[first] and the following. Open: "[1,]", or "[]", goes on as far as the other side has. */
struct port_list {
  uint32_t first, count;
  bool open;
};

/* One element of a list in a chain, with the ports written before and behind it. */
struct chain_end {
  uint32_t element;
  struct port_list inputs, outputs;
};

/* One element of a list as written, before the whole list is known. */
struct chain_item {
  struct slice name;
  struct slice class_name; /* behind '::' */
  const struct ast_class *class;
  struct slice arguments;
  struct landmark at;
  bool declared;  /* has '::' */
  bool bare;      /* nothing but a name */
  bool compound;  /* {...}: class is its class */
  bool reference; /* `element` is known: a group, or an implied input or output */
  bool implied;   /* it is the latter */
  uint32_t element;
  struct port_list inputs, outputs;
};

enum { PARSER_MAX_LIBRARIES = 64 };

struct parser {
  struct lexer lexer;
  struct token token; /* the next one, not yet taken */
  struct click_ast ast;
  struct ast_compound *compound; /* the innermost */
  struct ast_class *classes;     /* visible here, the last defined first */
  uint32_t input, output;        /* what `input` and `output` name here: the compound's or the group's */
  unsigned depth;                /* of compounds and groups */
  unsigned groups;               /* of them, groups in this compound */
  bool ended_at_output;          /* the last chain of this compound or group, or there was none */
  const struct click_language *language;
  struct report *report;
  unsigned errors_before; /* in report */
  bool failed;            /* out of memory or over a limit: stop at once */
  int failure;
  /* Growing stacks of what the chains being parsed consist of; a chain cuts back to where it began. */
  struct chain_end *ends;
  uint32_t end_count, end_capacity;
  struct chain_item *items;
  uint32_t item_count, item_capacity;
  uint32_t *ports;
  uint32_t port_count, port_capacity;
  char *libraries[PARSER_MAX_LIBRARIES]; /* names of those read; owned */
  struct text sources[PARSER_MAX_LIBRARIES];
  uint32_t library_count;
};

void parser_next(struct parser *parser);
bool parser_is(const struct parser *parser, char c);
void parser_fail(struct parser *parser, int code);
/* The same where `code` is -ERROR_TOO_BIG: "more than LIMIT WHAT"; or another, which says nothing. */
void parser_fail_limit(struct parser *parser, int code, const struct landmark *at, const char *what, int limit);
/* How much of a text that came with the source a message shows. */
static inline int parser_shown_length(struct slice text) { return text.length < 40 ? (int)text.length : 40; }
/* "syntax error near 'TOKEN'". */
void parser_syntax_error(struct parser *parser);
void parser_error(struct parser *parser, const struct landmark *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reads a configuration string, should one follow the current token, and then the next token. */
bool parser_take_config(struct parser *parser, struct slice *config);
bool parser_name_fits(struct parser *parser, const struct token *name);
const struct ast_class *parser_find_class(const struct parser *parser, struct slice name);
/* An element of the innermost compound; false after parser_fail. */
bool parser_add_element(struct parser *parser, const struct ast_element *element, uint32_t *index);
/* "Class@N" with Click's N. */
struct slice parser_anonymous_name(struct parser *parser, struct slice class_name);

/* From '{' to the matching '}', which stays the current token. The class; NULL after an error. */
struct ast_class *parser_compound(struct parser *parser, struct slice name);
/* At the end of a compound: gives anonymous elements names that nobody declared, and finds bare words that name elements declared only
 * later. */
void parser_finish_elements(struct parser *parser);
/* Statements up to `closing` ('}' also stops before "||"), or to the end of the source (closing 0), which stay current. */
void parser_statements(struct parser *parser, char closing);
/* Whether `input` or `output` (index, by the name they have for users) is used rightly and without gaps; returns how many ports. */
uint32_t parser_check_pseudo(struct parser *parser, uint32_t element, bool output, struct slice name,
                             const struct landmark *at);

/* One statement each, from its first token. False after an error, with the token at the offending place. */
bool parser_chain(struct parser *parser); /* a connection or declaration */
bool parser_elementclass(struct parser *parser);
bool parser_require(struct parser *parser);
bool parser_provide(struct parser *parser); /* says what this file is for others; nothing looks at it */
bool parser_define(struct parser *parser);

#endif
