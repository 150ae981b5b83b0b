/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Opens a port to who knocks at others first, in the right order and in time: a state machine for each source.
 */
#include "headers.h"

enum { KNOCKS = 4 };

const volatile __u16 knock_ports[KNOCKS] = {7000, 8000, 9000, 10000};
const volatile __u16 guarded_port = 22;
const volatile __u64 knock_ns = 5000000000, open_ns = 3600000000000;

struct knocker {
  __u64 last;
  __u32 heard, zero;
};

MAP(LRU_HASH, knockers, __be32, struct knocker, 4096);

SEC("xdp")
int port_knocking(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp) return XDP_DROP;
  __u16 port = bpf_ntohs(tcp->dest);
  __u64 now = bpf_ktime_get_ns();
  struct knocker *knocker = bpf_map_lookup_elem(&knockers, &flow.source);
  if (port == guarded_port)
    return knocker && knocker->heard == KNOCKS && now - knocker->last < open_ns ? XDP_PASS : XDP_DROP;
  if (!tcp->syn || tcp->ack) return XDP_PASS;
  if (!knocker) {
    struct knocker fresh = {now, port == knock_ports[0], 0};
    if (fresh.heard) bpf_map_update_elem(&knockers, &flow.source, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  __u32 heard = knocker->heard;
  if (heard >= KNOCKS) return XDP_PASS;
  knocker->heard = now - knocker->last < knock_ns && port == knock_ports[heard] ? heard + 1 : port == knock_ports[0];
  knocker->last = now;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
