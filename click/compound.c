/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The grammar of compound elements and of the classes that name them: formals, alternatives, extension, aliases.
 */
#include "click/parser.h"

/* --- classes --- */

static struct ast_class *add_class(struct parser *parser, struct slice name) {
  if (parser->ast.class_count == AST_MAX_CLASSES) {
    parser_fail_limit(parser, -ERROR_TOO_BIG, &parser->token.at, "element classes", AST_MAX_CLASSES);
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
void parser_finish_elements(struct parser *parser) {
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
    parser_fail_limit(parser, result, at, "parameters", AST_MAX_VARIABLES);
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
      parser_finish_elements(parser);
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

/* --- elementclass --- */

/* elementclass NAME {...}, or elementclass NAME OTHER. */
bool parser_elementclass(struct parser *parser) {
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
