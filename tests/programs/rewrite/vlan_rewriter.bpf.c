/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Translates, pops and pushes VLAN tags (IEEE 802.1Q) by a table: what becomes of frames of a VLAN, 0 standing for untagged ones.
 */
#include "headers.h"

enum { VLANS = 4096, ACTION_KEEP = 0, ACTION_TRANSLATE = 1, ACTION_POP = 2, ACTION_PUSH = 3, ACTION_DROP = 4 };

struct rule {
  __u16 action, vlan;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, VLANS);
  __type(key, __u32);
  __type(value, struct rule);
} rules SEC(".maps");

struct addresses {
  __u8 bytes[2 * ETH_ALEN];
};

static __always_inline int pop(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct addresses *from = TAKE(&c, struct addresses);
  if (!from || !TAKE(&c, struct vlan_header)) return XDP_DROP;
  struct addresses kept = *from;
  if (bpf_xdp_adjust_head(ctx, sizeof(struct vlan_header))) return XDP_DROP;
  c = cursor_of(ctx);
  struct addresses *to = TAKE(&c, struct addresses);
  if (!to) return XDP_DROP;
  *to = kept;
  return XDP_PASS;
}

static __always_inline int push(struct xdp_md *ctx, __u16 vlan) {
  if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct vlan_header))) return XDP_DROP;
  struct cursor c = cursor_of(ctx);
  void *start = c.at;
  if (start + sizeof(struct addresses) + sizeof(struct vlan_header) > c.end) return XDP_DROP;
    /* Forwards, byte by byte: source and destination overlap. */
#pragma unroll
  for (unsigned i = 0; i < sizeof(struct addresses); i++)
    ((__u8 *)start)[i] = ((__u8 *)start)[i + sizeof(struct vlan_header)];
  __be16 *tag = start + sizeof(struct addresses);
  tag[0] = bpf_htons(ETH_P_8021Q);
  tag[1] = bpf_htons(vlan);
  return XDP_PASS;
}

SEC("xdp")
int vlan_rewriter(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_DROP;
  struct vlan_header *tag = 0;
  __u32 vlan = 0;
  if (eth->h_proto == bpf_htons(ETH_P_8021Q)) {
    tag = TAKE(&c, struct vlan_header);
    if (!tag) return XDP_DROP;
    vlan = bpf_ntohs(tag->tci) % VLANS;
  }
  struct rule *rule = bpf_map_lookup_elem(&rules, &vlan);
  if (!rule) return XDP_ABORTED;
  switch (rule->action) {
    case ACTION_TRANSLATE: /* priority and DEI stay */
      if (tag) tag->tci = (tag->tci & bpf_htons(0xf000)) | bpf_htons(rule->vlan & 0xfff);
      return XDP_PASS;
    case ACTION_POP:
      return tag ? pop(ctx) : XDP_PASS;
    case ACTION_PUSH:
      return push(ctx, rule->vlan & 0xfff);
    case ACTION_DROP:
      return XDP_DROP;
    default:
      return XDP_PASS;
  }
}

char _license[] SEC("license") = "GPL";
