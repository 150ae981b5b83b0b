/* SPDX-License-Identifier: BSD-3-Clause
 *
 * struct host on top of Linux: standard output and error, files, and signals as events of worker 0. A signal handler only sets a
 * bit and writes to a pipe; a watch on the pipe then calls those who wait for the signal.
 */
#define _GNU_SOURCE /* pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "click/host.h"
#include "kernel/kernel.h"
#include "platform/process/host.h"
#include "platform/process/watch.h"

enum { FILE_READ_MAX = 1 << 20, SIGNAL_MAX = 32 };

/* ---- output and files ---- */

static void write_all(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, text, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return; /* nobody reads it: no reason to stop the graph */
    text += n;
    length -= (size_t)n;
  }
}

static void print(const char *text, size_t length) { write_all(STDOUT_FILENO, text, length); }
static void print_error(const char *text, size_t length) { write_all(STDERR_FILENO, text, length); }

static int failed(const char *name, struct report *report) {
  int error = errno;
  return report_error(report, error == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", name, strerror(error));
}

static int file_read(const char *name, struct text *out, struct report *report) {
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(name, report);
  char piece[4096];
  size_t total = 0;
  int result = 0;
  for (;;) {
    ssize_t n = read(fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) result = failed(name, report);
    if (n <= 0) break;
    total += (size_t)n;
    if (total > FILE_READ_MAX) {
      result = report_error(report, ERROR_TOO_BIG, "%s: over %d bytes", name, FILE_READ_MAX);
      break;
    }
    text_add_bytes(out, piece, (size_t)n);
  }
  close(fd);
  return result;
}

static int file_write(const char *name, bool append, struct slice bytes, struct report *report) {
  int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0666);
  if (fd < 0) return failed(name, report);
  int result = 0;
  while (bytes.length > 0 && result == 0) {
    ssize_t n = write(fd, bytes.data, bytes.length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      result = failed(name, report);
    } else {
      bytes.data += n;
      bytes.length -= (size_t)n;
    }
  }
  if (close(fd) != 0 && result == 0) result = failed(name, report);
  return result;
}

static unsigned error_columns(void) {
  struct winsize size;
  if (!isatty(STDERR_FILENO) || tcgetpgrp(STDERR_FILENO) != getpgrp()) return 0;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* ---- signals ---- */

/* Everything but `raised` and `pipe` belongs to worker 0. */
static struct {
  struct list list;
  struct process_watch watch; /* fd is pipe[0] */
  int pipe[2];
  unsigned count[SIGNAL_MAX]; /* who waits for it */
  struct sigaction old[SIGNAL_MAX];
  volatile sig_atomic_t raised[SIGNAL_MAX];
} signals = {.list = {&signals.list, &signals.list}, .pipe = {-1, -1}};

/* The names that Click's Script takes. */
static const struct {
  const char *name;
  int number;
} signal_names[] = {{"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"HUP", SIGHUP},   {"INT", SIGINT},
                    {"IO", SIGIO},     {"PIPE", SIGPIPE}, {"QUIT", SIGQUIT}, {"TERM", SIGTERM},
                    {"TSTP", SIGTSTP}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}};

static int signal_number(struct slice name) {
  uint64_t number;
  if (slice_to_u64(name, SIGNAL_MAX - 1, &number) == 0) return (int)number;
  for (size_t i = 0; i < sizeof signal_names / sizeof signal_names[0]; i++) {
    if (slice_equals(name, signal_names[i].name)) return signal_names[i].number;
  }
  return -1;
}

static void on_signal(int number) {
  int saved = errno;
  signals.raised[number] = 1;
  (void)!write(signals.pipe[1], "", 1);
  kernel_attend();
  errno = saved;
}

static void call_waiters(struct process_watch *watch, short revents) {
  char bytes[64];
  while (read(watch->fd, bytes, sizeof bytes) > 0) {
  }
  for (int number = 1; number < SIGNAL_MAX; number++) {
    if (!signals.raised[number]) continue;
    signals.raised[number] = 0;
    /* A callback may remove any of them: those that wait are moved to a list of this round first. */
    struct list round;
    list_init(&round);
    for (struct list *at = signals.list.next; at != &signals.list;) {
      struct host_signal *s = CONTAINER_OF(at, struct host_signal, link);
      at = at->next;
      if (s->number != number) continue;
      list_remove(&s->link);
      list_append(&round, &s->link);
    }
    while (!list_empty(&round)) {
      struct host_signal *s = CONTAINER_OF(round.next, struct host_signal, link);
      list_remove(&s->link);
      list_append(&signals.list, &s->link);
      s->raised(s);
    }
  }
}

static int open_pipe(struct report *report) {
  if (signals.pipe[0] >= 0) return 0;
  if (pipe2(signals.pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
    return report_error(report, ERROR_IO, "no pipe for signals: %s", strerror(errno));
  }
  signals.watch = (struct process_watch){.fd = signals.pipe[0], .events = POLLIN, .ready = call_waiters};
  process_watch_add(&signals.watch);
  return 0;
}

static void close_pipe(void) {
  process_watch_remove(&signals.watch);
  close(signals.pipe[0]);
  close(signals.pipe[1]);
  signals.pipe[0] = signals.pipe[1] = -1;
}

static int signal_add(struct host_signal *s, struct report *report) {
  if (s->number <= 0 || s->number >= SIGNAL_MAX) {
    return report_error(report, ERROR_INVALID, "signal %d: expected 1 to %d", s->number, SIGNAL_MAX - 1);
  }
  int error = open_pipe(report);
  if (error) return error;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  if (signals.count[s->number] == 0 && sigaction(s->number, &action, &signals.old[s->number]) != 0) {
    if (list_empty(&signals.list)) close_pipe();
    return report_error(report, ERROR_INVALID, "signal %d cannot be caught", s->number);
  }
  signals.count[s->number]++;
  list_append(&signals.list, &s->link);
  return 0;
}

static void signal_remove(struct host_signal *s) {
  if (s->link.next == NULL || list_empty(&s->link)) return;
  list_remove(&s->link);
  if (--signals.count[s->number] == 0) sigaction(s->number, &signals.old[s->number], NULL);
  bool waiting = false;
  for (int number = 1; number < SIGNAL_MAX; number++)
    waiting = waiting || signals.count[number] > 0;
  if (!waiting) close_pipe();
}

static int signal_send(int64_t process, int number, struct report *report) {
  if (kill((pid_t)process, number) == 0) return 0;
  return report_error(report, ERROR_PERMISSION, "kill(%lld, %d): %s", (long long)process, number, strerror(errno));
}

static int64_t process_id(void) { return getpid(); }

const struct host process_host = {
    .print = print,
    .error = print_error,
    .file_read = file_read,
    .file_write = file_write,
    .signal_number = signal_number,
    .signal_add = signal_add,
    .signal_remove = signal_remove,
    .signal_send = signal_send,
    .process_id = process_id,
    .error_columns = error_columns,
};
