/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Marks packets for congestion (RFC 3168) when they waited too long: the target of CoDel (RFC 8289) with its law of control, the square
 * root by Newton's step in fixed point.
 */
#include "headers.h"

#include <linux/pkt_cls.h>

const volatile __u64 target_ns = 5000000, interval_ns = 100000000;

struct control {
  __u64 above_since, next_mark;
  __u32 count, inverse_root; /* 32 bits behind the point */
};

MAP(ARRAY, controls, __u32, struct control, 64);

static __always_inline __u32 newton(__u32 root, __u32 count) {
  __u64 square = ((__u64)root * root) >> 32, rest = (3ull << 32) - square * count;
  return (__u32)((rest >> 2) * root >> 31);
}

static __always_inline int mark(struct __sk_buff *skb) {
  struct cursor c = cursor_of_skb(skb);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || (ip->tos & 3) == 0) return TC_ACT_SHOT;
  __u16 *first = (__u16 *)ip, old = *first;
  ip->tos |= 3;
  ip->check = checksum_replace(ip->check, old, *first);
  return TC_ACT_OK;
}

SEC("tc")
int tc_delay_marks(struct __sk_buff *skb) {
  __u32 port = skb->ifindex;
  struct control *control = bpf_map_lookup_elem(&controls, &port);
  if (!control) return TC_ACT_OK;
  __u64 now = bpf_ktime_get_ns(), then = skb->tstamp;
  if (then == 0 || now - then < target_ns) {
    control->above_since = 0;
    return TC_ACT_OK;
  }
  if (control->above_since == 0) {
    control->above_since = now;
    return TC_ACT_OK;
  }
  if (now - control->above_since < interval_ns || now < control->next_mark) return TC_ACT_OK;
  control->count++;
  control->inverse_root = control->count == 1 ? 0xffffffff : newton(control->inverse_root, control->count);
  control->next_mark = now + (interval_ns * (control->inverse_root >> 16) >> 16);
  return mark(skb);
}

char _license[] SEC("license") = "GPL";
