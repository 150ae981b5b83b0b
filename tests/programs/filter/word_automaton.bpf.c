/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Searches payloads for many words at once with the automaton of Aho and Corasick (1975): a table, filled by the control plane, says for
 * each state and byte which state comes next, and which states end a word.
 *
 * Linux refuses it: compiled with -O1, where the compiler copies a register on a path where nothing set it, and nothing looks at the copy.
 */
#include "headers.h"

enum { STATES = 256, BYTES_MOST = 256, WORD_END = 0x8000 };

struct state {
  __u16 next[256]; /* with WORD_END where a word ends */
};

MAP(ARRAY, automaton, __u32, struct state, STATES);
MAP(PERCPU_ARRAY, found, __u32, __u64, STATES);

SEC("xdp")
int word_automaton(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  if (!open_udp(&c)) return XDP_PASS;
  __u32 current = 0;
  for (int i = 0; i < BYTES_MOST; i++) {
    __u8 *byte = TAKE(&c, __u8);
    if (!byte) return XDP_PASS;
    struct state *state = bpf_map_lookup_elem(&automaton, &current);
    if (!state) return XDP_ABORTED;
    __u32 next = state->next[*byte];
    current = next & (STATES - 1);
    if (!(next & WORD_END)) continue;
    add_to(&found, current, 1);
    return XDP_DROP;
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
