/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A listening socket of an element, TCP or unix, with the arguments and the retries that Click's ControlSocket and ChatterSocket
 * share. The element embeds it, puts LISTENER_ARGUMENTS into its table, and is called for each client.
 */
#ifndef IMAGO_PLATFORM_PROCESS_ELEMENTS_LISTENER_H
#define IMAGO_PLATFORM_PROCESS_ELEMENTS_LISTENER_H

#include "click/element.h"
#include "click/scheduler.h"
#include "platform/process/watch.h"

enum listener_kind { LISTENER_TCP, LISTENER_UNIX, LISTENER_SOCKET };

struct listener {
  char *type, *place, *filename; /* arguments */
  bool retry_warnings, localhost;
  int32_t retries;
  enum listener_kind kind;
  bool next_port; /* PORT+: the next that is free */
  uint32_t port;  /* TCP; after listening the one that is used */
  struct element *owner;
  struct process_watch watch;
  struct timer retry;
  bool open;
  void (*accepted)(struct element *owner, int fd); /* takes the descriptor, which does not block */
};

/* Rows of an argument table for the listener at `member` of the element's struct. */
#define LISTENER_ARGUMENTS(structure, member)                                                                         \
  {"TYPE", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(structure, member.type), "TCP or UNIX"}, \
      {"PORT", ARGUMENT_STRING, ARGUMENT_POSITIONAL, offsetof(structure, member.place),                               \
       "TCP port, with + behind it or the next that is free; UNIX: the file's name"},                                 \
      {"FILENAME", ARGUMENT_STRING, 0, offsetof(structure, member.filename), "UNIX: the file's name"},                \
      {"RETRIES", ARGUMENT_I32, 0, offsetof(structure, member.retries), "try again so often, once a second (0)"}, {   \
    "RETRY_WARNINGS", ARGUMENT_BOOL, 0, offsetof(structure, member.retry_warnings), "warn at each failure (true)"     \
  }

void listener_defaults(struct listener *listener);
int listener_configure(struct listener *listener, struct element *owner, void (*accepted)(struct element *, int),
                       struct report *report) MUST_USE;
/* Listens, or begins to try again. SOCKET: hands the given descriptor to `accepted`. Nothing of it where `before`, the listener of the
 * predecessor in a hot swap (NULL: there is none), has the place open: listener_take follows then. */
int listener_start(struct listener *listener, const struct listener *before, struct report *report) MUST_USE;
void listener_stop(struct listener *listener);
/* Takes the open socket of `old` over; both must name the same place. False: they do not, or this one is open already. SOCKET: the
 * descriptor is the client's, who is the owner's to move. */
bool listener_take(struct listener *listener, struct listener *old);

#endif
