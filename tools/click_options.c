/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Option parsing for `imago click`. getopt_long does what Click's own parser does: bundled short options, abbreviated long ones,
 * operands anywhere; messages are Click's.
 */
#include "tools/click_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"

/* Values of long options that have no letter, and of negations. */
enum {
  HELP = 256,
  SIMTIME,
  SOCKET,
  WARNINGS,
  NO_WARNINGS,
  NO_AFFINITY,
  NO_RECONFIGURE,
};

static const struct option long_options[] = {
    {"affinity", optional_argument, NULL, 'a'},
    {"allow-reconfigure", no_argument, NULL, 'R'},
    {"clickpath", required_argument, NULL, 'C'},
    {"cpu", optional_argument, NULL, 'a'},
    {"exit-handler", required_argument, NULL, 'x'},
    {"expression", required_argument, NULL, 'e'},
    {"file", required_argument, NULL, 'f'},
    {"handler", required_argument, NULL, 'h'},
    {"help", no_argument, NULL, HELP},
    {"no-affinity", no_argument, NULL, NO_AFFINITY},
    {"no-allow-reconfigure", no_argument, NULL, NO_RECONFIGURE},
    {"no-cpu", no_argument, NULL, NO_AFFINITY},
    {"no-warnings", no_argument, NULL, NO_WARNINGS},
    {"output", required_argument, NULL, 'o'},
    {"port", required_argument, NULL, 'p'},
    {"quit", no_argument, NULL, 'q'},
    {"simtime", optional_argument, NULL, SIMTIME},
    {"simulation-time", optional_argument, NULL, SIMTIME},
    {"socket", required_argument, NULL, SOCKET},
    {"threads", required_argument, NULL, 'j'},
    {"time", no_argument, NULL, 't'},
    {"unix-socket", required_argument, NULL, 'u'},
    {"version", no_argument, NULL, 'v'},
    {"warnings", no_argument, NULL, WARNINGS},
    {NULL, 0, NULL, 0},
};

/* "-": operands come in their place, as code 1; ":": a missing argument is told from an unknown option. */
static const char short_options[] = "-:C:Ra::e:f:h:j:o:p:qtu:vwx:";

static const uint64_t nanoseconds_per_second = 1000000000, simulated_start_default = 1000000000 * (uint64_t)1000000000;

struct parser {
  struct click_driver_options *options;
  struct report *report;
  const char *program;
  bool bad;
};

static void __attribute__((format(printf, 2, 3))) bad_option(struct parser *parser, const char *format, ...) {
  struct text message = {0};
  va_list arguments;
  va_start(arguments, format);
  text_addf_list(&message, format, arguments);
  va_end(arguments);
  report_error(parser->report, ERROR_INVALID, "%s: %s", parser->program, text_string(&message));
  text_free(&message);
  parser->bad = true;
}

/* Says of which option, as it was written: "-j" or "--threads". */
static void option_name(int code, char *const *argv, char name[32]) {
  const char *word = argv[optind - 1];
  for (const struct option *o = long_options; o->name != NULL; o++) {
    bool written_long = strncmp(word, "--", 2) == 0 || (optind > 1 && strncmp(argv[optind - 2], "--", 2) == 0);
    if (o->val == code && (written_long || code >= HELP)) {
      format_text(name, 32, "--%s", o->name);
      return;
    }
  }
  format_text(name, 32, "-%c", code);
}

/* A value of one option that may stand once. */
static void set_once(struct parser *parser, const char **where, const char *value, const char *what) {
  if (*where != NULL) {
    report_error(parser->report, ERROR_INVALID, "%s specified twice", what);
    parser->bad = true;
  }
  *where = value;
}

static void set_file(struct parser *parser, const char *file, bool expression) {
  set_once(parser, &parser->options->file, file, "router configuration");
  parser->options->expression = expression;
}

/* One more element behind an array of `count`; NULL when memory is out. */
static void *grow(struct parser *parser, void *array, unsigned count, size_t size) {
  void *grown = array == NULL ? memory_alloc((count + 1) * size) : memory_resize(array, (count + 1) * size);
  if (grown == NULL) bad_option(parser, "no memory for the arguments");
  return grown;
}

static void add_control(struct parser *parser, const char *kind, const char *where) {
  struct click_driver_options *o = parser->options;
  struct click_control *controls = grow(parser, o->controls, o->control_count, sizeof *controls);
  if (controls == NULL) return;
  o->controls = controls;
  o->controls[o->control_count++] = (struct click_control){kind, where};
}

static void add_handler(struct parser *parser, const char *name) {
  struct click_driver_options *o = parser->options;
  const char **handlers = grow(parser, (void *)o->handlers, o->handler_count, sizeof *handlers);
  if (handlers == NULL) return;
  o->handlers = handlers;
  o->handlers[o->handler_count++] = name;
}

static void add_parameter(struct parser *parser, struct slice name, const char *value) {
  struct click_driver_options *o = parser->options;
  for (unsigned i = 0; i < o->parameter_count; i++) {
    if (!slice_equals(name, o->parameters[i].name)) continue;
    report_error(parser->report, ERROR_EXISTS, "parameter '%.*s' multiply defined", (int)name.length, name.data);
    return;
  }
  struct click_parameter *parameters = grow(parser, o->parameters, o->parameter_count, sizeof *parameters);
  if (parameters == NULL) return;
  o->parameters = parameters;
  char *copy = memory_copy_string(name.data, name.length);
  if (copy == NULL) {
    bad_option(parser, "no memory for the arguments");
    return;
  }
  o->parameters[o->parameter_count++] = (struct click_parameter){copy, value};
}

/* NAME=value is a parameter; everything else is the file. */
static void operand(struct parser *parser, const char *word) {
  size_t length = 0;
  while (char_is_word(word[length]))
    length++;
  if (length > 0 && word[length] == '=') {
    add_parameter(parser, (struct slice){word, length}, word + length + 1);
  } else {
    set_file(parser, word, false);
  }
}

static bool parse_integer(const char *text, long *value) {
  char *end;
  errno = 0;
  *value = strtol(text, &end, 0);
  return end != text && *end == '\0' && errno == 0 && *value >= INT_MIN && *value <= INT_MAX;
}

static long integer(struct parser *parser, int code, char *const *argv, const char *text) {
  long value;
  if (parse_integer(text, &value)) return value;
  char name[32];
  option_name(code, argv, name);
  bad_option(parser, "'%s' expects an integer, not '%s'", name, text);
  return 0;
}

/* A port, a service's name, or PORT+: this one or the next that is free. */
static bool is_port(const char *text) {
  size_t length = strlen(text);
  const struct servent *service;
  long value;
  char digits[8];
  if (length > 0 && text[length - 1] == '+') length--;
  if (length == 0 || length >= sizeof digits) {
    service = getservbyname(text, "tcp");
    return service != NULL;
  }
  memcpy(digits, text, length);
  digits[length] = '\0';
  if (parse_integer(digits, &value)) return value > 0 && value < 65536;
  return text[length] == '\0' && getservbyname(text, "tcp") != NULL;
}

static void simulated_time(struct parser *parser, const char *text) {
  struct click_driver_options *o = parser->options;
  o->simulated_time = true;
  o->simulated_start = simulated_start_default;
  if (text == NULL) return;
  char *end;
  double seconds = strtod(text, &end);
  if (end == text || *end != '\0' || !(seconds >= 0 && seconds < 4294967296.0)) {
    bad_option(parser, "'--simtime' expects a real number, not '%s'", text);
  } else {
    o->simulated_start = (uint64_t)(seconds * (double)nanoseconds_per_second + 0.5);
  }
}

static void refused(struct parser *parser, int code, char *const *argv) {
  char name[32];
  if (code == ':') {
    option_name(optopt, argv, name);
    bad_option(parser, "'%s' requires an argument", name);
  } else if (optopt >= HELP || (optopt != 0 && strncmp(argv[optind - 1], "--", 2) == 0)) {
    option_name(optopt, argv, name);
    bad_option(parser, "'%s' can't take an argument", name);
  } else if (optopt != 0) {
    bad_option(parser, "unrecognized option '-%c'", optopt);
  } else {
    const char *word = argv[optind - 1];
    bad_option(parser, "unrecognized option '%.*s'", (int)strcspn(word, "="), word);
  }
}

/* One option; true: the command line is decided. */
static bool take(struct parser *parser, int code, char *const *argv, enum click_action *action) {
  struct click_driver_options *o = parser->options;
  switch (code) {
    case 1:
      operand(parser, optarg);
      break;
    case 'f':
    case 'e':
      set_file(parser, optarg, code == 'e');
      break;
    case 'o':
      set_once(parser, &o->output, optarg, "output file");
      break;
    case 'x':
      set_once(parser, &o->exit_handler, optarg, "--exit-handler");
      break;
    case 'h':
      add_handler(parser, optarg);
      break;
    case 'p':
      if (is_port(optarg)) {
        add_control(parser, "TCP", optarg);
      } else {
        char name[32];
        option_name(code, argv, name);
        bad_option(parser, "'%s' expects a TCP port number, not '%s'", name, optarg);
      }
      break;
    case 'u':
      add_control(parser, "UNIX", optarg);
      break;
    case SOCKET:
      (void)integer(parser, code, argv, optarg);
      add_control(parser, "SOCKET", optarg);
      break;
    case 'j': {
      long threads = integer(parser, code, argv, optarg);
      o->threads = threads > 1 ? (unsigned)threads : 1;
      break;
    }
    case 'a':
      o->affinity = optarg == NULL ? 0 : (int)integer(parser, code, argv, optarg);
      break;
    case NO_AFFINITY:
      o->affinity = -1;
      break;
    case 'R':
    case NO_RECONFIGURE:
      o->allow_reconfigure = code == 'R';
      break;
    case 'q':
      o->quit = true;
      break;
    case 't':
      o->time = true;
      break;
    case 'w':
    case WARNINGS:
    case NO_WARNINGS:
      o->no_warnings = code != WARNINGS;
      break;
    case SIMTIME:
      simulated_time(parser, optarg);
      break;
    case 'C':
      o->click_path = optarg;
      break;
    case HELP:
      *action = CLICK_ACTION_HELP;
      return true;
    case 'v':
      *action = CLICK_ACTION_VERSION;
      return true;
    default:
      refused(parser, code, argv);
      break;
  }
  if (parser->bad) *action = CLICK_ACTION_BAD_OPTION;
  return parser->bad;
}

enum click_action click_options_parse(int argc, char **argv, struct click_driver_options *options,
                                      struct report *report) {
  enum click_action action = CLICK_ACTION_RUN;
  *options = (struct click_driver_options){.program = argv[0], .threads = 1, .affinity = -1};
  struct parser parser = {.options = options, .report = report, .program = argv[0]};
  optind = 0; /* glibc: start over, in case somebody parsed before */
  opterr = 0;
  int code;
  while ((code = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
    if (take(&parser, code, argv, &action)) return action;
  }
  for (; optind < argc && !parser.bad; optind++) /* behind "--" */
    operand(&parser, argv[optind]);
  /* Several threads would each find something else to do at the same time, in another order each time. */
  if (options->simulated_time && options->threads > 1)
    bad_option(&parser, "simulated time needs one thread; leave out '--simtime' or '--threads'");
  return parser.bad ? CLICK_ACTION_BAD_OPTION : action;
}

void click_options_free(struct click_driver_options *options) {
  memory_free(options->controls);
  memory_free((void *)options->handlers);
  for (unsigned i = 0; i < options->parameter_count; i++)
    memory_free((void *)options->parameters[i].name);
  memory_free(options->parameters);
}
