/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago stop: ends a run.
 */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>

#include "tools/command.h"
#include "tools/stop.h"

static const char help[] =
    "usage: imago stop [--force] NAME\n"
    "\n"
    "Ends the running network function NAME: it takes no more packets, sends what it holds, and shuts down. What it logged\n"
    "stays for 'imago log' until the next run of that name, or 'imago ps --clean'.\n"
    "\n"
    "      --force           do not ask: end its process, as when it no longer answers\n"
    "      --timeout SECONDS wait so long for it to end (default 5)\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit status: 0 when it has ended, 1 if there is no such run or it still runs.\n";

enum { SECONDS_MAX = 3600, RECORD_MS = 1000 };

/* Whoever started the run writes its exit status down a moment after its process ends. */
static void wait_recorded(const struct rundir *dir, struct run_status *run) {
  for (unsigned waited = 0; waited < RECORD_MS; waited += 5) {
    rundir_status(dir, run);
    if (run->state == RUN_ENDED) return;
    poll(NULL, 0, 5);
  }
}

int command_stop(int argc, char **argv) {
  static const struct option options[] = {{"force", no_argument, NULL, 'f'},
                                          {"timeout", required_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  bool force = false;
  uint64_t seconds = STOP_TIMEOUT_MS / 1000;
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    if (option == 'h') return command_help(help);
    if (option == 'f') {
      force = true;
    } else if (option != 't') {
      return command_usage(argv[0], NULL);
    } else if (slice_to_u64(slice_of(optarg), SECONDS_MAX, &seconds) != 0) {
      return command_usage(argv[0], "--timeout takes seconds up to %d, not '%s'", SECONDS_MAX, optarg);
    }
  }
  if (argc - optind != 1) return command_usage(argv[0], argc == optind ? "which run?" : "one run at a time");

  struct report report = {0};
  struct rundir dir;
  struct run_status run;
  if (rundir_find(argv[optind], false, &dir, &run, &report) != 0) return command_report(argv[0], &report);
  int error = force ? stop_force(&run, &report) : stop_clean(&dir, &run, (uint32_t)seconds * 1000, &report);
  if (error == 0) {
    wait_recorded(&dir, &run);
    printf("%s: stopped\n", dir.name);
  }
  return command_report(argv[0], &report);
}
