/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Atomic operations. Sequentially consistent, those that do not fetch too, as native code has them.
 */
#include "bpf/atomic.h"

#include <stdbool.h>

#include "bpf/isa.h"

void bpf_atomic32(uint32_t *at, int32_t operation, uint64_t *source, uint64_t *r0) {
  uint32_t v = (uint32_t)*source, old = (uint32_t)*r0;
  switch (operation & ~BPF_FETCH) {
    case BPF_ADD:
      old = __atomic_fetch_add(at, v, __ATOMIC_SEQ_CST);
      break;
    case BPF_OR:
      old = __atomic_fetch_or(at, v, __ATOMIC_SEQ_CST);
      break;
    case BPF_AND:
      old = __atomic_fetch_and(at, v, __ATOMIC_SEQ_CST);
      break;
    case BPF_XOR:
      old = __atomic_fetch_xor(at, v, __ATOMIC_SEQ_CST);
      break;
    case BPF_XCHG & ~BPF_FETCH:
      old = __atomic_exchange_n(at, v, __ATOMIC_SEQ_CST);
      break;
    default: /* cmpxchg */
      __atomic_compare_exchange_n(at, &old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
      *r0 = old;
      return;
  }
  if (operation & BPF_FETCH) *source = old;
}

void bpf_atomic64(uint64_t *at, int32_t operation, uint64_t *source, uint64_t *r0) {
  uint64_t v = *source, old = *r0;
  switch (operation & ~BPF_FETCH) {
    case BPF_ADD:
      old = __atomic_fetch_add(at, v, __ATOMIC_SEQ_CST);
      break;
    case BPF_OR:
      old = __atomic_fetch_or(at, v, __ATOMIC_SEQ_CST);
      break;
    case BPF_AND:
      old = __atomic_fetch_and(at, v, __ATOMIC_SEQ_CST);
      break;
    case BPF_XOR:
      old = __atomic_fetch_xor(at, v, __ATOMIC_SEQ_CST);
      break;
    case BPF_XCHG & ~BPF_FETCH:
      old = __atomic_exchange_n(at, v, __ATOMIC_SEQ_CST);
      break;
    default: /* cmpxchg */
      __atomic_compare_exchange_n(at, &old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
      *r0 = old;
      return;
  }
  if (operation & BPF_FETCH) *source = old;
}
