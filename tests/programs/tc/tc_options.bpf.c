/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hides TCP options that a network does not want behind a kind for experiments (RFC 4727), which hosts pass over: the options are copied to
 * the stack by a length that varies, changed there, and stored back with the checksum's difference.
 */
#include "headers.h"

#include <linux/pkt_cls.h>
#include <stddef.h>

enum {
  OPTIONS_MOST = 40,
  OPTION_END = 0,
  OPTION_NOTHING = 1,
  OPTION_EXPERIMENT = 253,
  PLACES = 63,
  IP_AT = sizeof(struct ethhdr)
};

const volatile __u64 unwanted = 1ull << 30 | 1ull << 34; /* multipath, fast open */

SEC("tc")
int tc_options(struct __sk_buff *skb) {
  struct iphdr ip;
  struct tcphdr tcp;
  __u8 options[PLACES + 9] = {0};
  if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, IP_AT, &ip, sizeof ip)) return TC_ACT_OK;
  if (ip.protocol != IPPROTO_TCP || ip.ihl < 5 || (ip.frag_off & bpf_htons(IP_OFFSET_MASK))) return TC_ACT_OK;
  __u32 at = IP_AT + ip.ihl * 4u;
  if (bpf_skb_load_bytes(skb, at, &tcp, sizeof tcp) || tcp.doff <= 5) return TC_ACT_OK;
  __u32 length = (tcp.doff - 5u) * 4;
  if (length > OPTIONS_MOST || bpf_skb_load_bytes(skb, at + sizeof tcp, options, length)) return TC_ACT_OK;
  __s64 before = bpf_csum_diff(0, 0, (__be32 *)options, OPTIONS_MOST, 0);
  __u32 place = 0;
  for (__u32 i = 0; i < OPTIONS_MOST / 2 && place < length; i++) {
    __u8 kind = options[place & PLACES], size = kind == OPTION_NOTHING ? 1 : options[(place & PLACES) + 1];
    if (kind == OPTION_END || size == 0) break;
    if (kind < 64 && (unwanted >> kind & 1)) options[place & PLACES] = OPTION_EXPERIMENT;
    place += size;
  }
  __s64 after = bpf_csum_diff(0, 0, (__be32 *)options, OPTIONS_MOST, 0);
  if (before == after) return TC_ACT_OK;
  bpf_l4_csum_replace(skb, at + offsetof(struct tcphdr, check), 0, (__u32)after - (__u32)before, 0);
  return bpf_skb_store_bytes(skb, at + sizeof tcp, options, length, 0) ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
