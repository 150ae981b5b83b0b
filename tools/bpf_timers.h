/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers that programs of `imago bpf run` armed: after the packets they run, on a clock that nobody waits for.
 */
#ifndef IMAGO_TOOLS_BPF_TIMERS_H
#define IMAGO_TOOLS_BPF_TIMERS_H

#include <stdio.h>

#include "tools/bpf_instance.h"

/* Time as the programs see it. */
struct bpf_clock {
  uint64_t stopped_at; /* 0: it goes with CLOCK_MONOTONIC */
};

/* bpf_instance_environment with this clock, which outlives it. */
struct bpf_environment bpf_clock_environment(struct bpf_clock *clock);

/* Stops the clock, moves it on by `span` nanoseconds, and runs what falls due in between, one callback after the other in the order of
 * their times, which the clock shows meanwhile. Each is a line of text, or an object of a JSON array: when it was due, the source line of
 * the callback, the map, and the entry as the callback left it. Gives how many faulted. */
unsigned bpf_timers_play(FILE *to, bool json, const struct bpf_instance *instance, const struct linked_program *linked,
                         const struct bpf_environment *environment, struct bpf_clock *clock, uint64_t span);

#endif
