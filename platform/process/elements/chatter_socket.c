/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ChatterSocket: sends what the log gets, or what elements send to a channel of the graph, to whoever connects. Follows either by
 * position, a hundred times a second while there are clients, so that writing costs nothing more.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "click/channel.h"
#include "click/router.h"
#include "kernel/log.h"
#include "lib/memory.h"
#include "platform/process/elements/listener.h"

enum { POLL_NS = 10000000, BACKLOG_MAX = 500000, PIECE = 4096 };

struct chatter_socket {
  struct element element;
  struct listener listener;
  char *name; /* of the channel; NULL: the log */
  bool quiet_channel, greeting;
  struct channel channel;
  struct log *messages; /* of the channel; NULL: the log */
  uint64_t position;    /* in the log, or in messages */
  struct timer timer;
};

struct client {
  struct listener_client common;
  struct text output;
  size_t sent;
};

/* False: the client is gone. */
static bool send_output(struct client *client) {
  struct process_watch *watch = &client->common.watch;
  while (client->sent < client->output.length) {
    ssize_t n = send(watch->fd, client->output.data + client->sent, client->output.length - client->sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      watch->events = POLLIN | POLLOUT;
      return errno == EAGAIN;
    }
    client->sent += (size_t)n;
  }
  text_clear(&client->output);
  client->sent = 0;
  watch->events = POLLIN;
  return true;
}

/* What clients send is thrown away; that they are gone shows here. */
static bool serve(struct listener_client *common, short revents) {
  char bytes[512];
  ssize_t n = recv(common->watch.fd, bytes, sizeof bytes, MSG_DONTWAIT);
  bool alive = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
  return alive && (revents & (POLLERR | POLLNVAL)) == 0 && send_output((struct client *)common);
}

static void send_to_all(struct listener *listener, const char *bytes, size_t length) {
  for (struct list *at = listener->clients.next; at != &listener->clients;) {
    struct client *client = CONTAINER_OF(at, struct client, common.link);
    at = at->next;
    text_add_bytes(&client->output, bytes, length);
    bool behind = client->output.failed || client->output.length - client->sent > BACKLOG_MAX;
    if (behind || !send_output(client)) listener_close_client(&client->common);
  }
}

/* The next bytes of the log or channel behind c->position; UINT64_MAX moves that to the end. */
static size_t next_piece(struct chatter_socket *c, char *bytes, size_t size) {
  if (c->messages) return log_copy(c->messages, &c->position, bytes, size);
  return c->element.services->log_follow(&c->position, bytes, size);
}

static void send_news(struct chatter_socket *c) {
  char piece[PIECE];
  size_t length;
  while (c->listener.client_count > 0 && (length = next_piece(c, piece, sizeof piece)) > 0)
    send_to_all(&c->listener, piece, length);
}

static void follow(struct timer *timer) {
  struct chatter_socket *c = CONTAINER_OF(timer, struct chatter_socket, timer);
  send_news(c);
  if (c->listener.client_count > 0) timer_schedule(timer, c->element.services->now() + POLL_NS);
}

static bool opened(struct listener_client *common) {
  struct client *client = (struct client *)common;
  struct chatter_socket *c = (struct chatter_socket *)common->listener->owner;
  if (c->listener.client_count == 1) {
    c->position = UINT64_MAX;
    (void)next_piece(c, NULL, 0); /* from now on */
    timer_schedule(&c->timer, c->element.services->now() + POLL_NS);
  }
  if (c->greeting) text_add(&client->output, "Click::ChatterSocket/1.0\r\n");
  return send_output(client);
}

static void closing(struct listener_client *common) { text_free(&((struct client *)common)->output); }

static const struct listener_protocol protocol = {sizeof(struct client), opened, serve, closing, NULL};

/* A message for the channel, from any worker. */
static void receive(struct channel *channel, const struct element *speaker, const char *line, size_t length) {
  struct chatter_socket *c = CONTAINER_OF(channel, struct chatter_socket, channel);
  log_add(c->messages, speaker->services->now(), LOG_INFO, line, length);
}

static void defaults(struct element *e) {
  struct chatter_socket *c = (struct chatter_socket *)e;
  listener_defaults(&c->listener);
  c->greeting = c->quiet_channel = true;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct chatter_socket *c = (struct chatter_socket *)e;
  if (c->name && strcmp(c->name, CHANNEL_DEFAULT) != 0) {
    c->messages = memory_alloc(sizeof *c->messages);
    if (!c->messages) return report_error(report, ERROR_NO_MEMORY, "CHANNEL: no memory");
    log_init(c->messages);
    c->channel = (struct channel){.name = c->name, .quiet = c->quiet_channel, .receive = receive};
    router_add_channel(e->router, &c->channel);
  }
  return listener_configure(&c->listener, e, &protocol, report);
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
  memory_free(c->messages);
  c->messages = NULL;
}

/* A log is followed from where the old element was; of a channel, clients get what it has first. */
static void take_state(struct element *e, struct element *old, struct report *report) {
  struct chatter_socket *c = (struct chatter_socket *)e, *before = (struct chatter_socket *)old;
  send_news(before);
  if (!listener_take(&c->listener, &before->listener, report)) return;
  c->position = c->messages ? 0 : before->position;
  if (!c->messages && before->messages) c->position = UINT64_MAX;
  if (c->listener.client_count > 0) timer_schedule(&c->timer, e->services->now() + POLL_NS);
}

static const struct argument arguments[] = {
    LISTENER_ARGUMENTS(struct chatter_socket, listener),
    {"CHANNEL", ARGUMENT_WORD, 0, offsetof(struct chatter_socket, name),
     "the channel, to which elements send by an argument CHANNEL; default: the log (default)"},
    {"QUIET_CHANNEL", ARGUMENT_BOOL, 0, offsetof(struct chatter_socket, quiet_channel),
     "the channel's messages do not go to the log (true)"},
    {"GREETING", ARGUMENT_BOOL, 0, offsetof(struct chatter_socket, greeting), "send Click::ChatterSocket/1.0 (true)"},
    {0}};

static const struct handler handlers[] = {LISTENER_HANDLERS(struct chatter_socket, listener), {0}};

static const struct element_class chatter_socket_class = {
    .name = "ChatterSocket",
    .purpose = "sends the messages of the log, or of a channel, to whoever connects",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct chatter_socket),
    .arguments = arguments,
    .handlers = handlers,
    .example = "ChatterSocket(unix, /tmp/clicksocket);",
    .manual =
        "Clients get every line that the log gets after they connected, behind a greeting. What they send is thrown away. "
        "A client that is more than 500,000 bytes behind is disconnected. At most 64 clients.\n\n"
        "With CHANNEL they get what elements such as IPPrint(CHANNEL verbose) send to that channel, which nobody sees who does "
        "not ask for it. Lines have the form of the log's, and its limits.\n\n"
        "A hot swap keeps the clients when the new element has the same name and place, and RETRIES of 1 or more.",
    .phase = CONFIGURE_INFO,
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .cleanup = cleanup,
    .take_state = take_state,
    .process_only = true,
};
ELEMENT(ChatterSocket, chatter_socket_class);
