/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Destination NAT in tc with the helpers that correct checksums: bytes are loaded and stored by offset, not through pointers.
 */
#include "headers.h"

#include <linux/pkt_cls.h>
#include <stddef.h>

enum { IP_AT = sizeof(struct ethhdr), TCP_AT = IP_AT + sizeof(struct iphdr) };

struct endpoint {
  __be32 address;
  __be16 port, zero;
};

MAP(HASH, targets, struct endpoint, struct endpoint, 1024);

SEC("tc")
int tc_nat(struct __sk_buff *skb) {
  struct iphdr ip;
  struct tcphdr tcp;
  if (skb->protocol != bpf_htons(ETH_P_IP)) return TC_ACT_OK;
  if (bpf_skb_load_bytes(skb, IP_AT, &ip, sizeof ip) || ip.ihl != 5 || ip.protocol != IPPROTO_TCP) return TC_ACT_OK;
  if (bpf_skb_load_bytes(skb, TCP_AT, &tcp, sizeof tcp)) return TC_ACT_OK;
  struct endpoint from = {ip.daddr, tcp.dest, 0};
  struct endpoint *to = bpf_map_lookup_elem(&targets, &from);
  if (!to) return TC_ACT_OK;
  struct endpoint new = *to;
  const int check = TCP_AT + offsetof(struct tcphdr, check);
  bpf_l4_csum_replace(skb, check, from.address, new.address, BPF_F_PSEUDO_HDR | sizeof new.address);
  bpf_l4_csum_replace(skb, check, from.port, new.port, sizeof new.port);
  bpf_l3_csum_replace(skb, IP_AT + offsetof(struct iphdr, check), from.address, new.address, sizeof new.address);
  if (bpf_skb_store_bytes(skb, IP_AT + offsetof(struct iphdr, daddr), &new.address, sizeof new.address, 0))
    return TC_ACT_SHOT;
  if (bpf_skb_store_bytes(skb, TCP_AT + offsetof(struct tcphdr, dest), &new.port, sizeof new.port, 0))
    return TC_ACT_SHOT;
  return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
