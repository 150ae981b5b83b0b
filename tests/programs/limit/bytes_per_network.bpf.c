/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Token buckets in two levels: of the network that a longest prefix finds, and of the host. A packet takes tokens, one for each byte, from
 * both or from none; each bucket has a lock.
 */
#include "headers.h"

struct bucket {
  struct bpf_spin_lock lock;
  __u32 zero;
  __u64 tokens, filled;
};

struct prefix {
  __u32 length;
  __be32 address;
};

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 256);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct prefix);
  __type(value, __u32); /* number of the network */
} networks SEC(".maps");
MAP(ARRAY, network_buckets, __u32, struct bucket, 256);
MAP(HASH, host_buckets, __be32, struct bucket, 8192);

const volatile __u64 network_rate = 125000000, host_rate = 12500000; /* bytes a second */
const volatile __u64 burst_ns = 100000000;

static __always_inline int take(struct bucket *bucket, __u64 now, __u64 rate, __u64 bytes) {
  __u64 most = rate / 1000 * (burst_ns / 1000000);
  int taken = 0;
  bpf_spin_lock(&bucket->lock);
  __u64 passed = now - bucket->filled;
  __u64 tokens = passed > burst_ns ? most : bucket->tokens + passed / 1000 * (rate / 1000000);
  if (tokens > most) tokens = most;
  if (tokens >= bytes) {
    tokens -= bytes;
    taken = 1;
  }
  bucket->tokens = tokens;
  bucket->filled = now;
  bpf_spin_unlock(&bucket->lock);
  return taken;
}

static __always_inline void give_back(struct bucket *bucket, __u64 bytes) {
  bpf_spin_lock(&bucket->lock);
  bucket->tokens += bytes;
  bpf_spin_unlock(&bucket->lock);
}

SEC("xdp")
int bytes_per_network(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  __u64 bytes = c.end - c.at, now = bpf_ktime_get_ns();
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  __be32 host = ip->saddr;
  struct prefix key = {32, host};
  __u32 *number = bpf_map_lookup_elem(&networks, &key);
  struct bucket *network = number ? bpf_map_lookup_elem(&network_buckets, number) : 0;
  if (!network) return XDP_PASS;
  struct bucket *own = bpf_map_lookup_elem(&host_buckets, &host);
  if (!own) {
    struct bucket fresh = {.filled = now};
    bpf_map_update_elem(&host_buckets, &host, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  if (!take(network, now, network_rate, bytes)) return XDP_DROP;
  if (take(own, now, host_rate, bytes)) return XDP_PASS;
  give_back(network, bytes);
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
