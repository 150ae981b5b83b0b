/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Learns the neighbour of a port from LLDP (IEEE 802.1AB): its fields are type (7 bits), length (9 bits), value; the chassis and port
 * identifiers are copied by their variable length into the table. LLDP ends here.
 *
 * Linux refuses it: it walks every number of bytes copied apart, over a million instructions.
 */
#include "headers.h"

enum { FIELDS_MOST = 24, FIELD_END = 0, FIELD_CHASSIS = 1, FIELD_PORT = 2, ID_MOST = 32 };

struct identifier {
  __u8 length, bytes[ID_MOST - 1];
};

struct neighbour {
  struct identifier chassis, port;
  __u64 seen;
};

MAP(HASH, neighbours, __u32, struct neighbour, 64);

static __always_inline void copy_identifier(struct identifier *to, struct cursor c, __u32 length) {
  for (__u32 i = 0; i < sizeof to->bytes && i < length; i++) {
    __u8 *byte = TAKE(&c, __u8);
    if (!byte) return;
    to->bytes[i] = *byte;
    to->length = (__u8)(i + 1);
  }
}

SEC("xdp")
int lldp_neighbours(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_LLDP)) return XDP_PASS;
  struct neighbour neighbour = {.seen = bpf_ktime_get_ns()};
  for (int i = 0; i < FIELDS_MOST; i++) {
    __be16 *field = TAKE(&c, __be16);
    if (!field) return XDP_DROP;
    __u32 kind = bpf_ntohs(*field) >> 9, length = bpf_ntohs(*field) & 0x1ff;
    if (kind == FIELD_END) break;
    if (kind == FIELD_CHASSIS) copy_identifier(&neighbour.chassis, c, length);
    if (kind == FIELD_PORT) copy_identifier(&neighbour.port, c, length);
    if (!take_bytes(&c, length)) return XDP_DROP;
  }
  __u32 port = ctx->ingress_ifindex;
  bpf_map_update_elem(&neighbours, &port, &neighbour, BPF_ANY);
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
