/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Keeps the sources that send most, by the space-saving algorithm (Metwally et al. 2005): 16 counters; a source that has none takes over
 * the least one, count and all.
 */
#include "headers.h"

enum { COUNTERS = 16 };

struct counter {
  __be32 source;
  __u32 count, error;
};

struct summary {
  struct counter counters[COUNTERS];
};

MAP(PERCPU_ARRAY, summaries, __u32, struct summary, 1);

SEC("xdp")
int heavy_hitters(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  __u32 zero = 0, least = 0, least_count = 0xffffffff;
  struct summary *summary = bpf_map_lookup_elem(&summaries, &zero);
  if (!summary) return XDP_ABORTED;
  for (__u32 i = 0; i < COUNTERS; i++) {
    struct counter *counter = &summary->counters[i];
    if (counter->source == ip->saddr) {
      counter->count++;
      return XDP_PASS;
    }
    if (counter->count < least_count) {
      least_count = counter->count;
      least = i;
    }
  }
  struct counter *taken = &summary->counters[least % COUNTERS];
  taken->source = ip->saddr;
  taken->error = least_count;
  taken->count = least_count + 1;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
