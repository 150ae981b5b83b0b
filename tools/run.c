/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Starting a network function and seeing it to its end. The function's process is in a process group of its own, so that Ctrl-C
 * reaches only us and we can stop it cleanly.
 */
#define _GNU_SOURCE
#include "tools/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/control_client.h"
#include "tools/file.h"
#include "tools/output.h"
#include "tools/qemu.h"
#include "tools/stop.h"
#include "tools/subprocess.h"

enum { ARCHIVE_MAX = 256 << 20, POLL_MS = 20, STATUS_CANNOT_START = 127 };

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- the child: the network function itself --- */

static bool redirect(const char *path, int flags, int to) {
  int fd = open(path, flags | O_CLOEXEC, 0600);
  return fd >= 0 && dup2(fd, to) >= 0;
}

static int process_main(struct run_plan *plan) {
  struct report report = {0};
  struct text archive = {0};
  char control[PATH_MAX], log[PATH_MAX];
  rundir_file(&plan->dir, "control", control);
  rundir_file(&plan->dir, "log", log);
  int status = PROCESS_STATUS_REFUSED;
  if (file_read(plan->archive_path, ARCHIVE_MAX, &archive, &report) == 0) {
    plan->process_options.archive = (struct slice){text_string(&archive), archive.length};
    plan->process_options.control_path = control;
    plan->process_options.log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    status = process_run(&plan->process_options, &report);
  }
  fputs(text_string(&report.text), stderr);
  return report.errors > 0 && status == 0 ? PROCESS_STATUS_REFUSED : status;
}

static _Noreturn void child_main(struct run_plan *plan, bool with_parent, pid_t parent) {
  char output[PATH_MAX];
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setpgid(0, 0);
  if (with_parent && (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)) _exit(STATUS_CANNOT_START);
  rundir_file(&plan->dir, plan->process ? "console" : "qemu", output);
  if (!redirect("/dev/null", O_RDONLY, STDIN_FILENO) ||
      !redirect(output, O_WRONLY | O_CREAT | O_APPEND, STDOUT_FILENO) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0) {
    _exit(STATUS_CANNOT_START);
  }
  close_range(3, ~0u, 0); /* the claim of the run directory, above all */
  if (plan->process) exit(process_main(plan));
  execvp(plan->qemu.values[0], plan->qemu.values);
  fprintf(stderr, "%s: %s (Debian package qemu-system-x86)\n", plan->qemu.values[0], strerror(errno));
  fflush(stderr);
  _exit(STATUS_CANNOT_START);
}

/* Forks, and records the child in the run directory. The claim is not needed after that. */
static pid_t start_child(struct run_plan *plan, bool with_parent, struct report *report) {
  pid_t parent = getpid();
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) child_main(plan, with_parent, parent);
  if (pid < 0) {
    report_error(report, ERROR_IO, "cannot start a process: %s", strerror(errno));
  } else if (rundir_write_process(&plan->dir, pid, report) != 0) {
    kill(pid, SIGKILL);
    pid = -1;
  }
  close(plan->claim);
  return pid;
}

static void record_exit(const struct run_plan *plan, int status) {
  char text[16];
  format_text(text, sizeof(text), "%d\n", status);
  /* If this fails the run shows as stale, which is what is known about it. */
  if (rundir_write(&plan->dir, "exit", text, NULL) != 0) return;
}

/* --- how it ended --- */

static void show_file(const struct rundir *dir, const char *file) {
  char path[PATH_MAX];
  struct text text = {0};
  rundir_file(dir, file, path);
  if (file_read(path, REPORT_MAX_TEXT, &text, NULL) == 0) fwrite(text_string(&text), 1, text.length, stderr);
  text_free(&text);
}

/* Says on standard error why it ended unless it was asked to. Returns the exit status of the command. */
static int explain_end(const struct run_plan *plan, const char *command, int status, bool console_shown) {
  const char *shown = console_shown ? "; see above" : ":";
  bool by_qemu = false;
  if (status == 0) return 0;
  if (status == (plan->process ? PROCESS_STATUS_REFUSED : QEMU_STATUS_REFUSED)) {
    command_fail(command, "'%s' refused its configuration%s", plan->dir.name, shown);
  } else if (status == (plan->process ? PROCESS_STATUS_PANIC : QEMU_STATUS_PANIC)) {
    command_fail(command, "the unikernel panicked%s", shown);
  } else {
    by_qemu = !plan->process;
    const char *what = plan->process ? "the process" : "QEMU";
    if (status > 128) {
      command_fail(command, "%s was ended by signal %d (%s)%s", what, status - 128, strsignal(status - 128), shown);
    } else {
      command_fail(command, "%s failed with status %d%s", what, status, by_qemu ? ":" : shown);
    }
  }
  if (!console_shown) {
    struct symbols symbols;
    struct output output;
    symbols_load(&symbols, plan->image);
    output_open(&output, &plan->dir, &symbols);
    output_close(&output, stderr);
    symbols_free(&symbols);
  }
  if (by_qemu) show_file(&plan->dir, "qemu");
  return 1;
}

/* --- in the foreground --- */

/* A first request asks the function to stop, in a process of its own, so that its output goes on being shown; a second one is
 * not a request. */
static void request_stop(struct run_plan *plan, const struct run_status *run, bool again) {
  if (again) {
    kill(run->pid, SIGKILL);
    return;
  }
  pid_t helper = fork();
  if (helper != 0) return; /* reaped with the rest; if there is none, the user asks again */
  int error = stop_clean(&plan->dir, run, STOP_TIMEOUT_MS, NULL);
  if (error != 0) error = stop_force(run, NULL);
  _exit(error != 0);
}

int run_foreground(struct run_plan *plan, const char *command) {
  struct report report = {0};
  struct symbols symbols;
  struct output output;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGCHLD);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  pid_t pid = start_child(plan, true, &report);
  if (pid < 0) return command_report(command, &report);
  struct run_status run;
  rundir_status(&plan->dir, &run);
  symbols_load(&symbols, plan->image);
  output_open(&output, &plan->dir, &symbols);
  const struct timespec tick = {.tv_nsec = POLL_MS * 1000000L};
  uint64_t deadline = plan->timeout_s != 0 ? now_ms() + (uint64_t)plan->timeout_s * 1000 : UINT64_MAX;
  unsigned requests = 0;
  bool timed_out = false, ended = false;
  int wait_status = 0;
  while (!ended) {
    int signal_number = sigtimedwait(&signals, NULL, &tick);
    output_poll(&output, stdout);
    if (signal_number > 0 && signal_number != SIGCHLD) request_stop(plan, &run, requests++ > 0);
    if (requests == 0 && now_ms() >= deadline) {
      timed_out = true;
      request_stop(plan, &run, requests++ > 0);
    }
    for (pid_t reaped; (reaped = waitpid(-1, &wait_status, WNOHANG)) > 0;) {
      if (reaped != pid) continue;
      ended = true;
      break;
    }
  }
  int status = subprocess_status(wait_status);
  record_exit(plan, status);
  output_close(&output, stdout);
  symbols_free(&symbols);
  if (timed_out) {
    command_fail(command, "'%s' still ran after %u s (--timeout): stopped", plan->dir.name, plan->timeout_s);
    return 1;
  }
  return explain_end(plan, command, status, true);
}

/* --- in the background --- */

/* The supervisor: nobody waits for it, and all it does is write down how the function ended. */
static _Noreturn void supervise(struct run_plan *plan, const char *command, int started) {
  struct report report = {0};
  setsid();
  pid_t pid = start_child(plan, false, &report);
  if (pid < 0) _exit(command_report(command, &report));
  ssize_t told = write(started, "", 1);
  close(started);
  redirect("/dev/null", O_RDWR, STDIN_FILENO);
  dup2(STDIN_FILENO, STDOUT_FILENO);
  dup2(STDIN_FILENO, STDERR_FILENO);
  int wait_status = 0;
  while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  record_exit(plan, subprocess_status(wait_status));
  _exit(told == 1 ? 0 : 1);
}

/* Waits until the control port answers (0), the function has ended (its exit status, never 0 here: -1 for a clean end), or the
 * time is over (-2). */
enum { WAIT_CLEAN_END = -1, WAIT_TIMEOUT = -2 };

static int wait_answer(const struct run_plan *plan) {
  uint64_t deadline = now_ms() + (uint64_t)plan->timeout_s * 1000;
  for (uint64_t now; (now = now_ms()) < deadline; poll(NULL, 0, 5)) {
    struct run_status run;
    struct control_client client;
    rundir_status(&plan->dir, &run);
    if (run.state == RUN_ENDED) return run.exit_status != 0 ? run.exit_status : WAIT_CLEAN_END;
    /* One patient attempt: to the guest every connection that gives up is a client that came and went. */
    if (control_open(&client, &plan->dir, (uint32_t)(deadline - now), NULL) == 0) {
      control_close(&client);
      return 0;
    }
  }
  return WAIT_TIMEOUT;
}

int run_detached(struct run_plan *plan, const char *command) {
  int started[2];
  if (pipe2(started, O_CLOEXEC) != 0) return command_fail(command, "cannot make a pipe: %s", strerror(errno));
  fflush(NULL);
  pid_t supervisor = fork();
  if (supervisor < 0) return command_fail(command, "cannot start a process: %s", strerror(errno));
  if (supervisor == 0) {
    close(started[0]);
    supervise(plan, command, started[1]);
  }
  close(started[1]);
  close(plan->claim);
  char byte;
  ssize_t got = read(started[0], &byte, 1);
  close(started[0]);
  if (got != 1) return 1; /* the supervisor said why */
  struct run_status run;
  rundir_status(&plan->dir, &run);
  int status = plan->answers ? wait_answer(plan) : 0;
  if (status == 0) {
    printf("%s: running, process %d\n", plan->dir.name, (int)run.pid);
    return 0;
  }
  if (status == WAIT_CLEAN_END) {
    printf("%s: ended already; 'imago log %s' shows what it said\n", plan->dir.name, plan->dir.name);
    return 0;
  }
  if (status == WAIT_TIMEOUT) {
    struct report report = {0};
    int stopped = stop_force(&run, &report);
    command_fail(command,
                 "'%s' did not answer on its control port in %u s and was %s; 'imago log %s' shows what it said",
                 plan->dir.name, plan->timeout_s, stopped == 0 ? "ended" : "left as it is", plan->dir.name);
    command_report(command, &report);
    return 1;
  }
  return explain_end(plan, command, status, false);
}
