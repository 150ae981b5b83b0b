/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counts the chunks of SCTP packets by kind (RFC 9260, section 3), and drops packets that bundle INIT with anything else, which the RFC
 * forbids. A chunk is padded to a multiple of four bytes.
 *
 * Linux refuses it: in code of version 3 and of -O1 it loses what a comparison with the end said of a pointer that variable lengths moved.
 */
#include "headers.h"

enum { CHUNKS_MOST = 12, CHUNK_INIT = 1, CHUNK_KINDS = 256, CHUNK_MOST = 1500 };

struct sctp_header {
  __be16 source, destination;
  __be32 tag, checksum;
};

struct chunk {
  __u8 kind, flags;
  __be16 length; /* header counted, padding not */
};

MAP(PERCPU_ARRAY, chunks, __u32, __u64, CHUNK_KINDS);

SEC("xdp")
int sctp_chunks(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_SCTP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return XDP_PASS;
  struct sctp_header *sctp = TAKE(&c, struct sctp_header);
  if (!sctp) return XDP_DROP;
  __u32 count = 0, inits = 0;
  while (count < CHUNKS_MOST) {
    struct chunk *chunk = TAKE(&c, struct chunk);
    if (!chunk) break;
    __u32 length = bpf_ntohs(chunk->length);
    if (length < sizeof *chunk || length > CHUNK_MOST) return XDP_DROP;
    count++;
    inits += chunk->kind == CHUNK_INIT;
    add_to(&chunks, chunk->kind, 1);
    if (!take_bytes(&c, (length - sizeof *chunk + 3) & 0x7fc)) break;
  }
  return inits > 0 && (count > 1 || sctp->tag != 0) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
