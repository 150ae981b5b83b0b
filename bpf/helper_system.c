/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers that ask the system: time and random numbers.
 */
#include "bpf/helper_list.h"

uint64_t bpf_helper_ktime_get_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                 struct bpf_machine *m) {
  return m->environment->ktime_ns(m->environment->context);
}

uint64_t bpf_helper_get_prandom_u32(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  return m->environment->random_u32(m->environment->context);
}
