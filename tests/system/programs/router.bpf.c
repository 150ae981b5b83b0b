/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Forwards IPv4 as Linux's samples/bpf/xdp_fwd does: asks for the route, takes one from the time to live, and sends the packet where the
 * route leads. What has no route, or is for this host, is passed.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { FAMILY_IPV4 = 2 };

SEC("xdp")
int router(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *ether = data;
  struct iphdr *ip = data + sizeof *ether;
  if ((void *)(ip + 1) > end || ether->h_proto != bpf_htons(ETH_P_IP) || ip->ttl <= 1) return XDP_PASS;
  struct bpf_fib_lookup route;
  __builtin_memset(&route, 0, sizeof route); /* an initialiser leaves what lies between its fields as it was */
  route.family = FAMILY_IPV4;
  route.l4_protocol = ip->protocol;
  route.tot_len = bpf_ntohs(ip->tot_len);
  route.ifindex = ctx->ingress_ifindex;
  route.tos = ip->tos;
  route.ipv4_src = ip->saddr;
  route.ipv4_dst = ip->daddr;
  if (bpf_fib_lookup(ctx, &route, sizeof route, BPF_FIB_LOOKUP_SKIP_NEIGH) != BPF_FIB_LKUP_RET_SUCCESS) return XDP_PASS;
  __u32 sum = ip->check + bpf_htons(0x0100); /* RFC 1624: what the time to live loses, its sum gains */
  ip->check = sum + (sum >> 16);
  ip->ttl--;
  return bpf_redirect(route.ifindex, 0);
}

char _license[] SEC("license") = "BSD";
