/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Finds port scans: each source has a bitmap into which destination ports hash; when too many bits are set within a time, the source
 * is blocked for a while.
 */
#include "headers.h"

enum { WORDS = 4 };

const volatile __u32 ports_most = 48;
const volatile __u64 window_ns = 10000000000, blocked_ns = 600000000000;

struct source {
  __u64 since, blocked_until, seen[WORDS];
};

MAP(LRU_HASH, sources, __be32, struct source, 16384);

static __always_inline __u32 count_bits(const __u64 *words) {
  __u32 count = 0;
  for (int i = 0; i < WORDS; i++) {
    __u64 word = words[i]; /* pairs, fours, bytes, all */
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    count += (__u32)(word * 0x0101010101010101 >> 56);
  }
  return count;
}

SEC("xdp")
int port_scan(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u64 now = bpf_ktime_get_ns();
  struct source *source = bpf_map_lookup_elem(&sources, &flow.source);
  if (!source) {
    struct source fresh = {.since = now};
    bpf_map_update_elem(&sources, &flow.source, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  if (now < source->blocked_until) return XDP_DROP;
  if (now - source->since > window_ns) {
    source->since = now;
    for (int i = 0; i < WORDS; i++)
      source->seen[i] = 0;
  }
  __u32 bit = mix(flow.destination_port) % (WORDS * 64);
  __u64 mask = 1ull << (bit % 64), *word = &source->seen[bit / 64];
  if (*word & mask) return XDP_PASS;
  *word |= mask;
  if (count_bits(source->seen) <= ports_most) return XDP_PASS;
  source->blocked_until = now + blocked_ns;
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
