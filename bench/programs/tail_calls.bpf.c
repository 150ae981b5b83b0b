/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A chain of eight tail calls; each program takes one byte of the packet into a sum.
 */
#include "kernel.h"

enum { PROGRAMS = 9 };

KERNEL(link_1);
KERNEL(link_2);
KERNEL(link_3);
KERNEL(link_4);
KERNEL(link_5);
KERNEL(link_6);
KERNEL(link_7);
KERNEL(link_8);

CHAIN(chain, PROGRAMS, [1] = LINK(link_1), [2] = LINK(link_2), [3] = LINK(link_3), [4] = LINK(link_4),
      [5] = LINK(link_5), [6] = LINK(link_6), [7] = LINK(link_7), [8] = LINK(link_8));

static __u32 sum;

static inline void take_byte(const struct xdp_md *ctx, unsigned at) {
  const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
  if (data + at + 1 <= end) sum = sum * 31 + data[at];
}

#define STEP(name, number)               \
  KERNEL(name) {                         \
    take_byte(ctx, number);              \
    TAIL_CALL(ctx, chain, (number) + 1); \
    return XDP_ABORTED;                  \
  }

STEP(tail_calls, 0)
STEP(link_1, 1)
STEP(link_2, 2)
STEP(link_3, 3)
STEP(link_4, 4)
STEP(link_5, 5)
STEP(link_6, 6)
STEP(link_7, 7)

KERNEL(link_8) {
  take_byte(ctx, 8);
  return (int)sum;
}
