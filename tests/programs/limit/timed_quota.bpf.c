/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A quota of bytes per subscriber that a timer renews: the callback fills it up, counts periods without traffic, and starts itself again
 * until the subscriber has been idle for some of them.
 */
#include "headers.h"

enum { CLOCK_MONOTONIC = 1 };

const volatile __u64 period_ns = 1000000000;
const volatile __u64 quota_bytes = 1000000;
const volatile __u32 idle_most = 60;

struct quota {
  __u64 left;
  __u32 idle, used;
  struct bpf_timer timer;
};

MAP(HASH, quotas, __be32, struct quota, 4096);

static int renew(void *map, __be32 *subscriber, struct quota *quota) {
  quota->idle = quota->used ? 0 : quota->idle + 1;
  quota->used = 0;
  quota->left = quota_bytes;
  if (quota->idle < idle_most) bpf_timer_start(&quota->timer, period_ns, 0);
  return 0;
}

SEC("xdp")
int timed_quota(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  __u64 bytes = c.end - c.at;
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  __be32 subscriber = ip->saddr;
  struct quota *quota = bpf_map_lookup_elem(&quotas, &subscriber);
  if (!quota) {
    struct quota fresh = {.left = quota_bytes};
    bpf_map_update_elem(&quotas, &subscriber, &fresh, BPF_NOEXIST);
    quota = bpf_map_lookup_elem(&quotas, &subscriber);
    if (!quota) return XDP_DROP;
    bpf_timer_init(&quota->timer, &quotas, CLOCK_MONOTONIC);
    bpf_timer_set_callback(&quota->timer, renew);
    bpf_timer_start(&quota->timer, period_ns, 0);
  }
  quota->used = 1;
  if (quota->left < bytes) return XDP_DROP;
  quota->left -= bytes;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
