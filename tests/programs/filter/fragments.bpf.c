/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Guards against attacks with fragments: tiny first ones (RFC 1858), such that overlap what came before, such that end past the largest
 * datagram, and datagrams of too many. What came so far of a datagram is kept by its identification.
 */
#include "headers.h"

enum { LEAST_FIRST = 64, MOST_PIECES = 46, DATAGRAM_MOST = 65535 };

struct datagram {
  __be32 source, destination;
  __be16 id;
  __u8 protocol, zero;
};

struct progress {
  __u64 began;
  __u32 end; /* of what came in order */
  __u32 pieces;
};

const volatile __u64 patience_ns = 30000000000;

MAP(LRU_HASH, datagrams, struct datagram, struct progress, 4096);

SEC("xdp")
int fragments(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  __u32 field = bpf_ntohs(ip->frag_off), offset = (field & IP_OFFSET_MASK) * 8;
  if (offset == 0 && !(field & IP_MORE_FRAGMENTS)) return XDP_PASS;
  __u32 length = bpf_ntohs(ip->tot_len), header = ip->ihl * 4u;
  if (length <= header || offset + (length - header) > DATAGRAM_MOST) return XDP_DROP;
  length -= header;
  if (offset == 0 && length < LEAST_FIRST) return XDP_DROP;
  if ((field & IP_MORE_FRAGMENTS) && length % 8 != 0) return XDP_DROP;
  struct datagram key = {ip->saddr, ip->daddr, ip->id, ip->protocol, 0};
  struct progress *progress = bpf_map_lookup_elem(&datagrams, &key);
  __u64 now = bpf_ktime_get_ns();
  if (!progress || now - progress->began > patience_ns) {
    struct progress fresh = {now, offset == 0 ? length : 0, 1};
    bpf_map_update_elem(&datagrams, &key, &fresh, BPF_ANY);
    return XDP_PASS;
  }
  if (++progress->pieces > MOST_PIECES || offset < progress->end) return XDP_DROP;
  if (offset == progress->end) progress->end += length;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
