/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Listening sockets: opened at the start or by a timer later, watched by worker 0.
 */
#define _GNU_SOURCE /* accept4 */
#include "platform/process/elements/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "click/router.h"
#include "lib/memory.h"
#include "platform/process/host.h"

enum { RETRY_NS = 1000000000, BACKLOG = 8, PORT_MAX = 65535 };

void listener_defaults(struct listener *l) { l->retry_warnings = true; }

static int configure_port(struct listener *l, struct report *report) {
  struct slice s = slice_of(l->place);
  l->next_port = l->kind == LISTENER_TCP && s.length > 0 && s.data[s.length - 1] == '+';
  uint64_t number;
  s.length -= l->next_port;
  if (slice_to_u64(s, l->kind == LISTENER_TCP ? PORT_MAX : INT32_MAX, &number)) {
    return report_error(report, ERROR_INVALID, "PORT: expected a number, not '%.60s'", l->place);
  }
  l->port = (uint32_t)number;
  return 0;
}

int listener_configure(struct listener *l, struct element *owner, const struct listener_protocol *protocol,
                       struct report *report) {
  l->owner = owner;
  l->protocol = protocol;
  list_init(&l->clients);
  if (strcasecmp(l->type, "TCP") == 0) {
    l->kind = LISTENER_TCP;
  } else if (strcasecmp(l->type, "UNIX") == 0) {
    l->kind = LISTENER_UNIX;
  } else if (strcasecmp(l->type, "SOCKET") == 0) {
    l->kind = LISTENER_SOCKET;
  } else {
    return report_error(report, ERROR_INVALID, "unknown socket type '%.60s'; expected TCP or UNIX", l->type);
  }
  if (!l->place && l->filename && l->kind == LISTENER_UNIX) {
    l->place = l->filename;
    l->filename = NULL;
  }
  if (!l->place || !l->place[0]) {
    return report_error(report, ERROR_INVALID, "%s: required argument missing",
                        l->kind == LISTENER_UNIX ? "FILENAME" : "PORT");
  }
  if (l->kind != LISTENER_UNIX) return configure_port(l, report);
  if (strlen(l->place) >= sizeof((struct sockaddr_un *)0)->sun_path) {
    return report_error(report, ERROR_TOO_BIG, "FILENAME: filename too long: at most %zu bytes",
                        sizeof((struct sockaddr_un *)0)->sun_path - 1);
  }
  return 0;
}

/* --- clients --- */

static void say(const struct listener *l, const char *what, int fd) {
  char line[CLICK_MAX_NAME + 64];
  if (!l->verbose) return;
  size_t length = format_text(line, sizeof line, "%s: %s %d", l->owner->name, what, fd);
  l->owner->services->log(LOG_INFO, line, length < sizeof line ? length : sizeof line - 1);
}

void listener_close_client(struct listener_client *client) {
  struct listener *l = client->listener;
  l->protocol->closing(client);
  say(l, "closed connection", client->watch.fd);
  process_watch_remove(&client->watch);
  close(client->watch.fd);
  list_remove(&client->link);
  l->client_count--;
  memory_free(client);
}

static void serve(struct process_watch *watch, short revents) {
  struct listener_client *client = watch->owner;
  if (!client->listener->protocol->serve(client, revents)) listener_close_client(client);
}

static void add_client(struct listener *l, int fd) {
  struct listener_client *client = l->client_count < LISTENER_CLIENTS_MAX ? memory_alloc(l->protocol->size) : NULL;
  if (!client) {
    say(l, "no room for connection", fd);
    close(fd);
    return;
  }
  client->listener = l;
  client->watch = (struct process_watch){.fd = fd, .events = POLLIN, .ready = serve, .owner = client};
  list_append(&l->clients, &client->link);
  l->client_count++;
  process_watch_add(&client->watch);
  say(l, "opened connection", fd);
  if (!l->protocol->opened(client)) listener_close_client(client);
}

static void take_clients(struct listener *l, struct listener *old) {
  while (!list_empty(&old->clients)) {
    struct listener_client *client = CONTAINER_OF(old->clients.next, struct listener_client, link);
    list_remove(&client->link);
    list_append(&l->clients, &client->link);
    client->listener = l;
    if (l->protocol->moved) l->protocol->moved(client);
  }
  l->client_count = old->client_count;
  old->client_count = 0;
}

/* --- opening --- */

static int bind_unix(struct listener *l, int fd) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, l->place, strlen(l->place) + 1);
  socket_remove_stale(&address, SOCK_STREAM);
  return bind(fd, (const struct sockaddr *)&address, sizeof address);
}

static int bind_tcp(struct listener *l, int fd) {
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  for (;; l->port++) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)l->port),
                                  .sin_addr.s_addr = htonl(l->localhost ? INADDR_LOOPBACK : INADDR_ANY)};
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0) break;
    if (!l->next_port || errno != EADDRINUSE || l->port == PORT_MAX) return -1;
  }
  struct sockaddr_in bound = {0};
  socklen_t length = sizeof bound;
  if (getsockname(fd, (struct sockaddr *)&bound, &length) == 0) l->port = ntohs(bound.sin_port);
  return 0;
}

/* Without descriptors or memory the connection stays in the queue, and poll would say so at once: it is not asked for a while. */
static void rest(struct listener *l) {
  char line[CLICK_MAX_NAME + 128];
  const char *why = strerror(errno);
  process_watch_wait(&l->watch, 0);
  timer_schedule(&l->retry, l->owner->services->now() + RETRY_NS);
  if (l->rest_logged) return;
  l->rest_logged = true;
  size_t length = format_text(line, sizeof line, "%s: accept: %s; trying again every second", l->owner->name, why);
  l->owner->services->log(LOG_ERROR, line, length < sizeof line ? length : sizeof line - 1);
}

static void accept_client(struct process_watch *watch, short revents) {
  struct listener *l = watch->owner;
  int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    l->rest_logged = false;
    add_client(l, fd);
  } else if (socket_accept_exhausted(errno)) {
    rest(l);
  }
}

static void watch(struct listener *l, int fd) {
  l->watch = (struct process_watch){.fd = fd, .events = POLLIN, .ready = accept_client, .owner = l};
  process_watch_add(&l->watch);
  l->open = true;
}

/* The name of the call that failed, with errno; NULL when the socket is open. */
static const char *open_socket(struct listener *l) {
  int fd = socket(l->kind == LISTENER_TCP ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return "socket";
  const char *failed = (l->kind == LISTENER_TCP ? bind_tcp(l, fd) : bind_unix(l, fd)) != 0 ? "bind"
                       : listen(fd, BACKLOG) != 0                                          ? "listen"
                                                                                           : NULL;
  if (!failed) {
    watch(l, fd);
    return NULL;
  }
  int why = errno;
  close(fd);
  errno = why;
  return failed;
}

/* One attempt. 0; or a negative code, with a warning while tries are left. */
static int attempt(struct listener *l, struct report *report) {
  const char *failed = open_socket(l);
  if (!failed) return 0;
  const char *why = strerror(errno);
  if (--l->retries < 0) return report_error(report, ERROR_IO, "%s '%s': %s", failed, l->place, why);
  if (l->retry_warnings) {
    report_warning(report, "%s '%s': %s (%d %s left)", failed, l->place, why, l->retries + 1,
                   l->retries == 0 ? "try" : "tries");
  }
  return -ERROR_IO;
}

static void try_again(struct timer *timer) {
  struct listener *l = CONTAINER_OF(timer, struct listener, retry);
  const struct services *services = l->owner->services;
  struct report report = {0};
  if (l->open) {
    process_watch_wait(&l->watch, POLLIN);
  } else if (attempt(l, &report) != 0) {
    if (l->retries >= 0) {
      timer_schedule(timer, services->now() + RETRY_NS);
    } else if (services->stop_driver) {
      services->stop_driver();
    }
  }
  struct slice rest = {text_string(&report.text), report.text.length};
  if (rest.length > 0) services->log(report.errors ? LOG_ERROR : LOG_WARNING, rest.data, slice_trim(rest).length);
  report_free(&report);
}

/* True if `before` holds what `l` wants. */
static bool continues(const struct listener *l, const struct listener *before) {
  return l->kind == before->kind && strcmp(l->place, before->place) == 0 &&
         (before->open || l->kind == LISTENER_SOCKET);
}

int listener_start(struct listener *l, const struct listener *before, struct report *report) {
  timer_init(&l->retry, l->owner->router->scheduler, l->owner, try_again);
  if (before && continues(l, before)) return 0;
  if (l->kind == LISTENER_SOCKET) {
    int flags = fcntl((int)l->port, F_GETFL);
    if (flags < 0 || fcntl((int)l->port, F_SETFL, flags | O_NONBLOCK) < 0) {
      return report_error(report, ERROR_IO, "descriptor %u: %s", l->port, strerror(errno));
    }
    add_client(l, (int)l->port);
    return 0;
  }
  int error = attempt(l, report);
  if (error == 0) return 0;
  if (l->retries < 0) return error;
  timer_schedule(&l->retry, l->owner->services->now() + RETRY_NS);
  return 0;
}

void listener_stop(struct listener *l) {
  timer_unschedule(&l->retry);
  while (l->clients.next && !list_empty(&l->clients))
    listener_close_client(CONTAINER_OF(l->clients.next, struct listener_client, link));
  if (!l->open) return;
  process_watch_remove(&l->watch);
  close(l->watch.fd);
  if (l->kind == LISTENER_UNIX) unlink(l->place);
  l->open = false;
}

bool listener_take(struct listener *l, struct listener *old, struct report *report) {
  if (l->open || !continues(l, old)) {
    report_warning(report, "%s: the clients cannot be taken over; keep the socket's place, and set RETRIES",
                   l->owner->name);
    return false;
  }
  timer_unschedule(&l->retry);
  take_clients(l, old);
  if (l->kind == LISTENER_SOCKET) return true;
  process_watch_remove(&old->watch);
  old->open = false;
  l->port = old->port;
  watch(l, old->watch.fd);
  return true;
}
