/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the Ethernet header to the ports, VLAN tags and IP options included, and a hash of the 5-tuple: what load balancers begin with.
 * 16 frames lie behind each other in the packet, because one alone would be lost in the cost of entering the program.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "frames.h"
#include "kernel.h"
#include "murmur.h"

enum { MAX_TAGS = 2, FRAGMENT = 0xff3f /* offset and "more fragments", in network byte order */ };

struct vlan_tag {
  __be16 control, type;
};

static inline __be16 big_endian(__u16 x) { return (__be16)(x << 8 | x >> 8); }

static inline __u32 hash_frame(const void *frame, const void *end) {
  const struct ethhdr *ethernet = frame;
  if ((const void *)(ethernet + 1) > end) return 0;
  __be16 type = ethernet->h_proto;
  const void *at = ethernet + 1;
  for (unsigned i = 0; i < MAX_TAGS; i++) {
    if (type != big_endian(ETH_P_8021Q) && type != big_endian(ETH_P_8021AD)) break;
    const struct vlan_tag *tag = at;
    if ((const void *)(tag + 1) > end) return 0;
    type = tag->type;
    at = tag + 1;
  }
  __u32 hash = 0;
  __u8 protocol;
  if (type == big_endian(ETH_P_IP)) {
    const struct iphdr *ip = at;
    if ((const void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) return 0;
    hash = murmur_word(murmur_word(hash, ip->saddr), ip->daddr);
    protocol = ip->protocol;
    if (ip->frag_off & FRAGMENT) return murmur_end(hash, 8);
    at += ip->ihl * 4;
  } else if (type == big_endian(ETH_P_IPV6)) {
    const struct ipv6hdr *ip = at;
    if ((const void *)(ip + 1) > end) return 0;
    for (unsigned i = 0; i < 4; i++)
      hash = murmur_word(murmur_word(hash, ip->saddr.in6_u.u6_addr32[i]), ip->daddr.in6_u.u6_addr32[i]);
    protocol = ip->nexthdr;
    at = ip + 1;
  } else {
    return 0;
  }
  if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) {
    const __u32 *ports = at;
    if ((const void *)(ports + 1) > end) return 0;
    hash = murmur_word(hash, *ports);
  }
  return murmur_end(murmur_word(hash, protocol), 16);
}

KERNEL(flow_hash) {
  const void *data = (const void *)(long)ctx->data, *end = (const void *)(long)ctx->data_end;
  __u32 sum = 0;
  for (unsigned i = 0; i < FRAMES; i++)
    sum += hash_frame(data + i * FRAME_BYTES, end);
  return (int)sum;
}
