/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Deals datagrams out to servers in turn, each processor with a turn of its own; servers that are taken out are passed over. Servers
 * are rewritten to by destination address and port, checksums by RFC 1624.
 */
#include "headers.h"

enum { SERVERS = 8, DNS_PORT = 53 };

struct server {
  __be32 address;
  __be16 port;
  __u16 used;
};

struct servers {
  struct server server[SERVERS];
};

MAP(ARRAY, settings, __u32, struct servers, 1);
MAP(PERCPU_ARRAY, turns, __u32, __u32, 1);

SEC("xdp")
int round_robin(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK | IP_MORE_FRAGMENTS)))
    return XDP_PASS;
  struct udphdr *udp = TAKE(&c, struct udphdr);
  if (!udp || udp->dest != bpf_htons(DNS_PORT)) return XDP_PASS;
  __u32 zero = 0;
  struct servers *servers = bpf_map_lookup_elem(&settings, &zero);
  __u32 *turn = bpf_map_lookup_elem(&turns, &zero);
  if (!servers || !turn) return XDP_ABORTED;
  for (int tries = 0; tries < SERVERS; tries++) {
    __u32 index = ++*turn % SERVERS;
    struct server *server = &servers->server[index];
    if (!server->used) continue;
    __be32 to = server->address;
    ip->check = checksum_replace(ip->check, (__u16)ip->daddr, (__u16)to);
    ip->check = checksum_replace(ip->check, (__u16)(ip->daddr >> 16), (__u16)(to >> 16));
    if (udp->check) {
      udp->check = checksum_replace(udp->check, (__u16)ip->daddr, (__u16)to);
      udp->check = checksum_replace(udp->check, (__u16)(ip->daddr >> 16), (__u16)(to >> 16));
      udp->check = checksum_replace(udp->check, udp->dest, server->port);
    }
    ip->daddr = to;
    udp->dest = server->port;
    return XDP_TX;
  }
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
