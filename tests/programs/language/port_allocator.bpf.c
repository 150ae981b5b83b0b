/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hands out ports from a queue and takes them back onto a stack of those used last, and keeps who has which: queue, stack and hash maps
 * together.
 */
#include "headers.h"

enum { PORTS = 1024 };

struct {
  __uint(type, BPF_MAP_TYPE_QUEUE);
  __uint(max_entries, PORTS);
  __type(value, __u16);
} unused SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_STACK);
  __uint(max_entries, PORTS);
  __type(value, __u16);
} recent SEC(".maps");
MAP(HASH, owners, struct flow, __u16, PORTS);
__u64 exhausted = 0;

SEC("xdp")
int port_allocator(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp) return XDP_DROP;
  __u16 *owned = bpf_map_lookup_elem(&owners, &flow), port = 0;
  if (tcp->fin || tcp->rst) {
    if (!owned) return XDP_PASS;
    port = *owned;
    bpf_map_delete_elem(&owners, &flow);
    if (bpf_map_push_elem(&recent, &port, BPF_ANY)) bpf_map_push_elem(&unused, &port, BPF_EXIST);
    return XDP_PASS;
  }
  if (owned) return XDP_PASS;
  if (bpf_map_pop_elem(&unused, &port) && bpf_map_pop_elem(&recent, &port)) {
    __sync_fetch_and_add(&exhausted, 1);
    return XDP_DROP;
  }
  return bpf_map_update_elem(&owners, &flow, &port, BPF_NOEXIST) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
