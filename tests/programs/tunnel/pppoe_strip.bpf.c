/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Takes PPPoE session headers off (RFC 2516): subscribers by session and address, the protocol of PPP becomes the Ethernet type, and the
 * addresses move up by eight bytes.
 */
#include "headers.h"

struct pppoe {
  __u8 version_type, code;
  __be16 session, length, protocol;
} __attribute__((packed));

struct subscriber {
  __u8 mac[ETH_ALEN];
  __be16 session;
};

struct usage {
  __u64 packets, bytes;
};

MAP(HASH, subscribers, struct subscriber, struct usage, 8192);

SEC("xdp")
int pppoe_strip(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_PPP_SES)) return XDP_PASS;
  struct pppoe *pppoe = TAKE(&c, struct pppoe);
  if (!pppoe || pppoe->version_type != 0x11 || pppoe->code != 0) return XDP_DROP;
  __be16 type;
  switch (bpf_ntohs(pppoe->protocol)) {
    case 0x0021:
      type = bpf_htons(ETH_P_IP);
      break;
    case 0x0057:
      type = bpf_htons(ETH_P_IPV6);
      break;
    default:
      return XDP_PASS; /* link control stays with the host */
  }
  struct subscriber key = {.session = pppoe->session};
  __builtin_memcpy(key.mac, eth->h_source, ETH_ALEN);
  struct usage *usage = bpf_map_lookup_elem(&subscribers, &key);
  if (!usage) return XDP_DROP;
  __sync_fetch_and_add(&usage->packets, 1);
  __sync_fetch_and_add(&usage->bytes, bpf_ntohs(pppoe->length));
  struct ethhdr moved = *eth;
  if (bpf_xdp_adjust_head(ctx, sizeof *pppoe)) return XDP_DROP;
  c = cursor_of(ctx);
  eth = TAKE(&c, struct ethhdr);
  if (!eth) return XDP_ABORTED;
  moved.h_proto = type;
  *eth = moved;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
