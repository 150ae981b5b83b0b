/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the graph and its elements need from the system around them, as a table that kernel/ fills (and tests fill with
 * theirs), so that arrows keep pointing down.
 */
#ifndef IMAGO_CLICK_SERVICES_H
#define IMAGO_CLICK_SERVICES_H

#include "bundle/bundle.h"
#include "bundle/floor.h"
#include "lib/list.h"
#include "packet/nic.h"

struct click_language;
struct deferred;
struct handler;
struct postponed;
struct host;

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO };

struct services {
  uint64_t (*now)(void);  /* monotonic nanoseconds since boot */
  uint64_t (*wall)(void); /* nanoseconds since the epoch */
  uint32_t (*random)(void);
  /* One line without '\n', into the log ring and to whoever follows it. Limited in rate by the log itself. */
  void (*log)(enum log_level level, const char *text, size_t length);
  /* Calls function(argument) after every worker has passed a quiescent point (no batch in flight that began before). May
   * not fail: the node is embedded in the caller's object. */
  void (*defer)(struct deferred *node, void (*function)(struct deferred *node));
  /* For what packets need not wait for: worker 0 calls function(work) between two rounds, one call a round, until it returns false; but not
   * before the first packet was forwarded, or none has come for a while. The node is embedded in the caller's object and zero. Thread of
   * control only. NULL: the caller does it at once. */
  void (*postpone)(struct postponed *work, bool (*function)(struct postponed *work));
  /* The NIC of that name ("eth0"), or NULL. */
  struct nic *(*nic_find)(const char *name);
  /* As nic_find; a platform that can open devices by name does so. `method` (FromDevice's METHOD) may be NULL. 0 and *nic, or a
   * negative code after reporting. NULL: only nic_find is there. */
  int (*nic_open)(const char *name, const char *method, struct nic **nic, struct report *report);
  /* Packets for elements that make their own. */
  struct packet_pool *pool;
  /* A file of the boot archive; data NULL when there is none. Lives as long as the system. */
  struct slice (*file)(const char *name);
  /* Asks the driver to stop, as Click's router->please_stop_driver (DriverManager, STOP arguments, stop handlers). NULL: there is
   * none to stop. */
  void (*stop_driver)(void);
  const struct host *host; /* NULL in an image */
  /* Global handlers of the system, tried before those of the router; ended by name NULL. NULL: none. */
  const struct handler *handlers;
  void *handlers_owner;
  /* Copies what the log got from byte *position on, up to size bytes, and moves *position; what was overwritten meanwhile is skipped.
   * *position UINT64_MAX: starts at the log's end. Any worker. NULL: there is no log to follow. */
  size_t (*log_follow)(uint64_t *position, char *bytes, size_t size);
  /* Handlers of elements may touch what any worker uses: true: all other workers stand still from now on, until false. Nests.
   * NULL: there is one worker. */
  void (*exclusive)(bool begin);
  unsigned workers; /* how many; 0 counts as 1 */
  /* Number of the worker that runs in this thread, below `workers`. NULL: there is one worker. */
  unsigned (*worker)(void);
  /* Parameters and libraries of configurations, also of those swapped in; NULL: there are none. */
  const struct click_language *language;
  const struct bundle_key *keys; /* trusted signers */
  unsigned key_count;
  struct version_floors *floors;
  bool allow_unproven; /* the boot configuration lets programs run whose bundle has no proof; they run checked */
};

/* Embedded in objects that are freed after a quiescent point. */
struct deferred {
  struct deferred *next;
  void (*function)(struct deferred *node);
  uint64_t epoch;
};

/* Embedded in objects with work for services->postpone. */
struct postponed {
  struct list links;
  bool (*function)(struct postponed *work);
};

/* Before the object goes: takes back what is still to be called. Thread of control only; without effect on a node that waits for nothing. */
static inline void postponed_recall(struct postponed *work) {
  if (work->links.next != NULL) list_remove(&work->links);
}

#endif
