/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Starting a network function, once it is decided what: the process, its files in the run directory, and its end.
 */
#ifndef IMAGO_TOOLS_RUN_H
#define IMAGO_TOOLS_RUN_H

#include "platform/process/process.h"
#include "tools/arguments.h"
#include "tools/rundir.h"

/* Exit status of the process platform, as QEMU_STATUS_* are of a virtual machine. */
enum { PROCESS_STATUS_CLEAN = 0, PROCESS_STATUS_REFUSED = 1, PROCESS_STATUS_PANIC = 70 };

struct run_plan {
  struct rundir dir;
  int claim;                              /* of rundir_claim; run_foreground and run_detached close it */
  bool process;                           /* process platform; otherwise QEMU */
  struct arguments qemu;                  /* its command line */
  struct process_options process_options; /* archive is filled in by run_* from archive_path */
  const char *archive_path;
  const char *image;  /* for symbols */
  bool answers;       /* false: it waits for a debugger, so nobody waits for its control port */
  uint32_t timeout_s; /* foreground: it is ended after so long, 0: never. Detached: to wait for its control port */
};

/* Runs it, showing what it prints until it ends. SIGINT and SIGTERM stop it cleanly, a second one by force. Returns the exit
 * status of `imago run`: 0 after a clean end, otherwise 1, with the reason on standard error behind "command: ". */
int run_foreground(struct run_plan *plan, const char *command);
/* Starts it under a supervisor that records its exit status, and waits until its control port answers. If it does not, nothing is
 * left running, and the reason and what the console said are shown. */
int run_detached(struct run_plan *plan, const char *command);

#endif
