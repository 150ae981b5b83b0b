/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ControlSocket client: lines end in CR LF; a reply is "CODE-text" lines and one "CODE text" line; codes from 500 up are
 * errors; READ's reply is followed by "DATA n" and n bytes.
 */
#define _GNU_SOURCE
#include "tools/control_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Waits until the socket is ready for `events`; -ERROR_IO at the deadline. */
static int wait_ready(struct control_client *client, short events, uint64_t deadline, struct report *report) {
  for (;;) {
    uint64_t now = now_ms();
    struct pollfd poller = {.fd = client->fd, .events = events};
    int ready = poll(&poller, 1, now < deadline ? (int)(deadline - now) : 0);
    if (ready > 0) return 0;
    if (ready < 0 && errno == EINTR) continue;
    return report_error(
        report, ERROR_IO,
        "'%s' does not answer on its control port (waited %u ms); see 'imago log %s', or end it with 'imago "
        "stop --force %s'",
        client->name, client->timeout_ms, client->name, client->name);
  }
}

static int fill(struct control_client *client, uint64_t deadline, struct report *report) {
  int error = wait_ready(client, POLLIN, deadline, report);
  if (error != 0) return error;
  if (client->start == client->end) client->start = client->end = 0;
  ssize_t got = read(client->fd, client->buffer + client->end, sizeof(client->buffer) - client->end);
  if (got > 0) {
    client->end += (size_t)got;
    return 0;
  }
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
  return report_error(report, ERROR_IO, "'%s' closed the control connection; see 'imago log %s'", client->name,
                      client->name);
}

/* One line without its end. Lines longer than the buffer are cut: the protocol has none. */
static int read_line(struct control_client *client, struct text *line, uint64_t deadline, struct report *report) {
  text_clear(line);
  for (;;) {
    const char *from = client->buffer + client->start;
    const char *end = memchr(from, '\n', client->end - client->start);
    if (end != NULL) {
      text_add_bytes(line, from, (size_t)(end - from));
      client->start += (size_t)(end - from) + 1;
      if (line->length > 0 && line->data[line->length - 1] == '\r') line->data[--line->length] = '\0';
      return 0;
    }
    text_add_bytes(line, from, client->end - client->start);
    client->start = client->end = 0;
    if (line->failed || line->length > REPORT_MAX_TEXT) {
      return report_error(report, ERROR_INVALID, "'%s' does not speak the ControlSocket protocol", client->name);
    }
    int error = fill(client, deadline, report);
    if (error != 0) return error;
  }
}

static int read_bytes(struct control_client *client, size_t length, struct text *out, uint64_t deadline,
                      struct report *report) {
  while (length > 0) {
    if (client->start == client->end) {
      int error = fill(client, deadline, report);
      if (error != 0) return error;
    }
    size_t take = client->end - client->start;
    if (take > length) take = length;
    text_add_bytes(out, client->buffer + client->start, take);
    client->start += take;
    length -= take;
  }
  return out->failed ? report_error(report, ERROR_NO_MEMORY, "no memory for the reply") : 0;
}

static int send_all(struct control_client *client, const void *bytes, size_t length, uint64_t deadline,
                    struct report *report) {
  const char *from = bytes;
  while (length > 0) {
    int error = wait_ready(client, POLLOUT, deadline, report);
    if (error != 0) return error;
    ssize_t sent = send(client->fd, from, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) {
      return report_error(report, ERROR_IO, "'%s': the control connection broke: %s", client->name, strerror(errno));
    }
    from += sent;
    length -= (size_t)sent;
  }
  return 0;
}

/* Reads a reply. Its first line only names the handler and the outcome; further lines, which say what happened, go to out or
 * become errors. */
static int read_reply(struct control_client *client, struct text *out, uint64_t deadline, struct report *report) {
  struct text line = {0}, first = {0}, details = {0};
  int error;
  bool more = true;
  unsigned code = 0, lines = 0;
  while (more) {
    error = read_line(client, &line, deadline, report);
    if (error != 0) goto done;
    const char *s = text_string(&line);
    /* QEMU gives a mute port's next client the greeting of the one before, too (connect_greeted). */
    if (strncmp(s, "Click::ControlSocket/1.", 23) == 0) continue;
    if (line.length < 3 || !char_is_digit(s[0]) || !char_is_digit(s[1]) || !char_is_digit(s[2]) ||
        (line.length > 3 && s[3] != ' ' && s[3] != '-')) {
      error = report_error(report, ERROR_INVALID, "'%s' does not speak the ControlSocket protocol: '%.60s'",
                           client->name, s);
      goto done;
    }
    code = (unsigned)(s[0] - '0') * 100 + (unsigned)(s[1] - '0') * 10 + (unsigned)(s[2] - '0');
    more = line.length > 3 && s[3] == '-';
    const char *text = line.length > 4 ? s + 4 : "";
    if (lines++ == 0) {
      text_add(&first, text);
    } else {
      text_addf(&details, "%s\n", text);
    }
  }
  if (code < 400) {
    if (out != NULL) text_add_bytes(out, text_string(&details), details.length);
  } else if (details.length > 0) {
    details.data[--details.length] = '\0';
    error = report_error(report, ERROR_PERMISSION, "%s", details.data);
  } else {
    error = report_error(report, code == 510 || code == 511 ? ERROR_NOT_FOUND : ERROR_PERMISSION, "%s",
                         text_string(&first));
  }
done:
  text_free(&line);
  text_free(&first);
  text_free(&details);
  return error;
}

/* The lock keeps two clients from sharing one port. The loser says whose turn it is. */
static int take_lock(const struct rundir *dir, struct report *report) {
  char path[PATH_MAX];
  rundir_file(dir, "lock", path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return report_error(report, ERROR_IO, "%s: %s", path, strerror(errno));
  for (uint64_t deadline = now_ms() + CONTROL_LOCK_WAIT_MS; flock(fd, LOCK_EX | LOCK_NB) != 0;) {
    if (now_ms() >= deadline) {
      char holder[16] = "";
      ssize_t length = pread(fd, holder, sizeof(holder) - 1, 0);
      holder[length > 0 ? strcspn(holder, "\n") : 0] = '\0';
      close(fd);
      return report_error(report, ERROR_BUSY,
                          "'%s' is being controlled by another client (pid %s); try again when it is done", dir->name,
                          holder[0] != '\0' ? holder : "unknown");
    }
    poll(NULL, 0, 10);
  }
  char pid[16];
  size_t length = format_text(pid, sizeof(pid), "%d\n", (int)getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, length, 0) != (ssize_t)length) {
    close(fd);
    return report_error(report, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
  }
  return fd;
}

static int connect_control(struct control_client *client, const struct rundir *dir, struct report *report) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  format_text(address.sun_path, sizeof(address.sun_path), "%s/control",
              dir->path); /* rundir_locate checked the length */
  client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
    return report_error(report, ERROR_IO, "'%s': cannot reach the control port at %s: %s", dir->name, address.sun_path,
                        strerror(errno));
  }
  return 0;
}

/* Connects, again when nothing is said for a while: a client that hung up while QEMU was writing to it leaves the port throttled
 * for the next one, who is heard but gets no word (seen with 7.2), until that one hangs up too. Where nobody takes another connection,
 * as the first still stands in the queue, it is kept. */
static int connect_greeted(struct control_client *client, const struct rundir *dir, uint64_t deadline,
                           struct report *report) {
  int error = connect_control(client, dir, report);
  for (int patience = CONTROL_GREETING_MS; error == 0; patience *= 2) {
    struct pollfd poller = {.fd = client->fd, .events = POLLIN};
    if (now_ms() + (uint64_t)patience >= deadline || poll(&poller, 1, patience) != 0) break;
    int waiting = client->fd;
    bool again = connect_control(client, dir, NULL) == 0;
    int gone = again ? waiting : client->fd;
    if (!again) client->fd = waiting;
    if (gone >= 0) close(gone);
  }
  return error;
}

int control_open(struct control_client *client, const struct rundir *dir, uint32_t timeout_ms, struct report *report) {
  memset(client, 0, sizeof(*client));
  client->name = dir->name;
  client->fd = -1;
  client->timeout_ms = timeout_ms;
  client->lock = take_lock(dir, report);
  if (client->lock < 0) return client->lock;
  struct text line = {0};
  uint64_t deadline = now_ms() + timeout_ms;
  int error = connect_greeted(client, dir, deadline, report);
  if (error == 0) error = read_line(client, &line, deadline, report);
  if (error == 0 && strncmp(text_string(&line), "Click::ControlSocket/1.", 23) != 0) {
    error = report_error(report, ERROR_INVALID, "'%s' does not speak the ControlSocket protocol: '%.60s'", dir->name,
                         text_string(&line));
  }
  text_free(&line);
  if (error != 0) control_close(client);
  return error;
}

void control_close(struct control_client *client) {
  if (client->fd >= 0) close(client->fd);
  if (client->lock >= 0) close(client->lock);
  client->fd = client->lock = -1;
}

/* A handler's name is one word: anything else would turn into another command. */
static int check_handler(const char *handler, struct report *report) {
  for (const char *c = handler; *c != '\0'; c++) {
    if (char_is_space(*c) || (unsigned char)*c < 32) {
      return report_error(report, ERROR_INVALID, "'%s' is not a handler: a handler is one word, ELEMENT.HANDLER",
                          handler);
    }
  }
  return handler[0] != '\0' ? 0 : report_error(report, ERROR_INVALID, "the name of the handler is empty");
}

int control_read(struct control_client *client, const char *handler, const char *parameter, struct text *out,
                 struct report *report) {
  int error = check_handler(handler, report);
  if (error != 0) return error;
  uint64_t deadline = now_ms() + client->timeout_ms;
  struct text line = {0};
  bool has_parameter = parameter != NULL && parameter[0] != '\0';
  if (has_parameter) {
    /* READDATA carries any bytes as the parameter. */
    text_addf(&line, "READDATA %s %zu\r\n%s", handler, strlen(parameter), parameter);
  } else {
    text_addf(&line, "READ %s\r\n", handler);
  }
  error = send_all(client, text_string(&line), line.length, deadline, report);
  if (error == 0) error = read_reply(client, NULL, deadline, report);
  if (error == 0) error = read_line(client, &line, deadline, report);
  if (error != 0) goto done;
  uint64_t length;
  if (strncmp(text_string(&line), "DATA ", 5) != 0 ||
      slice_to_u64(slice_trim(slice_of(line.data + 5)), CONTROL_DATA_MAX, &length) != 0) {
    error = report_error(report, ERROR_INVALID, "'%s' does not speak the ControlSocket protocol: '%.60s'", client->name,
                         text_string(&line));
    goto done;
  }
  error = read_bytes(client, (size_t)length, out, deadline, report);
done:
  text_free(&line);
  return error;
}

int control_write(struct control_client *client, const char *handler, struct slice value, struct text *out,
                  struct report *report) {
  int error = check_handler(handler, report);
  if (error != 0) return error;
  uint64_t deadline = now_ms() + client->timeout_ms;
  struct text line = {0};
  text_addf(&line, "WRITEDATA %s %zu\r\n", handler, value.length);
  error = send_all(client, text_string(&line), line.length, deadline, report);
  text_free(&line);
  if (error == 0) error = send_all(client, value.data, value.length, deadline, report);
  if (error == 0) error = read_reply(client, out, deadline, report);
  return error;
}
