/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sends each packet to every interface in the map but the one that it came in by, as a hub does.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 8);
  __type(key, __u32);
  __type(value, __u32);
} ports SEC(".maps");

SEC("xdp")
int flood(struct xdp_md *ctx) { return bpf_redirect_map(&ports, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS); }

char _license[] SEC("license") = "BSD";
