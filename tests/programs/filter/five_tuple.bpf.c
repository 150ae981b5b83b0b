/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A firewall of exact rules with wildcards: a packet is looked up under each mask in use (tuple space search, Srinivasan et al., SIGCOMM
 * '99), and the rule of the highest priority decides.
 */
#include "headers.h"

enum { MASKS = 6, FLOW_WORDS = 4 };

struct rule {
  __u32 priority, verdict;
  __u64 packets;
};

/* Source, destination, ports, protocol; 1: must match. */
static const __u8 masks[MASKS][FLOW_WORDS] = {{1, 1, 1, 1}, {0, 1, 1, 1}, {1, 1, 0, 0},
                                              {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 1}};

struct masked {
  __u32 words[FLOW_WORDS];
  __u32 mask;
};

MAP(HASH, rules, struct masked, struct rule, 4096);

SEC("xdp")
int five_tuple(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 words[FLOW_WORDS] = {flow.source, flow.destination, (__u32)flow.source_port << 16 | flow.destination_port,
                             flow.protocol};
  struct rule *best = 0;
#pragma unroll
  for (__u32 m = 0; m < MASKS; m++) {
    struct masked key = {.mask = m};
#pragma unroll
    for (int i = 0; i < FLOW_WORDS; i++)
      key.words[i] = masks[m][i] ? words[i] : 0;
    struct rule *rule = bpf_map_lookup_elem(&rules, &key);
    if (rule && (!best || rule->priority > best->priority)) best = rule;
  }
  if (!best) return XDP_DROP;
  __sync_fetch_and_add(&best->packets, 1);
  return best->verdict == 0 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
