/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An endpoint of segment routing over IPv6 (RFC 8986, End): the number of segments left goes down, and the segment that it then points at,
 * at a variable place in the header, becomes the destination.
 */
#include "headers.h"

enum { ROUTING_TYPE = 4, SEGMENT_BYTES = 16 };

struct segment_header {
  __u8 next, length, type, left, last, flags;
  __be16 tag;
};

MAP(HASH, own_segments, struct in6_addr, __u64, 64);

SEC("xdp")
int segment_routing(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ipv6hdr *ip = open_ipv6(&c);
  if (!ip || ip->nexthdr != IPPROTO_ROUTING) return XDP_PASS;
  struct in6_addr active = ip->daddr;
  __u64 *packets = bpf_map_lookup_elem(&own_segments, &active);
  if (!packets) return XDP_PASS;
  struct segment_header *segments = TAKE(&c, struct segment_header);
  if (!segments || segments->type != ROUTING_TYPE) return XDP_DROP;
  __u32 left = segments->left;
  if (left == 0) return XDP_PASS; /* here it ends */
  if (ip->hop_limit <= 1 || segments->last > segments->length / 2 - 1 || left > segments->last + 1u) return XDP_DROP;
  left--;
  struct in6_addr *next = (void *)(segments + 1) + left * SEGMENT_BYTES;
  if ((void *)(next + 1) > c.end) return XDP_DROP;
  segments->left = (__u8)left;
  ip->hop_limit--;
  ip->daddr = *next;
  __sync_fetch_and_add(packets, 1);
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
