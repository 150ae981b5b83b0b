/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Argument strings: splitting and unquoting by Click's rules, and parsing by table.
 */
#include "click/args.h"

#include "click/names.h"
#include "lib/memory.h"
#include "lib/text.h"

/* --- splitting --- */

/* Index behind the quoted string that begins at `at`. */
static size_t skip_quoted(const char *s, size_t at) {
  char quote = s[at++];
  for (; s[at] && s[at] != quote; at++) {
    if (quote == '"' && s[at] == '\\' && s[at + 1]) at++;
  }
  return s[at] ? at + 1 : at;
}

/* Index behind the comment that begins at `at`. */
static size_t skip_comment(const char *s, size_t at) {
  bool line = s[at + 1] == '/';
  for (at += 2; s[at]; at++) {
    if (line && s[at] == '\n') return at;
    if (!line && s[at] == '*' && s[at + 1] == '/') return at + 2;
  }
  return at;
}

static bool comment_at(const char *s, size_t at) { return s[at] == '/' && (s[at + 1] == '/' || s[at + 1] == '*'); }

/* One argument, trimmed, every comment replaced by a blank; *at moves to its comma or to the end. */
static char *take_argument(const char *config, size_t *at) {
  struct text text = {0};
  size_t i = *at;
  while (config[i] && config[i] != ',') {
    size_t start = i;
    if (comment_at(config, i)) {
      i = skip_comment(config, i);
      text_add(&text, " ");
      continue;
    }
    if (config[i] == '"' || config[i] == '\'') {
      i = skip_quoted(config, i);
    } else if (config[i] == '\\' && config[i + 1] == '<') {
      while (config[i] && config[i] != '>')
        i++;
    } else {
      /* A run of plain bytes at once, so that splitting is linear in calls as well. */
      do {
        i++;
      } while (config[i] && !strchr(",\"'\\/", config[i]));
    }
    text_add_bytes(&text, config + start, i - start);
  }
  *at = i;
  struct slice trimmed = slice_trim((struct slice){text_string(&text), text.length});
  char *copy = text.failed ? NULL : memory_copy_string(trimmed.data, trimmed.length);
  text_free(&text);
  return copy;
}

static size_t count_arguments(const char *config) {
  size_t count = 1;
  for (const char *comma = strchr(config, ','); comma; comma = strchr(comma + 1, ','))
    count++;
  return count; /* commas inside quotes only make it larger */
}

int args_split(const char *config, struct args *args) {
  *args = (struct args){.values = memory_alloc(count_arguments(config) * sizeof *args->values)};
  if (!args->values) return -ERROR_NO_MEMORY;
  for (size_t at = 0;; at++) {
    char *value = take_argument(config, &at);
    if (!value) {
      args_free(args);
      return -ERROR_NO_MEMORY;
    }
    args->values[args->count++] = value;
    if (!config[at]) break;
  }
  /* Nothing behind the last comma is no argument. */
  if (args->values[args->count - 1][0] == '\0') memory_free(args->values[--args->count]);
  return 0;
}

void args_free(struct args *args) {
  for (uint32_t i = 0; i < args->count; i++)
    memory_free(args->values[i]);
  memory_free(args->values);
  *args = (struct args){0};
}

/* --- unquoting --- */

/* \<68 65 78>: *at is at the '<' and moves to the '>' or to the last byte. Blanks and other bytes between digits are
 * ignored, as in Click. Returns how many bytes went to `out`. */
static size_t unquote_hex(const char *s, size_t *at, char *out) {
  size_t length = 0;
  int high = -1;
  for (; s[*at] && s[*at] != '>'; ++*at) {
    int digit = char_hex_value(s[*at]);
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      out[length++] = (char)(high * 16 + digit);
      high = -1;
    }
  }
  if (!s[*at]) --*at;
  return length;
}

/* A backslash and what follows: *at is at the backslash and moves to the last byte of the escape. */
static size_t unquote_escape(const char *s, size_t *at, char *out) {
  static const char letters[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
  char c = s[++*at];
  if (c == '\0') {
    --*at;
    out[0] = '\\';
    return 1;
  }
  if (c == '<') return unquote_hex(s, at, out);
  if (c == '\n') return 0;
  const char *letter = strchr(letters, c);
  unsigned value = (unsigned char)c;
  if (letter) {
    value = (unsigned char)values[letter - letters];
  } else if (c >= '0' && c <= '7') {
    value = (unsigned)(c - '0');
    for (int digits = 1; digits < 3 && s[*at + 1] >= '0' && s[*at + 1] <= '7'; digits++)
      value = value * 8 + (unsigned)(s[++*at] - '0');
  } else if (c == 'x' && char_hex_value(s[*at + 1]) >= 0) {
    value = 0;
    while (char_hex_value(s[*at + 1]) >= 0)
      value = (value & 0xf) * 16 + (unsigned)char_hex_value(s[++*at]);
  }
  out[0] = (char)value;
  return 1;
}

char *args_unquote(const char *value, size_t *length) {
  char *out = memory_alloc(strlen(value) + 1); /* no escape is shorter than what it stands for */
  if (!out) return NULL;
  size_t used = 0;
  char quote = '\0';
  for (size_t i = 0; value[i]; i++) {
    char c = value[i];
    bool escapes = quote == '"' || (!quote && value[i + 1] == '<');
    if (quote ? c == quote : (c == '"' || c == '\'')) {
      quote = quote ? '\0' : c;
    } else if (c == '\\' && escapes) {
      used += unquote_escape(value, &i, out + used);
    } else {
      out[used++] = c;
    }
  }
  out[used] = '\0';
  if (length) *length = used;
  return out;
}

/* --- parsing by table --- */

static void *target_of(const struct argument *argument, void *target) { return (char *)target + argument->offset; }

static bool is_string(const struct argument *argument) {
  return argument->type == ARGUMENT_STRING || argument->type == ARGUMENT_WORD;
}

static int wrong(const struct argument *argument, const char *expected, const char *value, struct report *report) {
  return report_error(report, ERROR_INVALID, "%s: expected %s, not '%.100s'", argument->name, expected, value);
}

/* Digits, optionally with a sign in front, up to `max`. */
static int parse_unsigned(const struct argument *argument, const char *value, uint64_t max, uint64_t *number,
                          struct report *report) {
  int result = slice_to_u64(slice_of(value), max, number);
  if (result == -ERROR_TOO_BIG) {
    return report_error(report, ERROR_TOO_BIG, "%s: %.100s is too large; the most is %llu", argument->name, value,
                        (unsigned long long)max);
  }
  return result ? wrong(argument, "an unsigned number", value, report) : 0;
}

static int parse_i32(const struct argument *argument, const char *value, int32_t *number, struct report *report) {
  bool negative = value[0] == '-';
  const char *digits = value + (negative || value[0] == '+');
  uint64_t magnitude, max = negative ? (uint64_t)1 << 31 : INT32_MAX;
  int result = slice_to_u64(slice_of(digits), max, &magnitude);
  if (result == -ERROR_TOO_BIG) {
    return report_error(report, ERROR_TOO_BIG, "%s: %.100s does not fit into 32 bits", argument->name, value);
  }
  if (result) return wrong(argument, "a number", value, report);
  *number = (int32_t)(negative ? -(int64_t)magnitude : (int64_t)magnitude);
  return 0;
}

static int parse_bool(const struct argument *argument, const char *value, bool *target, struct report *report) {
  static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcmp(value, words[i]) != 0) continue;
    *target = i % 2 == 1;
    return 0;
  }
  return wrong(argument, "a boolean (true or false)", value, report);
}

/* Takes `value`, an unquoted copy. */
static int parse_string(const struct argument *argument, char *value, size_t length, char **target,
                        struct report *report) {
  int result = 0;
  if (strlen(value) != length) {
    result = report_error(report, ERROR_INVALID, "%s: a text cannot hold a zero byte", argument->name);
  } else if (argument->type == ARGUMENT_WORD) {
    struct slice rest = slice_of(value), word = slice_next_word(&rest);
    if (word.length == 0 || word.length != length) result = wrong(argument, "one word", value, report);
  }
  if (result) {
    memory_free(value);
    return result;
  }
  memory_free(*target); /* the class's default */
  *target = value;
  return 0;
}

static int parse_value(const struct argument *argument, const char *quoted, void *struct_target,
                       struct report *report) {
  size_t length;
  char *value = args_unquote(quoted, &length);
  if (!value) return -ERROR_NO_MEMORY;
  void *target = target_of(argument, struct_target);
  if (is_string(argument)) return parse_string(argument, value, length, target, report);
  uint64_t number = 0;
  int result = -ERROR_INVALID;
  switch (argument->type) {
    case ARGUMENT_U32:
      result = parse_unsigned(argument, value, UINT32_MAX, &number, report);
      if (!result) *(uint32_t *)target = (uint32_t)number;
      break;
    case ARGUMENT_U64:
      result = parse_unsigned(argument, value, UINT64_MAX, &number, report);
      if (!result) *(uint64_t *)target = number;
      break;
    case ARGUMENT_I32:
      result = parse_i32(argument, value, target, report);
      break;
    case ARGUMENT_BOOL:
      result = parse_bool(argument, value, target, report);
      break;
    case ARGUMENT_STRING:
    case ARGUMENT_WORD:
      break;
  }
  memory_free(value);
  return result;
}

enum { ARGUMENTS_MAX = 64 };

struct argument_parser {
  const struct argument *table;
  unsigned count;
  unsigned next_positional;
  bool given[ARGUMENTS_MAX];
  void *target;
  struct args *rest; /* may be NULL */
  unsigned surplus;
  struct report *report;
};

static void take_value(struct argument_parser *parser, unsigned index, const char *value, int *result) {
  const struct argument *argument = &parser->table[index];
  int error = parser->given[index]
                  ? report_error(parser->report, ERROR_INVALID, "%s: given more than once", argument->name)
                  : parse_value(argument, value, parser->target, parser->report);
  parser->given[index] = true;
  if (error && !*result) *result = error;
}

/* The leading word of "KEYWORD value", or of "KEYWORD" alone; empty when the argument does not look so. */
static struct slice keyword_of(const char *value) {
  size_t length = 0;
  while (char_is_word(value[length]) && !(value[length] >= 'a' && value[length] <= 'z'))
    length++;
  bool ends = value[length] == '\0' || char_is_space(value[length]);
  if (!ends || !char_is_alpha(value[0])) length = 0;
  return (struct slice){value, length};
}

/* True when the argument was a keyword, known or misspelt. */
static bool take_keyword(struct argument_parser *parser, const char *value, int *result) {
  struct slice keyword = keyword_of(value);
  if (keyword.length == 0) return false;
  const char *behind = value + keyword.length;
  while (char_is_space(*behind))
    behind++;
  struct nearest nearest;
  nearest_init(&nearest, keyword);
  for (unsigned i = 0; i < parser->count; i++) {
    if (slice_equals(keyword, parser->table[i].name)) {
      take_value(parser, i, behind, result);
      return true;
    }
    nearest_consider(&nearest, parser->table[i].name);
  }
  if (!nearest.best || *behind == '\0') return false;
  *result = report_error(parser->report, ERROR_INVALID, "unknown keyword '%.*s'; did you mean '%s'?",
                         (int)keyword.length, keyword.data, nearest.best);
  return true;
}

static bool take_positional(struct argument_parser *parser, const char *value, int *result) {
  while (parser->next_positional < parser->count &&
         !(parser->table[parser->next_positional].flags & ARGUMENT_POSITIONAL))
    parser->next_positional++;
  if (parser->next_positional == parser->count) return false;
  unsigned index = parser->next_positional++;
  /* An empty place keeps the default. */
  if (*value != '\0') take_value(parser, index, value, result);
  return true;
}

static void take_rest(struct argument_parser *parser, const char *value, int *result) {
  if (!parser->rest) {
    parser->surplus++;
    return;
  }
  char *copy = args_unquote(value, NULL);
  if (copy) {
    parser->rest->values[parser->rest->count++] = copy;
  } else {
    *result = -ERROR_NO_MEMORY;
  }
}

static void report_surplus(struct argument_parser *parser, const char *first, int *result) {
  struct slice keyword = keyword_of(first);
  if (keyword.length > 0 && keyword.length < strlen(first)) {
    *result = report_error(parser->report, ERROR_INVALID, "unknown keyword '%.*s'", (int)keyword.length, keyword.data);
  } else {
    *result = report_error(parser->report, ERROR_INVALID, "too many arguments: nothing takes '%.100s'", first);
  }
}

int args_parse(const char *config, const struct argument *table, void *target, struct args *rest,
               struct report *report) {
  static const struct argument none = {0};
  struct argument_parser parser = {.table = table ? table : &none, .target = target, .rest = rest, .report = report};
  while (parser.table[parser.count].name)
    parser.count++;
  if (parser.count > ARGUMENTS_MAX) return report_error(report, ERROR_TOO_BIG, "class has too many arguments");

  struct args args;
  if (rest) *rest = (struct args){0};
  int result = args_split(config, &args);
  if (result) return result;
  if (rest) {
    rest->values = memory_alloc((args.count + 1) * sizeof *rest->values);
    if (!rest->values) result = -ERROR_NO_MEMORY;
  }
  for (uint32_t i = 0; i < args.count && result != -ERROR_NO_MEMORY; i++) {
    const char *value = args.values[i];
    if (take_keyword(&parser, value, &result) || take_positional(&parser, value, &result)) continue;
    take_rest(&parser, value, &result);
    if (parser.surplus == 1 && !rest) {
      report_surplus(&parser, value, &result);
      break;
    }
  }
  for (unsigned i = 0; i < parser.count && result != -ERROR_NO_MEMORY; i++) {
    if (parser.given[i] || !(parser.table[i].flags & ARGUMENT_MANDATORY)) continue;
    result = report_error(report, ERROR_INVALID, "missing mandatory %s argument", parser.table[i].name);
  }
  args_free(&args);
  if (result && rest) args_free(rest);
  return result;
}

void args_release(const struct argument *table, void *target) {
  for (; table && table->name; table++) {
    if (!is_string(table)) continue;
    char **string = target_of(table, target);
    memory_free(*string);
    *string = NULL;
  }
}
