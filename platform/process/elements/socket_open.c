/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Socket: its arguments, and opening what they name.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "click/router.h"
#include "elements/line.h"
#include "elements/route_table.h"
#include "platform/process/elements/socket_element.h"
#include "platform/process/host.h"

enum {
  ROOM = PACKET_BUFFER_SIZE - (int)sizeof(struct packet), /* headroom and data of one packet */
  HEADROOM_DEFAULT = 28,
  SNAPLEN_DEFAULT = 2048,
  CONNECT_WAIT_MS = 1000, /* a connection that takes longer goes on in the background */
  BACKLOG = 2,
};

/* VERBOSE: "NAME :: CLASS: WHAT FD FROM/TO ADDRESS". */
void socket_say(const struct socket_element *s, const char *what, int fd, const char *preposition,
                const struct endpoint *other) {
  char text[CLICK_MAX_NAME + 256], address[ENDPOINT_TEXT];
  struct line line = {text, sizeof text, 0};
  if (!s->verbose) return;
  line_addf(&line, "%s :: %s: %s %d", s->element.name, s->element.class->name, what, fd);
  if (other) {
    endpoint_text(other, address);
    line_addf(&line, "%s%s", preposition, address);
  }
  line_log(&line, &s->element);
}

void socket_say_error(const struct socket_element *s, int why) {
  char text[CLICK_MAX_NAME + 128];
  struct line line = {text, sizeof text, 0};
  if (!s->verbose) return;
  line_addf(&line, "%s :: %s: %s", s->element.name, s->element.class->name, strerror(why));
  line_log(&line, &s->element);
}

/* --- arguments --- */

void socket_defaults(struct element *e) {
  struct socket_element *s = (struct socket_element *)e;
  s->snaplen = SNAPLEN_DEFAULT;
  s->headroom = HEADROOM_DEFAULT;
  s->timestamp = s->nodelay = true;
}

static int configure_type(struct socket_element *s, struct report *report) {
  static const struct {
    const char *name;
    int family, kind;
  } types[] = {{"TCP", AF_INET, SOCK_STREAM},
               {"UDP", AF_INET, SOCK_DGRAM},
               {"UNIX", AF_UNIX, SOCK_STREAM},
               {"UNIX_DGRAM", AF_UNIX, SOCK_DGRAM}};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (strcasecmp(s->type, types[i].name) != 0) continue;
    s->family = types[i].family;
    s->kind = types[i].kind;
    return 0;
  }
  return report_error(report, ERROR_INVALID, "unknown socket type '%.60s'; expected TCP, UDP, UNIX or UNIX_DGRAM",
                      s->type);
}

static int missing(const char *name, struct report *report) {
  return report_error(report, ERROR_INVALID, "%s: required argument missing", name);
}

/* "ADDR" and "PORT", or their LOCAL_ kind, into *endpoint. */
static int configure_ip(struct socket_element *s, const char *const names[2], const struct argument_data place[2],
                        struct endpoint *endpoint, struct report *report) {
  uint32_t address = 0;
  uint16_t port = 0;
  const struct argument rows[2] = {
      {.name = names[0], .type = ARGUMENT_IP},
      {.name = names[1], .type = socket_is_stream(s) ? ARGUMENT_TCP_PORT : ARGUMENT_UDP_PORT}};
  void *const targets[2] = {&address, &port};
  int status = 0;
  for (unsigned i = 0; i < 2 && status == 0; i++) {
    if (place[i].data) status = args_parse_value(&s->element, &rows[i], place[i].data, targets[i], report);
  }
  endpoint_set_ip(endpoint, address, port);
  return status;
}

static int configure_inet(struct socket_element *s, struct report *report) {
  static const char *const names[2] = {"ADDR", "PORT"}, *const local_names[2] = {"LOCAL_ADDR", "LOCAL_PORT"};
  for (unsigned i = 0; i < 2; i++) {
    if (!s->place_given[i]) return missing(names[i], report);
  }
  if (s->filename_given || s->local_filename_given)
    return report_error(report, ERROR_INVALID, "FILENAME: only sockets of TYPE UNIX and UNIX_DGRAM have files");
  int status = configure_ip(s, names, s->place, &s->remote, report);
  if (status == 0) status = configure_ip(s, local_names, s->local_place, &s->local, report);
  s->bind_local = s->local_given[0] || s->local_given[1];
  return status;
}

static int configure_file(const struct argument_data *name, const char *which, struct endpoint *endpoint,
                          struct report *report) {
  if (name->length == 0) return report_error(report, ERROR_INVALID, "%s filename is empty", which);
  if (endpoint_set_unix(endpoint, name->data, name->length) == 0) return 0;
  return report_error(report, ERROR_TOO_BIG, "%s filename '%.40s...' too long: at most %zu bytes", which,
                      name->data[0] ? name->data : name->data + 1, sizeof endpoint->file.sun_path - 1);
}

static int configure_unix(struct socket_element *s, struct report *report) {
  const struct argument_data *remote = s->filename_given ? &s->filename : &s->place[0];
  const struct argument_data *local = s->local_filename_given ? &s->local_filename : &s->place[1];
  if (!s->filename_given && !s->place_given[0]) return missing("FILENAME", report);
  if ((s->filename_given && s->place_given[0]) || (s->local_filename_given && s->place_given[1]) || s->local_given[0] ||
      s->local_given[1])
    return report_error(report, ERROR_INVALID, "too many arguments");
  s->bind_local = local->data != NULL;
  int status = configure_file(remote, "remote", &s->remote, report);
  return status != 0 || !s->bind_local ? status : configure_file(local, "local", &s->local, report);
}

static int find_table(const struct socket_element *s, const char *argument, const char *name,
                      const struct routes **table, struct report *report) {
  *table = name ? route_table_find(&s->element, name) : NULL;
  if (!name || *table) return 0;
  return report_error(report, ERROR_NOT_FOUND, "%s: '%s' is no element with IP routes, such as a RadixIPLookup",
                      argument, name);
}

int socket_configure(struct element *e, const struct args *rest, struct report *report) {
  struct socket_element *s = (struct socket_element *)e;
  (void)pthread_mutex_init(&s->lock, NULL);
  int status = configure_type(s, report);
  if (status == 0) status = find_table(s, "ALLOW", s->allow_name, &s->allow, report);
  if (status == 0) status = find_table(s, "DENY", s->deny_name, &s->deny, report);
  if (status == 0) status = s->family == AF_INET ? configure_inet(s, report) : configure_unix(s, report);
  if (status != 0) return status;
  if (s->snaplen == 0) return report_error(report, ERROR_INVALID, "SNAPLEN: must be at least 1");
  if (s->headroom >= ROOM) return report_error(report, ERROR_TOO_BIG, "HEADROOM: must be less than %d", ROOM);
  s->longest = s->snaplen < ROOM - s->headroom ? s->snaplen : ROOM - s->headroom;
  if (!s->client_given) s->client = s->bind_local || e->output_count == 0;
  if (!s->client) {
    s->local = s->remote;
    s->bind_local = true;
    s->remote.length = 0;
  }
  s->annotated = s->client && s->family == AF_INET && !socket_is_stream(s) && s->remote.ip.sin_addr.s_addr == 0;
  s->room.active = true;
  return 0;
}

/* --- opening --- */

static int failed(const struct socket_element *s, const char *call, const struct endpoint *where, int why,
                  struct report *report) {
  char address[ENDPOINT_TEXT] = "";
  if (where) endpoint_text(where, address);
  return report_error(
      report, ERROR_IO, "%s%s%s: %s", call, where ? " " : "", address,
      where && endpoint_is_file(where) && call[0] == 'b' ? socket_bind_error(&where->file, why) : strerror(why));
}

static int set_option(const struct socket_element *s, int fd, int level, int option, int value, const char *name,
                      struct report *report) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : failed(s, name, NULL, errno, report);
}

int socket_set_options(const struct socket_element *s, int fd, struct report *report) {
  int status = 0;
  bool tcp = s->family == AF_INET && socket_is_stream(s);
  if (tcp) status = set_option(s, fd, IPPROTO_TCP, TCP_NODELAY, s->nodelay, "setsockopt(TCP_NODELAY)", report);
  if (status == 0 && tcp && !s->client)
    status = set_option(s, fd, SOL_SOCKET, SO_REUSEADDR, 1, "setsockopt(SO_REUSEADDR)", report);
  if (status == 0 && s->sndbuf_given)
    status = set_option(s, fd, SOL_SOCKET, SO_SNDBUF, (int)s->sndbuf, "setsockopt(SO_SNDBUF)", report);
  if (status == 0 && s->rcvbuf_given)
    status = set_option(s, fd, SOL_SOCKET, SO_RCVBUF, (int)s->rcvbuf, "setsockopt(SO_RCVBUF)", report);
  return status;
}

static int bind_local(struct socket_element *s, int fd, struct report *report) {
  if (endpoint_is_file(&s->local)) socket_remove_stale(&s->local.file, s->kind);
  if (bind(fd, &s->local.any, s->local.length) != 0) return failed(s, "bind", &s->local, errno, report);
  s->bound = endpoint_is_file(&s->local);
  return 0;
}

int socket_connect_result(int fd) {
  int why = 0;
  socklen_t length = sizeof why;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &length) == 0 ? why : errno;
}

static int connect_remote(struct socket_element *s, int fd, struct report *report) {
  struct pollfd done = {fd, POLLOUT, 0};
  int why = connect(fd, &s->remote.any, s->remote.length) == 0 ? 0 : errno;
  if (why == EINPROGRESS && poll(&done, 1, CONNECT_WAIT_MS) > 0) why = socket_connect_result(fd);
  s->connecting = why == EINPROGRESS;
  if (why != 0 && !s->connecting) return failed(s, "connect", &s->remote, why, report);
  if (!s->connecting) socket_say(s, "opened connection", fd, " to ", &s->remote);
  return 0;
}

int socket_open(struct socket_element *s, struct report *report) {
  int fd = socket(s->family, s->kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(s, "socket", NULL, errno, report);
  int status = socket_set_options(s, fd, report);
  if (status == 0 && s->bind_local) status = bind_local(s, fd, report);
  if (status == 0 && socket_is_stream(s) && s->client) status = connect_remote(s, fd, report);
  if (status == 0 && socket_is_stream(s) && !s->client && listen(fd, BACKLOG) != 0)
    status = failed(s, "listen", &s->local, errno, report);
  if (status != 0) {
    close(fd);
    return status;
  }
  if (socket_is_stream(s) && !s->client) {
    s->listener = fd;
    s->listening = true;
    socket_say(s, "listening for connections", fd, " on ", &s->local);
  } else {
    s->fd = fd;
    s->open = true;
    s->peer = s->remote;
  }
  return 0;
}
