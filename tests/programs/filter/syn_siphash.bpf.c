/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Answers SYNs with a cookie made by SipHash-2-4 (Aumasson, Bernstein 2012) over the flow and a minute, without any state, and lets ACKs in
 * that bring one back.
 *
 * Linux refuses it: compiled with -O1, where the compiler copies a register on a path where nothing set it, and nothing looks at the copy.
 */
#include "headers.h"

const volatile __u64 key_low = 0x0706050403020100, key_high = 0x0f0e0d0c0b0a0908;
const volatile __u64 minute_ns = 60000000000;

struct sip {
  __u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotate(__u64 value, int by) { return value << by | value >> (64 - by); }

static __always_inline void sip_round(struct sip *s) {
  s->v0 += s->v1;
  s->v1 = rotate(s->v1, 13) ^ s->v0;
  s->v0 = rotate(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = rotate(s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = rotate(s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = rotate(s->v1, 17) ^ s->v2;
  s->v2 = rotate(s->v2, 32);
}

static __always_inline __u32 siphash(const __u64 *words, __u32 count) {
  struct sip s = {key_low ^ 0x736f6d6570736575, key_high ^ 0x646f72616e646f6d, key_low ^ 0x6c7967656e657261,
                  key_high ^ 0x7465646279746573};
  for (__u32 i = 0; i < count; i++) {
    s.v3 ^= words[i];
    sip_round(&s);
    sip_round(&s);
    s.v0 ^= words[i];
  }
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; i++)
    sip_round(&s);
  return (__u32)(s.v0 ^ s.v1 ^ s.v2 ^ s.v3);
}

static __always_inline __u32 cookie(const struct flow *flow, __u64 minute) {
  const __u64 words[3] = {(__u64)flow->source << 32 | flow->destination,
                          (__u64)flow->source_port << 16 | flow->destination_port, minute};
  return siphash(words, 3);
}

SEC("xdp")
int syn_siphash(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = c.at;
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_TCP) return XDP_PASS;
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp || (void *)(ip + 1) > c.end) return XDP_DROP;
  __u64 minute = bpf_ktime_get_ns() / (minute_ns ? minute_ns : 1);
  if (!tcp->syn) {
    if (!tcp->ack) return XDP_PASS;
    __u32 brought = bpf_ntohl(tcp->ack_seq) - 1;
    return brought == cookie(&flow, minute) || brought == cookie(&flow, minute - 1) ? XDP_PASS : XDP_DROP;
  }
  if (tcp->ack) return XDP_PASS;
  swap_ethernet(eth);
  ip->saddr = flow.destination;
  ip->daddr = flow.source;
  tcp->source = flow.destination_port;
  tcp->dest = flow.source_port;
  __u32 from[2] = {tcp->seq, tcp->ack_seq};
  tcp->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + 1);
  tcp->seq = bpf_htonl(cookie(&flow, minute));
  __u32 to[2] = {tcp->seq, tcp->ack_seq};
  tcp->ack = 1;
  __s64 sum = bpf_csum_diff(from, sizeof from, to, sizeof to, (__u16)~tcp->check);
  tcp->check = checksum_replace(fold((__u32)sum), 0, bpf_htons(0x10));
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
