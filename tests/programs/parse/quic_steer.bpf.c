/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steers QUIC by connection id, so that a connection stays with its processor when the client's address changes (RFC 9000, section
 * 17): long headers carry the id's length, short headers an id of the length that the servers behind hand out.
 */
#include "headers.h"

enum { QUIC_PORT = 443, ID_MOST = 20, LONG_HEADER = 0x80, FIXED_BIT = 0x40, PROCESSORS = 64 };

const volatile __u32 our_id_length = 8;
const volatile __u32 processors = 4;

MAP(CPUMAP, targets, __u32, __u32, PROCESSORS);

static __always_inline __u32 hash_id(struct cursor *c, __u32 length) {
  __u32 hash = 0x811c9dc5;
  for (__u32 i = 0; i < ID_MOST; i++) {
    if (i >= length) break;
    __u8 *byte = TAKE(c, __u8);
    if (!byte) return 0;
    hash = (hash ^ *byte) * 0x01000193;
  }
  return hash;
}

SEC("xdp")
int quic_steer(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->dest != bpf_htons(QUIC_PORT)) return XDP_PASS;
  __u8 *first = TAKE(&c, __u8);
  if (!first || !(*first & FIXED_BIT)) return XDP_DROP;
  __u32 length = our_id_length;
  if (*first & LONG_HEADER) {
    if (!TAKE(&c, __be32)) return XDP_DROP; /* version */
    __u8 *field = TAKE(&c, __u8);
    if (!field || *field > ID_MOST) return XDP_DROP;
    length = *field;
  }
  __u32 hash = hash_id(&c, length);
  __u32 count = processors ? processors : 1;
  return (int)bpf_redirect_map(&targets, hash % count, XDP_PASS);
}

char _license[] SEC("license") = "GPL";
