/* SPDX-License-Identifier: BSD-3-Clause
 *
 * File descriptors that elements of the process platform wait for (sockets, taps, pipes). Watches are polled by worker 0 between
 * rounds of the graph, and wake platform_sleep.
 */
#ifndef IMAGO_PLATFORM_PROCESS_WATCH_H
#define IMAGO_PLATFORM_PROCESS_WATCH_H

#include "lib/list.h"

/* Embedded by its owner; not moved while it is added. */
struct process_watch {
  struct list link;
  int fd;
  short events; /* POLLIN, POLLOUT; worker 0 may change it at any time */
  /* Called on worker 0 with what poll found. May add and remove watches, this one too. */
  void (*ready)(struct process_watch *watch, short revents);
  void *owner;
};

void process_watch_add(struct process_watch *watch);
/* Changes what is waited for, 0: nothing but errors. Any worker; worker 0 hears of it even in its sleep. */
void process_watch_wait(struct process_watch *watch, short events);
/* Harmless when it is not added. */
void process_watch_remove(struct process_watch *watch);

#endif
