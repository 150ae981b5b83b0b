/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers that ask the system: time, random numbers, which processor.
 */
#include "bpf/helper_list.h"

enum { JIFFY_NS = 4000000 }; /* HZ = 250, as Debian's kernel has it */

static uint64_t monotonic(const struct bpf_machine *m) { return m->environment->ktime_ns(m->environment->context); }

uint64_t bpf_helper_ktime_get_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                 struct bpf_machine *m) {
  return monotonic(m);
}

/* Nothing here suspends, so time since boot is the monotonic time. */
uint64_t bpf_helper_ktime_get_boot_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                      struct bpf_machine *m) {
  return monotonic(m);
}

/* The exact time is cheap enough. */
uint64_t bpf_helper_ktime_get_coarse_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                        struct bpf_machine *m) {
  return monotonic(m);
}

/* TAI without the leap seconds, which Linux doesn't know either unless somebody tells it. */
uint64_t bpf_helper_ktime_get_tai_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                     struct bpf_machine *m) {
  return m->environment->wall_ns != NULL ? m->environment->wall_ns(m->environment->context) : monotonic(m);
}

uint64_t bpf_helper_jiffies64(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct bpf_machine *m) {
  return monotonic(m) / JIFFY_NS;
}

uint64_t bpf_helper_get_prandom_u32(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  return m->environment->random_u32(m->environment->context);
}

uint64_t bpf_helper_get_smp_processor_id(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                         struct bpf_machine *m) {
  return m->processor;
}

uint64_t bpf_helper_get_numa_node_id(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                     struct bpf_machine *m) {
  return 0;
}
