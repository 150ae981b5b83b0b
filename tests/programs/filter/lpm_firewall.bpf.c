/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Drops packets whose source lies in a blocked prefix, IPv4 or IPv6; the longest prefix decides, and may allow what a shorter one
 * blocks. Counts per processor and rule.
 */
#include "headers.h"

enum { RULES_MAX = 256, VERDICT_ALLOW = 0, VERDICT_BLOCK = 1 };

struct rule {
  __u32 id, verdict;
};

struct key4 {
  __u32 length;
  __be32 address;
};

struct key6 {
  __u32 length;
  struct in6_addr address;
};

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, RULES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct key4);
  __type(value, struct rule);
} rules4 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, RULES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct key6);
  __type(value, struct rule);
} rules6 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, RULES_MAX);
  __type(key, __u32);
  __type(value, __u64);
} hits SEC(".maps");

static __always_inline int judge(const struct rule *rule) {
  if (!rule) return XDP_PASS;
  __u64 *count = bpf_map_lookup_elem(&hits, &rule->id);
  if (count) ++*count;
  return rule->verdict == VERDICT_BLOCK ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int lpm_firewall(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_DROP;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) {
    struct iphdr *ip = TAKE(&c, struct iphdr);
    if (!ip) return XDP_DROP;
    struct key4 key = {32, ip->saddr};
    return judge(bpf_map_lookup_elem(&rules4, &key));
  }
  if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
    struct ipv6hdr *ip = TAKE(&c, struct ipv6hdr);
    if (!ip) return XDP_DROP;
    struct key6 key = {128, ip->saddr};
    return judge(bpf_map_lookup_elem(&rules6, &key));
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
