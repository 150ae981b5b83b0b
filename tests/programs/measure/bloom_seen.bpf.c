/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lets packets to a service in only from sources that were seen to answer a challenge before, remembered in Bloom filters (Bloom 1970)
 * that take turns: one is filled, the one before it is still asked, and the third is cleared a few words at a time.
 *
 * Linux refuses it: the bound is known of a sum (the hand and a number), the address is made from its parts, and the relation is lost.
 */
#include "headers.h"

enum { WORDS = 512, HASHES = 3, FILTERS = 3, CLEARED_AT_ONCE = 16 };

struct filter {
  __u64 words[WORDS];
};

const volatile __u64 turn_ns = 60000000000;
const volatile __u16 challenge_port = 9999, service_port = 80;

MAP(ARRAY, filters, __u32, struct filter, FILTERS);
__u64 cleared = 0;

static __always_inline int contains(const struct filter *filter, __u32 hash) {
  for (int i = 0; i < HASHES; i++) {
    hash = mix(hash + 1);
    if (!(filter->words[hash / 64 % WORDS] & (1ull << (hash % 64)))) return 0;
  }
  return 1;
}

static __always_inline void insert(struct filter *filter, __u32 hash) {
  for (int i = 0; i < HASHES; i++) {
    hash = mix(hash + 1);
    filter->words[hash / 64 % WORDS] |= 1ull << (hash % 64);
  }
}

SEC("xdp")
int bloom_seen(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u64 turn = bpf_ktime_get_ns() / (turn_ns ? turn_ns : 1);
  __u32 now = turn % FILTERS, before = (turn + 2) % FILTERS, next = (turn + 1) % FILTERS;
  struct filter *filling = bpf_map_lookup_elem(&filters, &now), *asked = bpf_map_lookup_elem(&filters, &before);
  struct filter *stale = bpf_map_lookup_elem(&filters, &next);
  if (!filling || !asked || !stale) return XDP_ABORTED;
  if (flow.destination_port == bpf_htons(challenge_port)) {
    insert(filling, flow.source);
    return XDP_PASS;
  }
  if (flow.destination_port != bpf_htons(service_port)) return XDP_PASS;
  __u64 from = cleared % WORDS; /* a few words at a time, behind the hand of a clock */
  for (__u64 i = 0; i < CLEARED_AT_ONCE; i++)
    if (from + i < WORDS) stale->words[from + i] = 0;
  cleared += CLEARED_AT_ONCE;
  return contains(filling, flow.source) || contains(asked, flow.source) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
