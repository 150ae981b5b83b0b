/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An MPLS edge (RFC 3031): labels are swapped or popped, and packets that a prefix leads into the network get a label pushed; the
 * operation decides how far the start of the packet moves.
 */
#include "headers.h"

enum operation { SWAP, POP, DELIVER };
enum { BOTTOM = 0x100 };

struct forwarding {
  __u32 operation, label;
  __u8 mac[ETH_ALEN];
  __u16 zero;
};

struct prefix {
  __u32 length;
  __be32 address;
};

MAP(HASH, labels, __u32, struct forwarding, 4096);
struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 1024);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct prefix);
  __type(value, struct forwarding);
} classes SEC(".maps");

static __always_inline int finish(struct xdp_md *ctx, const struct forwarding *to, __be16 type, const __u8 *from,
                                  __be32 entry) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_ABORTED;
  __builtin_memcpy(eth->h_dest, to->mac, ETH_ALEN);
  __builtin_memcpy(eth->h_source, from, ETH_ALEN);
  eth->h_proto = type;
  if (type == bpf_htons(ETH_P_MPLS_UC) && entry) {
    __be32 *place = TAKE(&c, __be32);
    if (!place) return XDP_ABORTED;
    *place = entry;
  }
  return XDP_TX;
}

SEC("xdp")
int mpls_edge(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_DROP;
  __u8 own[ETH_ALEN];
  __builtin_memcpy(own, eth->h_dest, ETH_ALEN);
  if (eth->h_proto == bpf_htons(ETH_P_IP)) {
    struct iphdr *ip = take_ipv4(&c);
    if (!ip || ip->ttl <= 1) return XDP_DROP;
    struct prefix key = {32, ip->daddr};
    struct forwarding *to = bpf_map_lookup_elem(&classes, &key);
    if (!to) return XDP_PASS;
    __u32 entry = (to->label & 0xfffff) << 12 | BOTTOM | (ip->ttl - 1u);
    if (bpf_xdp_adjust_head(ctx, -(int)sizeof(__be32))) return XDP_DROP;
    return finish(ctx, to, bpf_htons(ETH_P_MPLS_UC), own, bpf_htonl(entry));
  }
  if (eth->h_proto != bpf_htons(ETH_P_MPLS_UC)) return XDP_PASS;
  __be32 *top = TAKE(&c, __be32);
  if (!top) return XDP_DROP;
  __u32 entry = bpf_ntohl(*top), label = entry >> 12, ttl = entry & 0xff;
  struct forwarding *to = bpf_map_lookup_elem(&labels, &label);
  if (!to || ttl <= 1) return XDP_DROP;
  if (to->operation == SWAP)
    return finish(ctx, to, bpf_htons(ETH_P_MPLS_UC), own,
                  bpf_htonl((to->label & 0xfffff) << 12 | (entry & 0xf00) | (ttl - 1)));
  __be16 type = entry & BOTTOM ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_MPLS_UC);
  if (bpf_xdp_adjust_head(ctx, sizeof(__be32))) return XDP_DROP;
  return finish(ctx, to, type, own, 0);
}

char _license[] SEC("license") = "GPL";
