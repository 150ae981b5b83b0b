/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Limits how many TCP connections a source has open at once, and how fast it opens them. An entry of the table of connections stands for
 * one that is counted; its removal takes it off the count.
 */
#include "headers.h"

const volatile __u32 open_most = 64, opened_most = 20;
const volatile __u64 second_ns = 1000000000;

struct source {
  __u32 open, opened;
  __u64 since;
};

MAP(HASH, sources, __be32, struct source, 16384);
MAP(LRU_HASH, connections, struct flow, __u8, 65536);

SEC("xdp")
int connection_limit(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp) return XDP_DROP;
  struct source *source = bpf_map_lookup_elem(&sources, &flow.source);
  if (tcp->fin || tcp->rst) {
    if (bpf_map_delete_elem(&connections, &flow) == 0 && source && source->open > 0)
      __sync_fetch_and_add(&source->open, -1);
    return XDP_PASS;
  }
  if (!tcp->syn || tcp->ack) return XDP_PASS;
  __u64 now = bpf_ktime_get_ns();
  __u8 one = 1;
  if (!source) {
    struct source fresh = {1, 1, now};
    bpf_map_update_elem(&sources, &flow.source, &fresh, BPF_NOEXIST);
    bpf_map_update_elem(&connections, &flow, &one, BPF_ANY);
    return XDP_PASS;
  }
  if (now - source->since > second_ns) {
    source->since = now;
    source->opened = 0;
  }
  if (source->open >= open_most || source->opened >= opened_most) return XDP_DROP;
  if (bpf_map_update_elem(&connections, &flow, &one, BPF_NOEXIST) == 0) {
    __sync_fetch_and_add(&source->open, 1);
    __sync_fetch_and_add(&source->opened, 1);
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
