/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Run directories: one per running network function, BASE/NAME, where BASE is $XDG_RUNTIME_DIR/imago, else /run/imago, else
 * /tmp/imago-UID (which must be ours alone). Whatever commands know about a run they read here:
 *   pid       process id of QEMU, or of the process platform
 *   start     start time of that process (/proc/PID/stat, field 22), so that a reused pid is not taken for the run
 *   platform  vm or process
 *   image     path of the image or archive
 *   command   the exact command line
 *   control   unix stream socket of the control port
 *   lock      held (flock) by the one control client; holds its pid
 *   console   what the serial port or standard error said: early output and fault reports
 *   log       log lines
 *   qemu      what QEMU itself said
 *   exit      exit status, once it has ended; 128 + N after signal N
 * and, when a Click file was run, image.elf, image.cpio and the symbol file.
 */
#ifndef IMAGO_TOOLS_RUNDIR_H
#define IMAGO_TOOLS_RUNDIR_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/report.h"

enum { RUN_NAME_MAX = 48, RUN_PATH_MAX = 108 }; /* with the NUL; 108 is what a unix socket address holds */

struct rundir {
  char name[RUN_NAME_MAX];
  char path[RUN_PATH_MAX]; /* BASE/NAME; BASE/NAME/control fits into RUN_PATH_MAX too */
};

enum run_state {
  RUN_ABSENT,  /* no such directory, or nothing was started in it */
  RUN_RUNNING, /* its process lives */
  RUN_ENDED,   /* ended, and its exit status is known */
  RUN_STALE,   /* the process is gone without a word: killed, or the host restarted */
};

struct run_status {
  enum run_state state;
  pid_t pid;         /* unless RUN_ABSENT */
  uint64_t start;    /* clock ticks since the host's boot */
  int exit_status;   /* RUN_ENDED only */
  char platform[16]; /* "vm", "process", "" when unknown */
  char image[PATH_MAX];
};

/* BASE, made if it is missing. 0 or a negative code after reporting. */
int rundir_base(char *buffer, size_t size, struct report *report) MUST_USE;
/* Fills dir for NAME (letters, digits, '_', '-', '.'; the first a letter or digit); touches nothing on disk but BASE. */
int rundir_locate(const char *name, struct rundir *dir, struct report *report) MUST_USE;
/* Locates, and makes it an error if nothing runs under that name; what remains of an ended run is only accepted with
 * `ended_too`. */
int rundir_find(const char *name, bool ended_too, struct rundir *dir, struct run_status *status,
                struct report *report) MUST_USE;
/* Makes the directory empty and ours, removing what a dead run left; an error if one is alive. Returns a descriptor that keeps
 * others from starting under the same name until it is closed, or a negative code. */
int rundir_claim(const struct rundir *dir, struct report *report) MUST_USE;
void rundir_status(const struct rundir *dir, struct run_status *status);
/* Removes the files and the directory. */
void rundir_remove(const struct rundir *dir);

/* BASE/NAME/FILE in buffer. */
void rundir_file(const struct rundir *dir, const char *file, char buffer[PATH_MAX]);
/* Writes a small file whole (the reader sees the old one or the new one). */
int rundir_write(const struct rundir *dir, const char *file, const char *content, struct report *report) MUST_USE;
/* Records the process that is the run: pid and start. */
int rundir_write_process(const struct rundir *dir, pid_t pid, struct report *report) MUST_USE;

/* Start time of a live process; 0 if there is none, or if it is a zombie. */
uint64_t process_start_time(pid_t pid);
/* The same from the text of /proc/PID/stat; the command name in it may hold spaces and parentheses. */
uint64_t process_start_from_stat(const char *stat);

#endif
