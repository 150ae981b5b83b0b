/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packet classification by bit vectors (Lakshman, Stiliadis, SIGCOMM '98): each field's lookup gives the set of rules that it matches, and
 * the first bit of their intersection is the rule. 256 rules are four words.
 */
#include "headers.h"

enum { WORDS = 4, NONE = 255 };

struct set {
  __u64 words[WORDS];
};

struct prefix {
  __u32 length;
  __be32 address;
};

#define TRIE(name)                        \
  struct {                                \
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);  \
    __uint(max_entries, 1024);            \
    __uint(map_flags, BPF_F_NO_PREALLOC); \
    __type(key, struct prefix);           \
    __type(value, struct set);            \
  } name SEC(".maps")

TRIE(by_source);
TRIE(by_destination);
MAP(ARRAY, by_port, __u32, struct set, 65536);
MAP(ARRAY, by_protocol, __u32, struct set, 256);
MAP(ARRAY, verdicts, __u32, __u32, WORDS * 64);

static __always_inline __u32 first_bit(__u64 word) {
  __u32 bit = 0;
  for (__u32 half = 32; half > 0; half /= 2) {
    if (word << (64 - half) != 0) continue;
    word >>= half;
    bit += half;
  }
  return bit;
}

SEC("xdp")
int bit_vectors(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  struct prefix source = {32, flow.source}, destination = {32, flow.destination};
  __u32 port = bpf_ntohs(flow.destination_port), protocol = flow.protocol;
  struct set *a = bpf_map_lookup_elem(&by_source, &source), *b = bpf_map_lookup_elem(&by_destination, &destination);
  struct set *p = bpf_map_lookup_elem(&by_port, &port), *q = bpf_map_lookup_elem(&by_protocol, &protocol);
  if (!a || !b || !p || !q) return XDP_DROP;
  for (__u32 i = 0; i < WORDS; i++) {
    __u64 both = a->words[i] & b->words[i] & p->words[i] & q->words[i];
    if (!both) continue;
    __u32 rule = i * 64 + first_bit(both);
    __u32 *verdict = bpf_map_lookup_elem(&verdicts, &rule);
    return verdict && *verdict ? XDP_PASS : XDP_DROP;
  }
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
