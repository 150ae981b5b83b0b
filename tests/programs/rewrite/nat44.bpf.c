/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Network address and port translation (RFC 3022) of many hosts behind one address: outbound flows get a port by hash and probing, both
 * directions are remembered, and checksums are corrected by differences.
 */
#include "headers.h"

enum { PROBES = 8, PORT_FIRST = 1024, PORTS = 64512 };

const volatile __be32 inside = 0x0000000a, inside_mask = 0x000000ff, outside = 0x010200c0; /* 10/8, 192.0.2.1 */

struct binding {
  __be32 address;
  __be16 port;
  __u16 zero;
};

MAP(LRU_HASH, outbound, struct flow, struct binding, 65536);
MAP(LRU_HASH, inbound, struct flow, struct binding, 65536);

/* A port of ours that no other flow has to the same far end; 0: none was found. */
static __always_inline __be16 take_port(const struct flow *flow, struct flow *back) {
  __u32 hash = flow_hash(flow);
  struct binding original = {flow->source, flow->source_port, 0};
  *back = (struct flow){flow->destination, outside, flow->destination_port, 0, flow->protocol, {0}};
  for (__u32 i = 0; i < PROBES; i++) {
    back->destination_port = bpf_htons((__u16)(PORT_FIRST + (hash + i) % PORTS));
    if (bpf_map_update_elem(&inbound, back, &original, BPF_NOEXIST) == 0) return back->destination_port;
  }
  return 0;
}

static __always_inline __u16 replace_address(__u16 check, __be32 from, __be32 to) {
  check = checksum_replace(check, (__u16)from, (__u16)to);
  return checksum_replace(check, (__u16)(from >> 16), (__u16)(to >> 16));
}

SEC("xdp")
int nat44(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || (ip->frag_off & bpf_htons(IP_OFFSET_MASK | IP_MORE_FRAGMENTS))) return XDP_PASS;
  __be16 *ports, *check;
  if (ip->protocol == IPPROTO_TCP) {
    struct tcphdr *tcp = TAKE(&c, struct tcphdr);
    if (!tcp) return XDP_DROP;
    ports = &tcp->source;
    check = &tcp->check;
  } else if (ip->protocol == IPPROTO_UDP) {
    struct udphdr *udp = TAKE(&c, struct udphdr);
    if (!udp) return XDP_DROP;
    ports = &udp->source;
    check = &udp->check;
  } else {
    return XDP_PASS;
  }
  struct flow flow = {ip->saddr, ip->daddr, ports[0], ports[1], ip->protocol, {0}}, back;
  int out = (ip->saddr & inside_mask) == inside;
  struct binding *known = out ? bpf_map_lookup_elem(&outbound, &flow) : bpf_map_lookup_elem(&inbound, &flow), fresh;
  if (!known) {
    if (!out) return ip->daddr == outside ? XDP_DROP : XDP_PASS;
    fresh = (struct binding){outside, take_port(&flow, &back), 0};
    if (!fresh.port) return XDP_DROP;
    bpf_map_update_elem(&outbound, &flow, &fresh, BPF_ANY);
    known = &fresh;
  }
  __be32 old = out ? ip->saddr : ip->daddr;
  __be16 old_port = out ? ports[0] : ports[1];
  ip->check = replace_address(ip->check, old, known->address);
  if (*check || ip->protocol == IPPROTO_TCP)
    *check = checksum_replace(replace_address(*check, old, known->address), old_port, known->port);
  if (out) {
    ip->saddr = known->address;
    ports[0] = known->port;
  } else {
    ip->daddr = known->address;
    ports[1] = known->port;
  }
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
