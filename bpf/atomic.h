/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The atomic operations of RFC 9669, section 5.3, for the interpreter.
 */
#ifndef IMAGO_BPF_ATOMIC_H
#define IMAGO_BPF_ATOMIC_H

#include <stdint.h>

/* Does `operation` (an immediate that bpf_check lets pass) to the word at `at`, which is aligned. Operations that fetch leave the old
 * word in *source; cmpxchg compares with *r0 and leaves it there. */
void bpf_atomic32(uint32_t *at, int32_t operation, uint64_t *source, uint64_t *r0);
void bpf_atomic64(uint64_t *at, int32_t operation, uint64_t *source, uint64_t *r0);

#endif
