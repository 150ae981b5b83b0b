/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The grammar of the Click language (Click's "click" manual page), as far as docs/click.md says. Statement by statement,
 * without recursion. After an error the rest of the statement is skipped, so that one mistake is one message.
 */
#include "click/args.h"
#include "click/ast.h"
#include "lib/memory.h"

struct parser {
  struct lexer lexer;
  struct token token; /* the next one, not yet taken */
  struct click_ast ast;
  struct report *report;
  unsigned errors_before; /* in report */
  unsigned unsupported;   /* how many of the errors since then are about what is not taken yet */
  bool failed;            /* out of memory or over a limit: stop at once */
  int failure;
};

static void next(struct parser *parser) { parser->token = lexer_next(&parser->lexer); }

static bool is_character(const struct parser *parser, char c) {
  return parser->token.kind == TOKEN_CHARACTER && parser->token.character == c;
}

static void fail(struct parser *parser, int code) {
  parser->failed = true;
  parser->failure = code;
}

/* --- errors --- */

static int shown_length(struct slice text) { return text.length < 40 ? (int)text.length : 40; }

static void syntax_error(struct parser *parser, const char *expected) {
  const struct token *token = &parser->token;
  if (token->kind == TOKEN_BAD) return; /* the lexer said it */
  const char *text = token->kind == TOKEN_END ? "end of file" : token->text.data;
  int length = token->kind == TOKEN_END ? 11 : shown_length(token->text);
  if (expected) {
    report_error(parser->report, ERROR_INVALID, "%s:%u: syntax error near '%.*s': expected %s", token->at.file,
                 token->at.line, length, text, expected);
  } else {
    report_error(parser->report, ERROR_INVALID, "%s:%u: syntax error near '%.*s'", token->at.file, token->at.line,
                 length, text);
  }
}

static void unsupported(struct parser *parser, const char *what) {
  parser->unsupported++;
  report_error(parser->report, ERROR_UNSUPPORTED, "%s:%u: %s not taken yet (docs/click.md says what is)",
               parser->token.at.file, parser->token.at.line, what);
}

/* Reads past a configuration string, should one follow the token taken last, and then the next token. */
static bool take_config(struct parser *parser, struct slice *config) {
  struct token token = lexer_next_config(&parser->lexer);
  if (token.kind == TOKEN_CONFIG) *config = token.text;
  if (token.kind == TOKEN_BAD) parser->lexer.position = parser->lexer.source.length;
  next(parser);
  return token.kind == TOKEN_CONFIG;
}

/* Whether the statement goes on behind a '}'. */
static bool statement_goes_on(const struct parser *parser) {
  return parser->token.kind == TOKEN_ARROW || parser->token.kind == TOKEN_DOUBLE_ARROW || is_character(parser, '[') ||
         is_character(parser, ',');
}

/* Past the ';' or the '{...}' that ends the statement. What is skipped gives no further errors. */
static void skip_statement(struct parser *parser) {
  uint32_t depth = 0;
  bool end = false;
  while (parser->token.kind != TOKEN_END && !end) {
    bool closing = is_character(parser, '}') && depth <= 1;
    bool semicolon = is_character(parser, ';') && depth == 0;
    if (is_character(parser, '{') || is_character(parser, '(')) depth++;
    if (depth > 0 && (is_character(parser, '}') || is_character(parser, ')'))) depth--;
    /* The token behind the end is the next statement's. */
    parser->lexer.report = closing || semicolon ? parser->report : NULL;
    struct slice ignored;
    take_config(parser, &ignored);
    end = semicolon || (closing && !statement_goes_on(parser));
  }
  parser->lexer.report = parser->report;
}

/* --- the tree --- */

/* Room for one more item in an array; false when memory is out. */
static bool reserve(void **items, uint32_t count, uint32_t *capacity, size_t size) {
  if (count < *capacity) return true;
  uint32_t larger = *capacity ? *capacity * 2 : 64;
  void *moved = memory_resize(*items, larger * size);
  if (!moved) return false;
  *items = moved;
  *capacity = larger;
  return true;
}

static void add_reference(struct parser *parser, struct click_reference reference) {
  struct click_ast *ast = &parser->ast;
  if (ast->reference_count == CLICK_MAX_REFERENCES) {
    fail(parser, report_error(parser->report, ERROR_TOO_BIG, "%s:%u: more than %d uses of elements", reference.at.file,
                              reference.at.line, CLICK_MAX_REFERENCES));
    return;
  }
  void *items = ast->references;
  if (!reserve(&items, ast->reference_count, &ast->reference_capacity, sizeof reference)) {
    fail(parser, -ERROR_NO_MEMORY);
    return;
  }
  ast->references = items;
  ast->references[ast->reference_count++] = reference;
}

static void add_edge(struct parser *parser, struct click_edge edge) {
  struct click_ast *ast = &parser->ast;
  if (ast->edge_count == CLICK_MAX_CONNECTIONS) {
    fail(parser, report_error(parser->report, ERROR_TOO_BIG, "%s:%u: more than %d connections", edge.at.file,
                              edge.at.line, CLICK_MAX_CONNECTIONS));
    return;
  }
  void *items = ast->edges;
  if (!reserve(&items, ast->edge_count, &ast->edge_capacity, sizeof edge)) {
    fail(parser, -ERROR_NO_MEMORY);
    return;
  }
  ast->edges = items;
  ast->edges[ast->edge_count++] = edge;
}

/* --- grammar; each returns false after it reported an error, with the token at the offending place --- */

/* [N] */
static bool parse_port(struct parser *parser, uint32_t *port) {
  next(parser);
  struct token token = parser->token;
  bool number = token.kind == TOKEN_NUMBER || token.kind == TOKEN_IDENTIFIER;
  uint64_t value = 0;
  if (is_character(parser, ']') || is_character(parser, ',')) {
    unsupported(parser, "a list of ports is");
    return false;
  }
  int result = number ? slice_to_u64(token.text, CLICK_MAX_PORTS - 1, &value) : -ERROR_INVALID;
  if (result == -ERROR_TOO_BIG) {
    report_error(parser->report, ERROR_TOO_BIG, "%s:%u: port number %.*s is too large; the highest is %d",
                 token.at.file, token.at.line, shown_length(token.text), token.text.data, CLICK_MAX_PORTS - 1);
    return false;
  }
  if (result) {
    syntax_error(parser, "a port number");
    return false;
  }
  next(parser);
  if (is_character(parser, ',')) {
    unsupported(parser, "a list of ports is");
    return false;
  }
  if (!is_character(parser, ']')) {
    syntax_error(parser, "']'");
    return false;
  }
  next(parser);
  *port = (uint32_t)value;
  return true;
}

static bool name_fits(struct parser *parser, const struct token *name) {
  if (name->text.length < CLICK_MAX_NAME) return true;
  report_error(parser->report, ERROR_TOO_BIG, "%s:%u: name '%.*s...' is longer than %d bytes", name->at.file,
               name->at.line, shown_length(name->text), name->text.data, CLICK_MAX_NAME - 1);
  return false;
}

/* What stands where an element or a class should, and is not taken. */
static bool refuse_element(struct parser *parser, const char *expected) {
  if (is_character(parser, '{')) {
    unsupported(parser, "a compound element '{...}' is");
  } else if (is_character(parser, '(')) {
    unsupported(parser, "a group of elements '(...)' is");
  } else if (parser->token.kind == TOKEN_VARIABLE) {
    unsupported(parser, "a variable as element class is");
  } else {
    syntax_error(parser, expected);
  }
  return false;
}

/* Class or Class(arguments), behind '::'. */
static bool parse_class(struct parser *parser, struct click_reference *reference) {
  next(parser);
  if (parser->token.kind != TOKEN_IDENTIFIER) return refuse_element(parser, "an element class");
  if (!name_fits(parser, &parser->token)) return false;
  reference->class_name = parser->token.text;
  take_config(parser, &reference->arguments);
  return true;
}

/* The names of `a, b, c :: Class(arguments)`, from the comma on; `first` holds a. */
static bool parse_name_list(struct parser *parser, struct click_reference first) {
  uint32_t start = parser->ast.reference_count;
  add_reference(parser, first);
  while (!parser->failed && is_character(parser, ',')) {
    next(parser);
    if (parser->token.kind != TOKEN_IDENTIFIER) {
      syntax_error(parser, "an element name");
      return false;
    }
    if (!name_fits(parser, &parser->token)) return false;
    struct click_reference more = {.kind = CLICK_DECLARED, .name = parser->token.text, .at = parser->token.at};
    add_reference(parser, more);
    next(parser);
  }
  if (parser->failed) return false;
  if (parser->token.kind == TOKEN_ARROW || parser->token.kind == TOKEN_DOUBLE_ARROW || is_character(parser, '[')) {
    unsupported(parser, "a list of elements in a connection is");
    return false;
  }
  if (parser->token.kind != TOKEN_COLON_COLON) {
    syntax_error(parser, "'::' or ','");
    return false;
  }
  struct click_reference class = {0};
  if (!parse_class(parser, &class)) return false;
  for (uint32_t i = start; i < parser->ast.reference_count; i++) {
    parser->ast.references[i].class_name = class.class_name;
    parser->ast.references[i].arguments = class.arguments;
  }
  if (parser->token.kind == TOKEN_ARROW || is_character(parser, '[')) {
    unsupported(parser, "a list of elements in a connection is");
    return false;
  }
  return true;
}

/* name, Class(arguments), name :: Class(arguments), or at the start of a statement a list of names with one class. */
static bool parse_element(struct parser *parser, bool may_list) {
  if (parser->token.kind != TOKEN_IDENTIFIER) return refuse_element(parser, "an element");
  if (!name_fits(parser, &parser->token)) return false;
  struct click_reference reference = {.kind = CLICK_BARE, .name = parser->token.text, .at = parser->token.at};
  if (take_config(parser, &reference.arguments)) {
    reference.kind = CLICK_ANONYMOUS;
    reference.class_name = reference.name;
  } else if (parser->token.kind == TOKEN_COLON_COLON) {
    reference.kind = CLICK_DECLARED;
    if (!parse_class(parser, &reference)) return false;
  } else if (is_character(parser, ',') && may_list) {
    reference.kind = CLICK_DECLARED;
    return parse_name_list(parser, reference);
  }
  add_reference(parser, reference);
  return !parser->failed;
}

/* [port] element [port] -> [port] element ... */
static bool parse_chain(struct parser *parser) {
  struct click_edge edge = {0};
  bool first = true;
  for (;; first = false) {
    struct landmark at = parser->token.at;
    if (is_character(parser, '[')) {
      if (!parse_port(parser, &edge.to_port)) return false;
      if (first) {
        report_error(parser->report, ERROR_INVALID, "%s:%u: input port useless at start of chain", at.file, at.line);
      }
    }
    if (!parse_element(parser, first)) return false;
    edge.to = parser->ast.reference_count - 1;
    if (!first) add_edge(parser, edge);
    if (parser->failed) return false;
    edge = (struct click_edge){.from = edge.to};
    at = parser->token.at;
    bool output = is_character(parser, '[');
    if (output && !parse_port(parser, &edge.from_port)) return false;
    if (parser->token.kind == TOKEN_DOUBLE_ARROW) {
      unsupported(parser, "'=>' is");
      return false;
    }
    if (parser->token.kind != TOKEN_ARROW) {
      if (!output) return true;
      report_error(parser->report, ERROR_INVALID, "%s:%u: output port useless at end of chain", at.file, at.line);
      return true;
    }
    edge.at = parser->token.at;
    next(parser);
  }
}

/* require(package NAME, ...): what an image has is settled by its element classes, so it is only written down. */
static bool parse_require(struct parser *parser) {
  struct landmark at = parser->token.at;
  struct slice config = {"", 0};
  if (!take_config(parser, &config)) {
    syntax_error(parser, "'(' behind 'require'");
    return false;
  }
  char *text = memory_copy_string(config.data, config.length);
  struct args args = {0};
  if (!text || args_split(text, &args) != 0) {
    memory_free(text);
    fail(parser, -ERROR_NO_MEMORY);
    return false;
  }
  for (uint32_t i = 0; i < args.count; i++) {
    struct slice rest = slice_of(args.values[i]), word = slice_next_word(&rest);
    if (slice_equals(word, "library")) {
      parser->unsupported++;
      report_error(parser->report, ERROR_UNSUPPORTED, "%s:%u: 'require(library ...)' is not taken yet", at.file,
                   at.line);
    } else {
      text_addf(&parser->ast.requirements, "%s\n", args.values[i]);
    }
  }
  args_free(&args);
  memory_free(text);
  return true;
}

static bool parse_statement(struct parser *parser) {
  switch (parser->token.kind) {
    case TOKEN_REQUIRE:
      return parse_require(parser);
    case TOKEN_ELEMENTCLASS:
      unsupported(parser, "'elementclass' is");
      return false;
    case TOKEN_DEFINE:
      unsupported(parser, "'define' is");
      return false;
    case TOKEN_PROVIDE:
      unsupported(parser, "'provide' is");
      return false;
    case TOKEN_IDENTIFIER:
      return parse_chain(parser);
    default:
      break;
  }
  if (is_character(parser, '[') || is_character(parser, '{') || is_character(parser, '(')) return parse_chain(parser);
  if (parser->token.kind == TOKEN_VARIABLE) return parse_chain(parser);
  syntax_error(parser, NULL);
  return false;
}

/* As in Click a ';' between statements may be missing where the next one begins with a word. */
static bool statement_may_begin(const struct parser *parser) {
  enum token_kind kind = parser->token.kind;
  return kind == TOKEN_IDENTIFIER || kind == TOKEN_REQUIRE || kind == TOKEN_ELEMENTCLASS || kind == TOKEN_DEFINE ||
         kind == TOKEN_PROVIDE || kind == TOKEN_END || is_character(parser, ';');
}

static void parse_source(struct parser *parser) {
  next(parser);
  while (parser->token.kind != TOKEN_END && !parser->failed) {
    if (parser->report->errors - parser->errors_before >= CLICK_MAX_ERRORS) {
      report_note(parser->report, "%s:%u: too many errors; giving up here", parser->token.at.file,
                  parser->token.at.line);
      return;
    }
    if (is_character(parser, ';')) {
      next(parser);
      continue;
    }
    bool good = parse_statement(parser);
    if (good && !statement_may_begin(parser)) {
      syntax_error(parser, NULL);
      good = false;
    }
    if (!good) skip_statement(parser);
  }
}

/* File names of landmarks move from the lexer to the config, with the name of the source itself. */
static int keep_files(struct parser *parser, char *source_file, struct click_config *config) {
  config->files = memory_alloc((parser->lexer.file_count + 1) * sizeof *config->files);
  if (!config->files) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < parser->lexer.file_count; i++)
    config->files[config->file_count++] = parser->lexer.files[i];
  parser->lexer.file_count = 0;
  config->files[config->file_count++] = source_file;
  return 0;
}

static int parse_result(const struct parser *parser) {
  if (parser->failed) return parser->failure;
  if (parser->report->errors - parser->errors_before > parser->unsupported) return -ERROR_INVALID;
  return parser->unsupported ? -ERROR_UNSUPPORTED : 0;
}

int click_parse(const char *file, struct slice source, struct click_config *config, struct report *report) {
  *config = (struct click_config){0};
  if (source.length > CLICK_MAX_SOURCE) {
    return report_error(report, ERROR_TOO_BIG, "%s: larger than %d bytes", file, CLICK_MAX_SOURCE);
  }
  struct report unread = {0}; /* errors are counted even when nobody reads them */
  struct parser parser = {.report = report ? report : &unread};
  parser.errors_before = parser.report->errors;
  char *source_file = memory_copy_string(file, strlen(file));
  if (!source_file) return -ERROR_NO_MEMORY;
  lexer_init(&parser.lexer, source_file, source, parser.report);
  parse_source(&parser);

  int result = parse_result(&parser);
  if (result == 0 && parser.ast.requirements.failed) result = -ERROR_NO_MEMORY;
  if (result == 0) result = keep_files(&parser, source_file, config);
  if (result == 0) {
    source_file = NULL;
    result = click_flatten(&parser.ast, config, parser.report);
  }
  if (result == 0 && parser.ast.requirements.length > 0) {
    config->requirements = parser.ast.requirements.data;
    parser.ast.requirements = (struct text){0};
  }
  if (result) click_config_free(config);
  click_ast_free(&parser.ast);
  lexer_free(&parser.lexer);
  memory_free(source_file);
  report_free(&unread);
  return result;
}
