/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv6 router advertisement guard (RFC 6105): advertisements (RFC 4861, section 4.2) pass only from known routers, and only with prefixes
 * from a table. The options are walked; one of length 0 would never end and drops the packet, as the RFC says.
 */
#include "headers.h"

enum { ADVERTISEMENT = 134, OPTION_PREFIX = 3, OPTIONS_MOST = 16, PREFIX_BYTES = 32 };

struct advertisement {
  __u8 type, code;
  __sum16 checksum;
  __u8 hop_limit, flags;
  __be16 lifetime;
  __be32 reachable, retransmit;
};

struct option {
  __u8 type, length; /* in units of 8 bytes, itself counted */
};

struct prefix_option {
  struct option option;
  __u8 length, flags;
  __be32 valid, preferred, reserved;
  struct in6_addr prefix;
};

struct prefix {
  __u32 length;
  struct in6_addr address;
};

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 256);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct prefix);
  __type(value, __u8);
} prefixes SEC(".maps");
MAP(HASH, routers, struct in6_addr, __u8, 64);

SEC("xdp")
int router_guard(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ipv6hdr *ip = open_ipv6(&c);
  if (!ip || ip->nexthdr != IPPROTO_ICMPV6) return XDP_PASS;
  struct advertisement *advertisement = c.at;
  if ((void *)(&advertisement->type + 1) > c.end || advertisement->type != ADVERTISEMENT) return XDP_PASS;
  if ((void *)(advertisement + 1) > c.end || ip->hop_limit != 255) return XDP_DROP;
  struct in6_addr source = ip->saddr;
  if (!bpf_map_lookup_elem(&routers, &source)) return XDP_DROP;
  c.at = advertisement + 1;
  for (int i = 0; i < OPTIONS_MOST; i++) {
    if (c.at >= c.end) return XDP_PASS;
    struct option *option = c.at;
    if ((void *)(option + 1) > c.end || option->length == 0) return XDP_DROP;
    if (option->type == OPTION_PREFIX) {
      struct prefix_option *announced = c.at;
      if ((void *)(announced + 1) > c.end || announced->length > 128) return XDP_DROP;
      struct prefix key = {announced->length, announced->prefix};
      if (!bpf_map_lookup_elem(&prefixes, &key)) return XDP_DROP;
    }
    c.at += option->length * 8;
  }
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
