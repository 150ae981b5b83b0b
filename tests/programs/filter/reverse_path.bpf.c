/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks the reverse path (RFC 3704): a packet passes only if the longest prefix of its source leads out of the port it came in by
 * (strict), or anywhere at all (loose), as the port is set.
 */
#include "headers.h"

enum { PORTS = 64, OFF = 0, STRICT = 1, LOOSE = 2 };

struct prefix {
  __u32 length;
  __u8 address[16]; /* IPv4 as IPv6 has it mapped */
};

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 4096);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct prefix);
  __type(value, __u64); /* a bit for each port */
} routes SEC(".maps");
MAP(ARRAY, modes, __u32, __u8, PORTS);
MAP(PERCPU_ARRAY, dropped, __u32, __u64, PORTS);

static __always_inline _Bool read_source(struct cursor *c, struct prefix *source) {
  struct ethhdr *eth = TAKE(c, struct ethhdr);
  if (!eth) return 0;
  if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
    struct ipv6hdr *ip = TAKE(c, struct ipv6hdr);
    if (ip) __builtin_memcpy(source->address, &ip->saddr, sizeof source->address);
    return ip != 0;
  }
  if (eth->h_proto != bpf_htons(ETH_P_IP)) return 0;
  struct iphdr *ip = take_ipv4(c);
  if (!ip) return 0;
  source->address[10] = source->address[11] = 0xff;
  __builtin_memcpy(&source->address[12], &ip->saddr, 4);
  return 1;
}

SEC("xdp")
int reverse_path(struct xdp_md *ctx) {
  __u32 port = ctx->ingress_ifindex;
  __u8 *mode = bpf_map_lookup_elem(&modes, &port);
  if (!mode || *mode == OFF) return XDP_PASS;
  struct cursor c = cursor_of(ctx);
  struct prefix source = {.length = 128};
  if (!read_source(&c, &source)) return XDP_PASS;
  __u64 *ports = bpf_map_lookup_elem(&routes, &source);
  if (ports && (*mode == LOOSE || (*ports >> (port & 63) & 1))) return XDP_PASS;
  add_to(&dropped, port, 1);
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
