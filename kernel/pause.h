/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making all workers but one stand still, between two rounds of their loops: for handlers, which may touch what any worker uses, and
 * for the exchange of the graph. A worker that sleeps stands still as well, and looks here before it touches anything.
 */
#ifndef IMAGO_KERNEL_PAUSE_H
#define IMAGO_KERNEL_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

enum { WORKERS_MAX = 16 };

enum worker_state {
  WORKER_STILL, /* between rounds, asleep, or not started */
  WORKER_RUNS,  /* may touch everything that is its own */
  WORKER_WAITS, /* in the middle of a round, for its turn to be the one that pauses the others */
};

struct pause {
  uint32_t holder; /* 1 + index of the worker that runs alone; 0: none */
  uint32_t depth;  /* of pause_begin; the holder's */
  unsigned workers;
  struct {
    uint32_t state; /* enum worker_state */
  } __attribute__((aligned(64))) worker[WORKERS_MAX];
};

void pause_init(struct pause *pause, unsigned workers);
/* Returns when all other workers stand still or wait; they stay so until the matching pause_end. Nests. */
void pause_begin(struct pause *pause, unsigned self);
void pause_end(struct pause *pause, unsigned self);
/* As pause_begin, but only when no other worker is in the middle of a round; false: try again later. Not nested. */
bool pause_between_rounds(struct pause *pause, unsigned self);
/* Between two rounds: stands still while another worker wants that. */
void pause_point(struct pause *pause, unsigned self);
/* The worker sleeps or ends; it begins to run, and stands still first while another worker wants that. */
void pause_leave(struct pause *pause, unsigned self);
void pause_enter(struct pause *pause, unsigned self);

#endif
