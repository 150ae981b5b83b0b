/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_spin_lock and bpf_spin_unlock (Linux: kernel/bpf/helpers.c). A program holds one lock at a time and calls no other helper
 * meanwhile; what it still holds at its end is released for it (run.c).
 */
#include "bpf/helper_list.h"
#include "bpf/lock.h"

uint64_t bpf_helper_spin_lock(uint64_t lock, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                              struct bpf_machine *m) {
  bpf_lock((uint32_t *)(uintptr_t)lock);
  m->spin_lock = lock;
  return 0;
}

uint64_t bpf_helper_spin_unlock(uint64_t lock, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                struct bpf_machine *m) {
  if (lock != m->spin_lock) {
    m->fault = BPF_FAULT_HELPER;
    return 0;
  }
  m->spin_lock = 0;
  bpf_unlock((uint32_t *)(uintptr_t)lock);
  return 0;
}
