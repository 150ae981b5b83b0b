/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Walks the chain of IPv6 extension headers (RFC 8200, section 4) and drops packets by a policy: a mask of headers that may stand there,
 * a number of headers, and hop-by-hop options only in front.
 */
#include "headers.h"

enum { HEADERS_MOST = 10 };
enum { HOP_BY_HOP = 1, ROUTING = 2, FRAGMENT = 4, DESTINATION = 8, AUTHENTICATION = 16 };

const volatile __u32 headers_allowed = HOP_BY_HOP | FRAGMENT | DESTINATION | AUTHENTICATION;

MAP(PERCPU_ARRAY, chains_by_length, __u32, __u64, HEADERS_MOST + 1);

struct extension {
  __u8 next, length, data[6];
};

static __always_inline __u32 kind_of(__u8 protocol) {
  switch (protocol) {
    case IPPROTO_HOPOPTS:
      return HOP_BY_HOP;
    case IPPROTO_ROUTING:
      return ROUTING;
    case IPPROTO_FRAGMENT:
      return FRAGMENT;
    case IPPROTO_DSTOPTS:
      return DESTINATION;
    case IPPROTO_AH:
      return AUTHENTICATION;
    default:
      return 0;
  }
}

SEC("xdp")
int ipv6_extensions(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ipv6hdr *ip = open_ipv6(&c);
  if (!ip) return XDP_PASS;
  __u8 next = ip->nexthdr;
  for (__u32 i = 0; i < HEADERS_MOST; i++) {
    __u32 kind = kind_of(next);
    if (!kind) {
      add_to(&chains_by_length, i, 1);
      return XDP_PASS;
    }
    if (!(headers_allowed & kind) || (kind == HOP_BY_HOP && i > 0)) return XDP_DROP;
    struct extension *extension = TAKE(&c, struct extension);
    if (!extension) return XDP_DROP;
    __u32 behind = 0;           /* of the eight bytes that all have */
    if (kind == AUTHENTICATION) /* RFC 4302: in words of 4, less 2 */
      behind = extension->length > 0 ? (extension->length + 2u) * 4 - sizeof *extension : 0;
    else if (kind != FRAGMENT)
      behind = extension->length * 8u;
    if (!take_bytes(&c, behind)) return XDP_DROP;
    next = extension->next;
  }
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
