/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Polling of the control and log channels. Doorbells are costly on some hosts: one flush for all that a poll writes.
 */
#include "kernel/port.h"

#include "kernel/platform.h"

/* One session per client: a new generation means another client, even if we never saw the channel closed. */
static bool follow_client(struct control_port *port, const struct control_backend *backend) {
  uint32_t generation = 0;
  bool open = platform_channel_open(PLATFORM_CHANNEL_CONTROL, &generation);
  if (port->open && (!open || generation != port->generation)) control_port_close(port);
  if (open && !port->open) {
    control_session_init(&port->session, backend);
    port->open = true;
    port->generation = generation;
    port->sessions++;
  }
  return open;
}

void control_port_close(struct control_port *port) {
  control_session_free(&port->session);
  port->open = port->hung_up = false;
  port->head = port->tail = 0;
}

bool control_port_send(struct control_port *port) {
  if (!port->open) return true;
  struct slice output = control_session_output(&port->session);
  bool sent = false;
  while (output.length > 0) {
    size_t n = platform_channel_write(PLATFORM_CHANNEL_CONTROL, output.data, output.length);
    if (n == 0) break;
    control_session_sent(&port->session, n);
    output = control_session_output(&port->session);
    sent = true;
  }
  if (sent) platform_channel_flush(PLATFORM_CHANNEL_CONTROL);
  return output.length == 0;
}

bool control_port_poll(struct control_port *port, const struct control_backend *backend) {
  if (!follow_client(port, backend)) return false;
  bool waiting = control_session_output(&port->session).length > 0, moved = waiting;
  /* A client that doesn't read its replies isn't read either. */
  if (port->head == port->tail && !waiting) {
    port->head = 0;
    port->tail = platform_channel_read(PLATFORM_CHANNEL_CONTROL, port->inbox, sizeof port->inbox);
  }
  if (port->hung_up) {
    port->head = port->tail; /* a client that talks on after QUIT, where the platform cannot hang up */
  } else if (port->head < port->tail) {
    size_t taken = control_session_input(&port->session, port->inbox + port->head, port->tail - port->head);
    port->head += taken;
    moved = moved || taken > 0;
  }
  bool all = control_port_send(port);
  if (all && control_session_closed(&port->session) && !port->hung_up) {
    port->hung_up = true;
    platform_channel_close(PLATFORM_CHANNEL_CONTROL);
  }
  /* With output left the channel is full, and its next room is an event: no reason to keep polling. */
  return moved && all;
}

bool log_port_poll(struct log *log) {
  char piece[2048];
  uint64_t position;
  uint32_t generation;
  if (!platform_channel_open(PLATFORM_CHANNEL_LOG, &generation)) return false;
  /* Nobody listens on the log port, but bytes that lie there would end every sleep at once. */
  (void)platform_channel_read(PLATFORM_CHANNEL_LOG, piece, sizeof piece);
  size_t length = log_peek(log, piece, sizeof piece, &position);
  if (length == 0) return false;
  size_t written = platform_channel_write(PLATFORM_CHANNEL_LOG, piece, length);
  if (written == 0) return false;
  log_followed(log, position + written);
  platform_channel_flush(PLATFORM_CHANNEL_LOG);
  return true;
}
