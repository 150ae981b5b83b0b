/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The grammar of the Click language (Click's "click" manual page): statements, and what the other parts of the grammar use. Recursive
 * only over compounds and groups, at most AST_MAX_DEPTH deep. After an error the rest of the statement is skipped, so that one
 * mistake is one message.
 */
#include "click/parser.h"

#include "lib/memory.h"

void parser_next(struct parser *parser) { parser->token = lexer_next(&parser->lexer); }

bool parser_is(const struct parser *parser, char c) {
  return parser->token.kind == TOKEN_CHARACTER && parser->token.character == c;
}

void parser_fail(struct parser *parser, int code) {
  if (parser->failed) return;
  parser->failed = true;
  parser->failure = code;
}

/* --- errors --- */

void parser_error(struct parser *parser, const struct landmark *at, const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  format_text_list(message, sizeof message, format, arguments);
  va_end(arguments);
  report_error(parser->report, ERROR_INVALID, "%s:%u: %s", at->file, at->line, message);
}

void parser_syntax_error(struct parser *parser) {
  const struct token *token = &parser->token;
  if (token->kind == TOKEN_BAD) return; /* the lexer said it */
  bool end = token->kind == TOKEN_END;
  parser_error(parser, &token->at, "syntax error near '%.*s'", end ? 11 : parser_shown_length(token->text),
               end ? "end of file" : token->text.data);
}

void parser_fail_limit(struct parser *parser, int code, const struct landmark *at, const char *what, int limit) {
  if (parser->failed) return;
  if (code == -ERROR_TOO_BIG) {
    report_error(parser->report, ERROR_TOO_BIG, "%s:%u: more than %d %s", at->file, at->line, limit, what);
  }
  parser_fail(parser, code);
}

bool parser_take_config(struct parser *parser, struct slice *config) {
  struct token token = lexer_next_config(&parser->lexer);
  if (token.kind == TOKEN_CONFIG) *config = token.text;
  if (token.kind == TOKEN_BAD) parser->lexer.position = parser->lexer.source.length;
  parser_next(parser);
  return token.kind == TOKEN_CONFIG;
}

/* Whether the statement goes on behind a '}'. */
static bool statement_goes_on(const struct parser *parser) {
  return parser->token.kind == TOKEN_ARROW || parser->token.kind == TOKEN_DOUBLE_ARROW || parser_is(parser, '[') ||
         parser_is(parser, ',');
}

/* Whether the current token ends the statements of the compound or group. */
static bool at_closing(const struct parser *parser, char closing) {
  if (closing == '\0') return false;
  return parser_is(parser, closing) || (closing == '}' && parser->token.kind == TOKEN_BAR_BAR);
}

/* Past the ';' or the '{...}' that ends the statement, or before what closes it from outside. What is skipped gives no further
 * errors. */
static void skip_statement(struct parser *parser, char closing) {
  uint32_t depth = 0;
  bool end = false;
  while (parser->token.kind != TOKEN_END && !end) {
    if (depth == 0 && at_closing(parser, closing)) break;
    bool block = parser_is(parser, '}') && depth == 1;
    bool semicolon = parser_is(parser, ';') && depth == 0;
    if (parser_is(parser, '{') || parser_is(parser, '(')) depth++;
    if (depth > 0 && (parser_is(parser, '}') || parser_is(parser, ')'))) depth--;
    /* The token behind the end is the next statement's. */
    parser->lexer.report = block || semicolon ? parser->report : NULL;
    struct slice ignored;
    parser_take_config(parser, &ignored);
    end = semicolon || (block && !statement_goes_on(parser));
  }
  parser->lexer.report = parser->report;
}

/* --- elements --- */

bool parser_name_fits(struct parser *parser, const struct token *name) {
  if (name->text.length < CLICK_MAX_NAME) return true;
  report_error(parser->report, ERROR_TOO_BIG, "%s:%u: name '%.*s...' is longer than %d bytes", name->at.file,
               name->at.line, parser_shown_length(name->text), name->text.data, CLICK_MAX_NAME - 1);
  return false;
}

const struct ast_class *parser_find_class(const struct parser *parser, struct slice name) {
  for (const struct ast_class *class = parser->classes; class; class = class->outer) {
    if (class->name.length == name.length && memcmp(class->name.data, name.data, name.length) == 0) return class;
  }
  return NULL;
}

bool parser_add_element(struct parser *parser, const struct ast_element *element, uint32_t *index) {
  int result = ast_add_element(&parser->ast, parser->compound, element, index);
  if (result) parser_fail_limit(parser, result, &element->at, "uses of elements", AST_MAX_ELEMENTS);
  return result == 0;
}

struct slice parser_anonymous_name(struct parser *parser, struct slice class_name) {
  uint32_t offset = parser->compound->depth > 0 ? 2 : 0; /* input and output do not count */
  struct slice name = ast_text(&parser->ast, "%.*s@%u", (int)class_name.length, class_name.data,
                               parser->compound->element_count - offset + 1);
  if (!name.data) parser_fail(parser, -ERROR_NO_MEMORY);
  return name;
}

/* --- statements --- */

static bool parse_statement(struct parser *parser) {
  switch (parser->token.kind) {
    case TOKEN_REQUIRE:
      return parser_require(parser);
    case TOKEN_ELEMENTCLASS:
      return parser_elementclass(parser);
    case TOKEN_DEFINE:
      return parser_define(parser);
    case TOKEN_PROVIDE:
      return parser_provide(parser);
    case TOKEN_IDENTIFIER:
    case TOKEN_NUMBER:
    case TOKEN_ARROW:
    case TOKEN_DOUBLE_ARROW:
      return parser_chain(parser);
    default:
      break;
  }
  if (parser_is(parser, '[') || parser_is(parser, '{') || parser_is(parser, '(')) return parser_chain(parser);
  parser_syntax_error(parser);
  return false;
}

/* As in Click a ';' between statements may be missing where the next one can begin. */
static bool statement_may_begin(const struct parser *parser) {
  enum token_kind kind = parser->token.kind;
  return kind == TOKEN_IDENTIFIER || kind == TOKEN_REQUIRE || kind == TOKEN_ELEMENTCLASS || kind == TOKEN_DEFINE ||
         kind == TOKEN_PROVIDE || kind == TOKEN_END || parser_is(parser, ';') || parser_is(parser, '{') ||
         parser_is(parser, '[');
}

void parser_statements(struct parser *parser, char closing) {
  while (parser->token.kind != TOKEN_END && !parser->failed && !at_closing(parser, closing)) {
    if (parser->report->errors - parser->errors_before >= CLICK_MAX_ERRORS) {
      report_note(parser->report, "%s:%u: too many errors; giving up here", parser->token.at.file,
                  parser->token.at.line);
      parser_fail(parser, -ERROR_INVALID);
      return;
    }
    if (parser_is(parser, ';')) {
      parser_next(parser);
      continue;
    }
    bool good = parse_statement(parser);
    if (good && !statement_may_begin(parser) && !at_closing(parser, closing)) {
      parser_syntax_error(parser);
      good = false;
    }
    if (!good && !parser->failed) skip_statement(parser, closing);
  }
}

/* File names of landmarks move from the parser to the config, with the name of the source itself. */
static int keep_files(struct parser *parser, char *source_file, struct click_config *config) {
  config->files = memory_alloc((parser->lexer.file_count + parser->library_count + 1) * sizeof *config->files);
  if (!config->files) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < parser->lexer.file_count; i++)
    config->files[config->file_count++] = parser->lexer.files[i];
  parser->lexer.file_count = 0;
  for (uint32_t i = 0; i < parser->library_count; i++) {
    config->files[config->file_count++] = parser->libraries[i];
    parser->libraries[i] = NULL;
  }
  config->files[config->file_count++] = source_file;
  return 0;
}

static void parser_free(struct parser *parser) {
  click_ast_free(&parser->ast);
  lexer_free(&parser->lexer);
  for (uint32_t i = 0; i < parser->library_count; i++) {
    memory_free(parser->libraries[i]);
    text_free(&parser->sources[i]);
  }
  memory_free(parser->ends);
  memory_free(parser->items);
  memory_free(parser->ports);
}

static int parse_source(struct parser *parser, const char *file, struct slice source) {
  parser->ast.top = ast_add_compound(&parser->ast, slice_of(""), (struct landmark){file, 1}, 0);
  if (!parser->ast.top) return -ERROR_NO_MEMORY;
  parser->compound = parser->ast.top;
  parser->input = parser->output = UINT32_MAX;
  parser->ended_at_output = true;
  lexer_init(&parser->lexer, file, source, parser->report);
  parser_next(parser);
  parser_statements(parser, '\0');
  if (!parser->failed) parser_finish_elements(parser);
  if (parser->failed) return parser->failure;
  if (parser->report->errors > parser->errors_before) return -ERROR_INVALID;
  return parser->ast.requirements.failed ? -ERROR_NO_MEMORY : 0;
}

int click_parse_with(const char *file, struct slice source, const struct click_language *language,
                     struct click_config *config, struct report *report) {
  *config = (struct click_config){0};
  if (source.length > CLICK_MAX_SOURCE) {
    return report_error(report, ERROR_TOO_BIG, "%s: larger than %d bytes", file, CLICK_MAX_SOURCE);
  }
  struct report unread = {0}; /* errors are counted even when nobody reads them */
  struct parser *parser = memory_alloc(sizeof *parser);
  char *source_file = memory_copy_string(file, strlen(file));
  int result = -ERROR_NO_MEMORY;
  if (parser && source_file) {
    parser->report = report ? report : &unread;
    parser->language = language;
    parser->errors_before = parser->report->errors;
    result = parse_source(parser, source_file, source);
    if (result == 0) result = keep_files(parser, source_file, config);
    if (result == 0) {
      source_file = NULL;
      result = click_flatten(&parser->ast, language, config, parser->report);
    }
    if (result == 0 && parser->ast.requirements.length > 0) {
      config->requirements = parser->ast.requirements.data;
      parser->ast.requirements = (struct text){0};
    }
    parser_free(parser);
  }
  if (result) click_config_free(config);
  memory_free(parser);
  memory_free(source_file);
  report_free(&unread);
  return result;
}

int click_parse(const char *file, struct slice source, struct click_config *config, struct report *report) {
  return click_parse_with(file, source, NULL, config, report);
}
