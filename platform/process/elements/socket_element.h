/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The element Socket, between its two files: socket_open.c reads the arguments and opens, socket.c moves packets.
 */
#ifndef IMAGO_PLATFORM_PROCESS_ELEMENTS_SOCKET_ELEMENT_H
#define IMAGO_PLATFORM_PROCESS_ELEMENTS_SOCKET_ELEMENT_H

#include <pthread.h>

#include "click/element.h"
#include "click/scheduler.h"
#include "elements/routes.h"
#include "platform/process/elements/socket_output.h"
#include "platform/process/watch.h"

struct socket_element {
  struct element element;
  /* Arguments. ADDR and PORT, or the file and the local file. */
  char *type;
  struct argument_data place[2], local_place[2], filename, local_filename;
  bool place_given[2], local_given[2], filename_given, local_filename_given;
  uint32_t snaplen, headroom, sndbuf, rcvbuf;
  bool sndbuf_given, rcvbuf_given, timestamp, nodelay, verbose, proper, client, client_given;
  char *allow_name, *deny_name;
  const struct routes *allow, *deny; /* NULL: none */
  /* Set by configure. */
  int family, kind; /* AF_*, SOCK_* */
  bool bind_local;  /* `local` is bound */
  bool annotated;   /* datagrams go to their destination annotation */
  uint32_t longest; /* data of a packet: SNAPLEN, as far as a buffer has room */
  struct endpoint local, remote;
  /* State. Several workers may push: `lock` is for fd, open, connecting, broken, blocked, peer, output. Only the task `serve` opens and
   * closes fd. */
  pthread_mutex_t lock;
  bool listening, bound; /* `bound`: the file of `local` is ours to remove */
  bool open;             /* fd is a connection, or a socket for datagrams */
  bool connecting;       /* not complete yet */
  bool broken;           /* sending found the connection's end */
  bool blocked;          /* packets wait in output */
  bool accept_failed;    /* for want of descriptors or memory, and that was said */
  int listener, fd;
  struct endpoint peer; /* where datagrams go; length 0: nowhere yet */
  struct socket_output output;
  struct notifier room; /* of a push input: active while nothing waits */
  struct process_watch watch;
  bool watched;
  struct task serve, pull;
  struct notifier_signal signal; /* upstream of a pull input */
};

static inline bool socket_is_stream(const struct socket_element *s) { return s->kind == SOCK_STREAM; }

void socket_defaults(struct element *e);
int socket_configure(struct element *e, const struct args *rest, struct report *report);
/* Opens, binds, listens or connects. */
int socket_open(struct socket_element *s, struct report *report) MUST_USE;
/* Buffer sizes and NODELAY for a descriptor. */
int socket_set_options(const struct socket_element *s, int fd, struct report *report) MUST_USE;
/* Errno of a connection that was begun; 0: it is there. */
int socket_connect_result(int fd);

/* VERBOSE: "NAME :: CLASS: WHAT FD PREPOSITION ADDRESS", and what the host has against it. */
void socket_say(const struct socket_element *s, const char *what, int fd, const char *preposition,
                const struct endpoint *other);
void socket_say_error(const struct socket_element *s, int why);

#endif
