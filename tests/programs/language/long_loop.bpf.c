/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steps a linear-feedback shift register as often as a packet asks for, up to 30,000 times, to check the puzzle that its sender had to
 * solve (a client puzzle makes floods dear).
 *
 * Linux refuses it: it walks each of the 30,000 trips, two ways each.
 */
#include "headers.h"

enum { PUZZLE_PORT = 8888, STEPS_MOST = 30000, TAPS = 0x80200003 };

struct puzzle {
  __be32 seed, steps, answer;
};

SEC("xdp")
int long_loop(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->dest != bpf_htons(PUZZLE_PORT)) return XDP_PASS;
  struct puzzle *puzzle = TAKE(&c, struct puzzle);
  if (!puzzle) return XDP_DROP;
  __u32 state = bpf_ntohl(puzzle->seed), steps = bpf_ntohl(puzzle->steps);
  if (steps > STEPS_MOST) return XDP_DROP;
  for (__u32 i = 0; i < steps; i++) {
    __u32 low = state & 1;
    state >>= 1;
    if (low) state ^= TAPS;
  }
  return state == bpf_ntohl(puzzle->answer) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
