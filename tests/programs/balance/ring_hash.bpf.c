/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Consistent hashing on a ring (Karger et al., STOC '97): the first point at or behind the flow's hash, found by binary search among
 * sorted points, names the server; the packet goes out through the server's device.
 */
#include "headers.h"

enum { POINTS = 128, SEARCH_STEPS = 8, DEVICES = 64 };

struct point {
  __u32 hash, device;
};

struct ring {
  __u32 count, zero;
  struct point points[POINTS];
};

MAP(ARRAY, rings, __u32, struct ring, 1);
MAP(DEVMAP, devices, __u32, __u32, DEVICES);

SEC("xdp")
int ring_hash(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 zero = 0, hash = flow_hash(&flow);
  struct ring *ring = bpf_map_lookup_elem(&rings, &zero);
  if (!ring) return XDP_ABORTED;
  __u32 count = ring->count, low = 0, high = count < POINTS ? count : POINTS;
  for (int i = 0; i < SEARCH_STEPS && low < high; i++) {
    __u32 middle = (low + high) / 2;
    if (middle >= POINTS) break;
    if (ring->points[middle].hash < hash)
      low = middle + 1;
    else
      high = middle;
  }
  if (low >= count || low >= POINTS) low = 0; /* around */
  return (int)bpf_redirect_map(&devices, ring->points[low].device, XDP_DROP);
}

char _license[] SEC("license") = "GPL";
