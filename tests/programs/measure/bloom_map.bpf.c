/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Drops duplicates of datagrams, as two paths of a redundant network deliver them, by a bloom filter map of what was seen and a table
 * for the few that the filter is wrong about.
 */
#include "headers.h"

struct {
  __uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
  __uint(max_entries, 8192);
  __uint(map_extra, 4);
  __type(value, __u64);
} seen SEC(".maps");
MAP(LRU_HASH, exact, __u64, __u8, 8192);
__u64 duplicates = 0;

SEC("xdp")
int bloom_map(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_UDP) return XDP_PASS;
  __u64 identity = (__u64)mix(ip->saddr ^ mix(ip->daddr)) << 32 | (__u32)ip->id << 16 | ip->check;
  __u8 one = 1;
  if (bpf_map_peek_elem(&seen, &identity) == 0 && bpf_map_lookup_elem(&exact, &identity)) {
    __sync_fetch_and_add(&duplicates, 1);
    return XDP_DROP;
  }
  bpf_map_push_elem(&seen, &identity, BPF_ANY);
  bpf_map_update_elem(&exact, &identity, &one, BPF_ANY);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
