/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A spinlock in 32 bits, 0 when free: for writers of maps, and bpf_spin_lock in map values. Held for a few stores, or by a
 * program for at most its budget, so nobody waits long.
 */
#ifndef IMAGO_BPF_LOCK_H
#define IMAGO_BPF_LOCK_H

#include <stdint.h>

static inline void bpf_lock(uint32_t *lock) {
  while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(lock, __ATOMIC_RELAXED)) {
      __builtin_ia32_pause();
    }
  }
}

static inline void bpf_unlock(uint32_t *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }

#endif
