/* SPDX-License-Identifier: BSD-3-Clause
 *
 * About 500 instructions in a straight line, for measuring what the length of a program costs: two checksums of a frame's
 * first bytes, and a map that is kept over a change.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum { BYTES = 46 };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} last_checksum SEC(".maps");

SEC("xdp")
int long_program(struct xdp_md *ctx) {
  const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
  if (data + BYTES > end) return XDP_PASS;
  __u64 fnv = 0xcbf29ce484222325, mixed = 0;
#pragma unroll
  for (int i = 0; i < BYTES; i++) {
    fnv = (fnv ^ data[i]) * 0x1b3;
    mixed = (mixed << 5) + mixed + (fnv >> 7);
  }
  __u32 key = 0;
  __u64 *value = bpf_map_lookup_elem(&last_checksum, &key);
  if (value) *value = mixed;
  return XDP_PASS;
}

char _license[] SEC("license") = "BSD";
