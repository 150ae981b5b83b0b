/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Remembers the class of service of subscribers from RADIUS accounting (RFC 2866): the framed address and the class attribute of a
 * request, whose attributes are type, length, value.
 */
#include "headers.h"

enum { ACCOUNTING_PORT = 1813, REQUEST = 4, ATTRIBUTES_MOST = 16, FRAMED_ADDRESS = 8, CLASS = 25 };

struct radius {
  __u8 code, id;
  __be16 length;
  __u8 authenticator[16];
};

MAP(LRU_HASH, classes, __be32, __u32, 8192);

SEC("xdp")
int radius_attributes(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->dest != bpf_htons(ACCOUNTING_PORT)) return XDP_PASS;
  struct radius *radius = TAKE(&c, struct radius);
  if (!radius || radius->code != REQUEST) return XDP_PASS;
  __be32 address = 0;
  __u32 class = 0;
  for (int i = 0; i < ATTRIBUTES_MOST; i++) {
    __u8 *attribute = c.at;
    if ((void *)(attribute + 2) > c.end || attribute[1] < 2) break;
    if (attribute[1] == 6) {
      if ((void *)(attribute + 6) > c.end) break;
      __be32 value;
      __builtin_memcpy(&value, attribute + 2, sizeof value);
      if (attribute[0] == FRAMED_ADDRESS) address = value;
      if (attribute[0] == CLASS) class = bpf_ntohl(value);
    }
    c.at += attribute[1];
  }
  if (address) bpf_map_update_elem(&classes, &address, &class, BPF_ANY);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
