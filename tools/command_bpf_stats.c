/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago bpf stats: what the programs of a running network function have done, from the handlers of its elements.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "click/config.h"
#include "lib/memory.h"
#include "tools/command.h"
#include "tools/control_client.h"

static const char help[] =
    "usage: imago bpf stats NAME [OPTIONS]\n"
    "\n"
    "Shows the eBPF programs that run in the network function NAME, one line for each element, and what they have done since\n"
    "the element began: packets, verdicts, faults, callbacks of timers, their instructions and the machine code of these.\n"
    "\n"
    "  -m, --measure SECONDS   time every run for so long: NS is then nanoseconds per packet (two readings of the clock\n"
    "                          included), RATE packets per second, both of that time\n"
    "  -j, --json              as JSON: per element its class, and its handlers program and stats\n"
    "  -h, --help              this text\n"
    "\n"
    "Without --measure NS is of all packets that were ever timed ('imago write NAME ELEMENT.measure true' times them from\n"
    "then on), and '-' if none was. The rest is of all programs that ever ran in the element; see its handlers history,\n"
    "last_fault and maps for more.\n"
    "Exit status: 0, or 1 if there is no such run or it does not answer.\n";

enum { MEASURE_MAX_S = 3600 };

/* An element that runs programs. */
struct row {
  const char *element, *class_name; /* of the configuration */
  struct text program, stats, before;
};

struct survey {
  struct control_client client;
  struct click_config config;
  struct row *rows;
  unsigned count;
  struct report *report;
};

static bool runs_programs(const char *class_name) {
  static const char *const names[] = {"BPFilter", "BPFClassifier", "BPFRewriter"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (strcmp(class_name, names[i]) == 0) return true;
  return false;
}

static int read_handler(struct survey *s, const struct row *row, const char *handler, bool json, struct text *out) {
  struct text name = {0};
  text_addf(&name, "%s.%s", row->element, handler);
  text_clear(out);
  int error = control_read(&s->client, text_string(&name), json ? "json" : NULL, out, s->report);
  text_free(&name);
  return error;
}

static int set_measured(struct survey *s, bool measured) {
  int error = 0;
  for (unsigned i = 0; i < s->count && error == 0; i++) {
    struct text name = {0}, reply = {0};
    text_addf(&name, "%s.measure", s->rows[i].element);
    error = control_write(&s->client, text_string(&name), slice_of(measured ? "true" : "false"), &reply, s->report);
    text_free(&name);
    text_free(&reply);
  }
  return error;
}

/* The elements of the graph that runs. */
static int find_rows(struct survey *s) {
  struct text flat = {0};
  int error = control_read(&s->client, "flatconfig", NULL, &flat, s->report);
  if (error == 0)
    error = click_parse("flatconfig", (struct slice){text_string(&flat), flat.length}, &s->config, s->report);
  text_free(&flat);
  if (error != 0) return error;
  s->rows = memory_alloc((s->config.declaration_count + 1) * sizeof(*s->rows));
  if (s->rows == NULL) return report_error(s->report, ERROR_NO_MEMORY, "no memory");
  for (uint32_t i = 0; i < s->config.declaration_count; i++) {
    const struct click_declaration *declaration = &s->config.declarations[i];
    if (!runs_programs(declaration->class_name)) continue;
    s->rows[s->count++] = (struct row){.element = declaration->name, .class_name = declaration->class_name};
  }
  return 0;
}

/* The value behind `name` in lines of NAME VALUE. */
static struct slice field(const struct text *lines, const char *name) {
  struct slice rest = {text_string(lines), lines->length};
  while (rest.length > 0) {
    const struct slice found = slice_next_word(&rest), value = slice_next_word(&rest);
    if (slice_equals(found, name)) return value;
  }
  return slice_of("-");
}

static uint64_t number(const struct text *lines, const char *name) {
  uint64_t value = 0;
  return slice_to_u64(field(lines, name), UINT64_MAX, &value) == 0 ? value : 0;
}

/* --- as a table --- */

enum source { OF_ELEMENT, OF_PROGRAM, OF_STATS, OF_MEASUREMENT };

static const struct column {
  const char *title, *name; /* of the line that says it */
  enum source source;
} columns[] = {
    {"ELEMENT", "", OF_ELEMENT},      {"PROGRAM", "name", OF_PROGRAM},        {"VERSION", "version", OF_PROGRAM},
    {"ENGINE", "engine", OF_PROGRAM}, {"NS", "time", OF_MEASUREMENT},         {"RATE", "rate", OF_MEASUREMENT},
    {"PACKETS", "packets", OF_STATS}, {"PASSED", "passed", OF_STATS},         {"DROPPED", "dropped", OF_STATS},
    {"TX", "transmitted", OF_STATS},  {"REDIRECTED", "redirected", OF_STATS}, {"ABORTED", "aborted", OF_STATS},
    {"FAULTS", "faults", OF_STATS},   {"CALLBACKS", "callbacks", OF_STATS},   {"INSNS", "insns", OF_PROGRAM},
    {"CODE", "code", OF_PROGRAM},     {"MAPS", "maps", OF_PROGRAM},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), CELL_MAX = 32 };

/* Nanoseconds a packet, or packets a second, of the time that was measured. */
static struct slice measurement(const struct row *row, const char *name, uint32_t seconds, char buffer[CELL_MAX]) {
  const uint64_t packets = number(&row->stats, "measured") - number(&row->before, "measured");
  const uint64_t time = number(&row->stats, "nanoseconds") - number(&row->before, "nanoseconds");
  const bool is_rate = strcmp(name, "rate") == 0;
  const uint64_t divisor = is_rate ? seconds : packets;
  if (divisor == 0) return slice_of("-");
  format_text(buffer, CELL_MAX, "%llu", (unsigned long long)((is_rate ? packets : time) / divisor));
  return slice_of(buffer);
}

static struct slice cell(const struct row *row, const struct column *column, uint32_t seconds, char buffer[CELL_MAX]) {
  switch (column->source) {
    case OF_ELEMENT:
      return slice_of(row->element);
    case OF_PROGRAM:
      return field(&row->program, column->name);
    case OF_STATS:
      return field(&row->stats, column->name);
    default:
      return measurement(row, column->name, seconds, buffer);
  }
}

/* Names to the left, numbers to the right. */
static void print_cell(unsigned column, struct slice text, size_t width) {
  const int pad = (int)(width - text.length), left = columns[column].source == OF_ELEMENT || column == 1 || column == 3;
  printf("%s%*s%.*s%*s", column > 0 ? "  " : "", left ? 0 : pad, "", (int)text.length, text.data,
         left && column + 1 < COLUMNS ? pad : 0, "");
}

static void print_table(const struct survey *s, uint32_t seconds) {
  size_t widths[COLUMNS];
  char buffer[CELL_MAX];
  for (unsigned c = 0; c < COLUMNS; c++) {
    widths[c] = strlen(columns[c].title);
    for (unsigned i = 0; i < s->count; i++) {
      const size_t length = cell(&s->rows[i], &columns[c], seconds, buffer).length;
      if (length > widths[c]) widths[c] = length;
    }
    print_cell(c, slice_of(columns[c].title), widths[c]);
  }
  putchar('\n');
  for (unsigned i = 0; i < s->count; i++) {
    for (unsigned c = 0; c < COLUMNS; c++)
      print_cell(c, cell(&s->rows[i], &columns[c], seconds, buffer), widths[c]);
    putchar('\n');
  }
}

static void print_json(const struct survey *s) {
  printf("[");
  for (unsigned i = 0; i < s->count; i++) {
    const struct row *row = &s->rows[i];
    printf("%s{\"element\": \"%s\", \"class\": \"%s\", \"program\": %s, \"stats\": %s}", i > 0 ? ",\n " : "",
           row->element, row->class_name, text_string(&row->program), text_string(&row->stats));
  }
  printf("]\n");
}

static int read_all(struct survey *s, uint32_t seconds, bool json) {
  int error = find_rows(s);
  if (error == 0 && seconds > 0) {
    for (unsigned i = 0; i < s->count && error == 0; i++)
      error = read_handler(s, &s->rows[i], "stats", false, &s->rows[i].before);
    if (error == 0) error = set_measured(s, true);
    const struct timespec wait = {.tv_sec = seconds};
    if (error == 0) (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
    if (error == 0) error = set_measured(s, false);
  }
  for (unsigned i = 0; i < s->count && error == 0; i++) {
    error = read_handler(s, &s->rows[i], "program", json, &s->rows[i].program);
    if (error == 0) error = read_handler(s, &s->rows[i], "stats", json, &s->rows[i].stats);
  }
  return error;
}

static void print(const char *name, uint32_t seconds, bool json, struct report *report) {
  struct survey survey = {.report = report};
  struct rundir dir;
  struct run_status run;
  int error = rundir_find(name, false, &dir, &run, report);
  if (error == 0) error = control_open(&survey.client, &dir, CONTROL_TIMEOUT_MS, report);
  if (error != 0) return;
  error = read_all(&survey, seconds, json);
  control_close(&survey.client);
  if (error == 0 && json) print_json(&survey);
  if (error == 0 && !json) print_table(&survey, seconds);
  for (unsigned i = 0; i < survey.count; i++) {
    text_free(&survey.rows[i].program);
    text_free(&survey.rows[i].stats);
    text_free(&survey.rows[i].before);
  }
  memory_free(survey.rows);
  click_config_free(&survey.config);
}

int command_bpf_stats(int argc, char **argv) {
  static const struct option options[] = {{"measure", required_argument, NULL, 'm'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  uint64_t seconds = 0;
  bool json = false;
  for (int option; (option = getopt_long(argc, argv, "m:jh", options, NULL)) != -1;) {
    switch (option) {
      case 'm':
        if (slice_to_u64(slice_of(optarg), MEASURE_MAX_S, &seconds) != 0 || seconds == 0)
          return command_usage(argv[0], "--measure takes a number of seconds, 1 to %d", MEASURE_MAX_S);
        break;
      case 'j':
        json = true;
        break;
      case 'h':
        return command_help(help);
      default:
        return command_usage(argv[0], NULL);
    }
  }
  if (optind != argc - 1)
    return command_usage(argv[0], optind < argc ? "one run at a time" : "which run? see 'imago ps'");
  struct report report = {0};
  print(argv[optind], (uint32_t)seconds, json, &report);
  return command_report(argv[0], &report);
}
