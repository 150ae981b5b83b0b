/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A histogram of packet sizes in powers of two, with sum, least and greatest, all in global data. The logarithm is found by a loop
 * with a callback (bpf_loop), the extremes by compare-and-exchange.
 */
#include "headers.h"

enum { BUCKETS = 17 };

__u64 histogram[BUCKETS] = {0};
__u64 bytes = 0;
__u32 least = 0xffffffff, greatest = 0;

struct search {
  __u32 length, log;
};

static long step(__u32 index, struct search *search) {
  if (search->length >> index == 0) return 1;
  search->log = index;
  return 0;
}

static __always_inline void keep_extreme(__u32 *place, __u32 value, int want_less) {
  for (int i = 0; i < 4; i++) {
    __u32 old = *(volatile __u32 *)place;
    if (want_less ? old <= value : old >= value) return;
    if (__sync_val_compare_and_swap(place, old, value) == old) return;
  }
}

SEC("xdp")
int size_histogram(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct search search = {(__u32)(c.end - c.at) & 0x1ffff, 0};
  bpf_loop(BUCKETS, step, &search, 0);
  __u32 log = search.log;
  if (log < BUCKETS) __sync_fetch_and_add(&histogram[log], 1);
  __sync_fetch_and_add(&bytes, search.length);
  keep_extreme(&least, search.length, 1);
  keep_extreme(&greatest, search.length, 0);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
