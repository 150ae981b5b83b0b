/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Flow records in the manner of NetFlow: packets, bytes, flags, first and last time of each flow; a record goes out when the connection
 * ends, when it has been open for long, or when it has been silent, and the flow begins anew.
 */
#include "headers.h"

const volatile __u64 active_ns = 120000000000, idle_ns = 15000000000;

struct record {
  struct flow flow;
  __u64 packets, bytes, first, last;
  __u32 flags, reason;
};

enum reason { ENDED, LONG, SILENT };

MAP(LRU_HASH, active, struct flow, struct record, 65536);
RING(records, 262144);
__u64 lost = 0;

static __always_inline void send(const struct record *record, enum reason reason) {
  struct record *copy = bpf_ringbuf_reserve(&records, sizeof *copy, 0);
  if (!copy) {
    __sync_fetch_and_add(&lost, 1);
    return;
  }
  *copy = *record;
  copy->reason = reason;
  bpf_ringbuf_submit(copy, 0);
}

SEC("xdp")
int flow_export(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  __u64 bytes = c.end - c.at, now = bpf_ktime_get_ns();
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  __u32 flags = 0;
  if (flow.protocol == IPPROTO_TCP) {
    struct tcphdr *tcp = TAKE(&c, struct tcphdr);
    if (!tcp) return XDP_PASS;
    flags = ((__u8 *)tcp)[13];
  }
  struct record *known = bpf_map_lookup_elem(&active, &flow);
  if (known && now - known->last > idle_ns) {
    send(known, SILENT);
    known->packets = known->bytes = known->flags = 0;
    known->first = now;
  }
  if (!known) {
    struct record fresh = {.flow = flow, .packets = 1, .bytes = bytes, .first = now, .last = now, .flags = flags};
    bpf_map_update_elem(&active, &flow, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  known->packets++;
  known->bytes += bytes;
  known->flags |= flags;
  known->last = now;
  if (flags & 0x05) { /* FIN, RST */
    send(known, ENDED);
    bpf_map_delete_elem(&active, &flow);
  } else if (now - known->first > active_ns) {
    send(known, LONG);
    known->packets = known->bytes = 0;
    known->first = now;
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
