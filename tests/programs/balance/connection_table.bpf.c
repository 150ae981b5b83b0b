/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A connection table before a Maglev table: known flows stay with their server as long as they are not idle, SYNs and others ask the
 * table, and per service the share of packets that the table of connections answered is kept.
 */
#include "headers.h"

enum { TABLE_SIZE = 65537, CONNECTIONS = 65536 };

const volatile __u64 idle_ns = 60000000000;

struct connection {
  __u32 server, packets;
  __u64 last;
};

struct answers {
  __u64 known, fresh, expired;
};

MAP(LRU_HASH, connections, struct flow, struct connection, CONNECTIONS);
MAP(ARRAY, table, __u32, __u32, TABLE_SIZE);
MAP(PERCPU_ARRAY, statistics, __u32, struct answers, 1);
MAP(DEVMAP, outputs, __u32, __u32, 256);

SEC("xdp")
int connection_table(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 zero = 0;
  struct answers *answers = bpf_map_lookup_elem(&statistics, &zero);
  if (!answers) return XDP_ABORTED;
  __u64 now = bpf_ktime_get_ns();
  struct connection *known = bpf_map_lookup_elem(&connections, &flow);
  if (known) {
    if (now - known->last < idle_ns) {
      answers->known++;
      known->last = now;
      known->packets++;
      return (int)bpf_redirect_map(&outputs, known->server, XDP_DROP);
    }
    answers->expired++;
  }
  __u32 slot = flow_hash(&flow) % TABLE_SIZE;
  __u32 *server = bpf_map_lookup_elem(&table, &slot);
  if (!server) return XDP_DROP;
  struct connection fresh = {*server, 1, now};
  answers->fresh++;
  bpf_map_update_elem(&connections, &flow, &fresh, BPF_ANY);
  return (int)bpf_redirect_map(&outputs, fresh.server, XDP_DROP);
}

char _license[] SEC("license") = "GPL";
