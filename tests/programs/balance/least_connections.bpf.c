/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gives a new TCP connection to the server that has the fewest, and counts down when it ends. Servers are entries of an array that a
 * loop looks up one after the other.
 */
#include "headers.h"

enum { SERVERS = 16 };

struct server {
  __be32 address;
  __u32 connections;
};

MAP(ARRAY, servers, __u32, struct server, SERVERS);
MAP(LRU_HASH, assigned, struct flow, __u32, 8192);

static __always_inline __u32 least_loaded(void) {
  __u32 best = SERVERS, least = 0xffffffff;
  for (__u32 i = 0; i < SERVERS; i++) {
    __u32 key = i;
    struct server *server = bpf_map_lookup_elem(&servers, &key);
    if (!server || !server->address || server->connections >= least) continue;
    least = server->connections;
    best = i;
  }
  return best;
}

SEC("xdp")
int least_connections(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp) return XDP_DROP;
  __u32 index = SERVERS, *known = bpf_map_lookup_elem(&assigned, &flow);
  if (known) {
    index = *known;
  } else {
    if (!tcp->syn || tcp->ack) return XDP_DROP;
    index = least_loaded();
    if (index >= SERVERS || bpf_map_update_elem(&assigned, &flow, &index, BPF_NOEXIST)) return XDP_DROP;
  }
  struct server *server = bpf_map_lookup_elem(&servers, &index);
  if (!server) return XDP_DROP;
  if (!known) __sync_fetch_and_add(&server->connections, 1);
  if (known && (tcp->fin || tcp->rst) && bpf_map_delete_elem(&assigned, &flow) == 0)
    __sync_fetch_and_add(&server->connections, -1);
  struct cursor start = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&start);
  if (!ip) return XDP_ABORTED;
  __be32 old = ip->daddr;
  ip->check = checksum_replace(ip->check, (__u16)old, (__u16)server->address);
  ip->check = checksum_replace(ip->check, (__u16)(old >> 16), (__u16)(server->address >> 16));
  ip->daddr = server->address;
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
