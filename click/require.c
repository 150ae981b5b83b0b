/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The grammar of statements that are a word and a list: require (with the libraries it reads), provide, define.
 */
#include "click/parser.h"

#include "click/archive.h"
#include "lib/memory.h"

/* --- libraries --- */

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
  const char *name = lexer->file;
  struct token token = parser->token;
  lexer->source = (struct slice){text_string(&parser->sources[index]), text->length};
  lexer->position = 0;
  lexer->at = (struct landmark){file, 1};
  lexer->file = file;
  parser_next(parser);
  parser_statements(parser, '\0');
  lexer->source = source;
  lexer->position = position;
  lexer->at = at;
  lexer->file = name;
  parser->token = token;
}

/* In the archive that the source came from, where its name is that of the member, and then where the driver looks. 0, or a negative code:
 * -ERROR_NOT_FOUND and -ERROR_UNSUPPORTED are not reported yet. */
static int find_library(struct parser *parser, const char *name, const char *from, struct text *text, char **file) {
  const struct click_language *language = parser->language;
  struct slice member;
  if (language == NULL) return -ERROR_UNSUPPORTED;
  int result = click_archive_find(from, language->archive, name, &member, parser->report);
  if (result == 0) {
    text_add_slice(text, member);
    *file = memory_copy_string(name, strlen(name));
    return text->failed || *file == NULL ? -ERROR_NO_MEMORY : 0;
  }
  if (result != -ERROR_NOT_FOUND) return result;
  if (language->library == NULL) return -ERROR_UNSUPPORTED;
  return language->library(language->context, name, from, text, file, parser->report);
}

static void require_library(struct parser *parser, const char *name, const struct landmark *at) {
  if (parser->depth > 0) {
    parser_error(parser, at, "'require library' must be used at file scope");
    return;
  }
  struct text text = {0};
  char *file = NULL;
  int result = find_library(parser, name, at->file, &text, &file);
  bool known = false;
  for (uint32_t i = 0; i < parser->library_count && file; i++)
    known = known || strcmp(parser->libraries[i], file) == 0;
  if (result == -ERROR_UNSUPPORTED) {
    parser_error(parser, at, "'require library' may not be used in this driver");
  } else if (result == -ERROR_NOT_FOUND) {
    parser_error(parser, at, "library '%.100s' not found in CLICKPATH/conf", name);
  } else if (result) {
    parser_fail(parser, result);
  } else if (!known && parser->library_count == PARSER_MAX_LIBRARIES) {
    parser_fail_limit(parser, -ERROR_TOO_BIG, at, "libraries", PARSER_MAX_LIBRARIES);
  } else if (!known && file) {
    read_library(parser, file, &text);
    return;
  }
  text_free(&text);
  memory_free(file);
}

/* --- require, provide --- */

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

bool parser_require(struct parser *parser) {
  struct landmark at = parser->token.at;
  struct args args;
  if (!take_list(parser, &args)) return false;
  for (uint32_t i = 0; i < args.count && !parser->failed; i++)
    require_one(parser, args.values[i], &at);
  args_free(&args);
  return true;
}

/* provide(NAME): what this file is for others; nothing looks at it. */
bool parser_provide(struct parser *parser) {
  struct args args;
  if (!take_list(parser, &args)) return false;
  args_free(&args);
  return true;
}

/* --- define --- */

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
    parser_error(parser, at, "parameter '$%.*s' multiply defined", parser_shown_length(name), name.data);
  } else if (result) {
    parser_fail_limit(parser, result, at, "variables", AST_MAX_VARIABLES);
  }
}

bool parser_define(struct parser *parser) {
  struct landmark at = parser->token.at;
  struct args args;
  if (!take_list(parser, &args)) return false;
  for (uint32_t i = 0; i < args.count && !parser->failed; i++)
    if (args.values[i][0]) define_variable(parser, args.values[i], &at);
  args_free(&args);
  return true;
}
