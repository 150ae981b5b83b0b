/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Takes packets out of GRE tunnels (RFC 2784, RFC 2890) from known endpoints: checksum, key and sequence number may be present, the
 * key must be the endpoint's. What is inside goes on as if it had come by Ethernet.
 */
#include "headers.h"

enum {
  GRE_CHECKSUM = 0x8000,
  GRE_KEY = 0x2000,
  GRE_SEQUENCE = 0x1000,
  GRE_REST = 0x4fff,
  GRE_TRANSPARENT_ETHERNET = 0x6558
};

struct gre {
  __be16 flags, protocol;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, __be32);
  __type(value, __be32); /* the key that its packets carry, 0: none */
} endpoints SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 64);
  __type(key, __be32);
  __type(value, __u64);
} decapsulated SEC(".maps");

static __always_inline void count(__be32 endpoint) {
  __u64 one = 1, *packets = bpf_map_lookup_elem(&decapsulated, &endpoint);
  if (packets)
    ++*packets;
  else
    bpf_map_update_elem(&decapsulated, &endpoint, &one, BPF_ANY);
}

SEC("xdp")
int gre_decap(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_IP)) return XDP_PASS;
  struct iphdr *ip = take_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_GRE || (ip->frag_off & bpf_htons(IP_OFFSET_MASK | IP_MORE_FRAGMENTS)))
    return XDP_PASS;
  __be32 endpoint = ip->saddr, *expected = bpf_map_lookup_elem(&endpoints, &endpoint);
  if (!expected) return XDP_PASS;
  struct gre *gre = TAKE(&c, struct gre);
  if (!gre) return XDP_DROP;
  __u16 flags = bpf_ntohs(gre->flags), protocol = bpf_ntohs(gre->protocol);
  if (flags & GRE_REST) return XDP_DROP; /* routing, recursion, or not version 0 */
  if ((flags & GRE_CHECKSUM) && !TAKE(&c, __be32)) return XDP_DROP;
  __be32 *key = flags & GRE_KEY ? TAKE(&c, __be32) : 0;
  if ((key ? *key : 0) != *expected) return XDP_DROP;
  if ((flags & GRE_SEQUENCE) && !TAKE(&c, __be32)) return XDP_DROP;
  if (c.at >= c.end) return XDP_DROP;

  int outer = (int)(c.at - (void *)eth);
  if (protocol == GRE_TRANSPARENT_ETHERNET) {
    count(endpoint);
    return bpf_xdp_adjust_head(ctx, outer) ? XDP_DROP : XDP_PASS;
  }
  if (protocol != ETH_P_IP && protocol != ETH_P_IPV6) return XDP_DROP;
  struct ethhdr header = *eth;
  header.h_proto = bpf_htons(protocol);
  if (bpf_xdp_adjust_head(ctx, outer - (int)sizeof header)) return XDP_DROP;
  c = cursor_of(ctx);
  eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_DROP;
  *eth = header;
  count(endpoint);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
