/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Access lists of tenants, told apart by VLAN: each has a map of its own inside a map, and a default for what its list doesn't name.
 */
#include "headers.h"

enum { TENANTS = 128, RULES = 256, ALLOW = 1 };

struct access {
  __be32 destination;
  __be16 port;
  __u8 protocol, zero;
};

struct tenant_rules {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, RULES);
  __type(key, struct access);
  __type(value, __u8);
} tenant_default SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
  __uint(max_entries, TENANTS);
  __type(key, __u32);
  __array(values, struct tenant_rules);
} tenants SEC(".maps") = {.values = {[1] = &tenant_default}};

MAP(HASH, defaults, __u32, __u8, TENANTS);

SEC("xdp")
int tenant_acl(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_8021Q)) return XDP_DROP;
  struct vlan_header *tag = TAKE(&c, struct vlan_header);
  if (!tag || tag->protocol != bpf_htons(ETH_P_IP)) return XDP_PASS;
  __u32 tenant = bpf_ntohs(tag->tci) & 0xfff;
  struct iphdr *ip = take_ipv4(&c);
  struct udphdr *ports = ip ? TAKE(&c, struct udphdr) : 0;
  if (!ports) return XDP_DROP;
  struct access wanted = {ip->daddr, ports->dest, ip->protocol, 0};
  void *rules = bpf_map_lookup_elem(&tenants, &tenant);
  __u8 *rule = rules ? bpf_map_lookup_elem(rules, &wanted) : 0;
  if (!rule) rule = bpf_map_lookup_elem(&defaults, &tenant);
  return rule && *rule == ALLOW ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
