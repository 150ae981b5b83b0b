/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The clocks that the graph sees: the platform's, or simulated ones. Simulated time stands still but for one nanosecond at each
 * reading, so that no two readings are equal, and jumps to the next timer when there is nothing else to do (Click's --simtime).
 */
#ifndef IMAGO_KERNEL_GRAPH_CLOCK_H
#define IMAGO_KERNEL_GRAPH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* From now on both clocks are simulated, and start at `from` nanoseconds. Before the graph is made. */
void graph_clock_simulate(uint64_t from);
bool graph_clock_simulated(void);
uint64_t graph_clock_now(void);  /* of tasks and timers */
uint64_t graph_clock_wall(void); /* since 1970 */
/* Moves the simulated clocks on to `now`; never back. */
void graph_clock_jump(uint64_t now);

#endif
