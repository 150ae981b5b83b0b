/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The control port and the log port: join the ControlSocket session and the log to the byte channels of the platform. One
 * worker polls them, between two rounds of the graph.
 */
#ifndef IMAGO_KERNEL_PORT_H
#define IMAGO_KERNEL_PORT_H

#include "click/control_session.h"
#include "kernel/log.h"

enum { CONTROL_SLICE = 16384 }; /* bytes of input that one poll takes at most */

/* A session, and bytes that were read but that it has not taken yet: inbox[head..tail). */
struct control_port {
  struct control_session session;
  bool open;    /* the session belongs to the client of `generation` */
  bool hung_up; /* platform_channel_close was asked for after QUIT */
  uint32_t generation;
  uint64_t sessions;
  size_t head, tail;
  char inbox[CONTROL_SLICE];
};

/* Takes one slice of input, runs one command at most, and sends what there is to send. True if anything moved: poll again
 * soon. */
bool control_port_poll(struct control_port *port, const struct control_backend *backend);
/* Sends what is waiting until the channel takes no more; true when nothing is left. */
bool control_port_send(struct control_port *port);
void control_port_close(struct control_port *port);
/* Gives the follower of the log what is new. True if anything moved. */
bool log_port_poll(struct log *log);

#endif
