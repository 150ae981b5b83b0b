/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Wrong on purpose: drops UDP from and to port 53 as block_dns.bpf.c does, but the line that compares the UDP header with the packet's end
 * is missing. A frame that ends behind its IPv4 header would have it read what lies behind the packet. `imago verify` says so, and what
 * to do.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>

#include "counters.h"

enum { DNS_PORT = 53 };

static __always_inline int judge(struct xdp_md *ctx) {
  void *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct iphdr *ip = (void *)(eth + 1);
  if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
    return XDP_PASS;
  struct udphdr *udp = (void *)(ip + 1);
  if (udp->source == bpf_htons(DNS_PORT) || udp->dest == bpf_htons(DNS_PORT)) return XDP_DROP;
  return XDP_PASS;
}

SEC("xdp")
int unchecked(struct xdp_md *ctx) { return count((__u32)judge(ctx)); }

char _license[] SEC("license") = "BSD";
