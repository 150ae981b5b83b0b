/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Forwards ports of one address to hosts behind it, and their answers back, by two static tables.
 */
#include "headers.h"

struct endpoint {
  __be32 address;
  __be16 port;
  __u8 protocol, zero;
};

MAP(HASH, forwards, struct endpoint, struct endpoint, 256);
MAP(HASH, answers, struct endpoint, struct endpoint, 256);

/* A global function: verified alone, for any arguments. */
__noinline __u32 replaced(__u32 check, __u32 from, __u32 to) {
  check = checksum_replace((__u16)check, (__u16)from, (__u16)to);
  return checksum_replace((__u16)check, (__u16)(from >> 16), (__u16)(to >> 16));
}

SEC("xdp")
int port_forward(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return XDP_PASS;
  struct udphdr *udp = TAKE(&c, struct udphdr);
  if (!udp) return XDP_DROP;
  struct endpoint source = {ip->saddr, udp->source, ip->protocol, 0},
                  destination = {ip->daddr, udp->dest, ip->protocol, 0};
  struct endpoint *to = bpf_map_lookup_elem(&forwards, &destination), *from = 0;
  if (!to) from = bpf_map_lookup_elem(&answers, &source);
  if (!to && !from) return XDP_PASS;
  struct endpoint old = to ? destination : source, new = to ? *to : *from;
  ip->check = (__u16)replaced(ip->check, old.address, new.address);
  if (udp->check)
    udp->check = checksum_replace((__u16)replaced(udp->check, old.address, new.address), old.port, new.port);
  if (to) {
    ip->daddr = new.address;
    udp->dest = new.port;
  } else {
    ip->saddr = new.address;
    udp->source = new.port;
  }
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
