/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Refuses IPv4 options that let a sender choose the path or make routers work (RFC 7126): source routes, record route, timestamps.
 * The router alert, which IGMP needs, stays.
 *
 * Linux refuses it: each of 40 trips ends in one of three ways, and it walks over a million instructions.
 */
#include "headers.h"

enum { OPTIONS_MOST = 40, END = 0, NOTHING = 1, ROUTER_ALERT = 148 };

MAP(PERCPU_ARRAY, dropped_by_option, __u32, __u64, 256);

SEC("xdp")
int ip_options(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_IP)) return XDP_PASS;
  struct iphdr *ip = TAKE(&c, struct iphdr);
  if (!ip || ip->ihl < 5) return XDP_DROP;
  void *end = c.at + (ip->ihl - 5u) * 4;
  if (end > c.end) return XDP_DROP;
  for (int i = 0; i < OPTIONS_MOST && c.at < end; i++) {
    __u8 *option = TAKE(&c, __u8);
    if (!option || *option == END) break;
    if (*option == NOTHING) continue;
    if (*option != ROUTER_ALERT) {
      add_to(&dropped_by_option, *option, 1);
      return XDP_DROP;
    }
    __u8 *length = TAKE(&c, __u8);
    if (!length || *length < 2 || !take_bytes(&c, *length - 2u)) return XDP_DROP;
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
