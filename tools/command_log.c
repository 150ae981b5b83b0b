/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago log: what a run printed and logged.
 */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>

#include "tools/command.h"
#include "tools/output.h"

static const char help[] =
    "usage: imago log [--follow] NAME\n"
    "\n"
    "Prints what the network function NAME wrote to its console (early output and fault reports), then its log. Code addresses\n"
    "in fault reports get the names of functions from the symbol file BUILDID.sym beside the image. Works for ended runs too.\n"
    "\n"
    "  -f, --follow   go on as it grows, until the run ends\n"
    "  -h, --help     this text\n"
    "\n"
    "Files: console, log and qemu (what QEMU itself said) in the run directory; see 'imago ps --help'.\n"
    "Exit status: 0, or 1 if there never was such a run.\n";

enum { FOLLOW_MS = 50 };

int command_log(int argc, char **argv) {
  static const struct option options[] = {
      {"follow", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  bool follow = false;
  for (int option; (option = getopt_long(argc, argv, "fh", options, NULL)) != -1;) {
    if (option == 'h') return command_help(help);
    if (option != 'f') return command_usage(argv[0], NULL);
    follow = true;
  }
  if (argc - optind != 1) return command_usage(argv[0], argc == optind ? "of which run?" : "one run at a time");

  struct report report = {0};
  struct rundir dir;
  struct run_status run;
  if (rundir_find(argv[optind], true, &dir, &run, &report) != 0) return command_report(argv[0], &report);
  struct symbols symbols;
  struct output output;
  symbols_load(&symbols, run.image);
  output_open(&output, &dir, &symbols);
  for (;;) {
    output_poll(&output, stdout);
    if (!follow || run.state != RUN_RUNNING || ferror(stdout)) break;
    poll(NULL, 0, FOLLOW_MS);
    rundir_status(&dir, &run); /* before the next poll, so that nothing that was written last is missed */
  }
  output_close(&output, stdout);
  symbols_free(&symbols);
  return command_report(argv[0], &report);
}
