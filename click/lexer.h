/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tokens of the Click language (Click's "click" manual page, section LEXICAL ISSUES). The lexer knows the whole token set, so
 * that the grammar can grow without it.
 */
#ifndef IMAGO_CLICK_LEXER_H
#define IMAGO_CLICK_LEXER_H

#include <stdint.h>

#include "lib/report.h"
#include "lib/string.h"

enum token_kind {
  TOKEN_END,
  TOKEN_IDENTIFIER,   /* letters, digits, _, @, and / between components */
  TOKEN_VARIABLE,     /* $name or ${name}; text without the $ */
  TOKEN_NUMBER,       /* digits only: a port number inside [ ] */
  TOKEN_CONFIG,       /* configuration string between ( and its matching ), raw, without them */
  TOKEN_ARROW,        /* -> */
  TOKEN_DOUBLE_ARROW, /* => */
  TOKEN_COLON_COLON,  /* :: */
  TOKEN_BAR_BAR,      /* || */
  TOKEN_ELLIPSIS,     /* ... */
  TOKEN_ELEMENTCLASS,
  TOKEN_REQUIRE,
  TOKEN_PROVIDE,
  TOKEN_DEFINE,
  TOKEN_CHARACTER, /* one of ; , ( ) [ ] { } | : - : see .character */
  TOKEN_BAD,       /* an error was reported */
};

/* A place in a source: "fw.click:12". `file` belongs to the caller of lexer_init or is one of lexer->files. */
struct landmark {
  const char *file;
  uint32_t line;
};

struct token {
  enum token_kind kind;
  struct slice text;
  char character;
  struct landmark at;
};

enum { LEXER_MAX_FILES = 64 };

/* Reads `source` (not NUL-terminated; it must outlive the tokens). Line markers `# 12 "file"` and `#line 12` change the landmark. */
struct lexer {
  struct slice source;
  size_t position;
  struct landmark at;
  const char *file; /* the source's own name: `# 12 ""` returns to it */
  struct report *report;
  char *files[LEXER_MAX_FILES]; /* owned; file names from line markers, each once */
  uint32_t file_count;
};

void lexer_init(struct lexer *lexer, const char *file, struct slice source, struct report *report);
void lexer_free(struct lexer *lexer);
/* The next token. After TOKEN_END always TOKEN_END. */
struct token lexer_next(struct lexer *lexer);
/* After an identifier the parser asks for a configuration string: when the next character is '(', reads to the matching ')'
 * (quotes, comments, line markers and nested parentheses respected) and returns TOKEN_CONFIG; otherwise returns a token of kind TOKEN_END
 * and moves past blanks and comments only. */
struct token lexer_next_config(struct lexer *lexer);

#endif
