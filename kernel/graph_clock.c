/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Simulated time is one number for both clocks; warped time is the platform's since it was warped, times a factor.
 */
#include "kernel/graph_clock.h"

#include "kernel/platform.h"

static struct {
  enum { FOLLOWS, WARPED, SIMULATED } mode;
  bool waits_not;
  uint64_t factor;     /* 32.32 fixed point */
  uint64_t since;      /* platform_now when it was warped */
  uint64_t time, wall; /* of the graph then; simulated: time is now */
} the_clock = {.factor = GRAPH_CLOCK_ONE};

void graph_clock_simulate(uint64_t from) {
  the_clock.mode = SIMULATED;
  the_clock.time = from;
}

bool graph_clock_simulated(void) { return the_clock.mode == SIMULATED; }
bool graph_clock_follows_platform(void) { return the_clock.mode == FOLLOWS; }
bool graph_clock_waits(void) { return the_clock.mode != SIMULATED && !the_clock.waits_not; }
uint64_t graph_clock_factor(void) { return the_clock.factor; }

static uint64_t tick(void) { return __atomic_fetch_add(&the_clock.time, 1, __ATOMIC_RELAXED); }

/* The whole and the broken part of the factor apart, so that nothing is lost of the product that fits. */
static uint64_t scaled(uint64_t nanoseconds) {
  uint64_t whole = the_clock.factor >> 32, part = the_clock.factor & UINT32_MAX;
  return nanoseconds * whole + (nanoseconds >> 32) * part + ((nanoseconds & UINT32_MAX) * part >> 32);
}

uint64_t graph_clock_now(void) {
  if (the_clock.mode == FOLLOWS) return platform_now();
  if (the_clock.mode == SIMULATED) return tick();
  return the_clock.time + scaled(platform_now() - the_clock.since);
}

uint64_t graph_clock_wall(void) {
  if (the_clock.mode == FOLLOWS) return platform_wall();
  if (the_clock.mode == SIMULATED) return tick();
  return the_clock.wall + scaled(platform_now() - the_clock.since);
}

void graph_clock_warp(uint64_t factor, bool waits) {
  uint64_t now = graph_clock_now(), wall = graph_clock_wall();
  the_clock.since = platform_now();
  the_clock.time = now;
  the_clock.wall = wall;
  the_clock.factor = factor;
  the_clock.waits_not = !waits;
  the_clock.mode = WARPED;
}

void graph_clock_jump(uint64_t to) {
  uint64_t now = the_clock.mode == SIMULATED ? the_clock.time : graph_clock_now();
  if (to <= now) return;
  the_clock.time += to - now;
  the_clock.wall += to - now;
}

uint64_t graph_clock_platform_deadline(uint64_t deadline) {
  if (the_clock.mode == FOLLOWS || deadline == UINT64_MAX) return deadline;
  uint64_t real = platform_now(), now = graph_clock_now();
  if (deadline <= now) return real;
  uint64_t left = deadline - now < UINT32_MAX ? deadline - now : UINT32_MAX;
  return real + (left << 32) / the_clock.factor;
}
