/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ControlSocket: the protocol of click/control_session.h over TCP, a unix socket or a descriptor, for any number of clients.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "click/control_session.h"
#include "click/router.h"
#include "platform/process/elements/listener.h"

enum { INBOX = 16384 };

struct control_socket {
  struct element element;
  struct listener listener;
  struct element *proxy;
  bool read_only;
  struct control_backend backend;
};

/* inbox[head..tail) was read, but the session has not taken it yet. */
struct client {
  struct listener_client common;
  struct control_session session;
  bool ended; /* the client sends no more */
  size_t head, tail;
  char inbox[INBOX];
};

/* --- the handlers behind it --- */

/* The handler's full name; with a proxy "PROXY.NAME". */
static struct slice full_name(const struct control_socket *c, struct slice name, struct text *text) {
  if (!c->proxy) return name;
  text_addf(text, "%s.", c->proxy->name);
  text_add_slice(text, name);
  return (struct slice){text_string(text), text->length};
}

static int read_handler(void *context, struct slice name, struct slice parameter, struct text *out,
                        struct report *report) {
  const struct control_socket *c = context;
  struct text text = {0};
  int result = router_read(c->element.router, full_name(c, name, &text), parameter, out, report);
  text_free(&text);
  return result;
}

static int write_handler(void *context, struct slice name, struct slice value, struct report *report) {
  const struct control_socket *c = context;
  struct text text = {0};
  int result = router_write(c->element.router, full_name(c, name, &text), value, report);
  text_free(&text);
  return result;
}

static int check_handler(void *context, struct slice name, bool write, bool *element_known) {
  const struct control_socket *c = context;
  struct text text = {0};
  int result = router_check(c->element.router, full_name(c, name, &text), write, element_known);
  text_free(&text);
  return result == 0 && write && c->read_only ? -ERROR_PERMISSION : result;
}

/* --- clients --- */

/* Sends what the socket takes. False: the client is gone. */
static bool send_output(struct client *client) {
  for (;;) {
    struct slice output = control_session_output(&client->session);
    if (output.length == 0) return true;
    ssize_t n = send(client->common.watch.fd, output.data, output.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    control_session_sent(&client->session, (size_t)n);
  }
}

/* Reads when the inbox is empty. False: the connection failed. */
static bool receive_input(struct client *client) {
  if (client->head < client->tail || client->ended) return true;
  ssize_t n = recv(client->common.watch.fd, client->inbox, sizeof client->inbox, MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  client->ended = n == 0;
  client->head = 0;
  client->tail = (size_t)n;
  return true;
}

static bool serve(struct listener_client *common, short revents) {
  struct client *client = (struct client *)common;
  bool alive = (revents & (POLLERR | POLLNVAL)) == 0 && receive_input(client);
  /* One command at a time, so that packets flow between them. */
  if (alive && client->head < client->tail)
    client->head += control_session_input(&client->session, client->inbox + client->head, client->tail - client->head);
  alive = alive && send_output(client);
  bool waiting = control_session_output(&client->session).length > 0, more = client->head < client->tail;
  bool done = control_session_closed(&client->session) || (client->ended && !more);
  /* With input left and room to write, POLLOUT calls us again at once. */
  common->watch.events = (short)(waiting || more ? POLLOUT : POLLIN);
  return alive && (!done || waiting);
}

static void moved(struct listener_client *common) {
  ((struct client *)common)->session.backend = &((struct control_socket *)common->listener->owner)->backend;
}

/* The greeting goes out when there is room. */
static bool opened(struct listener_client *common) {
  control_session_init(&((struct client *)common)->session,
                       &((struct control_socket *)common->listener->owner)->backend);
  common->watch.events = POLLIN | POLLOUT;
  return true;
}

/* What still goes out, goes out. */
static void closing(struct listener_client *common) {
  struct client *client = (struct client *)common;
  (void)send_output(client);
  control_session_free(&client->session);
}

static const struct listener_protocol protocol = {sizeof(struct client), opened, serve, closing, moved};

/* --- life --- */

static void defaults(struct element *e) { listener_defaults(&((struct control_socket *)e)->listener); }

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct control_socket *c = (struct control_socket *)e;
  c->backend = (struct control_backend){read_handler, write_handler, check_handler, c};
  return listener_configure(&c->listener, e, &protocol, report);
}

static int initialize(struct element *e, struct report *report) {
  const struct control_socket *before = (const struct control_socket *)router_predecessor(e);
  return listener_start(&((struct control_socket *)e)->listener, before ? &before->listener : NULL, report);
}

static void cleanup(struct element *e) { listener_stop(&((struct control_socket *)e)->listener); }

static void take_state(struct element *e, struct element *old, struct report *report) {
  (void)listener_take(&((struct control_socket *)e)->listener, &((struct control_socket *)old)->listener, report);
}

static const struct argument arguments[] = {
    LISTENER_ARGUMENTS(struct control_socket, listener),
    {"READONLY", ARGUMENT_BOOL, 0, offsetof(struct control_socket, read_only), "refuse write handlers (false)"},
    {"PROXY", ARGUMENT_ELEMENT, 0, offsetof(struct control_socket, proxy), "element whose handlers E.H are called"},
    {"VERBOSE", ARGUMENT_BOOL, 0, offsetof(struct control_socket, listener.verbose), "log connections (false)"},
    {0}};

static const struct handler handlers[] = {LISTENER_HANDLERS(struct control_socket, listener), {0}};

static const struct element_class control_socket_class = {
    .name = "ControlSocket",
    .purpose = "lets other programs read and write handlers over a socket",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct control_socket),
    .arguments = arguments,
    .handlers = handlers,
    .example = "ControlSocket(unix, /tmp/clicksocket);",
    .manual =
        "Speaks Click's ControlSocket protocol, version 1.3: READ, READDATA, READUNTIL, WRITE, WRITEDATA, WRITEUNTIL, "
        "CHECKREAD, CHECKWRITE, QUIT, HELP. LLRPC is answered with 501. TYPE SOCKET takes an open descriptor in place "
        "of a port. At most 64 clients.\n\n"
        "A hot swap keeps the clients when the new element has the same name and place, and RETRIES of 1 or more.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .cleanup = cleanup,
    .take_state = take_state,
    .process_only = true,
};
ELEMENT(ControlSocket, control_socket_class);
