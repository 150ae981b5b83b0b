/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Event counters that several workers may add to. Add once per batch, not once per packet: the add is a locked instruction
 * (about 5 ns), amortised over the batch.
 */
#ifndef IMAGO_LIB_COUNTER_H
#define IMAGO_LIB_COUNTER_H

#include <stdint.h>

static inline void counter_add(uint64_t *counter, uint64_t n) { __atomic_fetch_add(counter, n, __ATOMIC_RELAXED); }
static inline uint64_t counter_read(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }
static inline void counter_reset(uint64_t *counter) { __atomic_store_n(counter, 0, __ATOMIC_RELAXED); }

#endif
