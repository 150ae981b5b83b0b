/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tells of each packet in a ring buffer and as a perf event: its length and the last byte of its source address.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 65536);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
} events SEC(".maps");

SEC("xdp")
int tell(struct xdp_md *ctx) {
  struct ethhdr *ether = (void *)(long)ctx->data;
  if ((void *)(ether + 1) > (void *)(long)ctx->data_end) return XDP_DROP;
  __u16 record[2] = {ctx->data_end - ctx->data, ether->h_source[5]};
  bpf_ringbuf_output(&ring, record, sizeof record, 0);
  bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, record, sizeof record);
  return XDP_PASS;
}

char _license[] SEC("license") = "BSD";
