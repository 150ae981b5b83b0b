/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The clocks that the graph sees: the platform's; the same at another speed (Click's handler `timewarp`); or simulated ones. Simulated
 * time stands still but for one nanosecond at each reading, so that no two readings are equal, and jumps to the next timer when there
 * is nothing else to do (Click's --simtime).
 */
#ifndef IMAGO_KERNEL_GRAPH_CLOCK_H
#define IMAGO_KERNEL_GRAPH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The speed of the platform's clock. */
#define GRAPH_CLOCK_ONE ((uint64_t)1 << 32)

/* From now on both clocks are simulated, and start at `from` nanoseconds. Before the graph is made. */
void graph_clock_simulate(uint64_t from);
/* From now on both clocks run at `factor` (32.32 fixed point, above 0), on from where they are. Without `waits` time also jumps to the
 * next timer when there is nothing else to do; only with one worker. While all other workers stand still; not when simulated. */
void graph_clock_warp(uint64_t factor, bool waits);
bool graph_clock_simulated(void);
bool graph_clock_follows_platform(void); /* graph_clock_now is platform_now */
bool graph_clock_waits(void);            /* timers are waited for, not jumped to */
uint64_t graph_clock_factor(void);
uint64_t graph_clock_now(void);  /* of tasks and timers */
uint64_t graph_clock_wall(void); /* since 1970 */
/* Moves the clocks on to `to`; never back. Only where timers are not waited for. */
void graph_clock_jump(uint64_t to);
/* When to wake up for a timer's deadline, by the platform's clock; perhaps too early, but not where that is UINT64_MAX. */
uint64_t graph_clock_platform_deadline(uint64_t deadline);

#endif
