/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Meters subscribers of a mobile network by the tunnel endpoint of their GTP-U packets (3GPP TS 29.281, section 5): optional fields, then a
 * chain of extension headers whose length is counted in words of 4 bytes and whose last byte names the next.
 */
#include "headers.h"

enum {
  GTP_PORT = 2152,
  EXTENSIONS_MOST = 4,
  HAS_NUMBER = 1,
  HAS_SEQUENCE = 2,
  HAS_EXTENSION = 4,
  TUNNELLED_PACKET = 255
};
enum { EXTENSION_SESSION = 0x85 };

struct gtp_header {
  __u8 flags, type;
  __be16 length;
  __be32 tunnel;
};

struct gtp_optional {
  __be16 sequence;
  __u8 number, next;
};

struct usage {
  __u64 packets, bytes, by_class[64];
};

MAP(HASH, subscribers, __be32, struct usage, 4096);

SEC("xdp")
int gtp_user(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->dest != bpf_htons(GTP_PORT)) return XDP_PASS;
  struct gtp_header *gtp = TAKE(&c, struct gtp_header);
  if (!gtp || gtp->flags >> 4 != 3) return XDP_DROP; /* version 1, GTP and not GTP' */
  if (gtp->type != TUNNELLED_PACKET) return XDP_PASS;
  __u32 class = 0;
  if (gtp->flags & (HAS_NUMBER | HAS_SEQUENCE | HAS_EXTENSION)) {
    struct gtp_optional *optional = TAKE(&c, struct gtp_optional);
    if (!optional) return XDP_DROP;
    __u8 next = gtp->flags & HAS_EXTENSION ? optional->next : 0;
    for (int i = 0; i < EXTENSIONS_MOST && next != 0; i++) {
      __u8 *words = c.at;
      if ((void *)(words + 4) > c.end || *words == 0) return XDP_DROP;
      if (next == EXTENSION_SESSION) class = words[2] & 0x3f; /* the QoS flow */
      if (!take_bytes(&c, *words * 4u)) return XDP_DROP;
      next = *(__u8 *)(c.at - 1);
    }
    if (next != 0) return XDP_DROP;
  }
  struct usage *usage = bpf_map_lookup_elem(&subscribers, &gtp->tunnel);
  if (!usage) return XDP_DROP;
  __u64 length = c.end - c.at;
  __sync_fetch_and_add(&usage->packets, 1);
  __sync_fetch_and_add(&usage->bytes, length);
  __sync_fetch_and_add(&usage->by_class[class], length);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
