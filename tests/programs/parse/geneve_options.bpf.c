/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Walks the options of a Geneve header (RFC 8926, section 3.5) for a security group tag, and asks a table whether that group may reach
 * the inner destination. An unknown option that is critical drops the packet, as the RFC demands.
 */
#include "headers.h"

enum { GENEVE_PORT = 6081, OPTIONS_MOST = 16, CLASS_OURS = 0x0104, TYPE_GROUP = 1, CRITICAL = 0x80, CONTROL = 0x80 };

struct geneve_header {
  __u8 length; /* two bits of version, six bits of length in words of 4 */
  __u8 flags;
  __be16 protocol;
  __u8 vni[3], reserved;
};

struct geneve_option {
  __be16 class;
  __u8 type, length; /* in words of 4, three bits above are reserved */
};

struct permission {
  __be32 group, destination;
};

MAP(HASH, permitted, struct permission, __u8, 4096);

/* 0: no group stands there; a negative number: not to be forwarded. */
static __always_inline __s64 find_group(struct cursor *c, __u32 length) {
  void *end = c->at + length;
  __s64 group = 0;
  if (end > c->end) return -1;
  for (__u32 i = 0; i < OPTIONS_MOST && c->at < end; i++) {
    struct geneve_option *option = TAKE(c, struct geneve_option);
    if (!option) return -1;
    __u32 size = (option->length & 0x1fu) * 4;
    void *data = take_bytes(c, size);
    if (!data) return -1;
    if (option->class == bpf_htons(CLASS_OURS) && (option->type & 0x7f) == TYPE_GROUP) {
      if (size != 4 || data + 4 > c->end) return -1;
      group = bpf_ntohl(*(__be32 *)data);
    } else if (option->type & CRITICAL) {
      return -1;
    }
  }
  return group;
}

SEC("xdp")
int geneve_options(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->dest != bpf_htons(GENEVE_PORT)) return XDP_PASS;
  struct geneve_header *geneve = TAKE(&c, struct geneve_header);
  if (!geneve || geneve->length >> 6 != 0 || (geneve->flags & CONTROL)) return XDP_DROP;
  if (geneve->protocol != bpf_htons(0x6558)) return XDP_DROP; /* an Ethernet frame */
  __s64 group = find_group(&c, (geneve->length & 0x3fu) * 4);
  if (group < 0) return XDP_DROP;
  struct iphdr *inner = open_ipv4(&c);
  if (!inner) return XDP_DROP;
  struct permission wanted = {bpf_htonl((__u32)group), inner->daddr};
  return bpf_map_lookup_elem(&permitted, &wanted) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
