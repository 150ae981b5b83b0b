/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sets the class of service of packets (RFC 2474) by a table over ports and protocols that a switch statement chooses from, and leaves a
 * mark in front of the packet for who comes next (metadata).
 */
#include "headers.h"

enum { CLASS_DEFAULT = 0, CLASS_BULK = 10, CLASS_VIDEO = 34, CLASS_VOICE = 46, CLASS_CONTROL = 48 };

static __always_inline __u32 class_of(const struct flow *flow) {
  switch (bpf_ntohs(flow->destination_port)) {
    case 20:
    case 21:
    case 873:
      return CLASS_BULK;
    case 22:
    case 179:
    case 3784:
      return CLASS_CONTROL;
    case 5060:
    case 5061:
    case 16384 ... 32767:
      return flow->protocol == IPPROTO_UDP ? CLASS_VOICE : CLASS_DEFAULT;
    case 443:
      return flow->protocol == IPPROTO_UDP ? CLASS_VIDEO : CLASS_DEFAULT;
    default:
      return CLASS_DEFAULT;
  }
}

SEC("xdp")
int ttl_and_marks(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 class = class_of(&flow);
  struct cursor start = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&start);
  if (!ip) return XDP_ABORTED;
  __u16 *first = (__u16 *)ip, old = *first;
  ip->tos = (__u8)((class << 2) | (ip->tos & 3));
  ip->check = checksum_replace(ip->check, old, *first);
  if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(__u32))) return XDP_PASS;
  __u32 *mark = (void *)(long)ctx->data_meta;
  if ((void *)(mark + 1) > (void *)(long)ctx->data) return XDP_ABORTED;
  *mark = class;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
