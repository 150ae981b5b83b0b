/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A load balancer for both IPv4 and IPv6 services. Each service has a table of servers of its own, an inner map, which the control
 * plane replaces as a whole; the flow's key has room for both kinds of address, and one hash over its words serves both.
 */
#include "headers.h"

enum { SERVICES = 64, SLOTS = 256, KEY_WORDS = 10 };

struct key {
  __u32 words[KEY_WORDS]; /* addresses of 16 bytes each, ports, protocol */
};

struct service {
  __u32 address[4];
  __be16 port;
  __u8 protocol, zero;
};

struct slots {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, SLOTS);
  __type(key, __u32);
  __type(value, __u32);
} first_slots SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, SERVICES);
  __type(key, __u32);
  __array(values, struct slots);
} directory SEC(".maps") = {.values = {[0] = &first_slots}};

MAP(HASH, services, struct service, __u32, SERVICES);
MAP(DEVMAP, outputs, __u32, __u32, 256);

static __always_inline _Bool read_key(struct cursor *c, struct key *key) {
  struct ethhdr *eth = TAKE(c, struct ethhdr);
  __u8 protocol;
  if (!eth) return 0;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) {
    struct iphdr *ip = take_ipv4(c);
    if (!ip || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return 0;
    key->words[3] = ip->saddr;
    key->words[7] = ip->daddr;
    protocol = ip->protocol;
  } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
    struct ipv6hdr *ip = TAKE(c, struct ipv6hdr);
    if (!ip) return 0;
    __builtin_memcpy(&key->words[0], &ip->saddr, sizeof ip->saddr);
    __builtin_memcpy(&key->words[4], &ip->daddr, sizeof ip->daddr);
    protocol = ip->nexthdr;
  } else {
    return 0;
  }
  struct udphdr *ports = TAKE(c, struct udphdr);
  if (!ports || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)) return 0;
  key->words[8] = (__u32)ports->source << 16 | ports->dest;
  key->words[9] = protocol;
  return 1;
}

SEC("xdp")
int service_directory(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct key key = {{0}};
  if (!read_key(&c, &key)) return XDP_PASS;
  struct service service = {
      {key.words[4], key.words[5], key.words[6], key.words[7]}, (__be16)key.words[8], (__u8)key.words[9], 0};
  __u32 *number = bpf_map_lookup_elem(&services, &service);
  if (!number) return XDP_PASS;
  void *slots = bpf_map_lookup_elem(&directory, number);
  if (!slots) return XDP_DROP;
  __u32 hash = 0;
  for (int i = 0; i < KEY_WORDS; i++)
    hash = mix(hash ^ key.words[i]);
  __u32 slot = hash % SLOTS;
  __u32 *output = bpf_map_lookup_elem(slots, &slot);
  return output ? (int)bpf_redirect_map(&outputs, *output, XDP_DROP) : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
