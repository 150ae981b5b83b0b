/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The graph that the workers run, with a scheduler for each of them, and its exchange for another while packets flow.
 */
#ifndef IMAGO_KERNEL_GRAPH_H
#define IMAGO_KERNEL_GRAPH_H

#include "kernel/system.h"

struct graph {
  struct router *router;
  struct deferred deferred;
  struct scheduler scheduler[WORKERS_MAX];
};

/* The first graph: made, and given to the workers, none of which runs yet. */
int graph_start(struct system *system, const char *file, struct slice source, struct report *report) MUST_USE;
/* Makes a graph beside the running one, which it is to replace at the next opportunity. On failure the running one goes on and report
 * says why. Worker 0. */
int graph_stage(struct system *system, const char *file, struct slice source, struct report *report) MUST_USE;
/* Puts a staged graph in place of the running one, if there is one and all workers are between two rounds. True if it did. Worker 0,
 * between two rounds. */
bool graph_swap(struct system *system);
/* Takes down the running graph and a staged one. No worker runs. */
void graph_end(struct system *system);

#endif
