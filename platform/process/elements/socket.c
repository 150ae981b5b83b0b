/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Socket: packets as the bytes of a stream, or as datagrams, to and from other processes and hosts.
 *
 * One task ("serve") accepts, reads and closes; a watch schedules it when the host has something. Packets are sent by whoever
 * brings them (push, or a task that pulls), and what the socket does not take waits in `output` until it does. Sources that push
 * see the FULL notifier meanwhile.
 */
#define _GNU_SOURCE /* accept4, recvmmsg */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "click/router.h"
#include "elements/parameter.h"
#include "platform/process/elements/socket_element.h"

enum {
  BURST = 32,
  EXTRA_LENGTH = 28, /* annotation */
  DRAIN_MS = 1000,
  DRAIN_ROUNDS = 1000,
};

static const char *const drops[] = {"empty",       "full",      "not_connected", "closed",
                                    "send_failed", "no_output", "denied",        NULL};

/* --- waiting, with the lock --- */

/* The host has something for the task, which has the word until it finds nothing. */
static void ready(struct process_watch *watch, short revents) {
  struct socket_element *s = watch->owner;
  process_watch_wait(watch, 0);
  task_schedule(&s->serve);
}

static void stop_watching(struct socket_element *s) {
  process_watch_remove(&s->watch);
  s->watched = false;
}

/* Has the task woken by the connection or the socket for datagrams, or else by the listening one. */
static void wait_for_host(struct socket_element *s) {
  int fd = s->open ? s->fd : s->listener;
  short events = (short)((s->open && s->connecting ? 0 : POLLIN) | (s->blocked || s->connecting ? POLLOUT : 0));
  if (s->watched && s->watch.fd != fd) stop_watching(s);
  if (!s->open && !s->listening) return;
  if (s->watched) {
    process_watch_wait(&s->watch, events);
    return;
  }
  s->watch = (struct process_watch){.fd = fd, .events = events, .ready = ready, .owner = s};
  s->watched = true;
  process_watch_add(&s->watch);
}

/* A datagram socket of the unix kind does not tell when its peer has room: the task must try again. */
static bool must_retry(const struct socket_element *s) {
  return s->blocked && s->family == AF_UNIX && !socket_is_stream(s);
}

/* Tells sources, or our own task that pulls, whether packets wait. */
static void note_blocked(struct socket_element *s) {
  bool blocked = s->output.count > 0;
  if (blocked == s->blocked) return;
  s->blocked = blocked;
  if (blocked) {
    notifier_sleep(&s->room);
    return;
  }
  notifier_wake(&s->room);
  if (s->pull.run) task_schedule(&s->pull);
}

/* --- sending, with the lock --- */

static void flush(struct socket_element *s) {
  enum socket_outcome outcome = SOCKET_SENT_ALL;
  if (!s->open || s->broken) {
    socket_output_drop_all(&s->output, &s->element, SOCKET_NOT_CONNECTED);
  } else if (s->connecting) {
    outcome = SOCKET_BLOCKED;
  } else if (socket_is_stream(s)) {
    outcome = socket_output_stream(&s->output, s->fd);
  } else if (s->peer.length == 0) {
    socket_output_drop_all(&s->output, &s->element, SOCKET_NOT_CONNECTED);
  } else {
    outcome = socket_output_datagrams(&s->output, s->fd, &s->peer, s->annotated, &s->element);
  }
  if (outcome == SOCKET_BROKEN) {
    s->broken = true;
    socket_say_error(s, errno);
    task_schedule(&s->serve);
  }
  note_blocked(s);
}

/* What comes while others wait is behind them. */
static void send_batch(struct socket_element *s, const struct batch *batch) {
  pthread_mutex_lock(&s->lock);
  bool waited = s->blocked;
  socket_output_add(&s->output, &s->element, batch);
  if (!waited) flush(s);
  if (must_retry(s)) {
    task_schedule(&s->serve);
  } else if (s->blocked && !waited && !s->broken) {
    wait_for_host(s);
  }
  pthread_mutex_unlock(&s->lock);
}

static void push(struct element *e, unsigned port, struct batch *batch) {
  send_batch((struct socket_element *)e, batch);
}

/* Scheduled again, with the lock, when a connection is there or packets wait no longer. */
static bool pull_and_send(struct task *task) {
  struct socket_element *s = CONTAINER_OF(task, struct socket_element, pull);
  pthread_mutex_lock(&s->lock);
  bool able = s->open && !s->connecting && !s->broken && !s->blocked;
  if (!able) task_unschedule(task);
  pthread_mutex_unlock(&s->lock);
  if (!able) return false;
  struct batch batch;
  batch.count = 0;
  element_pull(&s->element, 0, &batch, BURST);
  if (batch.count == 0) {
    (void)notifier_signal_wait(&s->signal, task);
    return false;
  }
  send_batch(s, &batch);
  return true;
}

/* --- connections, with the lock, in the task --- */

static void connected(struct socket_element *s) {
  s->connecting = false;
  if (s->pull.run) task_schedule(&s->pull);
}

static void close_connection(struct socket_element *s) {
  stop_watching(s);
  close(s->fd);
  socket_say(s, "closed connection", s->fd, "", NULL);
  s->open = s->connecting = s->broken = false;
  socket_output_forget_begun(&s->output, &s->element);
  socket_output_drop_all(&s->output, &s->element, SOCKET_NOT_CONNECTED);
  note_blocked(s);
}

/* Whether who speaks there may do so, as Click looks it up. */
static bool allowed(const struct socket_element *s, const struct endpoint *from) {
  if (s->family != AF_INET) return true;
  uint32_t address = from->ip.sin_addr.s_addr;
  if (s->allow && routes_lookup(s->allow, address)) return true;
  return !s->deny || !routes_lookup(s->deny, address);
}

/* The next client, if one is there. False: accept itself failed (too many descriptors), and must be tried again. */
static bool accept_client(struct socket_element *s) {
  struct endpoint from = {.length = sizeof(struct sockaddr_un)};
  int fd = accept4(s->listener, &from.any, &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    bool none = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    if (!none && !s->accept_failed) socket_say_error(s, errno); /* once, though it is tried again every millisecond */
    s->accept_failed = !none;
    return none;
  }
  s->accept_failed = false;
  if (!allowed(s, &from)) {
    socket_say(s, "denied connection", fd, " from ", &from);
    close(fd);
    return true; /* the next one, if any, ends the wait for the host */
  }
  s->fd = fd;
  s->open = true;
  socket_say(s, "opened connection", fd, " from ", &from);
  connected(s);
  return true;
}

static void finish_connecting(struct socket_element *s) {
  struct pollfd done = {s->fd, POLLOUT, 0};
  if (poll(&done, 1, 0) == 0) return;
  int why = socket_connect_result(s->fd);
  if (why == 0) {
    connected(s);
    socket_say(s, "opened connection", s->fd, " to ", &s->remote);
  } else {
    socket_say_error(s, why);
    close_connection(s);
  }
}

/* --- receiving --- */

enum outcome { GOT_PACKETS, NOTHING, NO_BUFFER, ENDED };

/* Empty packets to read into, as many as there are, at most BURST. */
static unsigned make_packets(const struct socket_element *s, struct packet *packets[BURST],
                             struct iovec vectors[BURST]) {
  unsigned count = 0;
  while (count < BURST && (packets[count] = packet_new(s->element.services->pool)) != NULL) {
    packets[count]->data = packet_buffer_start(packets[count]) + s->headroom;
    vectors[count] = (struct iovec){packets[count]->data, s->longest};
    count++;
  }
  return count;
}

static enum outcome failure(const struct socket_element *s) {
  if (errno == EAGAIN) return NOTHING;
  if (errno == EINTR) return GOT_PACKETS;
  socket_say_error(s, errno);
  return socket_is_stream(s) ? ENDED : NOTHING;
}

/* Bytes of a stream: every packet but the last is full. */
static enum outcome read_stream(struct socket_element *s, struct batch *batch) {
  struct packet *packets[BURST];
  struct iovec vectors[BURST];
  unsigned count = make_packets(s, packets, vectors);
  if (count == 0) return NO_BUFFER;
  ssize_t length = readv(s->fd, vectors, (int)count);
  enum outcome outcome = length > 0 ? GOT_PACKETS : length == 0 ? ENDED : failure(s);
  size_t left = length > 0 ? (size_t)length : 0;
  for (unsigned i = 0; i < count; i++) {
    uint32_t part = left < s->longest ? (uint32_t)left : s->longest;
    left -= part;
    packets[i]->length = part;
    if (part > 0) {
      batch->packet[batch->count++] = packets[i];
    } else {
      packet_kill(packets[i]);
    }
  }
  return outcome;
}

/* A server answers whoever spoke last; who has no name cannot be answered. */
static void remember_peer(struct socket_element *s, const struct msghdr *message) {
  pthread_mutex_lock(&s->lock);
  s->peer.length = 0;
  if (message->msg_namelen > sizeof(sa_family_t)) {
    memcpy(&s->peer.any, message->msg_name, message->msg_namelen);
    s->peer.length = message->msg_namelen;
  }
  pthread_mutex_unlock(&s->lock);
}

static enum outcome read_datagrams(struct socket_element *s, struct batch *batch) {
  struct packet *packets[BURST];
  struct iovec vectors[BURST];
  struct mmsghdr messages[BURST];
  struct endpoint from[BURST]; /* written by the host only */
  unsigned count = make_packets(s, packets, vectors);
  if (count == 0) return NO_BUFFER;
  for (unsigned i = 0; i < count; i++) {
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i].any,
                                               .msg_namelen = sizeof(struct sockaddr_un),
                                               .msg_iov = &vectors[i],
                                               .msg_iovlen = 1}};
  }
  int status = recvmmsg(s->fd, messages, count, MSG_DONTWAIT | MSG_TRUNC, NULL);
  enum outcome outcome = status > 0 ? GOT_PACKETS : failure(s);
  unsigned got = status > 0 ? (unsigned)status : 0;
  const struct msghdr *last = NULL;
  for (unsigned i = 0; i < count; i++) {
    uint32_t length = i < got ? messages[i].msg_len : 0;
    struct packet *p = packets[i];
    if (i >= got) {
      packet_kill(p);
    } else if (length == 0) {
      element_drop(&s->element, SOCKET_EMPTY, p);
    } else if (!s->client && !allowed(s, &from[i])) {
      socket_say(s, "dropped datagram on", s->fd, " from ", &from[i]);
      element_drop(&s->element, SOCKET_DENIED, p);
    } else {
      p->length = length < s->longest ? length : s->longest;
      annotation_set_u32(p, EXTRA_LENGTH, length - p->length);
      batch->packet[batch->count++] = p;
      last = &messages[i].msg_hdr;
    }
  }
  if (last && !s->client) remember_peer(s, last);
  return outcome;
}

static enum outcome receive(struct socket_element *s) {
  struct batch batch;
  batch.count = 0;
  enum outcome outcome = socket_is_stream(s) ? read_stream(s, &batch) : read_datagrams(s, &batch);
  if (s->element.output_count == 0) {
    element_drop_batch(&s->element, SOCKET_NO_OUTPUT, &batch);
    return outcome;
  }
  uint64_t now = s->timestamp && batch.count > 0 ? s->element.services->wall() : 0;
  for (uint32_t i = 0; i < batch.count; i++)
    batch.packet[i]->timestamp = now;
  element_push(&s->element, 0, &batch);
  return outcome;
}

/* The lock is not held while packets are pushed: they may come back to us. */
static bool serve(struct task *task) {
  struct socket_element *s = CONTAINER_OF(task, struct socket_element, serve);
  enum outcome outcome = NOTHING;
  bool retry = false;
  task->polls = false;
  pthread_mutex_lock(&s->lock);
  if (s->open && s->broken) close_connection(s);
  if (!s->open && s->listening) retry = !accept_client(s);
  if (s->open && s->connecting) finish_connecting(s);
  if (s->open) flush(s);
  bool receives = s->open && !s->connecting && !s->broken;
  pthread_mutex_unlock(&s->lock);
  if (receives) outcome = receive(s);
  if (outcome == GOT_PACKETS) return true;

  pthread_mutex_lock(&s->lock);
  retry = retry || must_retry(s) || outcome == NO_BUFFER;
  if (outcome == ENDED) {
    close_connection(s); /* and look for the next client */
  } else if (retry) {
    task->polls = true;
  } else if (!s->broken) {
    task_unschedule(task); /* before the watch may schedule it again */
    wait_for_host(s);
  }
  pthread_mutex_unlock(&s->lock);
  return outcome == ENDED;
}

/* --- life --- */

/* True if `before` has open what s would open. */
static bool continues(const struct socket_element *s, const struct socket_element *before) {
  return (before->open || before->listening) && s->family == before->family && s->kind == before->kind &&
         s->client == before->client && endpoint_same(&s->local, &before->local) &&
         endpoint_same(&s->remote, &before->remote);
}

static int initialize(struct element *e, struct report *report) {
  struct socket_element *s = (struct socket_element *)e;
  const struct socket_element *before = (const struct socket_element *)router_predecessor(e);
  task_init(&s->serve, e->router->scheduler, e, serve);
  if (!before || !continues(s, before)) {
    int status = socket_open(s, report);
    if (status != 0) return status;
  }
  if (e->input_count == 0 || !e->inputs[0].pull) return 0;
  task_init(&s->pull, e->router->scheduler, e, pull_and_send);
  task_schedule(&s->pull);
  return notifier_listen_upstream(e, 0, &s->pull, &s->signal);
}

static void commit(struct element *e) { task_schedule(&((struct socket_element *)e)->serve); }

/* What waits to be sent goes out by the new element. */
static void take_state(struct element *e, struct element *old, struct report *report) {
  struct socket_element *s = (struct socket_element *)e, *before = (struct socket_element *)old;
  if (s->open || s->listening || !continues(s, before)) return;
  stop_watching(before);
  s->listening = before->listening;
  s->listener = before->listener;
  s->bound = before->bound;
  s->open = before->open;
  s->fd = before->fd;
  s->connecting = before->connecting;
  s->broken = before->broken;
  s->peer = before->peer;
  s->output = before->output;
  before->listening = before->open = before->bound = false;
  before->output.count = 0;
  note_blocked(s);
  if (s->listening && socket_set_options(s, s->listener, report) != 0) return;
  if (s->open && socket_set_options(s, s->fd, report) != 0) return;
}

/* What still waits goes out while the peer takes some within a second: a source that stopped the driver has given it to us. */
static void drain(struct socket_element *s) {
  for (unsigned i = 0; i < DRAIN_ROUNDS && s->open && s->output.count > 0 && !s->broken && !must_retry(s); i++) {
    struct pollfd writable = {s->fd, POLLOUT, 0};
    if (poll(&writable, 1, DRAIN_MS) <= 0) break;
    flush(s);
  }
  while (s->output.count > 0)
    packet_kill(socket_output_take(&s->output));
}

static void cleanup(struct element *e) {
  struct socket_element *s = (struct socket_element *)e;
  task_unschedule(&s->serve);
  task_unschedule(&s->pull);
  drain(s);
  notifier_signal_destroy(&s->signal, &s->pull);
  notifier_destroy(&s->room);
  stop_watching(s);
  if (s->open) close(s->fd);
  if (s->listening) close(s->listener);
  if (s->bound) unlink(s->local.file.sun_path);
  s->open = s->listening = s->bound = false;
}

static struct notifier *notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return kind == NOTIFIER_FULL && port == 0 ? &((struct socket_element *)e)->room : NULL;
}

#define AT(member) offsetof(struct socket_element, member)
static const struct argument arguments[] = {
    {"TYPE", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(type), "TCP, UDP, UNIX or UNIX_DGRAM"},
    {"ADDR", ARGUMENT_DATA, ARGUMENT_POSITIONAL, AT(place[0]),
     "TCP, UDP: IP address; UDP client: 0.0.0.0 for each packet's destination annotation. UNIX: here stands FILENAME",
     AT(place_given[0])},
    {"PORT", ARGUMENT_DATA, ARGUMENT_POSITIONAL, AT(place[1]),
     "TCP, UDP: port number or name. UNIX: here stands LOCAL_FILENAME", AT(place_given[1])},
    {"LOCAL_ADDR", ARGUMENT_DATA, ARGUMENT_POSITIONAL, AT(local_place[0]), "TCP, UDP client: address to connect from",
     AT(local_given[0])},
    {"LOCAL_PORT", ARGUMENT_DATA, ARGUMENT_POSITIONAL, AT(local_place[1]), "TCP, UDP client: port to connect from",
     AT(local_given[1])},
    {"FILENAME", ARGUMENT_DATA, 0, AT(filename), "UNIX: the socket's file; after a NUL byte an abstract name",
     AT(filename_given)},
    {"LOCAL_FILENAME", ARGUMENT_DATA, 0, AT(local_filename), "UNIX: the client's own file", AT(local_filename_given)},
    {"CLIENT", ARGUMENT_BOOL, 0, AT(client), "connect, or send first (true with a local address, or without output)",
     AT(client_given)},
    {"SNAPLEN", ARGUMENT_U32, 0, AT(snaplen), "most bytes of a packet that is received (2048, see below)"},
    {"HEADROOM", ARGUMENT_U32, 0, AT(headroom), "bytes left free in front of packets (28)"},
    {"TIMESTAMP", ARGUMENT_BOOL, 0, AT(timestamp), "set the timestamp of packets that are received (true)"},
    {"NODELAY", ARGUMENT_BOOL, 0, AT(nodelay), "TCP: send small packets at once (true)"},
    {"SNDBUF", ARGUMENT_U32, 0, AT(sndbuf), "bytes of the host's send buffer (the host's default)", AT(sndbuf_given)},
    {"RCVBUF", ARGUMENT_U32, 0, AT(rcvbuf), "bytes of the host's receive buffer (the host's default)",
     AT(rcvbuf_given)},
    {"VERBOSE", ARGUMENT_BOOL, 0, AT(verbose), "log connections and errors (false)"},
    {"ALLOW", ARGUMENT_WORD, 0, AT(allow_name),
     "TCP, UDP server: a route lookup element; addresses it has a route for may speak, whatever DENY says"},
    {"DENY", ARGUMENT_WORD, 0, AT(deny_name),
     "TCP, UDP server: a route lookup element; addresses it has a route for may not"},
    {"PROPER", ARGUMENT_BOOL, 0, AT(proper), "no effect"},
    {0}};

static const struct handler handlers[] = {TASK_HANDLERS(struct socket_element, pull), {0}};

static const struct element_class socket_class = {
    .name = "Socket",
    .purpose = "sends and receives packets over TCP, UDP or unix sockets",
    .ports = "0-1/0-1",
    .processing = "a/h",
    .flow = "x/y",
    .size = sizeof(struct socket_element),
    .arguments = arguments,
    .handlers = handlers,
    .drops = drops,
    .example = "in :: Socket(UDP, 0.0.0.0, 4000) -> Queue -> Socket(TCP, 192.0.2.1, 80);",
    .manual =
        "TCP and UNIX: a server takes one client at a time, and the next when that has gone; a client connects when the "
        "configuration starts, which fails with the connection, unless that takes over a second: then it goes on in the "
        "background. A client whose connection has ended does not connect again. Packets are the bytes of the stream, cut "
        "where reading happened to end.\n\n"
        "UDP and UNIX_DGRAM: a server sends to whoever sent the last datagram; a client sends to the address given. Errors of "
        "one datagram do not close the socket.\n\n"
        "A pull input pulls as the socket takes packets. What is pushed and not taken waits, and sources that know FULL "
        "notifiers wait, too; of others' packets 512 wait, and more are dropped as full.\n\n"
        "Headroom and data of a packet have at most 1,920 bytes: longer datagrams are cut, and their extra length is in the "
        "annotation. The file of a unix socket is removed at the end, and replaced at the start if nobody listens at it. A hot "
        "swap keeps the connection of an element with the same name, TYPE, addresses and role.",
    .defaults = socket_defaults,
    .configure = socket_configure,
    .initialize = initialize,
    .commit = commit,
    .take_state = take_state,
    .cleanup = cleanup,
    .notifier = notifier,
    .process_only = true,
    .push = push,
};
ELEMENT(Socket, socket_class);
