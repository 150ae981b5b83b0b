/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Clamps the maximum segment size that SYN packets announce (RFC 9293, section 3.2) to what a tunnel carries, and corrects the checksum
 * (RFC 1624). Options are walked one by one; a malformed list is left to the receiver.
 *
 * Linux refuses it: compiled for versions 1 and 2, where it loses the bound of the options and walks over a million instructions.
 */
#include "headers.h"

enum { OPTIONS_MOST = 40, OPTION_END = 0, OPTION_NOTHING = 1, OPTION_MSS = 2, MSS_LENGTH = 4 };

const volatile __u16 mss_most = 1360;

__u64 clamped = 0;

static __always_inline __u16 checksum_replace_at(__u16 check, __u16 from, __u16 to, __u32 odd) {
  if (odd) { /* the value lies across two words of the sum */
    from = __builtin_bswap16(from);
    to = __builtin_bswap16(to);
  }
  return checksum_replace(check, from, to);
}

SEC("xdp")
int mss_clamp(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_TCP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp || !tcp->syn || tcp->doff < 5) return XDP_PASS;
  __u32 length = tcp->doff * 4u - sizeof *tcp, at = 0;
  for (__u32 i = 0; i < OPTIONS_MOST && at < length; i++) {
    __u8 *option = c.at + at;
    if ((void *)(option + 1) > c.end || *option == OPTION_END) break;
    if (*option == OPTION_NOTHING) {
      at++;
      continue;
    }
    if ((void *)(option + 2) > c.end || option[1] < 2) break;
    if (*option == OPTION_MSS && option[1] == MSS_LENGTH) {
      if ((void *)(option + MSS_LENGTH) > c.end) break;
      __be16 *mss = (__be16 *)(option + 2);
      if (bpf_ntohs(*mss) > mss_most) {
        tcp->check = checksum_replace_at(tcp->check, *mss, bpf_htons(mss_most), at & 1);
        *mss = bpf_htons(mss_most);
        __sync_fetch_and_add(&clamped, 1);
      }
      break;
    }
    at += option[1];
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
