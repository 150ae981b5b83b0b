/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A uniform sample of all packets so far (reservoir sampling, Vitter 1985): the n-th packet takes the place of one of 32 with chance 32/n.
 */
#include "headers.h"

enum { PLACES = 32, SNAP = 48 };

struct sample {
  __u64 number;
  __u32 length, captured;
  __u8 bytes[SNAP];
};

MAP(PERCPU_ARRAY, samples, __u32, struct sample, PLACES);
MAP(PERCPU_ARRAY, packets, __u32, __u64, 1);

SEC("xdp")
int reservoir(struct xdp_md *ctx) {
  __u32 zero = 0, place;
  __u64 *seen = bpf_map_lookup_elem(&packets, &zero);
  if (!seen) return XDP_ABORTED;
  __u64 number = (*seen)++;
  place = number < PLACES ? (__u32)number : (__u32)(bpf_get_prandom_u32() % number);
  if (place >= PLACES) return XDP_PASS;
  struct sample *sample = bpf_map_lookup_elem(&samples, &place);
  if (!sample) return XDP_ABORTED;
  sample->number = number;
  sample->length = (__u32)bpf_xdp_get_buff_len(ctx);
  sample->captured = sample->length < SNAP ? sample->length : SNAP;
  if (sample->length >= SNAP) bpf_xdp_load_bytes(ctx, 0, sample->bytes, SNAP);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
