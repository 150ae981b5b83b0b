/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Direct server return on one link: only the destination's hardware address changes, servers hold the service's address and answer
 * clients themselves. Clients of listed networks go to a server of their own (a canary, say), by the longest prefix.
 */
#include "headers.h"

enum { SERVERS = 256 };

struct server {
  __u8 mac[ETH_ALEN];
  __u8 alive, zero;
};

struct network {
  __u32 length;
  __be32 address;
};

const volatile __u32 servers_used = 16;

MAP(ARRAY, servers, __u32, struct server, SERVERS);
MAP(HASH, services, __be32, __u8, 256);
struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 1024);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct network);
  __type(value, __u32);
} pinned SEC(".maps");

SEC("xdp")
int direct_return(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || !bpf_map_lookup_elem(&services, &flow.destination)) return XDP_PASS;
  struct network source = {32, flow.source};
  __u32 index, *special = bpf_map_lookup_elem(&pinned, &source);
  index = special ? *special : flow_hash(&flow) % (servers_used ? servers_used : 1);
  struct server *server = bpf_map_lookup_elem(&servers, &index);
  for (int i = 0; server && !server->alive && i < 4; i++) { /* the next ones stand in for it */
    __u32 next = (index + (__u32)i + 1) % SERVERS;
    server = bpf_map_lookup_elem(&servers, &next);
  }
  if (!server || !server->alive) return XDP_DROP;
  struct cursor start = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&start, struct ethhdr);
  if (!eth) return XDP_ABORTED;
  __builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
  __builtin_memcpy(eth->h_dest, server->mac, ETH_ALEN);
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
