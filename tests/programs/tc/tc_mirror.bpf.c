/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mirrors one packet in N of chosen VLANs to a monitor port and cuts others of them short; pointers are made anew after each helper that
 * may move the packet.
 */
#include "headers.h"

#include <linux/pkt_cls.h>

enum { VLANS = 4096, CUT_LENGTH = 128, MIRROR = 1, CUT = 2 };

const volatile __u32 one_in = 16, monitor = 2;

MAP(ARRAY, actions, __u32, __u8, VLANS);
MAP(PERCPU_ARRAY, seen, __u32, __u64, 1);

SEC("tc")
int tc_mirror(struct __sk_buff *skb) {
  __u32 vlan = skb->vlan_present ? skb->vlan_tci & 0xfff : 0, zero = 0;
  __u8 *action = bpf_map_lookup_elem(&actions, &vlan);
  __u64 *number = bpf_map_lookup_elem(&seen, &zero);
  if (!action || !number) return TC_ACT_OK;
  if ((*action & MIRROR) && one_in && (*number)++ % one_in == 0) bpf_clone_redirect(skb, monitor, 0);
  if (!(*action & CUT) || skb->len <= CUT_LENGTH) return TC_ACT_OK;
  if (bpf_skb_change_tail(skb, CUT_LENGTH, 0)) return TC_ACT_SHOT;
  struct cursor c = cursor_of_skb(skb);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return TC_ACT_OK;
  __be16 length = bpf_htons(CUT_LENGTH - sizeof(struct ethhdr));
  ip->check = checksum_replace(ip->check, ip->tot_len, length);
  ip->tot_len = length;
  return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
