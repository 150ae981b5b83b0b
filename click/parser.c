/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The grammar of the Click language (Click's "click" manual page): statements, compound elements, classes, requirements. Recursive
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

static int shown_length(struct slice text) { return text.length < 40 ? (int)text.length : 40; }

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
  parser_error(parser, &token->at, "syntax error near '%.*s'", end ? 11 : shown_length(token->text),
               end ? "end of file" : token->text.data);
}

static void fail_limit(struct parser *parser, int code, const struct landmark *at, const char *what, int limit) {
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

/* --- elements and classes --- */

bool parser_name_fits(struct parser *parser, const struct token *name) {
  if (name->text.length < CLICK_MAX_NAME) return true;
  report_error(parser->report, ERROR_TOO_BIG, "%s:%u: name '%.*s...' is longer than %d bytes", name->at.file,
               name->at.line, shown_length(name->text), name->text.data, CLICK_MAX_NAME - 1);
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
  if (result) fail_limit(parser, result, &element->at, "uses of elements", AST_MAX_ELEMENTS);
  return result == 0;
}

struct slice parser_anonymous_name(struct parser *parser, struct slice class_name) {
  uint32_t offset = parser->compound->depth > 0 ? 2 : 0; /* input and output do not count */
  struct slice name = ast_text(&parser->ast, "%.*s@%u", (int)class_name.length, class_name.data,
                               parser->compound->element_count - offset + 1);
  if (!name.data) parser_fail(parser, -ERROR_NO_MEMORY);
  return name;
}

static struct ast_class *add_class(struct parser *parser, struct slice name) {
  if (parser->ast.class_count == AST_MAX_CLASSES) {
    fail_limit(parser, -ERROR_TOO_BIG, &parser->token.at, "element classes", AST_MAX_CLASSES);
    return NULL;
  }
  struct ast_class *class = ast_alloc(&parser->ast, sizeof *class);
  if (!class) {
    parser_fail(parser, -ERROR_NO_MEMORY);
    return NULL;
  }
  class->name = name;
  parser->ast.class_count++;
  return class;
}

static void define_class(struct parser *parser, struct ast_class *class) {
  class->outer = parser->classes;
  parser->classes = class;
}

/* --- compounds --- */

uint32_t parser_check_pseudo(struct parser *parser, uint32_t element, bool output, struct slice name,
                             const struct landmark *at) {
  static const char *const sides[] = {"input", "output"};
  const struct ast_element *pseudo = &parser->compound->elements[element];
  uint32_t used = output ? pseudo->inputs : pseudo->outputs;
  const char *shown = name.length ? name.data : "<anonymous>";
  int length = name.length ? (int)name.length : 11;
  if (output ? pseudo->outputs : pseudo->inputs) {
    parser_error(parser, at, "'%.*s' pseudoelement '%s' may only be used as %s", length, shown, sides[output],
                 sides[!output]);
  }
  /* One bit a port; port numbers are below CLICK_MAX_PORTS. */
  uint64_t seen[(CLICK_MAX_PORTS + 63) / 64] = {0};
  for (uint32_t i = 0; i < parser->compound->connection_count; i++) {
    const struct ast_connection *c = &parser->compound->connections[i];
    uint32_t port = output ? c->to_port : c->from_port;
    if ((output ? c->to : c->from) == element) seen[port / 64] |= (uint64_t)1 << (port % 64);
  }
  for (uint32_t i = 0; i < used; i++) {
    if (!(seen[i / 64] >> (i % 64) & 1))
      parser_error(parser, at, "'%.*s' %s %u missing", length, shown, sides[output], i);
  }
  return used;
}

/* Gives anonymous elements names that nobody declared, and finds bare words that name elements declared only later. */
static void finish_elements(struct parser *parser) {
  struct ast_compound *compound = parser->compound;
  for (uint32_t i = 0; i < compound->element_count && !parser->failed; i++) {
    struct ast_element *e = &compound->elements[i];
    if (!e->anonymous) continue;
    int64_t declared = e->bare ? name_table_find(&compound->names, e->class_name) : -1;
    if (declared >= 0 && !compound->elements[declared].anonymous) {
      parser_error(parser, &e->at, "undeclared element '%.*s'; it is declared at %s:%u, and must be before its use",
                   (int)e->class_name.length, e->class_name.data, compound->elements[declared].at.file,
                   compound->elements[declared].at.line);
    }
    uint32_t number = i + 1 - (compound->depth > 0 ? 2 : 0);
    while (name_table_find(&compound->names, e->name) >= 0 && !parser->failed) {
      e->name = ast_text(&parser->ast, "%.*s@%u", (int)e->class_name.length, e->class_name.data, ++number);
      if (!e->name.data) parser_fail(parser, -ERROR_NO_MEMORY);
    }
    if (!parser->failed && name_table_add(&compound->names, e->name, i) != 0) parser_fail(parser, -ERROR_NO_MEMORY);
  }
}

static void add_formal(struct parser *parser, struct slice keyword, struct slice name, bool *out_of_order) {
  struct ast_compound *compound = parser->compound;
  const struct landmark *at = &parser->token.at;
  int result = ast_define(compound, name, keyword);
  if (result == -ERROR_EXISTS) {
    parser_error(parser, at, "parameter '$%.*s' multiply defined", (int)name.length, name.data);
    return;
  }
  if (result) {
    fail_limit(parser, result, at, "parameters", AST_MAX_VARIABLES);
    return;
  }
  uint32_t index = compound->formal_count++;
  for (uint32_t i = 0; i < index && keyword.length > 0; i++) {
    const struct slice *other = &compound->variables[i].value;
    if (other->length != keyword.length || memcmp(other->data, keyword.data, keyword.length) != 0) continue;
    parser_error(parser, at, "repeated keyword parameter '%.*s' in compound element", (int)keyword.length,
                 keyword.data);
    break;
  }
  if (index == 0 || *out_of_order) return;
  struct slice before = compound->variables[index - 1].value;
  if ((keyword.length == 0 && before.length > 0) || slice_equals(before, "__REST__")) {
    parser_error(parser, at, "compound element parameters out of order");
    report_note(parser->report, "(The correct order is '[positional], [keywords], [__REST__]'.)");
    *out_of_order = true;
  }
}

/* "$a, KEYWORD $b, __REST__ $rest |"; "... $rest" is the same as the last. Nothing is taken when the first words are none. */
static void parse_formals(struct parser *parser) {
  bool out_of_order = false;
  for (;;) {
    struct lexer before = parser->lexer;
    struct token first = parser->token;
    struct slice keyword = {"", 0};
    if (first.kind == TOKEN_IDENTIFIER || first.kind == TOKEN_ELLIPSIS) {
      keyword = first.kind == TOKEN_ELLIPSIS ? slice_of("__REST__") : first.text;
      parser_next(parser);
    }
    if (parser->token.kind != TOKEN_VARIABLE) {
      if (keyword.length > 0) {
        /* It was the first word of a statement. */
        parser->lexer.position = before.position;
        parser->lexer.at = before.at;
        parser->token = first;
      }
      if (parser_is(parser, '|')) {
        parser_next(parser);
      } else if (parser->compound->formal_count > 0) {
        parser_error(parser, &parser->token.at, "expected variable");
      }
      return;
    }
    add_formal(parser, keyword, parser->token.text, &out_of_order);
    parser_next(parser);
    if (parser_is(parser, ',')) {
      parser_next(parser);
      continue;
    }
    if (parser_is(parser, '|')) {
      parser_next(parser);
    } else {
      parser_error(parser, &parser->token.at, "expected ',' or '|'");
    }
    return;
  }
}

/* One alternative, up to "||" or '}'. */
static struct ast_compound *parse_alternative(struct parser *parser, struct slice name, struct landmark at) {
  struct ast_compound *outer = parser->compound;
  struct ast_class *classes = parser->classes;
  uint32_t input = parser->input, output = parser->output;
  unsigned groups = parser->groups;
  bool ended_at_output = parser->ended_at_output;
  struct ast_compound *compound = ast_add_compound(&parser->ast, name, at, outer->depth + 1);
  if (!compound) {
    parser_fail(parser, -ERROR_NO_MEMORY);
    return NULL;
  }
  parser->compound = compound;
  parser->groups = 0;
  parser->ended_at_output = true;
  struct ast_element pseudo = {.name = slice_of("input"), .at = at, .tunnel = true};
  if (parser_add_element(parser, &pseudo, &parser->input)) {
    pseudo.name = slice_of("output");
    if (parser_add_element(parser, &pseudo, &parser->output)) {
      parse_formals(parser);
      parser_statements(parser, '}');
      compound->inputs = parser_check_pseudo(parser, AST_INPUT, false, name, &at);
      compound->outputs = parser_check_pseudo(parser, AST_OUTPUT, true, name, &at);
      finish_elements(parser);
    }
  }
  parser->compound = outer;
  parser->classes = classes;
  parser->input = input;
  parser->output = output;
  parser->groups = groups;
  parser->ended_at_output = ended_at_output;
  return compound;
}

struct ast_class *parser_compound(struct parser *parser, struct slice name) {
  struct landmark at = parser->token.at;
  struct ast_class *first = NULL, **last = &first;
  if (parser->depth == AST_MAX_DEPTH) {
    parser_error(parser, &at, "maximum compound element nesting depth exceeded");
    parser_fail(parser, -ERROR_TOO_BIG);
    return NULL;
  }
  parser->depth++;
  do {
    parser_next(parser); /* past '{' or "||" */
    if (parser->token.kind == TOKEN_ELLIPSIS && first) {
      /* Extension: what the name meant before comes last. */
      struct ast_class *before = (struct ast_class *)parser_find_class(parser, name);
      if (!before) {
        before = add_class(parser, name);
        if (before) before->target = name;
      }
      *last = before;
      parser_next(parser);
      if (!parser_is(parser, '}'))
        parser_error(parser, &parser->token.at, "'...' should occur last, after one or more compounds");
      break;
    }
    struct ast_class *class = add_class(parser, name);
    if (!class) break;
    class->compound = parse_alternative(parser, name, at);
    *last = class;
    last = &class->overload;
  } while (parser->token.kind == TOKEN_BAR_BAR && !parser->failed);
  parser->depth--;
  if (!parser->failed && !parser_is(parser, '}')) {
    parser_error(parser, &parser->token.at, "expected '}'");
    return NULL;
  }
  return parser->failed ? NULL : first;
}

/* elementclass NAME {...}, or elementclass NAME OTHER. */
static bool parse_elementclass(struct parser *parser) {
  parser_next(parser);
  if (parser->token.kind != TOKEN_IDENTIFIER) {
    parser_error(parser, &parser->token.at, "expected element type name");
    return false;
  }
  if (!parser_name_fits(parser, &parser->token)) return false;
  struct slice name = parser->token.text;
  parser_next(parser);
  if (parser_is(parser, '{')) {
    struct ast_class *class = parser_compound(parser, name);
    if (!class) return false;
    define_class(parser, class);
    parser_next(parser);
    return true;
  }
  if (parser->token.kind != TOKEN_IDENTIFIER) {
    parser_syntax_error(parser);
    return false;
  }
  if (!parser_name_fits(parser, &parser->token)) return false;
  struct ast_class *alias = add_class(parser, name);
  if (!alias) return false;
  const struct ast_class *meant = parser_find_class(parser, parser->token.text);
  alias->target = parser->token.text;
  if (meant) {
    alias->compound = meant->compound;
    alias->overload = meant->overload;
    alias->target = meant->target;
  }
  define_class(parser, alias);
  parser_next(parser);
  return true;
}

/* --- requirements and variables --- */

static void parse_file(struct parser *parser) {
  parser_next(parser);
  parser_statements(parser, '\0');
}

/* Takes `file` and `text`. */
static void read_library(struct parser *parser, char *file, struct text *text) {
  uint32_t index = parser->library_count++;
  parser->libraries[index] = file;
  parser->sources[index] = *text;
  if (text->length > CLICK_MAX_SOURCE) {
    report_error(parser->report, ERROR_TOO_BIG, "%s: larger than %d bytes", file, CLICK_MAX_SOURCE);
    return;
  }
  struct lexer *lexer = &parser->lexer;
  struct slice source = lexer->source;
  size_t position = lexer->position;
  struct landmark at = lexer->at;
  struct token token = parser->token;
  lexer->source = (struct slice){text_string(&parser->sources[index]), text->length};
  lexer->position = 0;
  lexer->at = (struct landmark){file, 1};
  parse_file(parser);
  lexer->source = source;
  lexer->position = position;
  lexer->at = at;
  parser->token = token;
}

static void require_library(struct parser *parser, const char *name, const struct landmark *at) {
  if (parser->depth > 0) {
    parser_error(parser, at, "'require library' must be used at file scope");
    return;
  }
  if (!parser->language || !parser->language->library) {
    parser_error(parser, at, "'require library' may not be used in this driver");
    return;
  }
  struct text text = {0};
  char *file = NULL;
  int result = parser->language->library(parser->language->context, name, at->file, &text, &file, parser->report);
  bool known = false;
  for (uint32_t i = 0; i < parser->library_count && file; i++)
    known = known || strcmp(parser->libraries[i], file) == 0;
  if (result == -ERROR_NOT_FOUND) {
    parser_error(parser, at, "library '%.100s' not found in CLICKPATH/conf", name);
  } else if (result) {
    parser_fail(parser, result);
  } else if (!known && parser->library_count == PARSER_MAX_LIBRARIES) {
    fail_limit(parser, -ERROR_TOO_BIG, at, "libraries", PARSER_MAX_LIBRARIES);
  } else if (!known && file) {
    read_library(parser, file, &text);
    return;
  }
  text_free(&text);
  memory_free(file);
}

static void require_one(struct parser *parser, const char *requirement, const struct landmark *at) {
  struct args words;
  if (args_split_words(requirement, &words) != 0) {
    parser_fail(parser, -ERROR_NO_MEMORY);
    return;
  }
  char *value = words.count == 2 ? args_unquote(words.values[1], NULL) : NULL;
  const char *type = words.count ? words.values[0] : "";
  if (words.count == 2 && strcmp(type, "library") == 0 && value) {
    require_library(parser, value, at);
  } else if (words.count == 1 || (words.count == 2 && strcmp(type, "package") == 0)) {
    text_addf(&parser->ast.requirements, "%s\n", requirement);
  } else if (words.count > 0) {
    parser_error(parser, at, "syntax error at requirement");
  }
  memory_free(value);
  args_free(&words);
}

/* What stands in the parentheses behind the keyword, split; false after an error. */
static bool take_list(struct parser *parser, struct args *args) {
  struct slice config = {"", 0};
  if (!parser_take_config(parser, &config)) {
    parser_error(parser, &parser->token.at, "expected '('");
    return false;
  }
  char *text = memory_copy_string(config.data, config.length);
  int result = text ? args_split(text, args) : -ERROR_NO_MEMORY;
  memory_free(text);
  if (result) parser_fail(parser, result);
  return result == 0;
}

static bool parse_require(struct parser *parser) {
  struct landmark at = parser->token.at;
  struct args args;
  if (!take_list(parser, &args)) return false;
  for (uint32_t i = 0; i < args.count && !parser->failed; i++)
    require_one(parser, args.values[i], &at);
  args_free(&args);
  return true;
}

/* provide(NAME): what this file is for others; nothing looks at it. */
static bool parse_provide(struct parser *parser) {
  struct args args;
  if (!take_list(parser, &args)) return false;
  args_free(&args);
  return true;
}

static void define_variable(struct parser *parser, const char *argument, const struct landmark *at) {
  size_t length = 1;
  while (argument[0] == '$' && char_is_word(argument[length]))
    length++;
  if (length < 2 || (argument[length] && !char_is_space(argument[length]))) {
    parser_error(parser, at, "bad 'define' declaration: not a variable");
    return;
  }
  struct slice value = slice_trim(slice_of(argument + length));
  char *copy = ast_alloc(&parser->ast, strlen(argument) + 1);
  if (!copy) {
    parser_fail(parser, -ERROR_NO_MEMORY);
    return;
  }
  memcpy(copy, argument, strlen(argument) + 1);
  struct slice name = {copy + 1, length - 1};
  int result = ast_define(parser->compound, name, (struct slice){copy + (value.data - argument), value.length});
  if (result == -ERROR_EXISTS) {
    parser_error(parser, at, "parameter '$%.*s' multiply defined", shown_length(name), name.data);
  } else if (result) {
    fail_limit(parser, result, at, "variables", AST_MAX_VARIABLES);
  }
}

static bool parse_define(struct parser *parser) {
  struct landmark at = parser->token.at;
  struct args args;
  if (!take_list(parser, &args)) return false;
  for (uint32_t i = 0; i < args.count && !parser->failed; i++)
    if (args.values[i][0]) define_variable(parser, args.values[i], &at);
  args_free(&args);
  return true;
}

/* --- statements --- */

static bool parse_statement(struct parser *parser) {
  switch (parser->token.kind) {
    case TOKEN_REQUIRE:
      return parse_require(parser);
    case TOKEN_ELEMENTCLASS:
      return parse_elementclass(parser);
    case TOKEN_DEFINE:
      return parse_define(parser);
    case TOKEN_PROVIDE:
      return parse_provide(parser);
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
  parse_file(parser);
  if (!parser->failed) finish_elements(parser);
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
