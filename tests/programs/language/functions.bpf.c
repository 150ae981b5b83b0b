/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A parser in functions that the compiler must not inline: pointers to packet and stack go down, results come up, four frames deep.
 */
#include "headers.h"

struct parsed {
  __u64 source_low, destination_low;
  __u32 kind, ports, depth;
};

enum { KIND_OTHER, KIND_V4, KIND_V6, KINDS };

MAP(PERCPU_ARRAY, kinds, __u32, __u64, KINDS);

static __noinline int parse_ports(void *at, void *end, struct parsed *out) {
  __u32 *ports = at;
  if ((void *)(ports + 1) > end) return -1;
  out->ports = *ports;
  out->depth++;
  return 0;
}

static __noinline int parse_v4(void *at, void *end, struct parsed *out) {
  struct iphdr *ip = at;
  if ((void *)(ip + 1) > end) return -1;
  out->kind = KIND_V4;
  out->source_low = ip->saddr;
  out->destination_low = ip->daddr;
  out->depth++;
  return parse_ports(at + ip->ihl * 4, end, out);
}

static __noinline int parse_v6(void *at, void *end, struct parsed *out) {
  struct ipv6hdr *ip = at;
  if ((void *)(ip + 1) > end) return -1;
  out->kind = KIND_V6;
  __builtin_memcpy(&out->source_low, &ip->saddr.in6_u.u6_addr8[8], 8);
  __builtin_memcpy(&out->destination_low, &ip->daddr.in6_u.u6_addr8[8], 8);
  out->depth++;
  return parse_ports(ip + 1, end, out);
}

static __noinline int parse(struct xdp_md *ctx, struct parsed *out) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return -1;
  out->depth++;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) return parse_v4(c.at, c.end, out);
  if (eth->h_proto == bpf_htons(ETH_P_IPV6)) return parse_v6(c.at, c.end, out);
  return 0;
}

SEC("xdp")
int functions(struct xdp_md *ctx) {
  struct parsed parsed = {0};
  if (parse(ctx, &parsed)) return XDP_DROP;
  if (parsed.kind < KINDS) add_to(&kinds, parsed.kind, 1);
  return parsed.depth >= 3 && parsed.ports == 0 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
