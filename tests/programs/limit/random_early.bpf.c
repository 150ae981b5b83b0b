/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random early detection (Floyd, Jacobson 1993) by rate: an average moves towards the bytes of each interval, and between two marks the
 * chance of a drop rises with it. All in integers, the weight is a power of two.
 */
#include "headers.h"

enum { WEIGHT_SHIFT = 3, CHANCE_BITS = 16, PROCESSORS_STATE = 1 };

const volatile __u64 interval_ns = 10000000;
const volatile __u64 low_mark = 1000000, high_mark = 4000000; /* bytes of an interval */

struct average {
  __u64 since, bytes, average, dropped;
};

MAP(PERCPU_ARRAY, averages, __u32, struct average, PROCESSORS_STATE);

SEC("xdp")
int random_early(struct xdp_md *ctx) {
  __u32 zero = 0;
  struct average *a = bpf_map_lookup_elem(&averages, &zero);
  if (!a) return XDP_ABORTED;
  __u64 now = bpf_ktime_get_ns();
  a->bytes += ctx->data_end - ctx->data;
  if (now - a->since >= interval_ns) {
    a->average += (a->bytes >> WEIGHT_SHIFT) - (a->average >> WEIGHT_SHIFT);
    a->bytes = 0;
    a->since = now;
  }
  __u64 average = a->average, low = low_mark, high = high_mark;
  if (average <= low || high <= low) return XDP_PASS;
  __u64 chance = average >= high ? 1 << CHANCE_BITS : ((average - low) << CHANCE_BITS) / (high - low);
  if ((bpf_get_prandom_u32() & ((1 << CHANCE_BITS) - 1)) >= chance) return XDP_PASS;
  a->dropped++;
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
