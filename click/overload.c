/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arguments of compound elements: giving them to formals, and choosing among alternatives ("||") by arguments and ports.
 */
#include "click/args.h"
#include "click/ast.h"
#include "lib/memory.h"

static bool is_rest(const struct ast_variable *formal) { return slice_equals(formal->value, "__REST__"); }

/* What stands behind `keyword` in "KEYWORD value", or NULL. */
static const char *behind_keyword(const char *argument, struct slice keyword) {
  if (strncmp(argument, keyword.data, keyword.length) != 0) return NULL;
  const char *value = argument + keyword.length;
  if (!char_is_space(*value)) return NULL;
  while (char_is_space(*value))
    value++;
  return *value ? value : NULL;
}

/* The formal that `argument` names by keyword, or the one for the rest, or -1. */
static int formal_for(const struct ast_compound *compound, const char *argument, const char **value) {
  for (uint32_t i = 0; i < compound->formal_count; i++) {
    const struct ast_variable *formal = &compound->variables[i];
    if (formal->value.length == 0 || is_rest(formal)) continue;
    *value = behind_keyword(argument, formal->value);
    if (*value) return (int)i;
  }
  *value = argument;
  uint32_t last = compound->formal_count;
  return last > 0 && is_rest(&compound->variables[last - 1]) ? (int)last - 1 : -1;
}

static int add_value(char **value, const char *text, bool append) {
  struct text joined = {0};
  if (append && *value && **value) text_addf(&joined, "%s, ", *value);
  text_add(&joined, text);
  char *copy = joined.failed ? NULL : memory_copy_string(text_string(&joined), joined.length);
  text_free(&joined);
  if (!copy) return -ERROR_NO_MEMORY;
  memory_free(*value);
  *value = copy;
  return 0;
}

int ast_assign(const struct ast_compound *compound, const struct args *args, char **values) {
  uint32_t positional = 0;
  while (positional < compound->formal_count && compound->variables[positional].value.length == 0)
    positional++;
  if (args->count < positional) return -ERROR_INVALID;
  for (uint32_t i = 0; i < args->count; i++) {
    const char *value = args->values[i];
    int formal = i < positional ? (int)i : formal_for(compound, value, &value);
    if (formal < 0) return -ERROR_INVALID;
    int result = values ? add_value(&values[formal], value, is_rest(&compound->variables[formal])) : 0;
    if (result) return result;
  }
  return 0;
}

/* "X($a, KEYWORD)[1 input, 2 outputs]" as Click writes signatures, with the types of the formals. */
static void signature(const struct ast_compound *compound, struct text *out) {
  text_addf(out, "%.*s", compound->name.length ? (int)compound->name.length : 11,
            compound->name.length ? compound->name.data : "<anonymous>");
  for (uint32_t i = 0; i < compound->formal_count; i++) {
    const struct ast_variable *formal = &compound->variables[i];
    text_add(out, i ? ", " : "(");
    if (formal->value.length == 0) {
      text_add(out, "<arg>");
    } else if (is_rest(formal)) {
      text_add(out, "...");
    } else {
      text_add_slice(out, formal->value);
    }
  }
  if (compound->formal_count) text_add(out, ")");
}

static void add_ports(struct text *out, uint32_t inputs, uint32_t outputs) {
  text_addf(out, "%u input%s, %u output%s]", inputs, inputs == 1 ? "" : "s", outputs, outputs == 1 ? "" : "s");
}

static int no_match(const struct ast_class *first, const struct args *args, const struct ast_element *element,
                    struct report *report) {
  struct text text = {0};
  struct slice name = first->compound->name;
  text_addf(&text, "%.*s[", name.length ? (int)name.length : 11, name.length ? name.data : "<anonymous>");
  if (args->count) text_addf(&text, "%u argument%s, ", args->count, args->count == 1 ? "" : "s");
  add_ports(&text, element->inputs, element->outputs);
  int result = report_error(report, ERROR_INVALID, "%s:%u: no match for '%s'", element->at.file, element->at.line,
                            text_string(&text));
  report_note(report, "%s:%u: candidates are:", element->at.file, element->at.line);
  for (const struct ast_class *class = first; class && class->compound; class = class->overload) {
    const struct ast_compound *compound = class->compound;
    text_clear(&text);
    signature(compound, &text);
    text_add(&text, "[");
    add_ports(&text, compound->inputs, compound->outputs);
    report_note(report, "%s:%u:   %s", compound->at.file, compound->at.line, text_string(&text));
  }
  text_free(&text);
  return result;
}

int ast_resolve(const struct ast_class *first, const struct args *args, const struct ast_element *element,
                const struct ast_class **class, struct report *report) {
  const struct ast_class *closest = NULL;
  unsigned candidates = 0;
  *class = NULL;
  const struct ast_class *each = first;
  do {
    if (!each->compound) {
      *class = each; /* an extension: what the name meant before takes what is left */
      return 0;
    }
    candidates++;
    bool fits = ast_assign(each->compound, args, NULL) == 0;
    if (fits) closest = each;
    if (fits && each->compound->inputs == element->inputs && each->compound->outputs == element->outputs) {
      *class = each;
      return 0;
    }
  } while ((each = each->overload) != NULL);
  /* With nothing to choose from, wrong ports are said of the elements inside. */
  *class = closest;
  if (candidates == 1 && closest) return 0;
  return no_match(first, args, element, report);
}
