/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Drops what NTP servers are abused for: control and private queries, whose answers are many times as long (RFC 8633, section 5.7), and
 * answers that this network didn't ask for.
 */
#include "headers.h"

enum { NTP_PORT = 123, MODE_CLIENT = 3, MODE_SERVER = 4, MODE_CONTROL = 6, MODE_PRIVATE = 7, NTP_LENGTH = 48 };

struct query {
  __be32 client, server;
};

const volatile __u64 patience_ns = 2000000000;

MAP(LRU_HASH, queries, struct query, __u64, 4096);
MAP(PERCPU_ARRAY, dropped_by_mode, __u32, __u64, 8);

SEC("xdp")
int ntp_guard(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_UDP) return XDP_PASS;
  struct udphdr *udp = TAKE(&c, struct udphdr);
  if (!udp || (udp->dest != bpf_htons(NTP_PORT) && udp->source != bpf_htons(NTP_PORT))) return XDP_PASS;
  __u8 *first = TAKE(&c, __u8);
  if (!first) return XDP_DROP;
  __u32 mode = *first & 7u;
  __u64 now = bpf_ktime_get_ns();
  if (mode == MODE_CLIENT && bpf_ntohs(udp->len) >= NTP_LENGTH + sizeof *udp) {
    struct query asked = {ip->saddr, ip->daddr};
    bpf_map_update_elem(&queries, &asked, &now, BPF_ANY);
    return XDP_PASS;
  }
  if (mode == MODE_SERVER) {
    struct query answered = {ip->daddr, ip->saddr};
    __u64 *then = bpf_map_lookup_elem(&queries, &answered);
    if (then && now - *then < patience_ns) return XDP_PASS;
  }
  add_to(&dropped_by_mode, mode, 1);
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
