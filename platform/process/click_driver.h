/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Click's user-level driver on the process platform: one Click file, run until somebody asks it to stop, then the handlers that were
 * asked for. Messages go to standard error as Click writes them.
 */
#ifndef IMAGO_PLATFORM_PROCESS_CLICK_DRIVER_H
#define IMAGO_PLATFORM_PROCESS_CLICK_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "click/config.h"

/* A ControlSocket that the driver adds to the graph: "TCP, 7777", "UNIX, /run/c", "SOCKET, 3". */
struct click_control {
  const char *kind, *where;
};

/* All pointers stay the caller's. Zero-initialised with threads 1 and affinity -1 is what no option at all means. */
struct click_driver_options {
  const char *program; /* "imago click" */
  const char *file;    /* NULL or "-": standard input */
  bool expression;     /* `file` is the Click text itself */
  const char *output;  /* flat configuration goes here; "-": standard output; NULL: nowhere */
  const char
      *click_path; /* where files that a configuration requires are looked for; NULL: the environment's CLICKPATH */
  const char **handlers; /* "element.handler" to read when the driver has stopped */
  unsigned handler_count;
  const char *exit_handler; /* its value is the exit status; NULL: none */
  struct click_control *controls;
  unsigned control_count;
  struct click_parameter *parameters; /* NAME=value; names are owned (click_options_free) */
  unsigned parameter_count;
  unsigned threads;
  int affinity; /* thread n on processor affinity + n; -1: anywhere */
  bool allow_reconfigure, quit, time, no_warnings;
  bool simulated_time;
  uint64_t simulated_start; /* nanoseconds */
};

/* Returns the exit status: 0, 1 after errors, or what the exit handler says (255 when it cannot be read). Once per process. */
int click_driver_run(const struct click_driver_options *options);

#endif
