/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks UDP checksums over the whole payload with bpf_loop, whose callback takes one word of the packet at a time and ends the loop at
 * its end.
 *
 * Linux refuses it: compiled for versions 1 and 2, where it loses the bound of a 32-bit sum that is kept in 64 bits by shifts.
 */
#include "headers.h"

enum { WORDS_MOST = 750 };

struct sum {
  struct xdp_md *ctx;
  __u32 at, end, total;
};

__u64 bad = 0;

static long add_word(__u32 index, struct sum *sum) {
  struct cursor c = cursor_of(sum->ctx);
  __u32 at = sum->at + index * 2;
  if (at >= 0x1000 || at >= sum->end) return 1;
  __u8 *bytes = c.at + at;
  if ((void *)(bytes + 1) > c.end) return 1;
  sum->total += *bytes;
  if (at + 1 < sum->end && (void *)(bytes + 2) <= c.end) sum->total += (__u32)bytes[1] << 8;
  return 0;
}

SEC("xdp")
int loop_checksum(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK | IP_MORE_FRAGMENTS)))
    return XDP_PASS;
  struct udphdr *udp = TAKE(&c, struct udphdr);
  if (!udp || udp->check == 0) return XDP_PASS;
  __u32 length = bpf_ntohs(udp->len), at = sizeof(struct ethhdr) + ip->ihl * 4u;
  if (length < sizeof *udp || length > 2 * WORDS_MOST) return XDP_PASS;
  struct sum sum = {.ctx = ctx, .at = at, .end = at + length, .total = udp->len + bpf_htons(IPPROTO_UDP)};
  sum.total += (ip->saddr & 0xffff) + (ip->saddr >> 16) + (ip->daddr & 0xffff) + (ip->daddr >> 16);
  bpf_loop(WORDS_MOST, add_word, &sum, 0);
  if (fold(sum.total) == 0) return XDP_PASS;
  __sync_fetch_and_add(&bad, 1);
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
