/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counts packets, and from the first one on, by a timer, also periods: what runs without packets shows in the map.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "imago/tunable.h"

enum { CLOCK_MONOTONIC = 1 };

const volatile __u64 period IMAGO_TUNABLE(1000000, 3600000000000) = 10000000; /* nanoseconds */

struct count {
  __u64 packets, periods;
  struct bpf_timer timer;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct count);
} counts SEC(".maps");

static int tick(void *map, __u32 *key, struct count *count) {
  __sync_fetch_and_add(&count->periods, 1);
  bpf_timer_start(&count->timer, period, 0);
  return 0;
}

SEC("xdp")
int alarm(struct xdp_md *ctx) {
  __u32 key = 0;
  struct count *count = bpf_map_lookup_elem(&counts, &key);
  if (!count) return XDP_ABORTED;
  __sync_fetch_and_add(&count->packets, 1);
  if (bpf_timer_init(&count->timer, &counts, CLOCK_MONOTONIC) == 0) {
    bpf_timer_set_callback(&count->timer, tick);
    bpf_timer_start(&count->timer, period, 0);
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "BSD";
