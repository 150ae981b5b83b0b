/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the programs of this firewall share: packets counted per verdict. A map is carried over from one program to the next
 * when its name and layout are the same, so the counts go on through a live swap.
 */
#ifndef FIREWALL_COUNTERS_H
#define FIREWALL_COUNTERS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 5); /* one per XDP verdict: XDP_ABORTED to XDP_REDIRECT */
  __type(key, __u32);
  __type(value, __u64);
} counters SEC(".maps");

static __always_inline int count(__u32 verdict) {
  __u64 *packets = bpf_map_lookup_elem(&counters, &verdict);
  if (packets) __sync_fetch_and_add(packets, 1);
  return (int)verdict;
}

#endif
