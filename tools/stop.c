/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ending a run. A pidfd, compared with the recorded start time, makes sure that signals hit the run and nothing that was given
 * its pid later.
 */
#define _GNU_SOURCE
#include "tools/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "tools/control_client.h"

enum { TERMINATE_MS = 1000 };

/* A descriptor of the run's process, or -1 if that has ended. */
static int open_process(const struct run_status *run) {
  int fd = pidfd_open(run->pid, 0);
  if (fd >= 0 && process_start_time(run->pid) != run->start) {
    close(fd);
    fd = -1;
  }
  return fd;
}

static bool wait_end(int pidfd, uint32_t timeout_ms) {
  struct pollfd poller = {.fd = pidfd, .events = POLLIN};
  int ready;
  do {
    ready = poll(&poller, 1, (int)timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

int stop_clean(const struct rundir *dir, const struct run_status *run, uint32_t timeout_ms, struct report *report) {
  int process = open_process(run);
  if (process < 0) return 0;
  struct control_client client;
  struct report said = {0};
  int error = control_open(&client, dir, timeout_ms, report);
  if (error != 0) goto done;
  error = control_write(&client, "stop", (struct slice){"", 0}, NULL, &said);
  control_close(&client);
  /* A system that ends may close the connection before its reply is out: then its end is the reply. */
  if (error != 0 && error != -ERROR_IO) {
    report_error(report, ERROR_STATE, "'%s' does not stop: %s", dir->name, text_string(&said.text));
    goto done;
  }
  error = wait_end(process, timeout_ms) ? 0
                                        : report_error(report, ERROR_STATE,
                                                       "'%s' was asked to stop but still runs after %u ms; 'imago stop "
                                                       "--force %s' ends it without asking",
                                                       dir->name, timeout_ms, dir->name);
done:
  report_free(&said);
  close(process);
  return error;
}

int stop_force(const struct run_status *run, struct report *report) {
  int process = open_process(run);
  if (process < 0) return 0;
  int error = 0;
  if (pidfd_send_signal(process, SIGTERM, NULL, 0) != 0 && errno != ESRCH) {
    error = report_error(report, ERROR_PERMISSION, "process %d: %s", (int)run->pid, strerror(errno));
  } else if (!wait_end(process, TERMINATE_MS)) {
    pidfd_send_signal(process, SIGKILL, NULL, 0);
    if (!wait_end(process, TERMINATE_MS)) {
      error = report_error(report, ERROR_STATE, "process %d does not end even when killed", (int)run->pid);
    }
  }
  close(process);
  return error;
}
