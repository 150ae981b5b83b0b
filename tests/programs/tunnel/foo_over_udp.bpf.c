/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Takes generic UDP encapsulation apart (draft-ietf-intarea-gue, variant 0): header, optional fields by its length, then IPv4 or IPv6, which a
 * byte names; what went before is cut off and an Ethernet header put back in front.
 */
#include "headers.h"

enum { GUE_PORT = 6080, CONTROL = 0x20 };

struct gue {
  __u8 length_and_flags, protocol; /* two bits of variant, control, five bits of length in words of 4 */
  __be16 flags;
};

MAP(HASH, sources, __be32, __u64, 1024); /* that may send, with packets so far */

SEC("xdp")
int foo_over_udp(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = c.at;
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return XDP_PASS;
  struct udphdr *udp = TAKE(&c, struct udphdr);
  if (!udp || udp->dest != bpf_htons(GUE_PORT)) return XDP_PASS;
  struct gue *gue = TAKE(&c, struct gue);
  if (!gue || gue->length_and_flags >> 6 != 0 || (gue->length_and_flags & CONTROL)) return XDP_DROP;
  __be32 source = ip->saddr;
  __u64 *packets = bpf_map_lookup_elem(&sources, &source);
  if (!packets) return XDP_DROP;
  __u8 protocol = gue->protocol;
  if (protocol != IPPROTO_IPIP && protocol != IPPROTO_IPV6) return XDP_DROP;
  if (!take_bytes(&c, (gue->length_and_flags & 0x1fu) * 4)) return XDP_DROP;
  struct ethhdr kept = *eth;
  kept.h_proto = protocol == IPPROTO_IPIP ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
  int cut = (int)(c.at - (void *)eth) - (int)sizeof kept;
  __sync_fetch_and_add(packets, 1);
  if (bpf_xdp_adjust_head(ctx, cut)) return XDP_DROP;
  c = cursor_of(ctx);
  eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_ABORTED;
  *eth = kept;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
