/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rules in an order, as packet filters have them: prefixes of both addresses, ranges of both ports, a protocol. The first that matches
 * decides, and counts. All of them lie in one map value, so that they change at once.
 */
#include "headers.h"

enum { RULES = 64, ANY = 0, VERDICTS = 5 };

struct rule {
  __be32 source, source_mask, destination, destination_mask;
  __u16 source_low, source_high, low, high;
  __u8 protocol, verdict, used, zero;
  __u32 hits;
};

struct rules {
  struct rule rule[RULES];
};

MAP(ARRAY, tables, __u32, struct rules, 1);

static __always_inline int matches(const struct rule *rule, const struct flow *flow) {
  __u16 source = bpf_ntohs(flow->source_port), destination = bpf_ntohs(flow->destination_port);
  return (flow->source & rule->source_mask) == rule->source &&
         (flow->destination & rule->destination_mask) == rule->destination && source >= rule->source_low &&
         source <= rule->source_high && destination >= rule->low && destination <= rule->high &&
         (rule->protocol == ANY || rule->protocol == flow->protocol);
}

SEC("xdp")
int rule_scan(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 zero = 0;
  struct rules *rules = bpf_map_lookup_elem(&tables, &zero);
  if (!rules) return XDP_ABORTED;
  for (int i = 0; i < RULES; i++) {
    struct rule *rule = &rules->rule[i];
    if (!rule->used) break;
    if (!matches(rule, &flow)) continue;
    __sync_fetch_and_add(&rule->hits, 1);
    return rule->verdict < VERDICTS ? rule->verdict : XDP_ABORTED;
  }
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
