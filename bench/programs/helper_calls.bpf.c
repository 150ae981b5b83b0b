/* SPDX-License-Identifier: BSD-3-Clause
 *
 * 64 calls of a helper that does nothing but give a constant. Not for plain C: it has no such thing.
 */
#include "kernel.h"

enum { CALLS = 64 };

KERNEL(helper_calls) {
  long sum = 0;
#pragma unroll
  for (unsigned i = 0; i < CALLS; i++)
    sum += bpf_get_numa_node_id();
  return (int)sum;
}
