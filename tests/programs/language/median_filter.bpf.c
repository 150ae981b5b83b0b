/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Judges the length of packets by the median of the last nine of the same source: a copy of the ring is sorted on the stack by insertion,
 * two nested loops over an array.
 */
#include "headers.h"

enum { LENGTHS = 9 };

struct history {
  __u32 next, lengths[LENGTHS];
};

MAP(LRU_HASH, histories, __be32, struct history, 4096);

const volatile __u32 times = 4;

static __always_inline __u32 median(const __u32 *values) {
  __u32 sorted[LENGTHS];
  for (__u32 i = 0; i < LENGTHS; i++)
    sorted[i] = values[i];
#pragma unroll
  for (__u32 i = 1; i < LENGTHS; i++)
#pragma unroll
    for (__u32 j = i; j > 0; j--) {
      __u32 low = sorted[j - 1], high = sorted[j];
      sorted[j - 1] = low < high ? low : high;
      sorted[j] = low < high ? high : low;
    }
  return sorted[LENGTHS / 2];
}

SEC("xdp")
int median_filter(struct xdp_md *ctx) {
  __u32 length = (__u32)bpf_xdp_get_buff_len(ctx);
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  __be32 source = ip->saddr;
  struct history *history = bpf_map_lookup_elem(&histories, &source);
  if (!history) {
    struct history fresh = {.next = 1, .lengths = {length}};
    bpf_map_update_elem(&histories, &source, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  __u32 usual = median(history->lengths);
  __u32 place = history->next;
  if (place >= LENGTHS) place = 0;
  history->lengths[place] = length;
  history->next = place + 1;
  return usual && length > usual * times ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
