/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Drops DNS: UDP and TCP with source or destination port 53, over IPv4 and IPv6, behind up to two VLAN tags and up to eight
 * IPv6 extension headers. All else passes. Only a first fragment shows ports; without it the datagram cannot be put together, so
 * later fragments pass. A first fragment too short to show its ports exists only to hide them, and is dropped.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>

#include "counters.h"

enum { DNS_PORT = 53, VLAN_TAGS_MAX = 2, EXTENSIONS_MAX = 8 };
enum { IP_MORE_FRAGMENTS = 0x2000, IP_OFFSET_MASK = 0x1fff, IP6_MORE_FRAGMENTS = 1, IP6_OFFSET_MASK = 0xfff8 };

/* linux/if_vlan.h has it for the kernel only. */
struct vlan_tag {
  __be16 control;
  __be16 protocol;
};

struct extension {
  __u8 next;
  __u8 length; /* in units of 8 bytes, the first not counted */
  __be16 fragment;
};

struct ports {
  __be16 source, destination;
};

static __always_inline int judge_ports(void *at, void *end, __u8 protocol, int fragment) {
  struct ports *ports = at;
  if (protocol != IPPROTO_UDP && protocol != IPPROTO_TCP) return XDP_PASS;
  if ((void *)(ports + 1) > end) return fragment ? XDP_DROP : XDP_PASS;
  if (ports->source == bpf_htons(DNS_PORT) || ports->destination == bpf_htons(DNS_PORT)) return XDP_DROP;
  return XDP_PASS;
}

static __always_inline int judge_ipv4(void *at, void *end) {
  struct iphdr *ip = at;
  if ((void *)(ip + 1) > end || ip->ihl < 5) return XDP_PASS;
  __u16 fragment = bpf_ntohs(ip->frag_off);
  if (fragment & IP_OFFSET_MASK) return XDP_PASS;
  return judge_ports(at + ip->ihl * 4, end, ip->protocol, fragment & IP_MORE_FRAGMENTS);
}

static __always_inline int judge_ipv6(void *at, void *end) {
  struct ipv6hdr *ip = at;
  if ((void *)(ip + 1) > end) return XDP_PASS;
  __u8 next = ip->nexthdr;
  int fragment = 0;
  at = ip + 1;
  for (int i = 0; i < EXTENSIONS_MAX; i++) {
    struct extension *extension = at;
    if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
      return judge_ports(at, end, next, fragment);
    if ((void *)(extension + 1) > end) return XDP_PASS;
    if (next == IPPROTO_FRAGMENT) {
      __u16 field = bpf_ntohs(extension->fragment);
      if (field & IP6_OFFSET_MASK) return XDP_PASS;
      fragment = field & IP6_MORE_FRAGMENTS;
      at += 8;
    } else {
      at += 8 + extension->length * 8;
    }
    next = extension->next;
  }
  return XDP_DROP; /* longer chains are for hiding: no host sends them */
}

static __always_inline int judge(struct xdp_md *ctx) {
  void *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = (void *)(long)ctx->data;
  if ((void *)(eth + 1) > end) return XDP_PASS;
  void *at = eth + 1;
  __be16 protocol = eth->h_proto;
  for (int i = 0; i < VLAN_TAGS_MAX; i++) {
    struct vlan_tag *tag = at;
    if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD)) break;
    if ((void *)(tag + 1) > end) return XDP_PASS;
    protocol = tag->protocol;
    at = tag + 1;
  }
  if (protocol == bpf_htons(ETH_P_IP)) return judge_ipv4(at, end);
  if (protocol == bpf_htons(ETH_P_IPV6)) return judge_ipv6(at, end);
  return XDP_PASS;
}

SEC("xdp")
int block_dns(struct xdp_md *ctx) { return count((__u32)judge(ctx)); }

char _license[] SEC("license") = "BSD";
