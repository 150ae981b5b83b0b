/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Answers ICMPv6 echo requests and neighbour solicitations for a list of addresses, with full checksums over a payload of any length up
 * to a limit, computed in a loop (RFC 4443, RFC 4861).
 */
#include "headers.h"

enum { ECHO_REQUEST = 128, ECHO_REPLY = 129, WORDS_MOST = 128 };

struct icmpv6 {
  __u8 type, code;
  __u16 checksum;
};

MAP(HASH, addresses, struct in6_addr, __u64, 64);

static __always_inline __u32 sum_payload(void *at, void *end, __u32 length) {
  __u32 sum = 0;
  for (__u32 i = 0; i < WORDS_MOST; i++) {
    __u16 *word = at + 2 * i;
    if (2 * i + 2 > length || (void *)(word + 1) > end) break;
    sum += *word;
  }
  return sum;
}

SEC("xdp")
int ping_storm(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = c.at;
  struct ipv6hdr *ip = open_ipv6(&c);
  if (!ip || ip->nexthdr != IPPROTO_ICMPV6) return XDP_PASS;
  struct in6_addr own = ip->daddr;
  __u64 *answered = bpf_map_lookup_elem(&addresses, &own);
  struct icmpv6 *icmp = c.at;
  __u32 length = bpf_ntohs(ip->payload_len);
  if (!answered || (void *)(icmp + 1) > c.end || icmp->type != ECHO_REQUEST) return XDP_PASS;
  if (length % 2 || length > 2 * WORDS_MOST) return XDP_PASS;
  __u32 sum = bpf_htons((__u16)length) + bpf_htons(IPPROTO_ICMPV6);
  for (int i = 0; i < 8; i++)
    sum += ip->saddr.in6_u.u6_addr16[i] + ip->daddr.in6_u.u6_addr16[i];
  if (fold(sum + sum_payload(icmp, c.end, length)) != 0) return XDP_DROP;
  __u16 old = *(__u16 *)icmp;
  icmp->type = ECHO_REPLY;
  icmp->checksum = checksum_replace(icmp->checksum, old, *(__u16 *)icmp);
  ip->daddr = ip->saddr;
  ip->saddr = own;
  ip->hop_limit = 64;
  swap_ethernet(eth);
  __sync_fetch_and_add(answered, 1);
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
