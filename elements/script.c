/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Script: its class, its handlers, and packets that run it.
 */
#include "elements/script.h"

#include "click/expression.h"
#include "click/handlers.h"
#include "click/router.h"
#include "click/words.h"
#include "elements/run.h"

enum { DROP_SCRIPT, DROP_BUSY };
const char *const script_drops[] = {"script", "busy", NULL};

const struct argument script_arguments[] = {
    {"TYPE", ARGUMENT_STRING, 0, offsetof(struct script, type_text),
     "ACTIVE, PASSIVE, PACKET, PROXY, DRIVER, or SIGNAL with signals (ACTIVE; with ports PACKET)"},
    {0}};

/* --- life --- */

int script_configure(struct element *e, const struct args *rest, struct report *report) {
  struct script *s = (struct script *)e;
  struct router *router = e->router;
  int result = script_parse(s, report);
  if (result || s->type != SCRIPT_DRIVER) return result;
  if (router->stop_manager && router->stop_manager != e) {
    return report_error(report, ERROR_EXISTS, "router has more than one driver script: '%s' is one too",
                        router->stop_manager->name);
  }
  router->stop_manager = e;
  router->stop_asked = script_stop_asked;
  return 0;
}

/* init and export get their values once, here. */
static int set_initial_values(struct script *s, struct report *report) {
  for (uint32_t i = 0; i < s->count; i++) {
    const struct script_instruction *in = &s->code[i];
    if (in->code != SCRIPT_INIT && in->code != SCRIPT_EXPORT) continue;
    struct text value = {0};
    unsigned errors = report->errors;
    int error = script_expand(s, slice_of(in->text), in->quoted, &value, report);
    if (error == 0 && report->errors > errors) error = -ERROR_INVALID; /* a handler that does not answer */
    if (error) {
      text_free(&value);
      return error;
    }
    struct script_variable *variable = &s->variables[in->target];
    text_free(&variable->value);
    variable->value = value;
    if (in->code == SCRIPT_EXPORT) variable->exported = true;
  }
  return 0;
}

int script_initialize(struct element *e, struct report *report) {
  struct script *s = (struct script *)e;
  timer_init(&s->timer, e->router->scheduler, e, script_timer);
  s->outcome = SCRIPT_WAIT;
  int error = set_initial_values(s, report);
  if (error) return error;
  if (s->type == SCRIPT_ACTIVE || s->type == SCRIPT_DRIVER) timer_schedule(&s->timer, e->services->now());
  return s->type == SCRIPT_SIGNAL ? script_listen(s, report) : 0;
}

void script_cleanup(struct element *e) {
  struct script *s = (struct script *)e;
  if (e->router->stop_manager == e) e->router->stop_manager = NULL;
  script_unlisten(s);
  timer_unschedule(&s->timer);
  script_free(s);
}

/* --- packets --- */

/* Runs the script for a packet; the output it chose, or -1. */
static int64_t choose_output(struct script *s, unsigned input) {
  struct report report = {.prefix = "  "};
  struct script_variable *variable = script_variable(s, slice_of("input"), true);
  uint64_t port;
  int64_t chosen = -1;
  if (variable) {
    text_clear(&variable->value);
    text_addf(&variable->value, "%u", input);
  }
  text_clear(&s->result);
  script_jump(s, 0);
  script_run(s, 0, true, &report);
  struct slice result = {text_string(&s->result), s->result.length};
  if (s->outcome == SCRIPT_END) {
    chosen = 0;
  } else if (s->outcome == SCRIPT_RETURN && slice_to_u64(slice_trim(result), UINT32_MAX, &port) == 0) {
    chosen = (int64_t)port;
  }
  script_log(s, &report);
  return chosen;
}

void script_push(struct element *e, unsigned port, struct batch *batch) {
  struct script *s = (struct script *)e;
  /* A script that sends a packet to itself is in the middle of its run. */
  if (s->running || !script_enter(s)) {
    element_drop_batch(e, DROP_BUSY, batch);
    return;
  }
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++) {
    int64_t output = choose_output(s, port);
    if (output >= 0 && output < e->output_count) {
      run_add(&run, (unsigned)output, batch->packet[i]);
    } else {
      element_drop(e, DROP_SCRIPT, batch->packet[i]);
    }
  }
  run_flush(&run);
  script_leave(s);
}

void script_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct script *s = (struct script *)e;
  struct batch fresh;
  fresh.count = 0;
  if (s->running || !script_enter(s)) return;
  element_pull(e, 0, &fresh, max);
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < fresh.count; i++) {
    int64_t output = choose_output(s, 0);
    if (output == 0) {
      batch->packet[batch->count++] = fresh.packet[i];
    } else if (output > 0 && output < e->output_count) {
      run_add(&run, (unsigned)output, fresh.packet[i]);
    } else {
      element_drop(e, DROP_SCRIPT, fresh.packet[i]);
    }
  }
  run_flush(&run);
  script_leave(s);
}

/* --- handlers --- */

static int busy(struct report *report) {
  return report_error(report, ERROR_BUSY, "the script runs on another worker; try again");
}

/* What a handler that ran the script returns: an error never goes without a reason. */
static int status(const struct script *s, unsigned errors_before, struct report *report) {
  if (s->running || s->outcome != SCRIPT_ERROR) return 0;
  if (report && report->errors == errors_before) report_error(report, ERROR_INVALID, "the script ended with an error");
  return -ERROR_INVALID;
}

/* Runs the script from its beginning for a handler; what it returned goes to out (may be NULL). */
static int run_for(struct script *s, const char *name, bool write, struct slice arguments, struct text *out,
                   struct report *report) {
  if (arguments.length > EXPAND_MAX) return report_error(report, ERROR_TOO_BIG, "arguments over %d bytes", EXPAND_MAX);
  if (!script_enter(s)) return busy(report);
  struct text copy = {0};
  text_add_slice(&copy, arguments);
  text_free(&s->arguments);
  s->arguments = copy;
  format_text(s->handler_name, sizeof s->handler_name, "%s", name);
  s->called_to_write = write;
  bool nested = s->running;
  unsigned errors = report ? report->errors : 0;
  script_jump(s, 0);
  if (!nested) {
    text_clear(&s->result);
    s->started = true;
    timer_unschedule(&s->timer);
    s->resuming = false;
  }
  script_run(s, 0, true, report);
  if (!nested && s->outcome == SCRIPT_RETURN && out) text_add_bytes(out, text_string(&s->result), s->result.length);
  int result = status(s, errors, report);
  script_leave(s);
  return result;
}

static int read_run(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r) {
  return run_for(owner, h->name, false, parameter, out, r);
}

static int write_run(void *owner, const struct handler *h, struct slice value, struct report *r) {
  return run_for(owner, h->name, true, value, NULL, r);
}

static int write_step(void *owner, const struct handler *h, struct slice value, struct report *r) {
  struct script *s = owner;
  uint64_t steps = 1;
  struct slice word = slice_trim(value);
  if (slice_equals(word, "router"))
    return report_error(r, ERROR_PERMISSION, "'router' is the driver's own step; write 'stop'");
  if (word.length > 0 && slice_to_u64(word, UINT32_MAX / 2, &steps)) {
    return report_error(r, ERROR_INVALID, "syntax error: expected a number of steps");
  }
  unsigned errors = r ? r->errors : 0;
  if (!script_enter(s)) return busy(r);
  if (!s->started && !s->running) {
    /* The start is the first blocking point, as in Click. */
    s->started = true;
    timer_unschedule(&s->timer);
    if (steps > 0) steps--;
  }
  if (s->outcome == SCRIPT_WAIT || s->at < s->count) script_run(s, (uint32_t)steps, true, r);
  int result = status(s, errors, r);
  script_leave(s);
  return result;
}

static int write_goto(void *owner, const struct handler *h, struct slice value, struct report *r) {
  struct script *s = owner;
  uint32_t target = script_label(s, slice_trim(value));
  if (target >= s->count) return report_error(r, ERROR_NOT_FOUND, "jump to nonexistent label");
  unsigned errors = r ? r->errors : 0;
  if (!script_enter(s)) return busy(r);
  script_jump(s, target);
  if (!s->running) {
    s->started = true;
    s->resuming = false;
    timer_unschedule(&s->timer);
  }
  script_run(s, 0, true, r);
  int result = status(s, errors, r);
  script_leave(s);
  return result;
}

static int read_function(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *r) {
  return expression_evaluate((enum expression_function)h->offset, parameter, out, r);
}

const struct handler *script_handler_find(struct element *e, struct slice name) {
  struct script *s = (struct script *)e;
  const struct script_variable *variable = script_variable(s, name, false);
  if (variable && variable->exported) return &variable->handler;
  if (s->type != SCRIPT_PROXY || name.length == 0 || name.length >= SCRIPT_NAME_MAX) return NULL;
  memmove(s->proxy_name, name.data, name.length);
  s->proxy_name[name.length] = '\0';
  s->proxy = (struct handler){.name = s->proxy_name, .read = read_run, .write = write_run};
  return &s->proxy;
}

const struct handler *script_handler_at(struct element *e, uint32_t index) {
  const struct script *s = (const struct script *)e;
  for (uint32_t i = 0; i < s->variable_count; i++) {
    if (s->variables[i].exported && index-- == 0) return &s->variables[i].handler;
  }
  return NULL;
}

const struct handler script_handlers[] = {
    {.name = "step", .write = write_step, .help = "pass that many blocking instructions (1)"},
    {.name = "goto", .write = write_goto, .help = "go on at the label"},
    {.name = "run", .read = read_run, .write = write_run, .help = "run with $args; the value that it returns"},
#define FUNCTION(text, number, description) \
  { .name = text, .read = read_function, .offset = number, .help = description }
    FUNCTION("add", EXPRESSION_ADD, "sum of numbers"),
    FUNCTION("sub", EXPRESSION_SUB, "first number less the others"),
    FUNCTION("min", EXPRESSION_MIN, "least of numbers"),
    FUNCTION("max", EXPRESSION_MAX, "greatest of numbers"),
    FUNCTION("mul", EXPRESSION_MUL, "product of numbers"),
    FUNCTION("div", EXPRESSION_DIV, "first number divided by the others"),
    FUNCTION("idiv", EXPRESSION_IDIV, "as div, cut to an integer"),
    FUNCTION("mod", EXPRESSION_MOD, "remainder of two integers"),
    FUNCTION("rem", EXPRESSION_REM, "remainder of two numbers"),
    FUNCTION("neg", EXPRESSION_NEG, "the number with the other sign"),
    FUNCTION("abs", EXPRESSION_ABS, "the number without sign"),
    FUNCTION("eq", EXPRESSION_EQ, "whether two numbers or texts are equal"),
    FUNCTION("ne", EXPRESSION_NE, "whether they differ"),
    FUNCTION("gt", EXPRESSION_GT, "whether the first is greater"),
    FUNCTION("ge", EXPRESSION_GE, "whether the first is greater or equal"),
    FUNCTION("lt", EXPRESSION_LT, "whether the first is less"),
    FUNCTION("le", EXPRESSION_LE, "whether the first is less or equal"),
    FUNCTION("not", EXPRESSION_NOT, "the other truth value"),
    FUNCTION("and", EXPRESSION_AND, "whether all are true"),
    FUNCTION("or", EXPRESSION_OR, "whether any is true"),
    FUNCTION("nand", EXPRESSION_NAND, "whether any is false"),
    FUNCTION("nor", EXPRESSION_NOR, "whether all are false"),
    FUNCTION("if", EXPRESSION_IF, "second word if the first is true, otherwise the third"),
    FUNCTION("in", EXPRESSION_IN, "whether the first word is among the others"),
    FUNCTION("first", EXPRESSION_FIRST, "first word"),
    FUNCTION("length", EXPRESSION_LENGTH, "number of bytes"),
    FUNCTION("unquote", EXPRESSION_UNQUOTE, "without one layer of quotes"),
    FUNCTION("sprintf", EXPRESSION_SPRINTF, "words formatted by the first"),
    FUNCTION("htons", EXPRESSION_HTONS, "16-bit number in network byte order"),
    FUNCTION("htonl", EXPRESSION_HTONL, "32-bit number in network byte order"),
    FUNCTION("ntohs", EXPRESSION_NTOHS, "16-bit number in host byte order"),
    FUNCTION("ntohl", EXPRESSION_NTOHL, "32-bit number in host byte order"),
#undef FUNCTION
    {.name = "now", .read = script_read_now, .help = "time since 1970 in seconds"},
    {.name = "now_steady", .read = script_read_now, .offset = 1, .help = "time since the start in seconds"},
    {.name = "random", .read = script_read_random, .help = "a random number, below N, or from N1 to N2"},
    {.name = "readable", .read = script_read_callable, .help = "whether all these handlers can be read"},
    {.name = "writable",
     .read = script_read_callable,
     .offset = 1,
     .help = "whether all these handlers can be written"},
    {.name = "cat", .read = script_read_file, .help = "bytes of a file", .local = true},
    {.name = "catq", .read = script_read_file, .offset = 1, .help = "bytes of a file, quoted", .local = true},
    {.name = "kill", .read = script_read_kill, .help = "sends a signal to processes", .local = true},
    {.name = "get", .read = script_read_get, .help = "value of a variable"},
    {.name = "set", .write = script_write_set, .help = "sets a variable"},
    {.name = "shift", .read = script_read_shift, .help = "takes the first word off a variable (args)"},
    {0}};

const char script_manual[] =
    "Each argument is an instruction: set setq init initq export exportq VAR TEXT; print printq printn printnq [>FILE | "
    ">>FILE] TEXT or HANDLER; save append HANDLER FILE; read readq write writeq HANDLER TEXT; wait wait_time TIME; pause wait "
    "wait_step wait_stop [COUNT]; label L; goto L [CONDITION]; loop; return returnq [VALUE]; error errorq [TEXT]; end; exit; "
    "stop.\n\n"
    "$VAR, $(HANDLER TEXT), $args, $1 ..., $#, $?, $0, $write and $input are substituted. The functions add to unquote are "
    "handlers that take their arguments as parameter: $(add $x 1). Numbers have 64 bits before the decimal point and 9 "
    "digits behind it.\n\n"
    "A script that jumps 1000 times without blocking is given up. After 256 instructions packets have their turn. A packet "
    "that the script drops counts under `script`, one that comes while the script runs under `busy`.";

static const struct element_class script_class = {
    .name = "Script",
    .purpose = "runs a script that reads and writes handlers",
    .ports = "-/-",
    .processing = "ah/ah",
    .size = sizeof(struct script),
    .arguments = script_arguments,
    .handlers = script_handlers,
    .drops = script_drops,
    .example = "Script(set x 0, label again, print $x, set x $(add $x 1), goto again $(lt $x 5), stop);",
    .manual = script_manual,
    .configure = script_configure,
    .takes_rest = true,
    .initialize = script_initialize,
    .cleanup = script_cleanup,
    .handler_find = script_handler_find,
    .handler_at = script_handler_at,
    .push = script_push,
    .pull = script_pull,
};
ELEMENT(Script, script_class);
