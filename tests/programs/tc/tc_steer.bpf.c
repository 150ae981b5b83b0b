/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steers flows over uplinks by the packet's hash: weights are a table of slots; a flow that was moved keeps its slot until the table's
 * generation changes. Packets are made readable first where they are not.
 */
#include "headers.h"

#include <linux/pkt_cls.h>

enum { SLOTS = 128, HEADERS = sizeof(struct ethhdr) + sizeof(struct iphdr) };

struct slot {
  __u32 port, generation;
  __u64 packets;
};

MAP(ARRAY, slots, __u32, struct slot, SLOTS);
const volatile __u32 generation = 1;

SEC("tc")
int tc_steer(struct __sk_buff *skb) {
  struct cursor c = cursor_of_skb(skb);
  if (c.at + HEADERS > c.end) {
    if (bpf_skb_pull_data(skb, HEADERS)) return TC_ACT_SHOT;
    c = cursor_of_skb(skb);
  }
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return TC_ACT_OK;
  __u32 hash = bpf_get_hash_recalc(skb);
  if (hash == 0) hash = mix(ip->saddr ^ mix(ip->daddr));
  __u32 index = hash % SLOTS;
  struct slot *slot = bpf_map_lookup_elem(&slots, &index);
  if (!slot) return TC_ACT_SHOT;
  if (slot->generation != generation) { /* stale: the next one of this generation */
    for (__u32 i = 1; i < 8; i++) {
      __u32 next = (index + i) % SLOTS;
      struct slot *other = bpf_map_lookup_elem(&slots, &next);
      if (!other || other->generation != generation) continue;
      slot = other;
      break;
    }
  }
  __sync_fetch_and_add(&slot->packets, 1);
  return (int)bpf_redirect(slot->port, 0);
}

char _license[] SEC("license") = "GPL";
