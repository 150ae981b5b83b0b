/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The commands of `imago`, and how every one of them speaks: help on standard output, errors as "imago NAME: what and what to
 * do" on standard error, exit status 0 for success and 1 for anything else.
 */
#ifndef IMAGO_TOOLS_COMMAND_H
#define IMAGO_TOOLS_COMMAND_H

#include <stdarg.h>

#include "lib/report.h"

/* argv[0] is "imago NAME", so that getopt_long's own messages look like ours. Returns the exit status. Every command takes -h
 * and --help. To add one: a file command_NAME.c, a prototype below and a row in main.c's table. */
struct command {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *summary; /* one line of `imago --help` */
};

int command_bpf(int argc, char **argv);
int command_bpf_conformance(int argc, char **argv);
int command_bpf_dump(int argc, char **argv);
int command_bpf_run(int argc, char **argv);
int command_bpf_stats(int argc, char **argv);
int command_build(int argc, char **argv);
int command_bundle(int argc, char **argv);
int command_click(int argc, char **argv);
int command_click_flatten(int argc, char **argv);
int command_click_pretty(int argc, char **argv);
int command_click_undead(int argc, char **argv);
int command_elements(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_keygen(int argc, char **argv);
int command_load(int argc, char **argv);
int command_log(int argc, char **argv);
int command_ps(int argc, char **argv);
int command_read(int argc, char **argv);
int command_run(int argc, char **argv);
int command_stop(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_version(int argc, char **argv);
int command_write(int argc, char **argv);

/* "imago NAME: " and the message; returns 1. `command` is argv[0]. */
int command_fail(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For wrong usage: the message, then "try 'imago NAME --help'"; returns 1. With format NULL only the second line (getopt_long
 * has said the first). */
int command_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Every line of the report behind "imago NAME: "; indented lines stand as they are. Frees the report. Returns 1 if it holds
 * errors, otherwise 0. */
int command_report(const char *command, struct report *report);
/* Prints help text to standard output; returns 0. */
int command_help(const char *text);

#endif
