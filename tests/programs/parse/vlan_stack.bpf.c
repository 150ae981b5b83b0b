/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Walks a stack of VLAN tags (IEEE 802.1Q, 802.1ad), however they are nested, counts packets by depth, and drops what is tagged deeper
 * than the operator allows: deep stacks are a way around filters that look behind one tag only.
 */
#include "headers.h"

enum { TAGS_MOST = 8 };

const volatile __u32 depth_allowed = 2;

MAP(PERCPU_ARRAY, packets_by_depth, __u32, __u64, TAGS_MOST + 1);

static __always_inline int is_tag(__be16 protocol) {
  return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

SEC("xdp")
int vlan_stack(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_DROP;
  __be16 protocol = eth->h_proto;
  __u32 depth = 0;
  while (depth < TAGS_MOST && is_tag(protocol)) {
    struct vlan_header *tag = TAKE(&c, struct vlan_header);
    if (!tag) return XDP_DROP;
    protocol = tag->protocol;
    depth++;
  }
  add_to(&packets_by_depth, depth, 1);
  if (is_tag(protocol)) return XDP_DROP;
  return depth > depth_allowed ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
