/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Quiescent points: when may an object that the graph no longer reaches be freed? When every worker has since been at a
 * place where it holds no packet and no pointer into the graph, which is between two rounds of its loop. Epoch-based
 * reclamation (Fraser 2004), with sleeping workers counted as quiescent.
 */
#ifndef IMAGO_KERNEL_QUIESCE_H
#define IMAGO_KERNEL_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>

#include "click/services.h"
#include "kernel/pause.h"

/* Invariant: a node with epoch e may run once every worker's `seen` is at least e. */
struct quiesce {
  uint64_t epoch;            /* goes up by one with every quiesce_defer */
  struct deferred *incoming; /* stack, pushed by any worker */
  struct deferred *waiting;  /* oldest first; only the reclaiming worker touches it */
  unsigned workers;
  struct {
    uint64_t seen; /* epoch at the last quiescent point; UINT64_MAX while asleep */
  } __attribute__((aligned(64))) worker[WORKERS_MAX];
};

/* All workers start as asleep. */
void quiesce_init(struct quiesce *quiesce, unsigned workers);
/* The contract of services.defer. From any worker, after the object was made unreachable. */
void quiesce_defer(struct quiesce *quiesce, struct deferred *node, void (*function)(struct deferred *node));
/* Worker `index` is at a quiescent point, or wakes up at one. */
void quiesce_pass(struct quiesce *quiesce, unsigned index);
/* Worker `index` is about to sleep, and will touch nothing until it calls quiesce_pass. */
void quiesce_sleep(struct quiesce *quiesce, unsigned index);
/* Runs what no worker can still see, in the order in which it was deferred. From one worker only, at its quiescent point.
 * True while something is left waiting. */
bool quiesce_reclaim(struct quiesce *quiesce);

#endif
