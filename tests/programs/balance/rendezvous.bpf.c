/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rendezvous hashing (Thaler, Ravishankar 1998): of all servers in service the one whose number hashes highest together with the flow.
 * Takes a loop over servers for each packet, and no state.
 */
#include "headers.h"

enum { SERVERS = 32 };

struct server {
  __u8 mac[ETH_ALEN];
  __u16 weight; /* 0: out of service */
};

struct pool {
  struct server servers[SERVERS];
};

MAP(ARRAY, pools, __u32, struct pool, 16);
MAP(HASH, services, __be32, __u32, 64); /* address: pool */

SEC("xdp")
int rendezvous(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = c.at;
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 *number = bpf_map_lookup_elem(&services, &flow.destination);
  if (!number) return XDP_PASS;
  struct pool *pool = bpf_map_lookup_elem(&pools, number);
  if (!pool) return XDP_DROP;
  __u32 hash = flow_hash(&flow), best = SERVERS;
  __u64 highest = 0;
  for (__u32 i = 0; i < SERVERS; i++) {
    __u64 score = (__u64)mix(hash ^ i * 0x9e3779b9u) * pool->servers[i].weight;
    if (score <= highest) continue;
    highest = score;
    best = i;
  }
  if (best >= SERVERS) return XDP_DROP;
  if ((void *)(eth + 1) > c.end) return XDP_ABORTED;
  __builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
  __builtin_memcpy(eth->h_dest, pool->servers[best].mac, ETH_ALEN);
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
