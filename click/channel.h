/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Chatter channels of a graph (Click's Router::chatter_channel): messages apart from the log, for those who ask for them. A channel is
 * its listeners (ChatterSocket elements): what is sent to one that has none is gone.
 */
#ifndef IMAGO_CLICK_CHANNEL_H
#define IMAGO_CLICK_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

struct element;
struct router;

/* The channel that is the log. */
#define CHANNEL_DEFAULT "default"

/* One who listens to a channel; embedded in an element, and as long-lived as its graph. */
struct channel {
  struct channel *next;
  const char *name;
  bool quiet; /* false: the channel's messages go to the log, too */
  /* One line, without '\n'. Any worker. */
  void (*receive)(struct channel *channel, const struct element *speaker, const char *line, size_t length);
};

/* In configure, of an element of CONFIGURE_INFO, so that the channel is there when others speak. */
void router_add_channel(struct router *router, struct channel *channel);
/* Sends a line, without '\n', from an element to the channel of that name in its graph; NULL or CHANNEL_DEFAULT: to the log. */
void channel_send(const struct element *speaker, const char *name, const char *line, size_t length);

#endif
