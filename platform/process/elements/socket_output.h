/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets on their way into a socket: a ring of those that the socket did not take yet, and the system calls that send many at once.
 * No lock: the element has one.
 */
#ifndef IMAGO_PLATFORM_PROCESS_ELEMENTS_SOCKET_OUTPUT_H
#define IMAGO_PLATFORM_PROCESS_ELEMENTS_SOCKET_OUTPUT_H

#include "click/element.h"
#include "platform/process/elements/endpoint.h"

/* Whoever sees that nothing waits may bring a whole batch, before it sees that something does. */
enum { SOCKET_OUTPUT_MAX = 2 * BATCH_MAX };

/* Drop counters of Socket. */
enum socket_drop {
  SOCKET_EMPTY,         /* a packet, or datagram, without data */
  SOCKET_FULL,          /* too many wait for the socket */
  SOCKET_NOT_CONNECTED, /* there is no connection, or nobody has sent a datagram to answer */
  SOCKET_CLOSED,        /* the connection ended in the middle of the packet */
  SOCKET_SEND_FAILED,   /* a datagram that the host refused */
  SOCKET_NO_OUTPUT,     /* received by a Socket that has no output */
  SOCKET_DENIED,        /* received from an address of DENY */
};

/* Invariant: packets [first .. first + count) modulo SOCKET_OUTPUT_MAX wait, none is empty. */
struct socket_output {
  struct packet *packet[SOCKET_OUTPUT_MAX];
  uint32_t first, count;
  bool begun; /* a part of the first one is sent, and taken off its front */
};

enum socket_outcome { SOCKET_SENT_ALL, SOCKET_BLOCKED, SOCKET_BROKEN };

/* Takes the packets; what has no room or no data is dropped at `owner`. */
void socket_output_add(struct socket_output *output, struct element *owner, const struct batch *batch);
/* Into a stream. BROKEN: errno says why the connection is over. */
enum socket_outcome socket_output_stream(struct socket_output *output, int fd) MUST_USE;
/* As datagrams to `to`, or to each one's destination annotation and the port of `to`. What the host refuses for good is dropped at
 * `owner`. Never BROKEN. */
enum socket_outcome socket_output_datagrams(struct socket_output *output, int fd, const struct endpoint *to,
                                            bool annotated, struct element *owner) MUST_USE;
/* Takes the first packet out; there must be one. */
struct packet *socket_output_take(struct socket_output *output);
/* Drops the first packet if a part of it was sent. */
void socket_output_forget_begun(struct socket_output *output, struct element *owner);
void socket_output_drop_all(struct socket_output *output, struct element *owner, enum socket_drop reason);

#endif
