/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_timer_init, bpf_timer_set_callback, bpf_timer_start, bpf_timer_cancel (Linux: kernel/bpf/helpers.c).
 */
#include "bpf/helper_list.h"
#include "bpf/timer.h"

/* The map and slot whose value the timer is in. It is in one: the address was judged. */
static struct bpf_map *map_of(const struct bpf_machine *m, uint64_t timer, uint32_t *slot) {
  uint64_t value = 0;
  struct bpf_map *map = bpf_machine_value(m, timer, &value);
  *slot = (uint32_t)((value - (uint64_t)(uintptr_t)map->values) / map->value_stride);
  return map;
}

uint64_t bpf_helper_timer_init(uint64_t timer, uint64_t handle, uint64_t flags, uint64_t r4, uint64_t r5,
                               struct bpf_machine *m) {
  uint32_t slot;
  struct bpf_map *map = map_of(m, timer, &slot);
  if (map != bpf_machine_known_map(handle)) {
    m->fault = BPF_FAULT_HELPER;
    return 0;
  }
  return (uint64_t)bpf_timer_init(map, slot, flags);
}

uint64_t bpf_helper_timer_set_callback(uint64_t timer, uint64_t function, uint64_t r3, uint64_t r4, uint64_t r5,
                                       struct bpf_machine *m) {
  uint32_t slot;
  struct bpf_map *map = map_of(m, timer, &slot);
  return (uint64_t)bpf_timer_set_callback(map, slot, m->program, function);
}

uint64_t bpf_helper_timer_start(uint64_t timer, uint64_t nanoseconds, uint64_t flags, uint64_t r4, uint64_t r5,
                                struct bpf_machine *m) {
  const struct bpf_environment *environment = m->environment;
  uint32_t slot;
  struct bpf_map *map = map_of(m, timer, &slot);
  uint64_t deadline;
  long result = bpf_timer_start(map, slot, environment->ktime_ns(environment->context), nanoseconds, flags, &deadline);
  if (deadline != BPF_TIMERS_IDLE && environment->wake_timers != NULL) {
    environment->wake_timers(environment->context, map, deadline);
  }
  return (uint64_t)result;
}

uint64_t bpf_helper_timer_cancel(uint64_t timer, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                 struct bpf_machine *m) {
  uint32_t slot;
  struct bpf_map *map = map_of(m, timer, &slot);
  return (uint64_t)bpf_timer_stop(map, slot);
}
