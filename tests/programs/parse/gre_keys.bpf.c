/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Finds the tenant of a GRE packet by its key (RFC 2784, RFC 2890): which optional fields stand in front of the key depends on the flag
 * bits. Packets of unknown tenants are dropped, those of the others counted in bytes.
 */
#include "headers.h"

struct gre_header {
  __be16 flags, protocol;
};

enum { GRE_CHECKSUM = 0x8000, GRE_ROUTING = 0x4000, GRE_KEY = 0x2000, GRE_SEQUENCE = 0x1000, GRE_VERSION = 7 };

struct tenant {
  __u64 packets, bytes;
  __u32 last_sequence, reordered;
};

MAP(HASH, tenants, __be32, struct tenant, 1024);

SEC("xdp")
int gre_keys(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_GRE) return XDP_PASS;
  struct gre_header *gre = TAKE(&c, struct gre_header);
  if (!gre) return XDP_DROP;
  __u16 flags = bpf_ntohs(gre->flags);
  if ((flags & GRE_VERSION) || (flags & GRE_ROUTING) || !(flags & GRE_KEY)) return XDP_DROP;
  if (flags & GRE_CHECKSUM) take_bytes(&c, 4);
  __be32 *key = TAKE(&c, __be32);
  if (!key) return XDP_DROP;
  struct tenant *tenant = bpf_map_lookup_elem(&tenants, key);
  if (!tenant) return XDP_DROP;
  if (flags & GRE_SEQUENCE) {
    __be32 *field = TAKE(&c, __be32);
    if (!field) return XDP_DROP;
    __u32 sequence = bpf_ntohl(*field);
    if ((__s32)(sequence - tenant->last_sequence) > 0)
      tenant->last_sequence = sequence;
    else
      tenant->reordered++;
  }
  __sync_fetch_and_add(&tenant->packets, 1);
  __sync_fetch_and_add(&tenant->bytes, c.end - c.at);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
