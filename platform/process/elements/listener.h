/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A listening socket of an element, TCP or unix, and its clients, with the arguments and the retries that Click's ControlSocket and
 * ChatterSocket share. The element embeds it, puts LISTENER_ARGUMENTS into its table, and says by a struct listener_protocol what it
 * makes of clients. All of it runs on worker 0.
 */
#ifndef IMAGO_PLATFORM_PROCESS_ELEMENTS_LISTENER_H
#define IMAGO_PLATFORM_PROCESS_ELEMENTS_LISTENER_H

#include "click/element.h"
#include "click/scheduler.h"
#include "platform/process/watch.h"

enum listener_kind { LISTENER_TCP, LISTENER_UNIX, LISTENER_SOCKET };
enum { LISTENER_CLIENTS_MAX = 64 };

struct listener;

/* What all clients have; the first member of an element's own struct for one. */
struct listener_client {
  struct list link; /* in listener->clients */
  struct listener *listener;
  struct process_watch watch; /* of its connection, which does not block; events are the element's to choose */
};

struct listener_protocol {
  size_t size; /* of the element's struct for a client; it begins zeroed */
  /* A client has come and is in the list. False: it has gone again. */
  bool (*opened)(struct listener_client *client);
  /* Its connection has what poll found. False: it has gone. */
  bool (*serve)(struct listener_client *client, short revents);
  /* Frees what it has beyond the struct; its connection is still open. */
  void (*closing)(struct listener_client *client);
  /* After a hot swap: client->listener is the new element's. NULL: nothing to do. */
  void (*moved)(struct listener_client *client);
};

struct listener {
  char *type, *place, *filename; /* arguments */
  bool retry_warnings, localhost, verbose;
  int32_t retries;
  enum listener_kind kind;
  bool next_port; /* PORT+: the next that is free */
  uint32_t port;  /* TCP; after listening the one that is used */
  struct element *owner;
  struct process_watch watch;
  struct timer retry; /* not open: the next attempt; open: accepting goes on */
  bool open;
  bool rest_logged; /* that nothing can be accepted; until something was */
  const struct listener_protocol *protocol;
  struct list clients; /* of struct listener_client */
  uint32_t client_count;
};

/* Rows of an argument table for the listener at `member` of the element's struct. */
#define LISTENER_ARGUMENTS(structure, member)                                                                          \
  {"TYPE", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(structure, member.type), "TCP or UNIX"},  \
      {"PORT", ARGUMENT_STRING, ARGUMENT_POSITIONAL, offsetof(structure, member.place),                                \
       "TCP port, with + behind it or the next that is free; UNIX: the file's name"},                                  \
      {"FILENAME", ARGUMENT_STRING, 0, offsetof(structure, member.filename), "UNIX: the file's name"},                 \
      {"RETRIES", ARGUMENT_I32, 0, offsetof(structure, member.retries), "try again so often, once a second (0)"},      \
      {"RETRY_WARNINGS", ARGUMENT_BOOL, 0, offsetof(structure, member.retry_warnings), "warn at each failure (true)"}, \
  {                                                                                                                    \
    "LOCALHOST", ARGUMENT_BOOL, 0, offsetof(structure, member.localhost), "TCP: listen at 127.0.0.1 only (false)"      \
  }
/* And of a handler table. */
#define LISTENER_HANDLERS(structure, member)                                                                        \
  {.name = "port", .read = handler_read_u32, .offset = offsetof(structure, member.port), .help = "the TCP port"}, { \
    .name = "clients", .read = handler_read_u32, .offset = offsetof(structure, member.client_count),                \
    .help = "connections that are open"                                                                             \
  }

void listener_defaults(struct listener *listener);
int listener_configure(struct listener *listener, struct element *owner, const struct listener_protocol *protocol,
                       struct report *report) MUST_USE;
/* Listens, or begins to try again. SOCKET: the given descriptor is the one client. Nothing of it where `before`, the listener of the
 * predecessor in a hot swap (NULL: there is none), has the place open: listener_take follows then. */
int listener_start(struct listener *listener, const struct listener *before, struct report *report) MUST_USE;
/* Closes the socket and every client. Harmless when it was not configured. */
void listener_stop(struct listener *listener);
/* Takes the open socket of `old` and its clients over; both must name the same place. False after a warning: they do not, or this one is
 * open already. */
bool listener_take(struct listener *listener, struct listener *old, struct report *report);
void listener_close_client(struct listener_client *client);

#endif
