/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the driver does around the run of a graph: reads the file, adds control sockets, writes the flat configuration, tells the
 * time it took, and reads the handlers that decide output and exit status (click_handlers.c).
 */
#define _GNU_SOURCE /* memmem */
#include "platform/process/click_driver.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "click/host.h"
#include "kernel/platform.h"
#include "kernel/system.h"
#include "platform/process/click_handlers.h"
#include "platform/process/click_library.h"
#include "platform/process/process.h"

enum {
  /* A Queue holds 1,000 packets, and a file has many. Buffers that are never used cost 8 bytes each. */
  POOL_PACKETS = 65536,
  MICROSECONDS = 1000000,
};

struct driver {
  const struct click_driver_options *options;
  const char *landmark; /* the configuration's name in messages */
  int status;
  struct host_signal reread; /* SIGHUP */
  struct rusage used_before;
  struct timeval before;
};

/* ---- messages ---- */

/* The lines of a report; those of warnings may be unwanted. */
static void print_report(const struct driver *driver, const struct report *report) {
  bool all = !driver->options->no_warnings;
  if (!all && report->errors == 0) return; /* only warnings, and headings of warnings */
  for (const char *line = text_string(&report->text); *line != '\0';) {
    size_t length = strcspn(line, "\n");
    const char *warning = all ? NULL : memmem(line, length, "warning: ", strlen("warning: "));
    if (warning == NULL) fprintf(stderr, "%.*s\n", (int)length, line);
    line += length + (line[length] == '\n');
  }
}

/* ---- the configuration ---- */

static const char *landmark_of(const struct click_driver_options *options) {
  if (options->expression) return "config";
  bool standard_input = options->file == NULL || options->file[0] == '\0' || strcmp(options->file, "-") == 0;
  return standard_input ? "<stdin>" : options->file;
}

static int read_stream(FILE *from, const char *landmark, struct text *source, struct report *report) {
  char buffer[16384];
  size_t n;
  while ((n = fread(buffer, 1, sizeof buffer, from)) > 0 && source->length <= CLICK_MAX_SOURCE)
    text_add_bytes(source, buffer, n);
  if (ferror(from)) return report_error(report, ERROR_IO, "%s: %s", landmark, strerror(errno));
  if (source->failed) return report_error(report, ERROR_NO_MEMORY, "%s: no memory for it", landmark);
  return 0;
}

static int read_source(const struct driver *driver, struct text *source, struct report *report) {
  const struct click_driver_options *options = driver->options;
  if (options->expression) {
    text_add(source, options->file);
    return source->failed ? -ERROR_NO_MEMORY : 0;
  }
  if (driver->landmark != options->file) return read_stream(stdin, driver->landmark, source, report);
  FILE *file = fopen(options->file, "re");
  if (file == NULL) return report_error(report, ERROR_NOT_FOUND, "%s: %s", options->file, strerror(errno));
  int error = read_stream(file, options->file, source, report);
  (void)fclose(file);
  return error;
}

/* The ControlSockets of the command line, named as Click names them. */
static void add_controls(const struct click_driver_options *options, struct text *source) {
  for (unsigned i = 0; i < options->control_count; i++) {
    const struct click_control *control = &options->controls[i];
    text_add(source, " click_driver@@ControlSocket");
    if (i > 0) text_addf(source, "@%u", i);
    text_addf(source, " :: ControlSocket(%s, \"", control->kind);
    for (const char *c = control->where; *c != '\0'; c++) {
      if (*c == '"' || *c == '\\' || *c == '$') text_add(source, "\\");
      text_add_bytes(source, c, 1);
    }
    text_add(source, "\");");
  }
}

/* ---- before the run ---- */

static int write_flat(const char *path, struct report *report) {
  struct text flat = {0};
  int error = system_read(&the_system, slice_of("flatconfig"), slice_of(""), &flat, report);
  if (error == 0) {
    bool standard_output = strcmp(path, "-") == 0;
    FILE *file = standard_output ? stdout : fopen(path, "we");
    bool good = file != NULL && fwrite(text_string(&flat), 1, flat.length, file) == flat.length;
    int why = errno;
    if (file != NULL && (standard_output ? fflush(file) : fclose(file)) != 0) good = false;
    if (!good) error = report_error(report, ERROR_IO, "%s: %s", path, strerror(why));
  }
  text_free(&flat);
  return error;
}

/* SIGHUP: the file again. What is wrong with it is said, and the old graph goes on. */
static void reread(struct host_signal *signal) {
  struct driver *driver = signal->owner;
  struct text source = {0};
  struct report report = {0};
  if (read_source(driver, &source, &report) == 0) {
    struct slice text = {text_string(&source), source.length};
    if (kernel_hotconfig(driver->landmark, text, &report) != 0 && report.errors == 0) {
      report_error(&report, ERROR_NO_MEMORY, "%s: no memory to read it again", driver->landmark);
    }
  }
  print_report(driver, &report);
  report_free(&report);
  text_free(&source);
}

/* Standard input and the command line cannot be read again: there SIGHUP keeps its meaning. */
static void watch_file(struct driver *driver, struct report *report) {
  if (driver->landmark != driver->options->file) return;
  driver->reread = (struct host_signal){.number = SIGHUP, .raised = reread, .owner = driver};
  (void)!platform_host()->signal_add(&driver->reread, report);
}

static bool made(void *context, struct report *report) {
  struct driver *driver = context;
  const struct click_driver_options *options = driver->options;
  print_report(driver, report);
  driver->status = 0;
  if (options->output != NULL) {
    struct report own = {0};
    if (write_flat(options->output, &own) != 0) driver->status = 1;
    print_report(driver, &own);
    report_free(&own);
  }
  getrusage(RUSAGE_SELF, &driver->used_before);
  gettimeofday(&driver->before, NULL);
  if (options->quit) return false;
  if (the_system.router->element_count > 0) {
    struct report own = {0};
    watch_file(driver, &own);
    print_report(driver, &own);
    report_free(&own);
    return true;
  }
  if (!options->no_warnings) {
    fprintf(stderr, "warning: %s: configuration has no elements, exiting\n", driver->landmark);
  }
  return false;
}

/* ---- after it ---- */

/* Rounded to units of `microseconds`. */
static struct timeval elapsed(const struct timeval *from, const struct timeval *to, long microseconds) {
  struct timeval difference;
  timersub(to, from, &difference);
  difference.tv_usec = (difference.tv_usec + microseconds / 2) / microseconds;
  if (difference.tv_usec >= MICROSECONDS / microseconds) {
    difference.tv_usec = 0;
    difference.tv_sec++;
  }
  return difference;
}

/* "0.012u 0.003s 0:01.50": processor time of the user's and the system's code, then minutes and seconds of wall clock. */
static void print_time(const struct driver *driver) {
  struct rusage used;
  struct timeval now;
  getrusage(RUSAGE_SELF, &used);
  gettimeofday(&now, NULL);
  struct timeval user = elapsed(&driver->used_before.ru_utime, &used.ru_utime, 1000);
  struct timeval system = elapsed(&driver->used_before.ru_stime, &used.ru_stime, 1000);
  struct timeval wall = elapsed(&driver->before, &now, 10000);
  printf("%ld.%03ldu %ld.%03lds %ld:%02ld.%02ld\n", (long)user.tv_sec, (long)user.tv_usec, (long)system.tv_sec,
         (long)system.tv_usec, (long)wall.tv_sec / 60, (long)wall.tv_sec % 60, (long)wall.tv_usec);
}

static void stopped(void *context) {
  struct driver *driver = context;
  const struct click_driver_options *options = driver->options;
  struct report report = {0};
  platform_host()->signal_remove(&driver->reread);
  if (options->time) print_time(driver);
  if (click_read_handlers(options->handlers, options->handler_count, stdout, &report) != 0) driver->status = 1;
  if (options->exit_handler != NULL) driver->status = click_exit_status(options->exit_handler, &report);
  (void)fflush(stdout);
  print_report(driver, &report);
  report_free(&report);
}

/* 0 is real time; a simulation that starts at the epoch is a nanosecond late. */
static uint64_t simulated_start(const struct click_driver_options *options) {
  if (!options->simulated_time) return 0;
  return options->simulated_start == 0 ? 1 : options->simulated_start;
}

int click_driver_run(const struct click_driver_options *options) {
  struct driver driver = {.options = options, .landmark = landmark_of(options), .status = 1};
  struct text source = {0}, controls = {0};
  struct report report = {0};
  if (options->threads > WORKERS_MAX && !options->no_warnings) {
    fprintf(stderr, "warning: %u threads wanted, %d is the limit\n", options->threads, WORKERS_MAX);
  }
  if (read_source(&driver, &source, &report) == 0) {
    add_controls(options, &controls);
    const struct click_language language = {.parameters = options->parameters,
                                            .parameter_count = options->parameter_count,
                                            .library = click_library_find,
                                            .context = (void *)options->click_path};
    const struct kernel_config config = {.language = &language,
                                         .file = driver.landmark,
                                         .source = {text_string(&source), source.length},
                                         .driver = {text_string(&controls), controls.length},
                                         .pool_packets = POOL_PACKETS,
                                         .allow_reconfigure = options->allow_reconfigure,
                                         .workers = options->threads,
                                         .simulate_from = simulated_start(options),
                                         .context = &driver,
                                         .chatter = platform_early_write,
                                         .made = made,
                                         .stopped = stopped};
    const struct process_options process = {.config = &config,
                                            .log_fd = -1,
                                            .pinned = options->affinity >= 0,
                                            .first_processor = options->affinity < 0 ? 0 : (unsigned)options->affinity};
    if (process_run(&process, &report) != 0) driver.status = 1;
  }
  if (report.errors > 0) print_report(&driver, &report);
  report_free(&report);
  text_free(&controls);
  text_free(&source);
  return driver.status;
}
