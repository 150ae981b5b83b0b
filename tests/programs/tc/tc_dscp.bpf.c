/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A tc program that gives packets a mark and a priority by their class of service, read from the packet itself, for IPv4 and IPv6.
 */
#include "headers.h"

#include <linux/pkt_cls.h>

enum { CLASSES = 64 };

struct treatment {
  __u32 mark, priority;
  __u64 packets;
};

MAP(ARRAY, treatments, __u32, struct treatment, CLASSES);

SEC("tc")
int tc_dscp(struct __sk_buff *skb) {
  struct cursor c = cursor_of_skb(skb);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  __u32 class = 0;
  if (!eth) return TC_ACT_SHOT;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) {
    struct iphdr *ip = TAKE(&c, struct iphdr);
    if (!ip) return TC_ACT_SHOT;
    class = ip->tos >> 2;
  } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
    struct ipv6hdr *ip = TAKE(&c, struct ipv6hdr);
    if (!ip) return TC_ACT_SHOT;
    class = (bpf_ntohl(*(__be32 *)ip) >> 22) & 0x3f;
  }
  struct treatment *treatment = bpf_map_lookup_elem(&treatments, &class);
  if (!treatment) return TC_ACT_OK;
  skb->mark = treatment->mark;
  skb->priority = treatment->priority;
  __sync_fetch_and_add(&treatment->packets, 1);
  return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
