/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets and bytes by network and transport protocol, per processor. Looks behind two VLAN tags and IPv6 extension headers.
 */
#include "headers.h"

enum { TAGS_MAX = 2, EXTENSIONS_MAX = 6, NOT_IP = 256, TOO_SHORT = 257, ROWS = 258 };

struct row {
  __u64 packets, bytes;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, ROWS);
  __type(key, __u32);
  __type(value, struct row);
} rows SEC(".maps");

struct extension {
  __u8 next, length; /* in units of 8 bytes, the first not counted */
};

static __noinline int add(__u32 index, __u32 length) {
  struct row *row = bpf_map_lookup_elem(&rows, &index);
  if (!row) return XDP_ABORTED;
  row->packets++;
  row->bytes += length;
  return XDP_PASS;
}

static __always_inline __u32 classify_ipv6(struct cursor *c) {
  struct ipv6hdr *ip = TAKE(c, struct ipv6hdr);
  if (!ip) return TOO_SHORT;
  __u8 next = ip->nexthdr;
  for (int i = 0; i < EXTENSIONS_MAX; i++) {
    if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS) return next;
    struct extension *extension = c->at;
    if ((void *)(extension + 1) > c->end) return TOO_SHORT;
    next = extension->next;
    c->at += 8 + extension->length * 8;
  }
  return next;
}

static __always_inline __u32 classify(struct cursor *c) {
  struct ethhdr *eth = TAKE(c, struct ethhdr);
  if (!eth) return TOO_SHORT;
  __be16 protocol = eth->h_proto;
  for (int i = 0; i < TAGS_MAX; i++) {
    if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD)) break;
    struct vlan_header *tag = TAKE(c, struct vlan_header);
    if (!tag) return TOO_SHORT;
    protocol = tag->protocol;
  }
  if (protocol == bpf_htons(ETH_P_IPV6)) return classify_ipv6(c);
  if (protocol != bpf_htons(ETH_P_IP)) return NOT_IP;
  struct iphdr *ip = TAKE(c, struct iphdr);
  return ip ? ip->protocol : TOO_SHORT;
}

SEC("xdp")
int protocol_statistics(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  __u32 length = (__u32)(c.end - c.at);
  return add(classify(&c), length);
}

char _license[] SEC("license") = "GPL";
