/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a Script's configuration to instructions. Every mistake is reported, as Click reports it: "syntax error at 'gotoo'".
 */
#include "click/names.h"
#include "click/words.h"
#include "elements/script.h"
#include "lib/memory.h"

/* What may stand behind the name of an instruction. */
enum operands {
  OPERANDS_TEXT,     /* anything, or nothing */
  OPERANDS_NONE,     /* nothing */
  OPERANDS_COUNT,    /* a number, or nothing */
  OPERANDS_LABEL,    /* one word */
  OPERANDS_VARIABLE, /* a name, and text or nothing */
  OPERANDS_VALUE,    /* a name and text */
};

static const struct form {
  const char *name;
  enum script_opcode code;
  enum operands operands;
  bool quoted, no_newline;
} forms[] = {
    {"append", SCRIPT_APPEND, OPERANDS_TEXT, false, false},
    {"end", SCRIPT_END, OPERANDS_NONE, false, false},
    {"error", SCRIPT_ERROR, OPERANDS_TEXT, false, false},
    {"errorq", SCRIPT_ERROR, OPERANDS_TEXT, true, false},
    {"exit", SCRIPT_EXIT, OPERANDS_NONE, false, false},
    {"export", SCRIPT_EXPORT, OPERANDS_VARIABLE, false, false},
    {"exportq", SCRIPT_EXPORT, OPERANDS_VARIABLE, true, false},
    {"goto", SCRIPT_GOTO, OPERANDS_TEXT, false, false},
    {"init", SCRIPT_INIT, OPERANDS_VARIABLE, false, false},
    {"initq", SCRIPT_INIT, OPERANDS_VARIABLE, true, false},
    {"label", SCRIPT_LABEL, OPERANDS_LABEL, false, false},
    {"loop", SCRIPT_LOOP, OPERANDS_NONE, false, false},
    {"pause", SCRIPT_WAIT_STEP, OPERANDS_COUNT, false, false},
    {"print", SCRIPT_PRINT, OPERANDS_TEXT, false, false},
    {"printn", SCRIPT_PRINT, OPERANDS_TEXT, false, true},
    {"printnq", SCRIPT_PRINT, OPERANDS_TEXT, true, true},
    {"printq", SCRIPT_PRINT, OPERANDS_TEXT, true, false},
    {"read", SCRIPT_READ, OPERANDS_TEXT, false, false},
    {"readq", SCRIPT_READ, OPERANDS_TEXT, true, false},
    {"return", SCRIPT_RETURN, OPERANDS_TEXT, false, false},
    {"returnq", SCRIPT_RETURN, OPERANDS_TEXT, true, false},
    {"save", SCRIPT_SAVE, OPERANDS_TEXT, false, false},
    {"set", SCRIPT_SET, OPERANDS_VALUE, false, false},
    {"setq", SCRIPT_SET, OPERANDS_VALUE, true, false},
    {"stop", SCRIPT_STOP, OPERANDS_NONE, false, false},
    {"wait", SCRIPT_WAIT, OPERANDS_TEXT, false, false},
    {"wait_for", SCRIPT_WAIT_TIME, OPERANDS_TEXT, false, false},
    {"wait_step", SCRIPT_WAIT_STEP, OPERANDS_COUNT, false, false},
    {"wait_stop", SCRIPT_WAIT_STEP, OPERANDS_COUNT, false, false},
    {"wait_time", SCRIPT_WAIT_TIME, OPERANDS_TEXT, false, false},
    {"write", SCRIPT_WRITE, OPERANDS_TEXT, false, false},
    {"writeq", SCRIPT_WRITE, OPERANDS_TEXT, true, false},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

/* --- type --- */

static int parse_signals(struct script *s, struct slice rest, struct report *report) {
  const struct host *host = s->element.services->host;
  if (!host) return report_error(report, ERROR_UNSUPPORTED, "TYPE SIGNAL: there are no signals in an image");
  for (struct slice word; (word = words_next(&rest)).length > 0;) {
    int number = host->signal_number(word);
    if (number <= 0 || s->signal_count == SCRIPT_SIGNALS_MAX) {
      return report_error(report, ERROR_INVALID, "bad signal number '%.*s'", (int)(word.length < 40 ? word.length : 40),
                          word.data);
    }
    s->signals[s->signal_count++] = (struct host_signal){.number = number, .raised = script_signal, .owner = s};
  }
  return s->signal_count ? 0 : report_error(report, ERROR_INVALID, "bad signal number: TYPE SIGNAL wants one");
}

static int parse_type(struct script *s, struct report *report) {
  static const struct {
    const char *name;
    enum script_type type;
  } types[] = {{"ACTIVE", SCRIPT_ACTIVE}, {"PASSIVE", SCRIPT_PASSIVE}, {"PACKET", SCRIPT_PACKET},
               {"PUSH", SCRIPT_PACKET},   {"PROXY", SCRIPT_PROXY},     {"DRIVER", SCRIPT_DRIVER},
               {"SIGNAL", SCRIPT_SIGNAL}};
  const struct element *e = &s->element;
  bool ports = e->input_count > 0 || e->output_count > 0;
  struct slice rest = slice_of(s->type_text ? s->type_text : ""), word = words_next(&rest);
  s->type = s->default_type ? s->default_type : ports ? SCRIPT_PACKET : SCRIPT_ACTIVE;
  if (word.length > 0) s->type = SCRIPT_UNSET;
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (slice_equals(word, types[i].name)) s->type = types[i].type;
  }
  if (s->type == SCRIPT_UNSET || (s->type != SCRIPT_SIGNAL && rest.length > 0)) {
    return report_error(report, ERROR_INVALID,
                        "bad TYPE '%.60s'; expected ACTIVE, PASSIVE, PACKET, PROXY, DRIVER or SIGNAL with signals",
                        s->type_text);
  }
  if (s->type == SCRIPT_PACKET && e->input_count == 0) {
    return report_error(report, ERROR_INVALID, "PACKET script must have inputs");
  }
  if (s->type != SCRIPT_PACKET && ports) {
    return report_error(report, ERROR_INVALID, "ports allowed only on PACKET scripts");
  }
  return s->type == SCRIPT_SIGNAL ? parse_signals(s, rest, report) : 0;
}

/* --- instructions --- */

static struct script_instruction *add(struct script *s, enum script_opcode code) {
  if (s->count == s->capacity) {
    uint32_t capacity = s->capacity ? 2 * s->capacity : 16;
    struct script_instruction *code_now = memory_resize(s->code, capacity * sizeof *code_now);
    if (!code_now) return NULL;
    s->code = code_now;
    s->capacity = capacity;
  }
  struct script_instruction *in = &s->code[s->count++];
  *in = (struct script_instruction){.code = code};
  return in;
}

static int syntax_error(struct slice name, struct report *report) {
  struct nearest nearest;
  nearest_init(&nearest, name);
  for (size_t i = 0; i < FORMS; i++)
    nearest_consider(&nearest, forms[i].name);
  int shown = (int)(name.length < 60 ? name.length : 60);
  if (nearest.best && !slice_equals(name, nearest.best)) {
    return report_error(report, ERROR_INVALID, "syntax error at '%.*s'; did you mean '%s'?", shown, name.data,
                        nearest.best);
  }
  return report_error(report, ERROR_INVALID, "syntax error at '%.*s'", shown, name.data);
}

/* Checks what stands behind the name, and stores it. False: it does not fit. -ERROR_NO_MEMORY shows as a missing text. */
static bool take_operands(struct script *s, const struct form *form, uint32_t index, struct slice rest) {
  struct script_instruction *in = &s->code[index];
  uint64_t number;
  struct slice word;
  switch (form->operands) {
    case OPERANDS_NONE:
      return rest.length == 0;
    case OPERANDS_COUNT:
      in->wanted = 1;
      if (rest.length == 0) return true;
      if (slice_to_u64(rest, UINT32_MAX, &number)) return false;
      in->wanted = (uint32_t)number;
      return true;
    case OPERANDS_LABEL:
      word = words_next(&rest);
      in->text = memory_copy_string(word.data, word.length);
      return word.length > 0 && rest.length == 0;
    case OPERANDS_VARIABLE:
    case OPERANDS_VALUE:
      word = words_next(&rest);
      if (word.length == 0 || (form->operands == OPERANDS_VALUE && rest.length == 0)) return false;
      struct script_variable *variable = script_variable(s, word, true);
      if (!variable) return false;
      in->target = (uint32_t)(variable - s->variables);
      in->text = memory_copy_string(rest.data, rest.length);
      return true;
    case OPERANDS_TEXT:
      in->text = memory_copy_string(rest.data, rest.length);
      return true;
  }
  return false;
}

static int parse_instruction(struct script *s, const char *argument, struct report *report) {
  struct slice rest = slice_of(argument), name = words_next(&rest);
  const struct form *form = forms;
  if (name.length == 0) return 0;
  while (form < forms + FORMS && !slice_equals(name, form->name))
    form++;
  if (form == forms + FORMS) return syntax_error(name, report);
  struct form used = *form;
  if (used.code == SCRIPT_WAIT) {
    used.code = rest.length > 0 ? SCRIPT_WAIT_TIME : SCRIPT_WAIT_STEP;
    used.operands = rest.length > 0 ? OPERANDS_TEXT : OPERANDS_COUNT;
  }
  uint32_t index = s->count;
  struct script_instruction *in = add(s, used.code);
  if (!in) return -ERROR_NO_MEMORY;
  in->quoted = used.quoted;
  in->no_newline = used.no_newline;
  if (!take_operands(s, &used, index, rest)) return syntax_error(name, report);
  bool has_text = used.operands != OPERANDS_NONE && used.operands != OPERANDS_COUNT;
  if (has_text && !s->code[index].text) return -ERROR_NO_MEMORY;
  if (used.code == SCRIPT_LOOP) s->code[index].code = SCRIPT_GOTO; /* to 0, without condition */
  return 0;
}

uint32_t script_label(const struct script *s, struct slice name) {
  static const struct {
    const char *name;
    uint32_t target;
  } builtin[] = {{"begin", 0},
                 {"loop", 0},
                 {"end", SCRIPT_FINISH + SCRIPT_END},
                 {"exit", SCRIPT_FINISH + SCRIPT_EXIT},
                 {"stop", SCRIPT_FINISH + SCRIPT_STOP},
                 {"error", SCRIPT_FINISH + SCRIPT_ERROR},
                 {"errorq", SCRIPT_FINISH + SCRIPT_ERROR}};
  for (uint32_t i = 0; i < s->count; i++) {
    if (s->code[i].code == SCRIPT_LABEL && slice_equals(name, s->code[i].text)) return i;
  }
  for (size_t i = 0; i < sizeof builtin / sizeof builtin[0]; i++) {
    if (slice_equals(name, builtin[i].name)) return builtin[i].target;
  }
  return UINT32_MAX;
}

/* Labels may stand behind the goto: they are looked up when all are known. What stays in the text is the condition. */
static int resolve_gotos(struct script *s, struct report *report) {
  int result = 0;
  for (uint32_t i = 0; i < s->count; i++) {
    struct script_instruction *in = &s->code[i];
    if (in->code != SCRIPT_GOTO || !in->text) continue;
    struct slice rest = slice_of(in->text), label = words_next(&rest);
    in->target = script_label(s, label);
    if (in->target == UINT32_MAX) {
      result = report_error(report, ERROR_INVALID, "no such label '%.*s'", (int)(label.length < 60 ? label.length : 60),
                            label.data);
    }
    memmove(in->text, rest.data, rest.length);
    in->text[rest.length] = '\0';
  }
  return result;
}

/* True for the keyword TYPE, which the argument table has taken. */
static bool is_keyword(const char *argument) {
  struct slice rest = slice_of(argument);
  return slice_equals(words_next(&rest), "TYPE");
}

int script_parse(struct script *s, struct report *report) {
  int result = parse_type(s, report);
  if (result) return result;
  struct args args;
  result = args_split(s->element.config, &args);
  if (result) return result;
  for (uint32_t i = 0; i < args.count; i++) {
    if (is_keyword(args.values[i])) continue;
    int error = parse_instruction(s, args.values[i], report);
    if (error && !result) result = error;
  }
  args_free(&args);
  if (result) return result;
  result = resolve_gotos(s, report);
  if (result) return result;
  if (s->count == 0 && s->type == SCRIPT_DRIVER) {
    struct script_instruction *wait = add(s, SCRIPT_WAIT_STEP);
    if (!wait) return -ERROR_NO_MEMORY;
    wait->wanted = 1;
  }
  return add(s, s->type == SCRIPT_DRIVER ? SCRIPT_STOP : SCRIPT_END) ? 0 : -ERROR_NO_MEMORY;
}

void script_free(struct script *s) {
  for (uint32_t i = 0; i < s->count; i++)
    memory_free(s->code[i].text);
  for (uint32_t i = 0; i < s->variable_count; i++) {
    memory_free(s->variables[i].name);
    text_free(&s->variables[i].value);
  }
  memory_free(s->code);
  memory_free(s->variables);
  text_free(&s->arguments);
  text_free(&s->result);
  s->code = NULL;
  s->variables = NULL;
  s->count = s->variable_count = s->capacity = s->variable_capacity = 0;
}
