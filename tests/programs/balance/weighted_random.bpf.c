/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sends packets to outputs at random by weight: a point in the sum of weights, and a walk to the output that it falls into. For traffic
 * whose order doesn't matter, such as copies for analysis.
 */
#include "headers.h"

enum { OUTPUTS = 16 };

struct weights {
  __u32 weight[OUTPUTS];
};

MAP(ARRAY, settings, __u32, struct weights, 1);
MAP(DEVMAP, outputs, __u32, __u32, OUTPUTS);

SEC("xdp")
int weighted_random(struct xdp_md *ctx) {
  __u32 zero = 0, total = 0;
  struct weights *weights = bpf_map_lookup_elem(&settings, &zero);
  if (!weights) return XDP_ABORTED;
#pragma unroll
  for (__u32 i = 0; i < OUTPUTS; i++)
    total += weights->weight[i] & 0xffff;
  if (total == 0) return XDP_PASS;
  __u32 point = bpf_get_prandom_u32() % total;
  for (__u32 i = 0; i < OUTPUTS; i++) {
    __u32 weight = weights->weight[i] & 0xffff;
    if (point < weight) return (int)bpf_redirect_map(&outputs, i, XDP_PASS);
    point -= weight;
  }
  return XDP_PASS; /* the weights changed in between */
}

char _license[] SEC("license") = "GPL";
