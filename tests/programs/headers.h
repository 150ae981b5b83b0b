/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What several of these programs need: includes, a bounds-checked cursor through a packet, checksum arithmetic (RFC 1071, RFC 1624).
 */
#ifndef PROGRAMS_HEADERS_H
#define PROGRAMS_HEADERS_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { IP_OFFSET_MASK = 0x1fff, IP_MORE_FRAGMENTS = 0x2000 };

enum { ICMP_ECHO = 8, ICMP_ECHOREPLY = 0 };

struct icmp_header { /* linux/icmp.h wants the C library */
  __u8 type, code;
  __sum16 checksum;
  __be16 id, sequence;
};

struct vlan_header { /* linux/if_vlan.h has it for the kernel only */
  __be16 tci, protocol;
};

struct cursor {
  void *at, *end;
};

static __always_inline struct cursor cursor_of(const struct xdp_md *ctx) {
  return (struct cursor){(void *)(long)ctx->data, (void *)(long)ctx->data_end};
}

/* The next bytes as a header of that type, and the cursor behind it; NULL where the packet ends before. */
#define TAKE(cursor, type) ((type *)take_bytes(cursor, sizeof(type)))
static __always_inline void *take_bytes(struct cursor *c, __u32 size) {
  void *header = c->at;
  if (header + size > c->end) return 0;
  c->at = header + size;
  return header;
}

/* An IPv4 header with its options behind the cursor, or NULL. */
static __always_inline struct iphdr *take_ipv4(struct cursor *c) {
  struct iphdr *ip = TAKE(c, struct iphdr);
  if (!ip || ip->version != 4 || ip->ihl < 5) return 0;
  __u32 options = (ip->ihl - 5u) * 4;
  if (c->at + options > c->end) return 0;
  c->at += options;
  return ip;
}

static __always_inline __u16 fold(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (__u16)~sum;
}

/* Checksum of an IPv4 header without options whose check field is 0. */
static __always_inline __u16 ipv4_checksum(const struct iphdr *ip) {
  const __u16 *word = (const void *)ip;
  __u32 sum = 0;
#pragma unroll
  for (unsigned i = 0; i < sizeof *ip / 2; i++)
    sum += word[i];
  return fold(sum);
}

/* RFC 1624, equation 3: the checksum after one 16-bit word changed. */
static __always_inline __u16 checksum_replace(__u16 check, __u16 from, __u16 to) {
  return fold((__u32)(__u16)~check + (__u16)~from + to);
}

static __always_inline void swap_ethernet(struct ethhdr *eth) {
  __u8 address[ETH_ALEN];
  __builtin_memcpy(address, eth->h_dest, ETH_ALEN);
  __builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
  __builtin_memcpy(eth->h_source, address, ETH_ALEN);
}

#endif
