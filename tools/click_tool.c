/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options, input and output of Click's tools.
 */
#include "tools/click_tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "click/archive.h"
#include "lib/memory.h"
#include "platform/process/click_library.h"
#include "tools/command.h"
#include "tools/file.h"

enum { HELP = CLICK_TOOL_OPTIONS - 1, OPTIONS_MAX = 32 };

static const struct option common_options[] = {
    {"clickpath", required_argument, NULL, 'C'},
    {"config", no_argument, NULL, 'c'},
    {"expression", required_argument, NULL, 'e'},
    {"file", required_argument, NULL, 'f'},
    {"help", no_argument, NULL, HELP},
    {"output", required_argument, NULL, 'o'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

static bool usage(const char *program, const char *why, int *status) {
  if (why != NULL) fprintf(stderr, "%s\n", why);
  fprintf(stderr, "Usage: %s [OPTION]... [FILE]\nTry '%s --help' for more information.\n", program, program);
  *status = 1;
  return false;
}

static bool set_file(struct click_tool *tool, const char *file, bool expression) {
  bool first = tool->file == NULL;
  tool->file = file;
  tool->expression = expression;
  return first;
}

/* True when the word is NAME=value. */
static bool add_parameter(struct click_tool *tool, const char *word) {
  size_t length = 0;
  while (char_is_word(word[length]))
    length++;
  if (length == 0 || word[length] != '=') return false;
  struct click_parameter *grown = tool->parameters == NULL
                                      ? memory_alloc(sizeof *grown)
                                      : memory_resize(tool->parameters, (tool->parameter_count + 1) * sizeof *grown);
  if (grown == NULL) return false;
  tool->parameters = grown;
  grown[tool->parameter_count].value = word + length + 1;
  grown[tool->parameter_count].name = memory_copy_string(word, length);
  if (grown[tool->parameter_count].name == NULL) return false;
  tool->parameter_count++;
  return true;
}

/* Those of all tools and the tool's own, in one table. */
static void join_options(const struct click_tool_options *own, struct option joined[OPTIONS_MAX]) {
  unsigned n = 0;
  for (const struct option *o = common_options; o->name != NULL; o++)
    joined[n++] = *o;
  for (const struct option *o = own->options; o != NULL && o->name != NULL && n + 1 < OPTIONS_MAX; o++)
    joined[n++] = *o;
  joined[n] = (struct option){NULL, 0, NULL, 0};
}

static bool parse(struct click_tool *tool, int argc, char **argv, const struct click_tool_options *own, int *status) {
  static const char twice[] = "router configuration specified twice";
  char short_options[64];
  struct option options[OPTIONS_MAX];
  const char *why = NULL;
  format_text(short_options, sizeof short_options, "-C:ce:f:o:v%s", own->letters);
  join_options(own, options);
  optind = 0;
  for (int code; (code = getopt_long(argc, argv, short_options, options, NULL)) != -1;) {
    switch (code) {
      case 1:
        if (add_parameter(tool, optarg)) break;
        /* fall through */
      case 'e':
      case 'f':
        if (!set_file(tool, optarg, code == 'e')) return usage(argv[0], twice, status);
        break;
      case 'o':
        if (tool->output != NULL) return usage(argv[0], "output file specified twice", status);
        tool->output = optarg;
        break;
      case 'C':
        tool->click_path = optarg;
        break;
      case 'c': /* only the configuration: there is nothing else in the output */
        break;
      case HELP:
        *status = command_help(own->help);
        return false;
      case 'v':
        printf("%s (Imago) %s\n", argv[0], IMAGO_VERSION);
        *status = 0;
        return false;
      default:
        if (code == '?' || own->take == NULL) return usage(argv[0], NULL, status);
        if (!own->take(own->context, code, optarg, &why)) return usage(argv[0], why, status);
    }
  }
  for (; optind < argc; optind++) {
    if (!add_parameter(tool, argv[optind]) && !set_file(tool, argv[optind], false))
      return usage(argv[0], twice, status);
  }
  return true;
}

int click_tool_try(struct click_tool *tool, struct report *report) {
  bool standard_input = tool->file == NULL || strcmp(tool->file, "-") == 0;
  tool->landmark = tool->expression ? "config" : standard_input ? "<stdin>" : tool->file;
  if (tool->expression) {
    text_add(&tool->source, tool->file);
  } else {
    int error = file_read(standard_input ? "-" : tool->file, CLICK_MAX_SOURCE, &tool->source, report);
    if (error != 0) return error;
  }
  const struct click_language language = {.parameters = tool->parameters,
                                          .parameter_count = tool->parameter_count,
                                          .library = click_library_find,
                                          .context = (void *)tool->click_path,
                                          .archive = {text_string(&tool->source), tool->source.length}};
  tool->text = language.archive;
  int error = click_archive_config(tool->landmark, tool->text, &tool->text, report);
  return error != 0 ? error : click_parse_with(tool->landmark, tool->text, &language, &tool->config, report);
}

static void free_inputs(struct click_tool *tool) {
  for (uint32_t i = 0; i < tool->parameter_count; i++)
    memory_free((void *)tool->parameters[i].name);
  memory_free(tool->parameters);
  text_free(&tool->source);
}

bool click_tool_parse(struct click_tool *tool, int argc, char **argv, const struct click_tool_options *own,
                      int *status) {
  *tool = (struct click_tool){.program = argv[0]};
  if (parse(tool, argc, argv, own, status)) return true;
  free_inputs(tool);
  return false;
}

bool click_tool_load(struct click_tool *tool, int *status) {
  struct report report = {0};
  int error = click_tool_try(tool, &report);
  fputs(text_string(&report.text), stderr);
  report_free(&report);
  if (error == 0) return true;
  free_inputs(tool);
  *status = 1;
  return false;
}

bool click_tool_start(struct click_tool *tool, int argc, char **argv, const struct click_tool_options *own,
                      int *status) {
  return click_tool_parse(tool, argc, argv, own, status) && click_tool_load(tool, status);
}

int click_tool_finish(struct click_tool *tool, const struct text *result) {
  if (result->failed) return command_fail(tool->program, "no memory for the result");
  if (tool->output == NULL || strcmp(tool->output, "-") == 0) {
    fwrite(text_string(result), 1, result->length, stdout);
    return 0; /* main tells when it could not be written */
  }
  FILE *file = fopen(tool->output, "we");
  bool good = file != NULL && fwrite(text_string(result), 1, result->length, file) == result->length;
  int why = errno;
  if (file != NULL && fclose(file) != 0) good = false;
  return good ? 0 : command_fail(tool->program, "%s: %s", tool->output, strerror(why));
}

void click_tool_free(struct click_tool *tool) {
  click_config_free(&tool->config);
  free_inputs(tool);
}
