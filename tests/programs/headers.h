/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What several of these programs need: includes, maps in one line, a bounds-checked cursor through a packet, checksum arithmetic
 * (RFC 1071, RFC 1624), a hash.
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

/* A map of that kind: MAP(HASH, flows, struct flow, struct state, 1024). */
#define MAP(kind, name, key_type, value_type, entries) \
  struct {                                             \
    __uint(type, BPF_MAP_TYPE_##kind);                 \
    __uint(max_entries, entries);                      \
    __type(key, key_type);                             \
    __type(value, value_type);                         \
  } name SEC(".maps")

#define RING(name, size)                \
  struct {                              \
    __uint(type, BPF_MAP_TYPE_RINGBUF); \
    __uint(max_entries, size);          \
  } name SEC(".maps")

/* Adds to a counter of an array map of 64-bit values. */
static __always_inline void add_to(void *map, __u32 index, __u64 amount) {
  __u64 *counter = bpf_map_lookup_elem(map, &index);
  if (counter) __sync_fetch_and_add(counter, amount);
}

struct cursor {
  void *at, *end;
};

static __always_inline struct cursor cursor_of(const struct xdp_md *ctx) {
  return (struct cursor){(void *)(long)ctx->data, (void *)(long)ctx->data_end};
}

static __always_inline struct cursor cursor_of_skb(const struct __sk_buff *skb) {
  return (struct cursor){(void *)(long)skb->data, (void *)(long)skb->data_end};
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

/* The IPv4 header of an Ethernet frame at whose start the cursor stands, which then is behind its options; or NULL. */
static __always_inline struct iphdr *open_ipv4(struct cursor *c) {
  struct ethhdr *eth = TAKE(c, struct ethhdr);
  return eth && eth->h_proto == bpf_htons(ETH_P_IP) ? take_ipv4(c) : 0;
}

/* The same of IPv6, without extension headers. */
static __always_inline struct ipv6hdr *open_ipv6(struct cursor *c) {
  struct ethhdr *eth = TAKE(c, struct ethhdr);
  return eth && eth->h_proto == bpf_htons(ETH_P_IPV6) ? TAKE(c, struct ipv6hdr) : 0;
}

/* A UDP header behind an IPv4 header that isn't a later fragment's. */
static __always_inline struct udphdr *open_udp(struct cursor *c) {
  struct iphdr *ip = open_ipv4(c);
  if (!ip || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return 0;
  return TAKE(c, struct udphdr);
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

/* The finaliser of MurmurHash3 (Appleby, public domain). */
static __always_inline __u32 mix(__u32 h) {
  h ^= h >> 16;
  h *= 0x85ebca6b;
  h ^= h >> 13;
  h *= 0xc2b2ae35;
  return h ^ h >> 16;
}

/* What tells flows of IPv4 apart. */
struct flow {
  __be32 source, destination;
  __be16 source_port, destination_port;
  __u8 protocol, zero[3];
};

/* The flow of a TCP or UDP packet at whose start the cursor stands; false: it is none, or not the first fragment. */
static __always_inline _Bool take_flow(struct cursor *c, struct flow *flow) {
  struct iphdr *ip = open_ipv4(c);
  if (!ip || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return 0;
  if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP) return 0;
  if (c->at + 4 > c->end) return 0;
  const __be16 *ports = c->at; /* the header stays to be taken */
  *flow = (struct flow){ip->saddr, ip->daddr, ports[0], ports[1], ip->protocol, {0}};
  return 1;
}

static __always_inline __u32 flow_hash(const struct flow *f) {
  __u32 h = mix(f->source);
  h = mix(h ^ f->destination);
  h = mix(h ^ ((__u32)f->source_port << 16 | f->destination_port));
  return mix(h ^ f->protocol);
}

static __always_inline void swap_ethernet(struct ethhdr *eth) {
  __u8 address[ETH_ALEN];
  __builtin_memcpy(address, eth->h_dest, ETH_ALEN);
  __builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
  __builtin_memcpy(eth->h_source, address, ETH_ALEN);
}

#endif
