/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Finds flows that send much with a count-min sketch (Cormode, Muthukrishnan 2005): four rows of counters, each with a hash of its own; the
 * least of the four is never too small. A flow over the threshold is reported once.
 */
#include "headers.h"

enum { ROWS = 4, COLUMNS = 1024 };

const volatile __u64 threshold = 1000;

struct row {
  __u32 counts[COLUMNS];
};

struct report {
  struct flow flow;
  __u64 estimate;
};

MAP(PERCPU_ARRAY, sketch, __u32, struct row, ROWS);
MAP(LRU_HASH, reported, struct flow, __u8, 1024);
RING(reports, 16384);

SEC("xdp")
int count_min(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 hash = flow_hash(&flow), estimate = 0xffffffff;
  for (__u32 i = 0; i < ROWS; i++) {
    __u32 key = i;
    struct row *row = bpf_map_lookup_elem(&sketch, &key);
    if (!row) return XDP_ABORTED;
    hash = mix(hash + i);
    __u32 count = ++row->counts[hash % COLUMNS];
    if (count < estimate) estimate = count;
  }
  if (estimate < threshold || bpf_map_lookup_elem(&reported, &flow)) return XDP_PASS;
  struct report *report = bpf_ringbuf_reserve(&reports, sizeof *report, 0);
  if (!report) return XDP_PASS;
  report->flow = flow;
  report->estimate = estimate;
  bpf_ringbuf_submit(report, 0);
  __u8 one = 1;
  bpf_map_update_elem(&reported, &flow, &one, BPF_ANY);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
