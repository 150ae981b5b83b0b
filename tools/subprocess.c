/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Running another program to its end. A pidfd tells when it has ended, so nothing depends on its closing its output.
 */
#define _GNU_SOURCE
#include "tools/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { OUTPUT_MAX = 65536 };

int subprocess_status(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes what is there; false at the end of the stream. */
static bool drain(int fd, struct text *output) {
  char bytes[4096];
  for (;;) {
    ssize_t got = read(fd, bytes, sizeof(bytes));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return false;
    if (got < 0) return true;
    if (output->length < OUTPUT_MAX) text_add_bytes(output, bytes, (size_t)got);
  }
}

/* Waits for the end, reading output meanwhile. True if it came in time. */
static bool await(int pidfd, int stream, uint32_t timeout_ms, struct text *output) {
  int64_t deadline = now_ms() + timeout_ms;
  struct pollfd pollers[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = stream, .events = POLLIN}};
  for (;;) {
    int64_t left = deadline - now_ms();
    int ready = poll(pollers, 2, left > 0 ? (int)left : 0);
    if (ready == 0) return false;
    if (ready < 0) continue;
    if (pollers[1].revents != 0 && !drain(stream, output)) pollers[1].fd = -1;
    if (pollers[0].revents != 0) {
      if (pollers[1].fd >= 0) drain(stream, output);
      return true;
    }
  }
}

int subprocess_run(char *const *values, const char *input, uint32_t timeout_ms, struct text *output) {
  int stream[2]; /* one socket carries both directions; input is short enough to fit into it at once */
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream) != 0) return SUBPROCESS_FAILED;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd <= 2; fd++)
    posix_spawn_file_actions_adddup2(&actions, stream[1], fd);
  pid_t pid;
  int error = posix_spawnp(&pid, values[0], &actions, NULL, values, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(stream[1]);
  if (error != 0) {
    close(stream[0]);
    return error == ENOENT ? SUBPROCESS_NOT_FOUND : SUBPROCESS_FAILED;
  }
  /* A program that ends without reading its input makes these fail, and that is its right. */
  ssize_t sent = send(stream[0], input, strlen(input), MSG_NOSIGNAL);
  if (sent >= 0) shutdown(stream[0], SHUT_WR);
  fcntl(stream[0], F_SETFL, O_NONBLOCK);
  int pidfd = pidfd_open(pid, 0);
  bool ended = pidfd >= 0 && await(pidfd, stream[0], timeout_ms, output);
  if (!ended) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (pidfd >= 0) close(pidfd);
  close(stream[0]);
  return ended ? subprocess_status(status) : SUBPROCESS_TIMEOUT;
}
