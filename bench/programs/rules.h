/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The rules of rule_match, which bench/bpf.c makes.
 */
#ifndef IMAGO_BENCH_RULES_H
#define IMAGO_BENCH_RULES_H

#include <linux/types.h>

enum { RULES = 1000 };

struct rule {
  __u32 src, src_mask, dst, dst_mask; /* as in the packet */
  __u16 port_low, port_high;          /* of the destination */
};

struct rules {
  struct rule rule[RULES];
};

#endif
