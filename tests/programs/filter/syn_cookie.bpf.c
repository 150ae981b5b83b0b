/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Answers TCP connection attempts to one port by itself, with a cookie for a sequence number (the idea of RFC 4987, section 3.6), so
 * that a flood of them reaches nobody. Whoever acknowledges the right cookie is let through from then on. The minute that goes into
 * the cookie is set from outside, so that a test knows it.
 */
#include "headers.h"

const volatile __u16 guarded_port = 80;
const volatile __u32 secret = 0x5bd1e995;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} minute SEC(".maps");

struct peer {
  __be32 address;
  __be16 port, zero;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, struct peer);
  __type(value, __u64); /* packets let through */
} admitted SEC(".maps");

static __noinline __u32 cookie(__be32 address, __be16 port, __u32 sequence, __u32 when) {
  __u32 h = secret ^ address;
  h = (h ^ h >> 15) * 0x2c1b3c6d;
  h ^= (__u32)port << 16 | (when & 0xffff);
  h = (h ^ h >> 12) * 0x297a2d39;
  h ^= sequence;
  return h ^ h >> 15;
}

/* Turns the SYN into its SYN-ACK. Nothing is added, so options go, and the frame ends with the header. */
static __always_inline int answer(struct xdp_md *ctx, __u32 when) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  struct iphdr *ip = eth ? TAKE(&c, struct iphdr) : 0;
  struct tcphdr *tcp = ip ? TAKE(&c, struct tcphdr) : 0;
  if (!eth || !ip || !tcp) return XDP_DROP;
  swap_ethernet(eth);
  __be32 address = ip->saddr;
  ip->saddr = ip->daddr;
  ip->daddr = address;
  ip->tot_len = bpf_htons(sizeof *ip + sizeof *tcp);
  ip->ttl = 64;
  ip->check = 0;
  ip->check = ipv4_checksum(ip);
  __u32 sequence = bpf_ntohl(tcp->seq);
  __be16 port = tcp->source;
  tcp->source = tcp->dest;
  tcp->dest = port;
  tcp->ack_seq = bpf_htonl(sequence + 1);
  tcp->seq = bpf_htonl(cookie(address, port, sequence, when));
  tcp->doff = sizeof *tcp / 4;
  tcp->ack = 1;
  tcp->window = bpf_htons(65535);
  tcp->urg_ptr = 0;
  tcp->check = 0;
  struct {
    __be32 source, destination;
    __u8 zero, protocol;
    __be16 length;
  } pseudo = {ip->saddr, ip->daddr, 0, IPPROTO_TCP, bpf_htons(sizeof *tcp)};
  __s64 sum = bpf_csum_diff(0, 0, (void *)&pseudo, sizeof pseudo, 0);
  sum = bpf_csum_diff(0, 0, (void *)tcp, sizeof *tcp, (__wsum)sum);
  tcp->check = fold((__u32)sum);
  int extra = (int)(c.end - c.at);
  if (extra > 0 && bpf_xdp_adjust_tail(ctx, -extra)) return XDP_DROP;
  return XDP_TX;
}

SEC("xdp")
int syn_cookie(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_IP)) return XDP_PASS;
  struct iphdr *ip = TAKE(&c, struct iphdr);
  if (!ip || ip->ihl != 5 || ip->protocol != IPPROTO_TCP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp || tcp->dest != bpf_htons(guarded_port)) return XDP_PASS;
  __u32 zero = 0, *now = bpf_map_lookup_elem(&minute, &zero);
  if (!now) return XDP_ABORTED;
  if (tcp->syn && !tcp->ack) return answer(ctx, *now);
  struct peer peer = {ip->saddr, tcp->source, 0};
  __u64 *known = bpf_map_lookup_elem(&admitted, &peer);
  if (known) {
    __sync_fetch_and_add(known, 1);
    return XDP_PASS;
  }
  if (!tcp->ack || tcp->rst) return XDP_DROP;
  __u32 sequence = bpf_ntohl(tcp->seq) - 1, acknowledged = bpf_ntohl(tcp->ack_seq) - 1;
  for (__u32 age = 0; age < 2; age++) {
    if (cookie(ip->saddr, tcp->source, sequence, *now - age) != acknowledged) continue;
    __u64 first = 1;
    bpf_map_update_elem(&admitted, &peer, &first, BPF_ANY);
    return XDP_PASS;
  }
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
