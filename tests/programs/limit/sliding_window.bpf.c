/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Limits sources by a sliding window: a ring of eight counters, one for each eighth of the window, of which those that are too old are
 * cleared when time moves on.
 */
#include "headers.h"

enum { SLOTS = 8 };

const volatile __u64 slot_ns = 125000000;
const volatile __u32 packets_most = 1000;

struct window {
  __u64 slot; /* number of the current eighth since the clock began */
  __u32 counts[SLOTS];
};

MAP(LRU_HASH, windows, __be32, struct window, 16384);

SEC("xdp")
int sliding_window(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  __be32 source = ip->saddr;
  __u64 slot = bpf_ktime_get_ns() / (slot_ns ? slot_ns : 1);
  struct window *window = bpf_map_lookup_elem(&windows, &source);
  if (!window) {
    struct window fresh = {.slot = slot};
    fresh.counts[slot % SLOTS] = 1;
    bpf_map_update_elem(&windows, &source, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  for (__u32 i = 0; i < SLOTS && window->slot < slot; i++) {
    window->slot++;
    window->counts[window->slot % SLOTS] = 0;
  }
  window->slot = slot;
  __u32 total = 0;
  for (__u32 i = 0; i < SLOTS; i++)
    total += window->counts[i];
  if (total >= packets_most) return XDP_DROP;
  window->counts[slot % SLOTS]++;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
