/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Global functions, which may be verified alone: one on numbers, one on the context, which it may move, and one on memory of a given type
 * that may be NULL.
 */
#include "headers.h"

struct window {
  __u32 low, high, hits;
};

MAP(ARRAY, windows, __u32, struct window, 16);

__noinline __u32 scatter(__u32 value, __u32 seed) {
  for (__u32 i = 0; i < 4; i++)
    value = mix(value + seed * i);
  return value;
}

__noinline int grow_and_mark(struct xdp_md *ctx, __u32 mark) {
  if (bpf_xdp_adjust_meta(ctx, -(int)sizeof mark)) return -1;
  __u32 *place = (void *)(long)ctx->data_meta;
  if ((void *)(place + 1) > (void *)(long)ctx->data) return -1;
  *place = mark;
  return 0;
}

__noinline int within(struct window *window, __u32 value) {
  if (!window || value < window->low || value > window->high) return 0;
  window->hits++;
  return 1;
}

SEC("xdp")
int global_functions(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 place = scatter(flow.source, flow.destination), slot = place % 16;
  if (!within(bpf_map_lookup_elem(&windows, &slot), place >> 4)) return XDP_PASS;
  if (grow_and_mark(ctx, place)) return XDP_ABORTED;
  c = cursor_of(ctx); /* pointers from before are gone */
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_DROP;
  swap_ethernet(eth);
  return XDP_TX;
}

char _license[] SEC("license") = "GPL";
