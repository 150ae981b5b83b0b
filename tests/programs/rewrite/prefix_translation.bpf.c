/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv6 prefix translation without state (RFC 6296): 48 bits of the source outwards and of the destination inwards are replaced, and one
 * word of the address takes up the difference, so that no checksum changes.
 */
#include "headers.h"

enum { PREFIX_WORDS = 3, WORDS = 8 };

const volatile __u16 inner[PREFIX_WORDS] = {0x00fd, 0x0100, 0x0200}; /* fd00:1:2::/48, as words of the packet */
const volatile __u16 outer[PREFIX_WORDS] = {0x0120, 0xb80d, 0x0100}; /* 2001:db8:1::/48 */

static __always_inline __u32 add_words(const volatile __u16 *words) {
  __u32 sum = 0;
  for (int i = 0; i < PREFIX_WORDS; i++)
    sum += words[i];
  return sum;
}

static __always_inline int has_prefix(const __u16 *address, const volatile __u16 *prefix) {
  return address[0] == prefix[0] && address[1] == prefix[1] && address[2] == prefix[2];
}

static __always_inline int translate(__u16 *address, const volatile __u16 *from, const volatile __u16 *to) {
  __u32 word = PREFIX_WORDS;
  while (word < WORDS - 1 && address[word] == 0xffff)
    word++;
  __u32 sum = address[word] + add_words(from) + (~add_words(to) & 0xffff) + 0x10000;
  for (int i = 0; i < PREFIX_WORDS; i++)
    address[i] = to[i];
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  address[word] = sum == 0xffff ? 0 : (__u16)sum;
  return XDP_TX;
}

SEC("xdp")
int prefix_translation(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ipv6hdr *ip = open_ipv6(&c);
  if (!ip) return XDP_PASS;
  if (has_prefix(ip->saddr.in6_u.u6_addr16, inner)) return translate(ip->saddr.in6_u.u6_addr16, inner, outer);
  if (has_prefix(ip->daddr.in6_u.u6_addr16, outer)) return translate(ip->daddr.in6_u.u6_addr16, outer, inner);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
