/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Chatter channels.
 */
#include "click/channel.h"

#include "click/router.h"

void router_add_channel(struct router *router, struct channel *channel) {
  channel->next = router->channels;
  router->channels = channel;
}

void channel_send(const struct element *speaker, const char *name, const char *line, size_t length) {
  bool log = name == NULL || strcmp(name, CHANNEL_DEFAULT) == 0;
  for (struct channel *at = speaker->router->channels; at != NULL && name != NULL; at = at->next) {
    if (strcmp(at->name, name) != 0) continue;
    at->receive(at, speaker, line, length);
    if (!at->quiet) log = true;
  }
  if (log) speaker->services->log(LOG_INFO, line, length);
}
