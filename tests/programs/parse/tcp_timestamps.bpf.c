/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Estimates round-trip times from TCP timestamps (RFC 7323) as a middlebox sees them: the time between a TSval in one direction and
 * the first TSecr with it in the other. Most packets carry the option as no-operation, no-operation, timestamp: that is tried first.
 */
#include "headers.h"

enum {
  OPTIONS_MOST = 10,
  OPTION_END = 0,
  OPTION_NOTHING = 1,
  OPTION_TIMESTAMP = 8,
  TIMESTAMP_LENGTH = 10,
  BUCKETS = 32
};

struct stamp {
  __be32 from, to;
  __be16 source_port, destination_port;
  __be32 value;
};

struct values {
  __be32 value, echo;
};

MAP(LRU_HASH, pending, struct stamp, __u64, 4096); /* time at which it passed */
MAP(PERCPU_ARRAY, round_trips, __u32, __u64, BUCKETS);

/* Where the option's values lie in the options; NULL: nowhere. */
static __always_inline struct values *find_values(void *at, void *end, __u32 length) {
  __be32 *usual = at;
  if (at + 12 <= end && length >= 12 && *usual == bpf_htonl(0x0101080a)) return at + 4;
  for (__u32 i = 0, offset = 0; i < OPTIONS_MOST && offset < length; i++) {
    __u8 *option = at + offset;
    if ((void *)(option + 2) > end || option[0] == OPTION_END) return 0;
    if (option[0] == OPTION_TIMESTAMP && option[1] == TIMESTAMP_LENGTH) {
      if ((void *)(option + TIMESTAMP_LENGTH) > end) return 0;
      return (struct values *)(option + 2);
    }
    if (option[0] != OPTION_NOTHING && option[1] < 2) return 0;
    offset += option[0] == OPTION_NOTHING ? 1 : option[1];
  }
  return 0;
}

static __always_inline __u32 log2_of(__u64 value) {
  __u32 log = 0;
  for (__u32 bit = 16; bit > 0; bit /= 2) {
    if (value >> bit == 0) continue;
    value >>= bit;
    log += bit;
  }
  return log;
}

SEC("xdp")
int tcp_timestamps(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp || tcp->doff < 5) return XDP_PASS;
  struct values *values = find_values(c.at, c.end, tcp->doff * 4u - sizeof *tcp);
  if (!values) return XDP_PASS;
  __u64 now = bpf_ktime_get_ns();
  struct stamp sent = {flow.source, flow.destination, flow.source_port, flow.destination_port, values->value};
  struct stamp echoed = {flow.destination, flow.source, flow.destination_port, flow.source_port, values->echo};
  bpf_map_update_elem(&pending, &sent, &now, BPF_NOEXIST);
  __u64 *then = bpf_map_lookup_elem(&pending, &echoed);
  if (!then) return XDP_PASS;
  add_to(&round_trips, log2_of((now - *then) / 1000), 1);
  bpf_map_delete_elem(&pending, &echoed);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
