/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A learning Ethernet switch (IEEE 802.1D, section 7): remembers behind which interface an address lives, and redirects frames there
 * through a device map. Frames for many, and for the unknown, are passed up, where flooding is done.
 */
#include "headers.h"

enum { STATIONS_MAX = 1024, PORTS_MAX = 16 };

struct station {
  __u8 address[ETH_ALEN];
  __u16 vlan;
};

struct place {
  __u32 port;
  __u32 moves; /* how often it turned up elsewhere */
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, STATIONS_MAX);
  __type(key, struct station);
  __type(value, struct place);
} stations SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, PORTS_MAX);
  __type(key, __u32);
  __type(value, __u32);
} ports SEC(".maps");

static __always_inline void learn(const struct station *who, __u32 port) {
  struct place *place = bpf_map_lookup_elem(&stations, who);
  if (!place) {
    struct place fresh = {port, 0};
    bpf_map_update_elem(&stations, who, &fresh, BPF_NOEXIST);
  } else if (place->port != port) {
    place->port = port;
    __sync_fetch_and_add(&place->moves, 1);
  }
}

SEC("xdp")
int l2_switch(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_DROP;
  struct station station = {{0}, 0};
  if (eth->h_proto == bpf_htons(ETH_P_8021Q)) {
    struct vlan_header *tag = TAKE(&c, struct vlan_header);
    if (!tag) return XDP_DROP;
    station.vlan = bpf_ntohs(tag->tci) & 0xfff;
  }
  if (eth->h_source[0] & 1) return XDP_DROP; /* no group sends */
  __builtin_memcpy(station.address, eth->h_source, ETH_ALEN);
  learn(&station, ctx->ingress_ifindex);
  if (eth->h_dest[0] & 1) return XDP_PASS;
  __builtin_memcpy(station.address, eth->h_dest, ETH_ALEN);
  struct place *place = bpf_map_lookup_elem(&stations, &station);
  if (!place) return XDP_PASS;
  if (place->port == ctx->ingress_ifindex) return XDP_DROP; /* it heard it already */
  return bpf_redirect_map(&ports, place->port, XDP_PASS);
}

char _license[] SEC("license") = "GPL";
