/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks ARP (RFC 826) against known bindings of IPv4 to hardware addresses: a reply, or an announcement, that claims an address which
 * belongs to another is dropped and reported.
 */
#include "headers.h"

struct arp {
  __be16 hardware, protocol;
  __u8 hardware_length, protocol_length;
  __be16 operation;
  __u8 sender_mac[ETH_ALEN];
  __be32 sender;
  __u8 target_mac[ETH_ALEN];
  __be32 target;
} __attribute__((packed));

struct binding {
  __u8 mac[ETH_ALEN];
  __u16 zero;
};

struct alarm {
  __be32 address;
  __u8 claimed_by[ETH_ALEN], owner[ETH_ALEN];
};

MAP(HASH, bindings, __be32, struct binding, 1024);
RING(alarms, 4096);

static __always_inline int same(const __u8 *a, const __u8 *b) {
  __u8 different = 0;
  for (int i = 0; i < ETH_ALEN; i++)
    different |= a[i] ^ b[i];
  return different == 0;
}

SEC("xdp")
int arp_guard(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_ARP)) return XDP_PASS;
  struct arp *arp = TAKE(&c, struct arp);
  if (!arp || arp->hardware != bpf_htons(1) || arp->protocol != bpf_htons(ETH_P_IP)) return XDP_DROP;
  if (arp->hardware_length != ETH_ALEN || arp->protocol_length != 4) return XDP_DROP;
  if (!same(arp->sender_mac, eth->h_source)) return XDP_DROP;
  __be32 sender = arp->sender;
  if (sender == 0) return XDP_PASS; /* a probe, RFC 5227 */
  struct binding *binding = bpf_map_lookup_elem(&bindings, &sender);
  if (!binding || same(binding->mac, arp->sender_mac)) return XDP_PASS;
  struct alarm *alarm = bpf_ringbuf_reserve(&alarms, sizeof *alarm, 0);
  if (alarm) {
    alarm->address = sender;
    __builtin_memcpy(alarm->claimed_by, arp->sender_mac, ETH_ALEN);
    __builtin_memcpy(alarm->owner, binding->mac, ETH_ALEN);
    bpf_ringbuf_submit(alarm, 0);
  }
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
