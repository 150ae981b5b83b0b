/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Passes the first 500 packets it counts in its map, and drops the rest: whether a map's state outlives a swap shows on the wire.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum { LIMIT = 500 };

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} seen SEC(".maps");

SEC("xdp")
int limit(struct xdp_md *ctx) {
  __u32 key = 0;
  __u64 one = 1, *count = bpf_map_lookup_elem(&seen, &key);
  if (!count) {
    bpf_map_update_elem(&seen, &key, &one, BPF_ANY);
    return XDP_PASS;
  }
  return ++*count <= LIMIT ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "BSD";
