/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago ps: the runs and their states, from the run directories.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/rundir.h"

static const char help[] =
    "usage: imago ps [--clean]\n"
    "\n"
    "Lists the network functions of this user that run, and what is left of those that have ended.\n"
    "\n"
    "      --clean   remove what is left of those that have ended\n"
    "  -h, --help    this text\n"
    "\n"
    "STATE is 'running'; 'ended (N)' with the exit status; or 'stale', when the process is gone without having left an exit\n"
    "status: it was killed, or the host was restarted. Starting a run of the same name cleans up by itself.\n"
    "\n"
    "Files: $XDG_RUNTIME_DIR/imago/NAME/, or else /run/imago/NAME/ or /tmp/imago-UID/NAME/.\n"
    "Exit status: 0.\n";

/* Seconds since the process started, as 17s, 3m02s, 5h07m or 2d03h. */
static void format_uptime(uint64_t start_ticks, char *buffer, size_t size) {
  struct timespec boot;
  clock_gettime(CLOCK_BOOTTIME, &boot);
  uint64_t started = start_ticks / (uint64_t)sysconf(_SC_CLK_TCK), now = (uint64_t)boot.tv_sec;
  uint64_t seconds = now > started ? now - started : 0;
  static const struct {
    uint64_t seconds;
    char letter;
  } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
  for (unsigned i = 0; i < 3; i++) { /* the largest unit that fills, and the one below it */
    uint64_t whole = seconds / units[i].seconds, rest = seconds % units[i].seconds / units[i + 1].seconds;
    if (whole == 0) continue;
    format_text(buffer, size, "%llu%c%02llu%c", (unsigned long long)whole, units[i].letter, (unsigned long long)rest,
                units[i + 1].letter);
    return;
  }
  format_text(buffer, size, "%llus", (unsigned long long)seconds);
}

static void print_run(const struct rundir *dir, const struct run_status *run) {
  char uptime[32] = "-", state[32] = "stale", pid[16] = "-";
  if (run->state == RUN_RUNNING) {
    format_uptime(run->start, uptime, sizeof(uptime));
    format_text(state, sizeof(state), "running");
    format_text(pid, sizeof(pid), "%d", (int)run->pid);
  } else if (run->state == RUN_ENDED) {
    format_text(state, sizeof(state), "ended (%d)", run->exit_status);
  }
  printf("%-20s %8s %-9s %-8s %-12s %s\n", dir->name, pid, run->platform, uptime, state, run->image);
}

/* Removes an ended run unless somebody starts it again this very moment. */
static void clean(const struct rundir *dir) {
  int claim = rundir_claim(dir, NULL);
  if (claim < 0) return;
  rundir_remove(dir);
  close(claim);
}

int command_ps(int argc, char **argv) {
  static const struct option options[] = {
      {"clean", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  bool cleaning = false;
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    if (option == 'h') return command_help(help);
    if (option != 'c') return command_usage(argv[0], NULL);
    cleaning = true;
  }
  if (optind < argc) return command_usage(argv[0], "unexpected '%s'", argv[optind]);

  struct report report = {0};
  char base[RUN_PATH_MAX];
  if (rundir_base(base, sizeof(base), &report) != 0) return command_report(argv[0], &report);
  struct dirent **entries = NULL;
  int count = scandir(base, &entries, NULL, alphasort);
  printf("%-20s %8s %-9s %-8s %-12s %s\n", "NAME", "PID", "PLATFORM", "UPTIME", "STATE", "IMAGE");
  for (int i = 0; i < count; i++) {
    struct rundir dir;
    struct run_status run;
    if (entries[i]->d_name[0] != '.' && rundir_locate(entries[i]->d_name, &dir, NULL) == 0) {
      rundir_status(&dir, &run);
      bool dead = run.state == RUN_ENDED || run.state == RUN_STALE;
      if (dead && cleaning) clean(&dir);
      if (run.state == RUN_RUNNING || (dead && !cleaning)) print_run(&dir, &run);
    }
    free(entries[i]);
  }
  free(entries);
  return 0;
}
