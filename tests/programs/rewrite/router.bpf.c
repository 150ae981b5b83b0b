/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A router for IPv4: the longest prefix gives the next hop, the hop its hardware address and port; the time to live goes down and the
 * checksum with it (RFC 1812, section 5).
 */
#include "headers.h"

enum { HOPS = 256, PORTS = 32 };

struct prefix {
  __u32 length;
  __be32 address;
};

struct hop {
  __u8 mac[ETH_ALEN], from[ETH_ALEN];
  __u32 port;
};

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 4096);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct prefix);
  __type(value, __u32);
} routes SEC(".maps");
MAP(ARRAY, hops, __u32, struct hop, HOPS);
MAP(DEVMAP, ports, __u32, __u32, PORTS);
MAP(PERCPU_ARRAY, dropped, __u32, __u64, 4);

enum reason { NO_ROUTE, EXPIRED, TOO_LONG, NO_HOP };

static __always_inline int drop(enum reason reason) {
  add_to(&dropped, reason, 1);
  return XDP_DROP;
}

SEC("xdp")
int router(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = c.at;
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  if (ip->ttl <= 1) return drop(EXPIRED);
  struct prefix key = {32, ip->daddr};
  __u32 *number = bpf_map_lookup_elem(&routes, &key), mtu = 0;
  if (!number) return drop(NO_ROUTE);
  struct hop *hop = bpf_map_lookup_elem(&hops, number);
  if (!hop) return drop(NO_HOP);
  if (bpf_check_mtu(ctx, 0, &mtu, 0, 0)) return drop(TOO_LONG);
  __u32 check = ip->check + bpf_htons(0x100);
  ip->check = (__u16)(check + (check >= 0xffff));
  ip->ttl--;
  __builtin_memcpy(eth->h_dest, hop->mac, ETH_ALEN);
  __builtin_memcpy(eth->h_source, hop->from, ETH_ALEN);
  return (int)bpf_redirect_map(&ports, hop->port, XDP_DROP);
}

char _license[] SEC("license") = "GPL";
