/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A layer-4 load balancer: flows to a virtual address go to real servers by IP-in-IP (RFC 2003). A new flow takes its server from a
 * lookup table as Maglev fills it (Eisenbud et al., NSDI '16), so that few flows move when servers come and go; known flows stay with
 * theirs by an LRU table of connections.
 */
#include "headers.h"

enum { TABLE_SIZE = 4099, SERVERS_MAX = 256, FLOWS_MAX = 4096, TTL = 64 };

struct service {
  __be32 address;
  __be16 port;
  __u8 protocol, zero;
};

struct server {
  __be32 address; /* 0: out of service */
  __u8 mac[ETH_ALEN], zero[2];
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, struct service);
  __type(value, __be32); /* where tunnels come from */
} services SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, TABLE_SIZE);
  __type(key, __u32);
  __type(value, __u32); /* index of a server */
} table SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, SERVERS_MAX);
  __type(key, __u32);
  __type(value, struct server);
} servers SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, FLOWS_MAX);
  __type(key, struct flow);
  __type(value, __u32);
} flows SEC(".maps");

static __always_inline struct server *server_of(const struct flow *flow) {
  __u32 *known = bpf_map_lookup_elem(&flows, flow);
  if (known) {
    struct server *server = bpf_map_lookup_elem(&servers, known);
    if (server && server->address) return server;
  }
  __u32 slot = flow_hash(flow) % TABLE_SIZE;
  __u32 *index = bpf_map_lookup_elem(&table, &slot);
  if (!index) return 0;
  struct server *server = bpf_map_lookup_elem(&servers, index);
  if (!server || !server->address) return 0;
  bpf_map_update_elem(&flows, flow, index, BPF_ANY);
  return server;
}

/* Puts an outer IPv4 header in front and sends the packet back out. */
static __always_inline int encapsulate(struct xdp_md *ctx, const struct server *server, __be32 from, __u16 length,
                                       __u8 tos) {
  struct ethhdr old;
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_DROP;
  old = *eth;
  if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr))) return XDP_DROP;
  c = cursor_of(ctx);
  eth = TAKE(&c, struct ethhdr);
  struct iphdr *ip = eth ? TAKE(&c, struct iphdr) : 0;
  if (!eth || !ip) return XDP_DROP;
  __builtin_memcpy(eth->h_dest, server->mac, ETH_ALEN);
  __builtin_memcpy(eth->h_source, old.h_dest, ETH_ALEN);
  eth->h_proto = old.h_proto;
  *ip = (struct iphdr){.version = 4,
                       .ihl = 5,
                       .tos = tos,
                       .tot_len = bpf_htons(length + sizeof *ip),
                       .ttl = TTL,
                       .protocol = IPPROTO_IPIP,
                       .saddr = from,
                       .daddr = server->address};
  ip->check = ipv4_checksum(ip);
  return XDP_TX;
}

SEC("xdp")
int load_balancer(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || (ip->frag_off & bpf_htons(IP_OFFSET_MASK | IP_MORE_FRAGMENTS))) return XDP_PASS;
  if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP) return XDP_PASS;
  struct udphdr *ports = TAKE(&c, struct udphdr); /* TCP's ports lie at the same place */
  if (!ports) return XDP_PASS;
  struct service service = {ip->daddr, ports->dest, ip->protocol, 0};
  __be32 *from = bpf_map_lookup_elem(&services, &service);
  if (!from) return XDP_PASS;
  struct flow flow = {ip->saddr, ip->daddr, ports->source, ports->dest, ip->protocol, {0}};
  struct server *server = server_of(&flow);
  if (!server) return XDP_DROP;
  return encapsulate(ctx, server, *from, bpf_ntohs(ip->tot_len), ip->tos);
}

char _license[] SEC("license") = "GPL";
