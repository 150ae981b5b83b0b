/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Puts frames into VXLAN (RFC 7348): the destination's hardware address finds the tunnel's far end; the source port comes from a hash of
 * the frame, so that paths can be told apart.
 */
#include "headers.h"

enum { VXLAN_PORT = 4789, TTL = 64 };

struct vxlan {
  __be32 flags, network;
};

struct outer {
  struct ethhdr eth;
  struct iphdr ip;
  struct udphdr udp;
  struct vxlan vxlan;
} __attribute__((packed));

struct address {
  __u8 mac[ETH_ALEN];
  __u16 zero;
};

struct tunnel {
  __be32 from, to;
  __u32 network;
  __u8 next_hop[ETH_ALEN], own[ETH_ALEN];
};

MAP(HASH, tunnels, struct address, struct tunnel, 4096);

SEC("xdp")
int vxlan_encap(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  __u16 length = (__u16)(c.end - c.at);
  struct ethhdr *frame = TAKE(&c, struct ethhdr);
  if (!frame) return XDP_DROP;
  struct address key = {.zero = 0};
  __builtin_memcpy(key.mac, frame->h_dest, ETH_ALEN);
  __u32 hash = 0;
  for (int i = 0; i < ETH_ALEN; i++)
    hash = mix(hash ^ (frame->h_source[i] | (__u32)frame->h_dest[i] << 8));
  struct tunnel *tunnel = bpf_map_lookup_elem(&tunnels, &key);
  if (!tunnel) return XDP_PASS;
  if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct outer))) return XDP_DROP;
  c = cursor_of(ctx);
  struct outer *outer = TAKE(&c, struct outer);
  if (!outer) return XDP_ABORTED;
  __u16 udp = sizeof outer->udp + sizeof outer->vxlan + length;
  __builtin_memcpy(outer->eth.h_dest, tunnel->next_hop, ETH_ALEN);
  __builtin_memcpy(outer->eth.h_source, tunnel->own, ETH_ALEN);
  outer->eth.h_proto = bpf_htons(ETH_P_IP);
  struct iphdr ip = {.version = 4,
                     .ihl = 5,
                     .tot_len = bpf_htons(udp + sizeof ip),
                     .ttl = TTL,
                     .protocol = IPPROTO_UDP,
                     .saddr = tunnel->from,
                     .daddr = tunnel->to};
  ip.check = ipv4_checksum(&ip);
  outer->ip = ip;
  outer->udp.source = bpf_htons((__u16)(0xc000 | (hash & 0x3fff)));
  outer->udp.dest = bpf_htons(VXLAN_PORT);
  outer->udp.len = bpf_htons(udp);
  outer->udp.check = 0;
  outer->vxlan.flags = bpf_htonl(0x08000000);
  outer->vxlan.network = bpf_htonl(tunnel->network << 8);
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
