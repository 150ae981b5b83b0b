/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Answers pings over IPv4 and IPv6 by itself (RFC 792, RFC 4443), whoever they are for, and counts them. Checksums are adjusted, not
 * computed anew, so that a wrong one stays wrong.
 */
#include "headers.h"

#include <linux/icmpv6.h>

__u64 answered_ipv4 = 0, answered_ipv6 = 0;

static __always_inline int answer_ipv4(struct ethhdr *eth, struct cursor *c) {
  struct iphdr *ip = take_ipv4(c);
  if (!ip || ip->protocol != IPPROTO_ICMP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return XDP_PASS;
  struct icmp_header *icmp = TAKE(c, struct icmp_header);
  if (!icmp || icmp->type != ICMP_ECHO || icmp->code != 0) return XDP_PASS;
  icmp->type = ICMP_ECHOREPLY;
  icmp->checksum = checksum_replace(icmp->checksum, bpf_htons(ICMP_ECHO << 8), 0);
  __be32 address = ip->saddr;
  ip->saddr = ip->daddr;
  ip->daddr = address;
  swap_ethernet(eth);
  __sync_fetch_and_add(&answered_ipv4, 1);
  return XDP_TX;
}

static __always_inline int answer_ipv6(struct ethhdr *eth, struct cursor *c) {
  struct ipv6hdr *ip = TAKE(c, struct ipv6hdr);
  if (!ip || ip->nexthdr != IPPROTO_ICMPV6) return XDP_PASS;
  struct icmp6hdr *icmp = TAKE(c, struct icmp6hdr);
  if (!icmp || icmp->icmp6_type != ICMPV6_ECHO_REQUEST || icmp->icmp6_code != 0) return XDP_PASS;
  icmp->icmp6_type = ICMPV6_ECHO_REPLY;
  icmp->icmp6_cksum =
      checksum_replace(icmp->icmp6_cksum, bpf_htons(ICMPV6_ECHO_REQUEST << 8), bpf_htons(ICMPV6_ECHO_REPLY << 8));
  struct in6_addr address = ip->saddr;
  ip->saddr = ip->daddr;
  ip->daddr = address;
  swap_ethernet(eth);
  __sync_fetch_and_add(&answered_ipv6, 1);
  return XDP_TX;
}

SEC("xdp")
int icmp_echo(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_PASS;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) return answer_ipv4(eth, &c);
  if (eth->h_proto == bpf_htons(ETH_P_IPV6)) return answer_ipv6(eth, &c);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
