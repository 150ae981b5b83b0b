/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arguments by table, in Click's order: each row of the table looks for its value among what is left, so errors come in the order of
 * the table, and what nobody took is told at the end.
 */
#include "click/args.h"

#include "lib/memory.h"

enum taken { NOT_TAKEN, TAKEN_BY_POSITION, TAKEN_BY_KEYWORD };

/* One argument of the configuration. */
struct given {
  const char *value;
  size_t keyword; /* length of the leading word that may be a keyword; 0: there is none */
  enum taken taken;
};

struct argument_parser {
  struct element *context;
  struct given *given;
  uint32_t count;
  void *target;
  struct report *report;
  int result;
};

/* Letters, digits and "_:.?!", with something behind: the form of a keyword. */
static size_t keyword_length(const char *value) {
  size_t length = 0;
  while (char_is_word(value[length]) || (value[length] && strchr(":.?!", value[length])))
    length++;
  size_t behind = length;
  while (char_is_space(value[behind]))
    behind++;
  return behind > length && value[behind] ? length : 0;
}

static bool keyword_is(const struct given *given, const char *name) {
  return given->keyword > 0 && slice_equals((struct slice){given->value, given->keyword}, name);
}

/* The last of several equal keywords counts; they are taken all. NULL: there is none. */
static const struct given *take_keyword(struct argument_parser *parser, const char *name) {
  const struct given *found = NULL;
  for (uint32_t i = 0; i < parser->count; i++) {
    if (parser->given[i].taken != NOT_TAKEN || !keyword_is(&parser->given[i], name)) continue;
    found = &parser->given[i];
    parser->given[i].taken = TAKEN_BY_KEYWORD;
  }
  return found;
}

/* The next place, if it is one for a positional argument: nobody's keyword stands there or before. */
static struct given *next_position(struct argument_parser *parser) {
  for (uint32_t i = 0; i < parser->count; i++) {
    if (parser->given[i].taken == TAKEN_BY_POSITION) continue;
    return parser->given[i].taken == NOT_TAKEN ? &parser->given[i] : NULL;
  }
  return NULL;
}

static const char *behind_keyword(const struct given *given) {
  const char *value = given->value + given->keyword;
  while (char_is_space(*value))
    value++;
  return value;
}

static void set_error(struct argument_parser *parser, int error) {
  if (error && parser->result != -ERROR_NO_MEMORY) parser->result = error;
}

static void take(struct argument_parser *parser, const struct argument *argument) {
  struct given *position = argument->flags & ARGUMENT_POSITIONAL ? next_position(parser) : NULL;
  const struct given *found = take_keyword(parser, argument->name);
  const char *value = found ? behind_keyword(found) : NULL;
  /* A mandatory argument takes its place even from what looks like a keyword. */
  bool mandatory = argument->flags & ARGUMENT_MANDATORY;
  if (position && position->taken == NOT_TAKEN && (position->keyword == 0 || (mandatory && !found))) {
    position->taken = TAKEN_BY_POSITION;
    if (!found || found < position) value = position->value;
  }
  if (!value) {
    if (!mandatory) return;
    set_error(parser, report_error(parser->report, ERROR_INVALID, "%s: required argument missing", argument->name));
    return;
  }
  if (argument->flags & ARGUMENT_DEPRECATED) report_warning(parser->report, "%s: argument deprecated", argument->name);
  int error = args_parse_value(parser->context, argument, value, parser->target, parser->report);
  set_error(parser, error);
  if (error == 0 && argument->given) *(bool *)((char *)parser->target + argument->given) = true;
}

static void report_left(struct argument_parser *parser) {
  bool surplus = false;
  for (uint32_t i = 0; i < parser->count; i++) {
    const struct given *given = &parser->given[i];
    if (given->taken != NOT_TAKEN) continue;
    if (given->keyword == 0) {
      surplus = true;
      continue;
    }
    set_error(parser, report_error(parser->report, ERROR_INVALID, "%.*s: unknown argument",
                                   given->keyword < 100 ? (int)given->keyword : 100, given->value));
  }
  if (surplus) set_error(parser, report_error(parser->report, ERROR_INVALID, "too many arguments"));
}

static int keep_left(const struct argument_parser *parser, struct args *rest) {
  rest->values = memory_alloc((parser->count + 1) * sizeof *rest->values);
  if (!rest->values) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < parser->count; i++) {
    if (parser->given[i].taken != NOT_TAKEN) continue;
    char *copy = args_unquote(parser->given[i].value, NULL);
    if (!copy) return -ERROR_NO_MEMORY;
    rest->values[rest->count++] = copy;
  }
  return 0;
}

int args_parse_in(struct element *context, const char *config, const struct argument *table, void *target,
                  struct args *rest, struct report *report) {
  if (rest) *rest = (struct args){0};
  struct args args;
  int result = args_split(config, &args);
  if (result) return result;
  struct argument_parser parser = {.context = context, .count = args.count, .target = target, .report = report};
  parser.given = memory_alloc((args.count + 1) * sizeof *parser.given);
  if (!parser.given) {
    args_free(&args);
    return -ERROR_NO_MEMORY;
  }
  for (uint32_t i = 0; i < args.count; i++)
    parser.given[i] = (struct given){args.values[i], keyword_length(args.values[i]), NOT_TAKEN};
  for (; table && table->name; table++)
    take(&parser, table);
  if (rest) {
    set_error(&parser, keep_left(&parser, rest));
  } else {
    report_left(&parser);
  }
  if (parser.result && rest) args_free(rest);
  memory_free(parser.given);
  args_free(&args);
  return parser.result;
}

/* --- the other way --- */

/* Which of the arguments is `name`; args->count: none. */
static uint32_t find_given(const struct args *args, const struct argument *table, const char *name) {
  uint32_t positions = 0, place = 0;
  while (positions < args->count && keyword_length(args->values[positions]) == 0)
    positions++;
  for (uint32_t i = args->count; i > positions; i--) {
    const struct given given = {args->values[i - 1], keyword_length(args->values[i - 1]), NOT_TAKEN};
    if (keyword_is(&given, name)) return i - 1;
  }
  for (; table->name && strcmp(table->name, name) != 0; table++)
    place += (table->flags & ARGUMENT_POSITIONAL) != 0;
  return table->name && (table->flags & ARGUMENT_POSITIONAL) && place < positions ? place : args->count;
}

int args_replace(const char *config, const struct argument *table, const char *name, struct slice value,
                 struct text *out) {
  struct args args;
  int result = args_split(config, &args);
  if (result) return result;
  uint32_t place = find_given(&args, table, name);
  bool by_keyword = place == args.count || keyword_length(args.values[place]) > 0;
  for (uint32_t i = 0; i < args.count || i <= place; i++) {
    if (i > 0) text_add(out, ", ");
    if (i != place) {
      text_add(out, args.values[i]);
      continue;
    }
    if (by_keyword) text_addf(out, "%s ", name);
    args_quote(value, out);
  }
  args_free(&args);
  return out->failed ? -ERROR_NO_MEMORY : 0;
}

int args_parse(const char *config, const struct argument *table, void *target, struct args *rest,
               struct report *report) {
  return args_parse_in(NULL, config, table, target, rest, report);
}
