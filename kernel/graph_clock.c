/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Simulated time is one number for both clocks.
 */
#include "kernel/graph_clock.h"

#include "kernel/platform.h"

static struct {
  bool simulated;
  uint64_t time;
} the_clock;

void graph_clock_simulate(uint64_t from) {
  the_clock.simulated = true;
  the_clock.time = from;
}

bool graph_clock_simulated(void) { return the_clock.simulated; }

static uint64_t tick(void) { return __atomic_fetch_add(&the_clock.time, 1, __ATOMIC_RELAXED); }

uint64_t graph_clock_now(void) { return the_clock.simulated ? tick() : platform_now(); }

uint64_t graph_clock_wall(void) { return the_clock.simulated ? tick() : platform_wall(); }

void graph_clock_jump(uint64_t now) {
  if (now > the_clock.time) the_clock.time = now;
}
