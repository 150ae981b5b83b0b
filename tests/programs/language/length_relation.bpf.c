/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks the padding of datagrams: compares their length once with what the packet holds, as a number of bytes between start and end, and
 * then reads by that length without asking for the end again.
 *
 * Linux refuses it: it learns nothing from a comparison of a number with the difference of two packet pointers.
 */
#include "headers.h"

enum { LENGTH_MOST = 1400, TRAILER = 4 };

SEC("xdp")
int length_relation(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp) return XDP_PASS;
  __u64 there = c.end - c.at, length = bpf_ntohs(udp->len);
  if (length < sizeof *udp + TRAILER || length > LENGTH_MOST) return XDP_DROP;
  length -= sizeof *udp;
  if (length > there) return XDP_DROP;
  __u8 *trailer = c.at + length - TRAILER, sum = 0;
  for (int i = 0; i < TRAILER; i++)
    sum += trailer[i];
  return sum == 0 ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
