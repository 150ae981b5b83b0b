/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Channels of the process: the control port is a unix stream socket for one client at a time, the log goes to a descriptor.
 */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "kernel/platform.h"
#include "platform/process/host.h"

static struct {
  int listener; /* -1: no control port */
  int client;   /* -1: none */
  uint32_t generation;
  bool full;           /* the last write was short: wait for room, not for input */
  int log;             /* -1: none, or its reader went away */
  uint64_t rest_until; /* no client is accepted before; 0: now */
  bool rest_logged;
} channel = {-1, -1, 0, false, -1, 0, false};

enum { RETRY_NS = 1000000000 };

/* connect refuses anything that is no socket with the same code as a socket that nobody listens on. */
static bool is_socket(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

bool socket_accept_exhausted(int why) { return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM; }

void socket_remove_stale(const struct sockaddr_un *address, int type) {
  int probe = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return;
  if (connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED &&
      is_socket(address->sun_path)) {
    unlink(address->sun_path);
  }
  close(probe);
}

const char *socket_bind_error(const struct sockaddr_un *address, int why) {
  if (why != EADDRINUSE) return strerror(why);
  return is_socket(address->sun_path) ? "another process has it open" : "it exists and is no socket";
}

static int listen_at(const char *path, struct report *report) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    return report_error(report, ERROR_INVALID, "control socket '%s': the path has over %zu characters", path,
                        sizeof address.sun_path - 1);
  }
  memcpy(address.sun_path, path, strlen(path) + 1);
  channel.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (channel.listener < 0) return report_error(report, ERROR_IO, "no socket: %s", strerror(errno));
  socket_remove_stale(&address, SOCK_STREAM);
  mode_t mask = umask(0177); /* only this user may control the system */
  int status = bind(channel.listener, (const struct sockaddr *)&address, sizeof address);
  int why = errno;
  umask(mask);
  if (status != 0 || listen(channel.listener, 8) != 0) {
    if (status == 0) why = errno;
    close(channel.listener);
    channel.listener = -1;
    return report_error(report, ERROR_IO, "control socket '%s' cannot be opened: %s", path,
                        socket_bind_error(&address, why));
  }
  return 0;
}

int channel_setup(const struct process_options *options, struct report *report) {
  channel.log = options->log_fd;
  return options->control_path == NULL ? 0 : listen_at(options->control_path, report);
}

static void drop_client(void) {
  if (channel.client >= 0) close(channel.client);
  channel.client = -1;
  channel.full = false;
}

void channel_teardown(const struct process_options *options) {
  drop_client();
  if (channel.listener < 0) return;
  close(channel.listener);
  channel.listener = -1;
  unlink(options->control_path);
}

unsigned channel_poll_fds(struct pollfd *fds, uint64_t *deadline) {
  unsigned count = 0;
  if (channel.listener >= 0 && channel.rest_until != 0) {
    if (channel.rest_until < *deadline) *deadline = channel.rest_until;
  } else if (channel.listener >= 0)
    fds[count++] = (struct pollfd){channel.listener, POLLIN, 0};
  if (channel.client >= 0) fds[count++] = (struct pollfd){channel.client, channel.full ? POLLOUT : POLLIN, 0};
  return count;
}

/* A client that left, but whose end of file nobody has read yet, must not keep the next one out. */
static bool client_left(void) {
  struct pollfd fd = {channel.client, 0, 0};
  return channel.client >= 0 && poll(&fd, 1, 0) == 1 && (fd.revents & (POLLHUP | POLLERR)) != 0;
}

/* Without descriptors or memory the client stays in the queue, and poll would say so at once: it is not asked for a while. */
static void rest(int why) {
  channel.rest_until = platform_now() + RETRY_NS;
  if (channel.rest_logged) return;
  char line[128];
  channel.rest_logged = true;
  (void)format_text(line, sizeof line, "control port: accept: %s; trying again every second", strerror(why));
  kernel_log_error(line);
}

static void accept_clients(void) {
  static const char busy[] = "IMAGO: control port is in use by another client\r\n";
  int fd;
  if (channel.rest_until != 0 && platform_now() < channel.rest_until) return;
  channel.rest_until = 0;
  while ((fd = accept4(channel.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    channel.rest_logged = false;
    if (client_left()) drop_client();
    if (channel.client < 0) {
      channel.client = fd;
      channel.generation++;
      continue;
    }
    (void)!send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
  }
  if (socket_accept_exhausted(errno)) rest(errno);
}

bool platform_channel_open(enum platform_channel which, uint32_t *generation) {
  if (which == PLATFORM_CHANNEL_LOG) {
    *generation = 1;
    return channel.log >= 0;
  }
  if (channel.listener < 0) return false;
  accept_clients();
  *generation = channel.generation;
  return channel.client >= 0;
}

size_t platform_channel_read(enum platform_channel which, void *bytes, size_t size) {
  if (which != PLATFORM_CHANNEL_CONTROL || channel.client < 0) return 0;
  ssize_t n = recv(channel.client, bytes, size, MSG_DONTWAIT);
  if (n > 0) return (size_t)n;
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) drop_client();
  return 0;
}

static size_t write_control(const void *bytes, size_t length) {
  if (channel.client < 0) return 0;
  ssize_t n = send(channel.client, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) {
    drop_client();
    return 0;
  }
  channel.full = n < (ssize_t)length;
  return n > 0 ? (size_t)n : 0;
}

/* The descriptor may be a terminal or a pipe that others share, so that it can't be made non-blocking; a piece up to PIPE_BUF
 * after poll said that there is room does not block. */
static size_t write_log(const void *bytes, size_t length) {
  struct pollfd fd = {channel.log, POLLOUT, 0};
  if (channel.log < 0 || poll(&fd, 1, 0) != 1) return 0;
  ssize_t n = write(channel.log, bytes, length < 4096 ? length : 4096);
  if (n < 0 && errno != EAGAIN && errno != EINTR) channel.log = -1;
  return n > 0 ? (size_t)n : 0;
}

size_t platform_channel_write(enum platform_channel which, const void *bytes, size_t length) {
  return which == PLATFORM_CHANNEL_CONTROL ? write_control(bytes, length) : write_log(bytes, length);
}

/* A socket needs no doorbell. */
void platform_channel_flush(enum platform_channel which) {}

void platform_channel_close(enum platform_channel which) {
  /* What was sent stays readable for the client. */
  if (which == PLATFORM_CHANNEL_CONTROL) drop_client();
}
