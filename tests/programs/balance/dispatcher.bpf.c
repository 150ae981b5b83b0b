/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hands packets on to a program per protocol by tail calls, and lets pass what has none. The handlers count in one map; the one for
 * UDP calls the entry again, which ends at the limit of tail calls (33, as Linux has it).
 */
#include "headers.h"

enum { HANDLER_TCP = 0, HANDLER_UDP = 1, HANDLER_ENTRY = 2, HANDLERS = 4 };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, HANDLERS);
  __type(key, __u32);
  __type(value, __u64);
} runs SEC(".maps");

int dispatcher(struct xdp_md *ctx);
int handle_tcp(struct xdp_md *ctx);
int handle_udp(struct xdp_md *ctx);

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, HANDLERS);
  __uint(key_size, sizeof(__u32));
  __array(values, int(void *));
} handlers SEC(".maps") = {.values = {[HANDLER_TCP] = (void *)&handle_tcp,
                                      [HANDLER_UDP] = (void *)&handle_udp,
                                      [HANDLER_ENTRY] = (void *)&dispatcher}};

static __always_inline void count(__u32 handler) {
  __u64 *packets = bpf_map_lookup_elem(&runs, &handler);
  if (packets) __sync_fetch_and_add(packets, 1);
}

SEC("xdp")
int handle_tcp(struct xdp_md *ctx) {
  count(HANDLER_TCP);
  return XDP_TX;
}

SEC("xdp")
int handle_udp(struct xdp_md *ctx) {
  count(HANDLER_UDP);
  bpf_tail_call(ctx, &handlers, HANDLER_ENTRY);
  return XDP_DROP;
}

SEC("xdp")
int dispatcher(struct xdp_md *ctx) {
  count(HANDLER_ENTRY);
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_IP)) return XDP_PASS;
  struct iphdr *ip = TAKE(&c, struct iphdr);
  if (!ip) return XDP_PASS;
  if (ip->protocol == IPPROTO_TCP) bpf_tail_call(ctx, &handlers, HANDLER_TCP);
  if (ip->protocol == IPPROTO_UDP) bpf_tail_call(ctx, &handlers, HANDLER_UDP);
  return XDP_DROP; /* a tail call that succeeds doesn't come back */
}

char _license[] SEC("license") = "GPL";
