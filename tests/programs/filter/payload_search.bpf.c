/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Looks for a word anywhere in the first bytes of a payload, letter by letter from each place on, and drops what contains it. The word
 * is a setting; so is its length.
 *
 * Linux refuses it: it walks every number of equal letters at each place apart, over a million instructions.
 */
#include "headers.h"

enum { WORD_MOST = 8, PLACES = 64 };

const volatile char word[WORD_MOST] = "exploit";
const volatile __u32 word_length = 7;

SEC("xdp")
int payload_search(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  __u32 length = word_length;
  if (!udp || length == 0 || length > WORD_MOST) return XDP_PASS;
  for (int place = 0; place < PLACES; place++) {
    char *letters = c.at + place;
    if ((void *)(letters + length) > c.end) return XDP_PASS;
    __u32 same = 0;
    for (__u32 i = 0; i < WORD_MOST; i++) {
      if (i >= length || (void *)(letters + i + 1) > c.end || letters[i] != word[i]) break;
      same++;
    }
    if (same == length) return XDP_DROP;
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
