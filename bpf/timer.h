/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_timer: callbacks that programs ask for at a later time (Linux: kernel/bpf/helpers.c). The state of each value's timer is
 * kept beside the map, where programs cannot write; armed timers stand in a heap by deadline. The host of the engine calls
 * bpf_timers_run when they are due.
 */
#ifndef IMAGO_BPF_TIMER_H
#define IMAGO_BPF_TIMER_H

#include "bpf/program.h"

enum { BPF_F_TIMER_ABS = 1, BPF_F_TIMER_CPU_PIN = 2 };

#define BPF_TIMERS_IDLE UINT64_MAX

/* When the next timer of the map expires, by ktime_ns; BPF_TIMERS_IDLE when none is armed, or the map has none. */
uint64_t bpf_timers_deadline(struct bpf_map *map);
/* The timer of the map that expires next: when, of which slot, and its callback. False: none is armed. */
struct bpf_timer_due {
  uint64_t deadline, function;
  const struct bpf_program *program;
  uint32_t slot;
};
bool bpf_timers_first(struct bpf_map *map, struct bpf_timer_due *due);
/* Runs the callbacks of timers that expired by `now`, at most `limit` of them, one after the other, on this processor. Gives how
 * many ran. Any worker, but one at a time for a map. The last fault, if any, is left in *fault (the rest of which is as after
 * bpf_run); its `fault` is BPF_FAULT_NONE otherwise. */
unsigned bpf_timers_run(struct bpf_map *map, const struct bpf_environment *environment, uint64_t now,
                        uint32_t processor, unsigned limit, struct bpf_result *fault);
/* Whether a timer of the map, armed or not, has its callback in `program`, or such a callback runs just now. */
bool bpf_timers_use(struct bpf_map *map, const struct bpf_program *program);
/* Disarms all timers whose callback is in `program`, which is about to go: before it is freed, after no run can arm more. */
void bpf_timers_forget(struct bpf_map *map, const struct bpf_program *program);

/* --- for maps and helpers --- */

size_t bpf_timers_memory(uint32_t count);
struct bpf_timers *bpf_timers_make(struct bpf_map *map, uint32_t count) __attribute__((warn_unused_result));
void bpf_timers_destroy(struct bpf_timers *timers); /* NULL is allowed */
/* The entry of this slot has gone or was replaced: its timer is as if never made. */
void bpf_timers_cancel(struct bpf_map *map, uint32_t slot);

/* Each 0 or, as in Linux, a negative number. */
long bpf_timer_init(struct bpf_map *map, uint32_t slot, uint64_t flags);
long bpf_timer_set_callback(struct bpf_map *map, uint32_t slot, const struct bpf_program *program, uint64_t function);
/* `now` is the time that `nanoseconds` is counted from, unless BPF_F_TIMER_ABS. On success *deadline is when it expires if it is
 * now the next of the map, else BPF_TIMERS_IDLE. */
long bpf_timer_start(struct bpf_map *map, uint32_t slot, uint64_t now, uint64_t nanoseconds, uint64_t flags,
                     uint64_t *deadline);
/* 1: it was armed; 0: it was not; -BPF_EDEADLK: its own callback asks. */
long bpf_timer_stop(struct bpf_map *map, uint32_t slot);

#endif
