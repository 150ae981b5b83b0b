/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A histogram of the time between packets for each port, in powers of two of nanoseconds, and their mean as a moving average in fixed
 * point.
 */
#include "headers.h"

enum { BUCKETS = 40, PORTS = 64, AVERAGE_SHIFT = 6 };

struct times {
  __u64 last, average, buckets[BUCKETS];
};

MAP(PERCPU_HASH, ports, __u32, struct times, PORTS);

SEC("xdp")
int interarrival(struct xdp_md *ctx) {
  __u32 port = ctx->ingress_ifindex;
  __u64 now = bpf_ktime_get_ns();
  struct times *times = bpf_map_lookup_elem(&ports, &port);
  if (!times) {
    static const struct times none;
    bpf_map_update_elem(&ports, &port, &none, BPF_NOEXIST);
    times = bpf_map_lookup_elem(&ports, &port);
    if (!times) return XDP_ABORTED;
  }
  if (times->last) {
    __u64 gap = now - times->last;
    __u32 bucket = 0;
    while (bucket < BUCKETS - 1 && gap >> (bucket + 1))
      bucket++;
    times->buckets[bucket]++;
    times->average += (gap << 8 >> AVERAGE_SHIFT) - (times->average >> AVERAGE_SHIFT);
  }
  times->last = now;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
