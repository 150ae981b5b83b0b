/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Takes VXLAN packets apart (RFC 7348): the network identifier finds the port of the tenant, the outer headers go, and the inner frame
 * is sent there if its destination was learned.
 */
#include "headers.h"

enum { VXLAN_PORT = 4789, HAS_NETWORK = 0x08, PORTS = 64 };

struct vxlan {
  __u8 flags, reserved[3];
  __be32 network; /* 24 bits, and 8 that are 0 */
};

struct station {
  __u8 mac[ETH_ALEN];
  __u16 zero;
  __u32 network;
};

MAP(HASH, stations, struct station, __u32, 4096);
MAP(HASH, uplinks, __u32, __u32, 1024); /* by network: where unknown stations are */
MAP(DEVMAP, ports, __u32, __u32, PORTS);

SEC("xdp")
int vxlan_decap(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->dest != bpf_htons(VXLAN_PORT)) return XDP_PASS;
  struct vxlan *vxlan = TAKE(&c, struct vxlan);
  struct ethhdr *inner = vxlan ? TAKE(&c, struct ethhdr) : 0;
  if (!inner || !(vxlan->flags & HAS_NETWORK)) return XDP_DROP;
  struct station station = {.network = bpf_ntohl(vxlan->network) >> 8};
  __builtin_memcpy(station.mac, inner->h_dest, ETH_ALEN);
  __u32 *port = bpf_map_lookup_elem(&stations, &station);
  if (!port) port = bpf_map_lookup_elem(&uplinks, &station.network);
  if (!port) return XDP_DROP;
  int outer = (int)((void *)inner - (void *)(long)ctx->data);
  if (bpf_xdp_adjust_head(ctx, outer)) return XDP_DROP;
  return (int)bpf_redirect_map(&ports, *port, XDP_DROP);
}

char _license[] SEC("license") = "GPL";
