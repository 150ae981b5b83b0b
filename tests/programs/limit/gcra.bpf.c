/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The generic cell rate algorithm (ITU-T I.371) per flow: a packet conforms unless it comes before the theoretical arrival time less a
 * tolerance. One number of state, updated without a lock by a few tries of compare-and-exchange.
 *
 * Linux refuses it: compiled with -O1, where the compiler copies a register on a path where nothing set it, and nothing looks at the copy.
 */
#include "headers.h"

enum { TRIES = 8 };

const volatile __u64 increment_ns = 1000000, limit_ns = 10000000;

MAP(LRU_HASH, arrivals, struct flow, __u64, 32768);

SEC("xdp")
int gcra(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u64 now = bpf_ktime_get_ns(), first = now + increment_ns;
  __u64 *theoretical = bpf_map_lookup_elem(&arrivals, &flow);
  if (!theoretical) {
    bpf_map_update_elem(&arrivals, &flow, &first, BPF_NOEXIST);
    return XDP_PASS;
  }
  for (int i = 0; i < TRIES; i++) {
    __u64 old = *(volatile __u64 *)theoretical;
    if (old > now + limit_ns) return XDP_DROP;
    __u64 next = (old > now ? old : now) + increment_ns;
    if (__sync_val_compare_and_swap(theoretical, old, next) == old) return XDP_PASS;
  }
  return XDP_DROP; /* many at once: each of the others passed */
}

char _license[] SEC("license") = "GPL";
