/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A layer-4 load balancer whose services are compiled in, as generators of such programs write them: for each of SERVICES the compiler makes
 * code of its own (address, ports, hash, probing for a server in service, rewriting of addresses and checksums). About 5,000 instructions.
 */
#include "headers.h"

enum { SERVICES = 16, POOL = 16, PROBES = 2 };

struct server {
  __be32 address;
  __be16 port;
  __u16 alive;
  __u8 mac[ETH_ALEN];
  __u16 zero;
};

struct pool {
  __u64 packets, bytes;
  struct server servers[POOL];
};

MAP(ARRAY, pools, __u32, struct pool, SERVICES);
MAP(LRU_HASH, flows, struct flow, __u32, 65536);

static __always_inline __u16 replace_address(__u16 check, __be32 from, __be32 to) {
  check = checksum_replace(check, (__u16)from, (__u16)to);
  return checksum_replace(check, (__u16)(from >> 16), (__u16)(to >> 16));
}

static __always_inline int serve(struct ethhdr *eth, struct iphdr *ip, struct udphdr *ports, void *end,
                                 const struct flow *flow, __u32 service) {
  struct pool *pool = bpf_map_lookup_elem(&pools, &service);
  if (!pool) return XDP_ABORTED;
  __u32 *known = bpf_map_lookup_elem(&flows, flow);
  __u32 slot = known ? *known % POOL : (flow_hash(flow) ^ service * 0x9e3779b9u) % POOL;
#pragma unroll
  for (int i = 0; i < PROBES; i++)
    if (!pool->servers[slot].alive) slot = (slot + 1 + service) % POOL;
  struct server *server = &pool->servers[slot];
  if (!server->alive) return XDP_DROP;
  if (!known) bpf_map_update_elem(&flows, flow, &slot, BPF_ANY);
  __sync_fetch_and_add(&pool->packets, 1);
  __sync_fetch_and_add(&pool->bytes, end - (void *)eth);
  if (ip->protocol == IPPROTO_TCP) {
    struct tcphdr *tcp = (void *)ports;
    if ((void *)(tcp + 1) > end) return XDP_DROP;
    tcp->check = checksum_replace(replace_address(tcp->check, ip->daddr, server->address), tcp->dest, server->port);
  } else if (ports->check) {
    ports->check =
        checksum_replace(replace_address(ports->check, ip->daddr, server->address), ports->dest, server->port);
  }
  ip->check = replace_address(ip->check, ip->daddr, server->address);
  ip->daddr = server->address;
  ports->dest = server->port;
  __builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
  __builtin_memcpy(eth->h_dest, server->mac, ETH_ALEN);
  return XDP_TX;
}

SEC("xdp")
int large_balancer(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = c.at;
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || (ip->frag_off & bpf_htons(IP_OFFSET_MASK | IP_MORE_FRAGMENTS))) return XDP_PASS;
  if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP) return XDP_PASS;
  struct udphdr *ports = TAKE(&c, struct udphdr);
  if (!ports) return XDP_PASS;
  struct flow flow = {ip->saddr, ip->daddr, ports->source, ports->dest, ip->protocol, {0}};
/* 192.0.2.1 and on, ports 1000 and on. The mask changes nothing, but differs: or the compiler would make one of all of them again. */
#define SERVE(number)                                                                                    \
  if (ip->daddr == bpf_htonl(0xc0000201 + number) && ports->dest == bpf_htons((__u16)(1000 + number))) { \
    int verdict = serve(eth, ip, ports, c.end, &flow, number);                                           \
    asm volatile("%0 &= %1" : "+r"(verdict) : "i"(number * 8 + 7));                                      \
    return verdict;                                                                                      \
  }
#define SERVE_4(a, b, c, d) SERVE(a) SERVE(b) SERVE(c) SERVE(d)
  SERVE_4(0, 1, 2, 3)
  SERVE_4(4, 5, 6, 7)
  SERVE_4(8, 9, 10, 11)
  SERVE_4(12, 13, 14, 15)
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
