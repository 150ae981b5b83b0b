/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Drops packets from addresses that no host on the Internet has (RFC 6890), by a sorted table in read-only data and a binary search.
 */
#include "headers.h"

struct range {
  __u32 first, last; /* in the machine's byte order */
};

static const struct range ranges[] = {
    {0x00000000, 0x00ffffff}, {0x0a000000, 0x0affffff}, {0x64400000, 0x647fffff}, {0x7f000000, 0x7fffffff},
    {0xa9fe0000, 0xa9feffff}, {0xac100000, 0xac1fffff}, {0xc0000000, 0xc00000ff}, {0xc0000200, 0xc00002ff},
    {0xc0a80000, 0xc0a8ffff}, {0xc6120000, 0xc613ffff}, {0xc6336400, 0xc63364ff}, {0xcb007100, 0xcb0071ff},
    {0xe0000000, 0xefffffff}, {0xf0000000, 0xffffffff},
};
enum { RANGES = sizeof ranges / sizeof *ranges };

MAP(PERCPU_ARRAY, dropped, __u32, __u64, RANGES);

SEC("xdp")
int bogons(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  __u32 source = bpf_ntohl(ip->saddr), low = 0, high = RANGES;
  for (int i = 0; i < 5 && low < high; i++) {
    __u32 middle = (low + high) / 2;
    if (middle >= RANGES) break;
    if (source > ranges[middle].last) {
      low = middle + 1;
    } else if (source < ranges[middle].first) {
      high = middle;
    } else {
      add_to(&dropped, middle, 1);
      return XDP_DROP;
    }
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
