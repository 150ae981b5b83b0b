/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tokens of the Click language. One pass over the bytes, no recursion, no copy: tokens are views into the source.
 */
#include "click/lexer.h"

#include "lib/memory.h"

void lexer_init(struct lexer *lexer, const char *file, struct slice source, struct report *report) {
  *lexer = (struct lexer){.source = source, .at = {file, 1}, .file = file, .report = report};
}

void lexer_free(struct lexer *lexer) {
  for (uint32_t i = 0; i < lexer->file_count; i++)
    memory_free(lexer->files[i]);
  lexer->file_count = 0;
}

/* The byte `ahead` of the position; NUL at the end, which no token contains. */
static char peek(const struct lexer *lexer, size_t ahead) {
  return lexer->source.length - lexer->position > ahead ? lexer->source.data[lexer->position + ahead] : '\0';
}

static bool at_end(const struct lexer *lexer) { return lexer->position >= lexer->source.length; }

static void advance(struct lexer *lexer) {
  if (lexer->source.data[lexer->position++] == '\n') lexer->at.line++;
}

static struct slice rest_of_line(const struct lexer *lexer) {
  const char *start = lexer->source.data + lexer->position;
  size_t left = lexer->source.length - lexer->position;
  const char *end = left ? memchr(start, '\n', left) : NULL;
  return (struct slice){start, end ? (size_t)(end - start) : left};
}

/* The name as it lives in lexer->files, or NULL when there is no room for it. */
static const char *intern_file(struct lexer *lexer, struct slice name) {
  for (uint32_t i = lexer->file_count; i-- > 0;) {
    if (slice_equals(name, lexer->files[i])) return lexer->files[i];
  }
  if (lexer->file_count == LEXER_MAX_FILES) return NULL;
  char *copy = memory_copy_string(name.data, name.length);
  if (copy) lexer->files[lexer->file_count++] = copy;
  return copy;
}

/* `# 12 "file"` or `#line 12 "file"` (the name may be missing) says what the next line is; what stands behind the
 * name (gcc's flags) is ignored, and an empty name is the source's own. Position is at the '#'. */
static void line_marker(struct lexer *lexer) {
  struct slice line = rest_of_line(lexer);
  lexer->position += line.length; /* up to the newline, which counts as one more line */
  struct slice rest = {line.data + 1, line.length - 1};
  struct slice word = slice_next_word(&rest);
  if (slice_equals(word, "line")) word = slice_next_word(&rest);
  uint64_t number;
  if (slice_to_u64(word, UINT32_MAX, &number) != 0) {
    report_error(lexer->report, ERROR_INVALID, "%s:%u: unknown preprocessor directive '%.*s'", lexer->at.file,
                 lexer->at.line, (int)(line.length < 40 ? line.length : 40), line.data);
    return;
  }
  rest = slice_trim(rest);
  if (rest.length >= 2 && rest.data[0] == '"') {
    const char *end = memchr(rest.data + 1, '"', rest.length - 1);
    struct slice name = {rest.data + 1, end ? (size_t)(end - rest.data) - 1 : 0};
    const char *file = end && name.length == 0 ? lexer->file : end ? intern_file(lexer, name) : NULL;
    if (file) {
      lexer->at.file = file;
    } else {
      report_error(lexer->report, ERROR_TOO_BIG,
                   "%s:%u: line marker: file name has no closing '\"', or more than %d files", lexer->at.file,
                   lexer->at.line, LEXER_MAX_FILES);
    }
  }
  lexer->at.line = (uint32_t)number - 1;
}

/* Position is at the slash of a comment's opening. */
static void skip_comment(struct lexer *lexer) {
  struct landmark start = lexer->at;
  if (peek(lexer, 1) == '/') {
    lexer->position += rest_of_line(lexer).length;
    return;
  }
  lexer->position += 2;
  while (!at_end(lexer)) {
    if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
      lexer->position += 2;
      return;
    }
    advance(lexer);
  }
  report_error(lexer->report, ERROR_INVALID, "%s:%u: unterminated comment; close it with '*/'", start.file, start.line);
}

static bool comment_here(const struct lexer *lexer) {
  return peek(lexer, 0) == '/' && (peek(lexer, 1) == '/' || peek(lexer, 1) == '*');
}

static void skip_blanks(struct lexer *lexer) {
  while (!at_end(lexer)) {
    bool line_start = lexer->position == 0 || lexer->source.data[lexer->position - 1] == '\n';
    if (char_is_space(peek(lexer, 0))) {
      advance(lexer);
    } else if (comment_here(lexer)) {
      skip_comment(lexer);
    } else if (peek(lexer, 0) == '#' && line_start) {
      line_marker(lexer);
    } else {
      break;
    }
  }
}

static bool identifier_char(char c) { return char_is_word(c) || c == '@'; }

/* Takes the next `length` bytes as a token. */
static struct token take(struct lexer *lexer, enum token_kind kind, size_t length) {
  struct token token = {kind, {lexer->source.data + lexer->position, length}, '\0', lexer->at};
  lexer->position += length;
  return token;
}

static struct token take_identifier(struct lexer *lexer) {
  static const struct {
    const char *word;
    enum token_kind kind;
  } keywords[] = {{"elementclass", TOKEN_ELEMENTCLASS},
                  {"require", TOKEN_REQUIRE},
                  {"provide", TOKEN_PROVIDE},
                  {"define", TOKEN_DEFINE}};
  bool digits = true;
  size_t length = 0;
  for (;; length++) {
    char c = peek(lexer, length);
    bool joint = c == '/' && length > 0 && identifier_char(peek(lexer, length + 1));
    if (!identifier_char(c) && !joint) break;
    digits = digits && char_is_digit(c);
  }
  struct token token = take(lexer, digits ? TOKEN_NUMBER : TOKEN_IDENTIFIER, length);
  for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
    if (slice_equals(token.text, keywords[i].word)) token.kind = keywords[i].kind;
  }
  return token;
}

/* $name, ${name}, $1, $?; a '$' with nothing of the kind behind it is bad. */
static struct token take_variable(struct lexer *lexer) {
  bool braces = peek(lexer, 1) == '{';
  size_t start = braces ? 2 : 1, length = start;
  while (char_is_word(peek(lexer, length)))
    length++;
  bool closed = !braces || peek(lexer, length) == '}';
  if (length == start || !closed) {
    struct token bad = take(lexer, TOKEN_BAD, 1);
    report_error(lexer->report, ERROR_INVALID, "%s:%u: '$' must be followed by a variable name", bad.at.file,
                 bad.at.line);
    return bad;
  }
  struct token token = take(lexer, TOKEN_VARIABLE, length + (braces ? 1 : 0));
  token.text = (struct slice){token.text.data + start, length - start};
  return token;
}

static bool starts_token(char c) {
  return char_is_space(c) || identifier_char(c) || (c != '\0' && strchr("/$;,()[]{}|:-=.", c));
}

/* A run of bytes that begin no token is one error, its first bytes shown as text or hexadecimal. */
static struct token take_bad(struct lexer *lexer) {
  size_t length = 1;
  while (lexer->position + length < lexer->source.length && !starts_token(peek(lexer, length)))
    length++;
  struct token token = take(lexer, TOKEN_BAD, length);
  char shown[64];
  size_t used = 0;
  for (size_t i = 0; i < length && used + 5 < sizeof shown && i < 8; i++) {
    unsigned char c = (unsigned char)token.text.data[i];
    bool printable = c > ' ' && c < 0x7f;
    used += format_text(shown + used, sizeof shown - used, printable ? "%c" : "\\x%02x", c);
  }
  report_error(lexer->report, ERROR_INVALID, "%s:%u: syntax error near '%s'", token.at.file, token.at.line, shown);
  return token;
}

struct token lexer_next(struct lexer *lexer) {
  static const struct {
    const char *text;
    enum token_kind kind;
  } symbols[] = {{"->", TOKEN_ARROW},
                 {"=>", TOKEN_DOUBLE_ARROW},
                 {"::", TOKEN_COLON_COLON},
                 {"||", TOKEN_BAR_BAR},
                 {"...", TOKEN_ELLIPSIS}};
  skip_blanks(lexer);
  if (at_end(lexer)) return (struct token){TOKEN_END, {"", 0}, '\0', lexer->at};
  char c = peek(lexer, 0);
  if (identifier_char(c)) return take_identifier(lexer);
  if (c == '$') return take_variable(lexer);
  struct slice rest = {lexer->source.data + lexer->position, lexer->source.length - lexer->position};
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    if (slice_starts_with(rest, symbols[i].text)) return take(lexer, symbols[i].kind, strlen(symbols[i].text));
  }
  if (c != '\0' && strchr(";,()[]{}|:-", c)) {
    struct token token = take(lexer, TOKEN_CHARACTER, 1);
    token.character = c;
    return token;
  }
  return take_bad(lexer);
}

/* Moves past a quoted string. In "..." a backslash hides the next byte; in '...' nothing does. */
static void skip_quoted(struct lexer *lexer) {
  char quote = peek(lexer, 0);
  advance(lexer);
  while (!at_end(lexer) && peek(lexer, 0) != quote) {
    if (quote == '"' && peek(lexer, 0) == '\\') advance(lexer);
    if (!at_end(lexer)) advance(lexer);
  }
  if (!at_end(lexer)) advance(lexer);
}

struct token lexer_next_config(struct lexer *lexer) {
  struct token none = {TOKEN_END, {"", 0}, '\0', lexer->at};
  skip_blanks(lexer);
  if (peek(lexer, 0) != '(') return none;
  struct landmark open = lexer->at;
  advance(lexer);
  size_t start = lexer->position, depth = 1;
  while (!at_end(lexer)) {
    char c = peek(lexer, 0);
    if (c == '"' || c == '\'') {
      skip_quoted(lexer);
      continue;
    }
    if (comment_here(lexer)) {
      skip_comment(lexer);
      continue;
    }
    if (c == '#' && lexer->source.data[lexer->position - 1] == '\n') {
      line_marker(lexer); /* stays in the text, where it counts as a comment */
      continue;
    }
    if (c == '(') depth++;
    if (c == ')' && --depth == 0) {
      struct slice text = {lexer->source.data + start, lexer->position - start};
      advance(lexer);
      return (struct token){TOKEN_CONFIG, text, '\0', open};
    }
    advance(lexer);
  }
  report_error(lexer->report, ERROR_INVALID, "%s:%u: this '(' has no matching ')'", open.file, open.line);
  return (struct token){TOKEN_BAD, {lexer->source.data + start, lexer->source.length - start}, '\0', open};
}
