/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Variables of a script, and what $name means in it: its own variables first, then those that every script has.
 */
#include "click/words.h"
#include "elements/script.h"
#include "lib/memory.h"

static int read_export(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                       struct report *r) {
  const struct script *s = owner;
  const struct text *value = &s->variables[h->offset].value;
  text_add_bytes(out, text_string(value), value->length);
  return 0;
}

struct script_variable *script_variable(struct script *s, struct slice name, bool add) {
  for (uint32_t i = 0; i < s->variable_count; i++) {
    if (slice_equals(name, s->variables[i].name)) return &s->variables[i];
  }
  if (!add || s->variable_count == SCRIPT_VARIABLES_MAX) return NULL;
  if (s->variable_count == s->variable_capacity) {
    uint32_t capacity = s->variable_capacity ? 2 * s->variable_capacity : 8;
    struct script_variable *variables = memory_resize(s->variables, capacity * sizeof *variables);
    if (!variables) return NULL;
    s->variables = variables;
    s->variable_capacity = capacity;
  }
  char *copy = memory_copy_string(name.data, name.length);
  if (!copy) return NULL;
  struct script_variable *variable = &s->variables[s->variable_count];
  *variable = (struct script_variable){.name = copy};
  variable->handler = (struct handler){
      .name = copy, .read = read_export, .offset = s->variable_count, .help = "variable that the script exports"};
  s->variable_count++;
  return variable;
}

/* The argument of that number, from 1; empty when there are fewer. */
static struct slice argument(const struct script *s, uint64_t number) {
  struct slice rest = {text_string(&s->arguments), s->arguments.length}, word = {NULL, 0};
  for (; number > 0; number--) {
    word = words_next(&rest);
    if (word.length == 0) break;
  }
  return word;
}

static unsigned argument_count(const struct script *s) {
  struct slice rest = {text_string(&s->arguments), s->arguments.length};
  unsigned count = 0;
  while (words_next(&rest).length > 0)
    count++;
  return count;
}

static bool expand_variable(void *context, struct slice name, struct text *value) {
  struct script *s = context;
  const struct script_variable *variable = script_variable(s, name, false);
  uint64_t number;
  if (variable) {
    text_add_bytes(value, text_string(&variable->value), variable->value.length);
  } else if (slice_equals(name, "?")) {
    text_addf(value, "%d", s->write_status);
  } else if (slice_equals(name, "args")) {
    text_add_bytes(value, text_string(&s->arguments), s->arguments.length);
  } else if (slice_equals(name, "$")) {
    const struct host *host = s->element.services->host;
    text_addf(value, "%lld", host ? (long long)host->process_id() : 0);
  } else if (slice_equals(name, "#")) {
    text_addf(value, "%u", argument_count(s));
  } else if (slice_equals(name, "0")) {
    text_add(value, s->handler_name);
  } else if (slice_equals(name, "write")) {
    text_add(value, s->called_to_write ? "true" : "false");
  } else if (name.length > 0 && char_is_digit(name.data[0]) && slice_to_u64(name, UINT32_MAX, &number) == 0) {
    text_add_slice(value, argument(s, number));
  } else {
    return false;
  }
  return true;
}

static int expand_call(void *context, struct slice call, struct text *value, struct report *report) {
  return script_read(context, call, false, value, report);
}

struct expander script_expander(struct script *s) {
  return (struct expander){.variable = expand_variable, .call = expand_call, .context = s};
}

int script_expand(struct script *s, struct slice text, bool quoted, struct text *out, struct report *report) {
  struct expander expander = script_expander(s);
  if (!quoted) return expand(&expander, text, false, out, report);
  struct text expanded = {0};
  int error = expand(&expander, text, false, &expanded, report);
  if (error == 0) words_unquote((struct slice){text_string(&expanded), expanded.length}, out);
  text_free(&expanded);
  return error;
}
