/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ChatterSocket: sends what the log gets to whoever connects. Follows the log by position, a hundred times a second while there are
 * clients, so that writing to the log costs nothing more.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "click/router.h"
#include "lib/memory.h"
#include "platform/process/elements/listener.h"

enum { POLL_NS = 10000000, BACKLOG_MAX = 500000, CLIENTS_MAX = 64, PIECE = 4096 };

struct chatter_socket {
  struct element element;
  struct listener listener;
  char *channel;
  bool quiet_channel, greeting;
  uint64_t position; /* in the log */
  struct timer timer;
  struct list clients;
  uint32_t client_count;
};

struct client {
  struct list link;
  struct chatter_socket *socket;
  struct process_watch watch;
  struct text output;
  size_t sent;
};

static void drop_client(struct client *client) {
  process_watch_remove(&client->watch);
  close(client->watch.fd);
  text_free(&client->output);
  list_remove(&client->link);
  client->socket->client_count--;
  memory_free(client);
}

/* False: the client is gone. */
static bool send_output(struct client *client) {
  while (client->sent < client->output.length) {
    ssize_t n = send(client->watch.fd, client->output.data + client->sent, client->output.length - client->sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      client->watch.events = POLLIN | POLLOUT;
      return errno == EAGAIN;
    }
    client->sent += (size_t)n;
  }
  text_clear(&client->output);
  client->sent = 0;
  client->watch.events = POLLIN;
  return true;
}

/* What clients send is thrown away; that they are gone shows here. */
static void serve(struct process_watch *watch, short revents) {
  struct client *client = watch->owner;
  char bytes[512];
  ssize_t n = recv(watch->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  bool alive = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
  if (!alive || (revents & (POLLERR | POLLNVAL)) || !send_output(client)) drop_client(client);
}

static void send_to_all(struct chatter_socket *c, const char *bytes, size_t length) {
  for (struct list *at = c->clients.next; at != &c->clients;) {
    struct client *client = CONTAINER_OF(at, struct client, link);
    at = at->next;
    text_add_bytes(&client->output, bytes, length);
    bool behind = client->output.failed || client->output.length - client->sent > BACKLOG_MAX;
    if (behind || !send_output(client)) drop_client(client);
  }
}

static void follow(struct timer *timer) {
  struct chatter_socket *c = CONTAINER_OF(timer, struct chatter_socket, timer);
  const struct services *services = c->element.services;
  char piece[PIECE];
  size_t length;
  while (c->client_count > 0 && (length = services->log_follow(&c->position, piece, sizeof piece)) > 0)
    send_to_all(c, piece, length);
  if (c->client_count > 0) timer_schedule(timer, services->now() + POLL_NS);
}

static void welcome(struct element *e, int fd) {
  struct chatter_socket *c = (struct chatter_socket *)e;
  struct client *client = c->client_count < CLIENTS_MAX ? memory_alloc(sizeof *client) : NULL;
  if (!client) {
    close(fd);
    return;
  }
  client->socket = c;
  client->watch = (struct process_watch){.fd = fd, .events = POLLIN, .ready = serve, .owner = client};
  if (c->client_count++ == 0) {
    c->position = UINT64_MAX;
    (void)e->services->log_follow(&c->position, NULL, 0); /* from now on */
    timer_schedule(&c->timer, e->services->now() + POLL_NS);
  }
  list_append(&c->clients, &client->link);
  process_watch_add(&client->watch);
  if (c->greeting) text_add(&client->output, "Click::ChatterSocket/1.0\r\n");
  if (!send_output(client)) drop_client(client);
}

static void defaults(struct element *e) {
  struct chatter_socket *c = (struct chatter_socket *)e;
  listener_defaults(&c->listener);
  c->greeting = c->quiet_channel = true;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct chatter_socket *c = (struct chatter_socket *)e;
  list_init(&c->clients);
  if (c->channel && strcmp(c->channel, "default") != 0) {
    return report_error(report, ERROR_UNSUPPORTED, "CHANNEL: there is one channel, 'default'; '%.60s' has no messages",
                        c->channel);
  }
  return listener_configure(&c->listener, e, welcome, report);
}

static int initialize(struct element *e, struct report *report) {
  struct chatter_socket *c = (struct chatter_socket *)e;
  if (!e->services->log_follow) return report_error(report, ERROR_UNSUPPORTED, "there is no log to follow here");
  timer_init(&c->timer, e->router->scheduler, e, follow);
  const struct chatter_socket *before = (const struct chatter_socket *)router_predecessor(e);
  return listener_start(&c->listener, before ? &before->listener : NULL, report);
}

static void cleanup(struct element *e) {
  struct chatter_socket *c = (struct chatter_socket *)e;
  listener_stop(&c->listener);
  timer_unschedule(&c->timer);
  while (c->clients.next && !list_empty(&c->clients))
    drop_client(CONTAINER_OF(c->clients.next, struct client, link));
}

static void take_state(struct element *e, struct element *old, struct report *report) {
  struct chatter_socket *c = (struct chatter_socket *)e, *before = (struct chatter_socket *)old;
  if (!listener_take(&c->listener, &before->listener)) {
    report_warning(report, "%s: the clients cannot be taken over; keep the socket's place, and set RETRIES", e->name);
    return;
  }
  while (!list_empty(&before->clients)) {
    struct client *client = CONTAINER_OF(before->clients.next, struct client, link);
    list_remove(&client->link);
    list_append(&c->clients, &client->link);
    client->socket = c;
  }
  c->position = before->position;
  c->client_count = before->client_count;
  before->client_count = 0;
  if (c->client_count > 0) timer_schedule(&c->timer, e->services->now() + POLL_NS);
}

static const struct argument arguments[] = {
    LISTENER_ARGUMENTS(struct chatter_socket, listener),
    {"CHANNEL", ARGUMENT_WORD, 0, offsetof(struct chatter_socket, channel), "the channel: only default"},
    {"QUIET_CHANNEL", ARGUMENT_BOOL, 0, offsetof(struct chatter_socket, quiet_channel),
     "no effect on the default channel (true)"},
    {"GREETING", ARGUMENT_BOOL, 0, offsetof(struct chatter_socket, greeting), "send Click::ChatterSocket/1.0 (true)"},
    {"LOCALHOST", ARGUMENT_BOOL, 0, offsetof(struct chatter_socket, listener.localhost),
     "TCP: listen at 127.0.0.1 only (false)"},
    {0}};

static const struct handler handlers[] = {{.name = "port",
                                           .read = handler_read_u32,
                                           .offset = offsetof(struct chatter_socket, listener.port),
                                           .help = "the TCP port"},
                                          {.name = "clients",
                                           .read = handler_read_u32,
                                           .offset = offsetof(struct chatter_socket, client_count),
                                           .help = "connections that are open"},
                                          {0}};

static const struct element_class chatter_socket_class = {
    .name = "ChatterSocket",
    .purpose = "sends the log's messages to whoever connects",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct chatter_socket),
    .arguments = arguments,
    .handlers = handlers,
    .example = "ChatterSocket(unix, /tmp/clicksocket);",
    .manual =
        "Clients get every line that the log gets after they connected, behind a greeting. What they send is thrown away. "
        "A client that is more than 500,000 bytes behind is disconnected. At most 64 clients.\n\n"
        "A hot swap keeps the clients when the new element has the same name and place, and RETRIES of 1 or more.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .cleanup = cleanup,
    .take_state = take_state,
    .process_only = true,
};
ELEMENT(ChatterSocket, chatter_socket_class);
