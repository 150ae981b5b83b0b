/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lets ICMP errors in only if the packet that they quote (RFC 792; RFC 5508, section 4.2) belongs to a flow that this network began. The
 * quoted header has options of its own, and only eight bytes behind it need be there.
 */
#include "headers.h"

enum { UNREACHABLE = 3, TIME_EXCEEDED = 11, PARAMETER_PROBLEM = 12 };

MAP(LRU_HASH, flows_out, struct flow, __u64, 8192); /* errors that came for it */

SEC("xdp")
int icmp_errors(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_ICMP) return XDP_PASS;
  struct icmp_header *icmp = TAKE(&c, struct icmp_header);
  if (!icmp) return XDP_DROP;
  if (icmp->type != UNREACHABLE && icmp->type != TIME_EXCEEDED && icmp->type != PARAMETER_PROBLEM) return XDP_PASS;
  struct iphdr *quoted = take_ipv4(&c);
  if (!quoted || quoted->saddr != ip->daddr) return XDP_DROP;
  if (quoted->protocol != IPPROTO_TCP && quoted->protocol != IPPROTO_UDP) return XDP_DROP;
  struct udphdr *ports = TAKE(&c, struct udphdr);
  if (!ports) return XDP_DROP;
  struct flow flow = {quoted->saddr, quoted->daddr, ports->source, ports->dest, quoted->protocol, {0}};
  __u64 *errors = bpf_map_lookup_elem(&flows_out, &flow);
  if (!errors) return XDP_DROP;
  __sync_fetch_and_add(errors, 1);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
