/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reads an MPLS label stack down to its bottom (RFC 3032) and hashes the flow behind it into one of several outputs; the entropy label
 * (RFC 6790), where there is one, stands in for the flow.
 */
#include "headers.h"

enum { LABELS_MOST = 12, BOTTOM = 0x100, ENTROPY_INDICATOR = 7, OUTPUTS = 8 };

MAP(DEVMAP, outputs, __u32, __u32, OUTPUTS);

static __always_inline __u32 hash_inner(struct cursor *c) {
  __u8 *first = c->at;
  if ((void *)(first + 1) > c->end) return 0;
  if (*first >> 4 == 4) {
    struct iphdr *ip = TAKE(c, struct iphdr);
    return ip ? mix(ip->saddr ^ mix(ip->daddr)) : 0;
  }
  if (*first >> 4 == 6) {
    struct ipv6hdr *ip = TAKE(c, struct ipv6hdr);
    __u32 hash = 0;
    if (!ip) return 0;
    for (unsigned i = 0; i < 4; i++)
      hash = mix(hash ^ ip->saddr.in6_u.u6_addr32[i] ^ ip->daddr.in6_u.u6_addr32[i]);
    return hash;
  }
  return 0;
}

SEC("xdp")
int mpls_stack(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_MPLS_UC)) return XDP_PASS;
  __u32 previous = 0, entropy = 0, word = 0;
  for (int i = 0; i < LABELS_MOST; i++) {
    __be32 *entry = TAKE(&c, __be32);
    if (!entry) return XDP_DROP;
    word = bpf_ntohl(*entry);
    if ((word & 0xff) <= 1) return XDP_DROP; /* its time to live ends here */
    if (previous == ENTROPY_INDICATOR) entropy = word >> 12;
    previous = word >> 12;
    if (word & BOTTOM) break;
  }
  if (!(word & BOTTOM)) return XDP_DROP;
  __u32 hash = entropy ? mix(entropy) : hash_inner(&c);
  return (int)bpf_redirect_map(&outputs, hash % OUTPUTS, XDP_DROP);
}

char _license[] SEC("license") = "GPL";
