/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sweeps a table with bpf_for_each_map_elem when a control packet asks for it: the callback adds up what is in use, deletes what has
 * expired, and stops after a number of deletions.
 */
#include "headers.h"

enum { CONTROL_PORT = 6000 };

const volatile __u64 lifetime_ns = 30000000000;
const volatile __u32 deletions_most = 64;

struct entry {
  __u64 last, bytes;
};

struct sweep {
  __u64 now, bytes;
  __u32 kept, deleted;
};

MAP(HASH, entries, __be32, struct entry, 4096);
RING(sweeps, 4096);

static long visit(void *map, __be32 *key, struct entry *entry, struct sweep *sweep) {
  if (sweep->now - entry->last < lifetime_ns) {
    sweep->kept++;
    sweep->bytes += entry->bytes;
    return 0;
  }
  __be32 copy = *key;
  bpf_map_delete_elem(map, &copy);
  return ++sweep->deleted >= deletions_most;
}

SEC("xdp")
int expire_entries(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  __u64 bytes = c.end - c.at, now = bpf_ktime_get_ns();
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  if (flow.destination_port == bpf_htons(CONTROL_PORT)) {
    struct sweep sweep = {.now = now};
    bpf_for_each_map_elem(&entries, visit, &sweep, 0);
    bpf_ringbuf_output(&sweeps, &sweep, sizeof sweep, 0);
    return XDP_DROP;
  }
  struct entry fresh = {now, bytes}, *entry = bpf_map_lookup_elem(&entries, &flow.source);
  if (!entry) {
    bpf_map_update_elem(&entries, &flow.source, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  entry->last = now;
  __sync_fetch_and_add(&entry->bytes, bytes);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
